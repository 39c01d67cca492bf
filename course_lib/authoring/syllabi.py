"""Three ways through the course, for `docs/teaching/syllabi.md`: what is done in which week, and the minutes of it.

The weeks are written down here; the minutes are those of the sources (`reading`), so nobody types them. A notebook
needs what its header says that it needs. Where a syllabus leaves that out, it says what takes its place (`bridges`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.authoring.links import NUMBER
from course_lib.authoring.reading import EXERCISE, SectionTime, section_times
from course_lib.authoring.readme import header, markdown_table, write_between
from course_lib.authoring.text import FURTHER, calls, notebook_files, read_cells, students

PAGE = Path("docs/teaching/syllabi.md")


@dataclass(frozen=True)
class Part:
    """What is done of a notebook.

    Attributes:
        notebook: its number.
        without: headings of its core that are left out.
        further: headings under *Going further* that are done, too.
        exercises: names of those that are asked for; None for all.
    """

    notebook: str
    without: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    exercises: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Week:
    """A week: what is done, and what becomes of the project in it."""

    parts: tuple[Part, ...]
    project: str = ""


@dataclass(frozen=True)
class Syllabus:
    """A way through the course.

    Attributes:
        name: as the markers of its table on the page name it.
        weeks: in order.
        bridges: what takes the place of a needed notebook that is not done, by its number.
    """

    name: str
    weeks: tuple[Week, ...]
    bridges: dict[str, str] = field(default_factory=dict)


OWN, FIGURE = "[a data set of your own](../projects/own_data.md)", "[a figure of a paper](../projects/paper_figure.md)"
LATE = ("What each has learned: a density, a decision boundary", "Break it: correlated features",
        "Real data: handwritten digits", "How many examples?", "Missing features: when pixels are hidden")

SYLLABI = (
    Syllabus("four weeks", (
        Week((Part("00"), Part("01", without=LATE, exercises=("01.posterior",)), Part("02"))),
        Week((Part("03"), Part("03b")), f"choose: {OWN}; collect, and write down the split"),
        Week((Part("04"), Part("11")), "the mixture on your own data"),
        Week((Part("11c"), Part("11d")), "hand in"),
    ), {"06b": "the Fréchet distance in ten minutes on the board, from two of its sections: *Three scores* and *What "
               "the Fréchet distance computes*"}),
    Syllabus("eight weeks", (
        Week((Part("00"), Part("01"))),
        Week((Part("02", further=("Missing data: EM without filling in",)),)),
        Week((Part("03"), Part("03b"))),
        Week((Part("04", further=("Against posterior collapse",)),)),
        Week((Part("05"), Part("05b")), f"choose: {FIGURE}; hand in the claims before the first run"),
        Week((Part("06"), Part("06b")), "time a short run; plan the seeds"),
        Week((Part("07"), Part("10")), "runs"),
        Week((Part("11"), Part("11c")), "hand in; five minutes each"),
    )),
    Syllabus("fourteen weeks", (
        Week((Part("00"), Part("01"))),
        Week((Part("02"), Part("02b"))),
        Week((Part("03", further=("What a bound prefers",)),), f"choose: {OWN}"),
        Week((Part("03b"), Part("03c")), "collect; write down the split"),
        Week((Part("04", further=("Rate and distortion",)), Part("08")), "a model of your own data"),
        Week((Part("05", further=("R1: a penalty that brings the game to rest",)), Part("05b")), "hand in"),
        Week((Part("06"), Part("06b"))),
        Week((Part("07"), Part("07c"))),
        Week((Part("07b"), Part("07d")), f"choose: {FIGURE}; hand in the claims"),
        Week((Part("09"), Part("09b")), "time a short run; plan the seeds"),
        Week((Part("09c"), Part("10")), "runs"),
        Week((Part("10b"), Part("10c")), "runs; sweep the loser's setting"),
        Week((Part("11"), Part("11b")), "hand in"),
        Week((Part("11c"), Part("11d")), "talks, ten minutes each"),
    )),
)


def needed(source: Path) -> tuple[str, ...]:
    """The numbers of the notebooks that a source's header says it needs."""
    return tuple(re.findall(rf"\b{NUMBER}", header(read_cells(source)[0].source)["need"]))


def chosen(part: Part, source: Path) -> list[SectionTime]:
    """The sections of a source that a part is of.

    Raises:
        ValueError: it names a section that the source does not have there.
    """
    times = section_times(read_cells(source))
    core = {time.section.heading for time in times if not time.section.further}
    further = {time.section.heading for time in times if time.section.further}
    if unknown := [*(set(part.without) - core), *(set(part.further) - further)]:
        raise ValueError(f"{source.name} has no section {unknown[0]!r} there")
    return [time for time in times if (time.section.heading in part.further if time.section.further
                                       else time.section.heading not in part.without)]


def exercises_of(part: Part, source: Path) -> tuple[str, ...]:
    """The names of the exercises that a part asks for.

    Raises:
        ValueError: it names one that the source does not have.
    """
    cells = students(read_cells(source))
    there = tuple(call.args[0].value for cell in cells if cell.cell_type == "code"
                  for call in calls(cell.source, "check"))
    if unknown := set(part.exercises or ()) - set(there):
        raise ValueError(f"{source.name} has no exercise {sorted(unknown)[0]}")
    return there if part.exercises is None else part.exercises


def minutes(week: Week, folder: Path) -> tuple[int, int]:
    """Minutes to read what a week holds, and to work through it with its exercises; whole, rounded up."""
    read = worked = 0.0
    for part in week.parts:
        source = _source(part, folder)
        times = chosen(part, source)
        read += sum(time.read for time in times)
        worked += sum(time.read + time.tried for time in times) + len(exercises_of(part, source)) * EXERCISE
    return math.ceil(read / 60), math.ceil(worked / 60)


def lacking(syllabus: Syllabus, folder: Path) -> Iterator[str]:
    """What a syllabus does before what it needs, or without it, in words; and bridges that nothing needs."""
    done, bridged = set(), set()
    for number, week in enumerate(syllabus.weeks, start=1):
        for part in week.parts:
            for need in needed(_source(part, folder)):
                if need in syllabus.bridges:
                    bridged.add(need)
                elif need not in done:
                    yield f"{syllabus.name}, week {number}: notebook {part.notebook} needs {need} before it"
            done.add(part.notebook)
    bridges = syllabus.bridges.keys()
    yield from (f"{syllabus.name}: nothing needs the bridge for {number}" for number in bridges - bridged)
    yield from (f"{syllabus.name}: notebook {number} is done, and has a bridge" for number in bridges & done)


def table(syllabus: Syllabus, folder: Path) -> str:
    """A row for each week, with links from the page to the notebooks; then the sum, the bridges, what is not done."""
    rows, totals = [("week", "notebooks", "exercises", "project", "to read", "to do")], (0, 0)
    for number, week in enumerate(syllabus.weeks, start=1):
        sources = [_source(part, folder) for part in week.parts]
        asked = [name for part, source in zip(week.parts, sources, strict=True) for name in exercises_of(part, source)]
        read, worked = minutes(week, folder)
        totals = totals[0] + read, totals[1] + worked
        told = "; ".join(_told(part, source) for part, source in zip(week.parts, sources, strict=True))
        rows.append((str(number), told, ", ".join(f"`{name}`" for name in asked), week.project or "–", f"{read} min",
                     f"{worked} min"))
    done = {part.notebook for week in syllabus.weeks for part in week.parts}
    files = notebook_files(folder)
    hours = f"In all {_hours(totals[0])} to read and {_hours(totals[1])} to do, the project apart."
    text = [markdown_table(rows), hours]
    text += [f"In place of {_link(number, files)}: {bridge}." for number, bridge in syllabus.bridges.items()]
    text.append(f"Not done: {', '.join(_link(number, files) for number in files if number not in done)}.")
    return "\n\n".join(text)


def write_syllabi(course: Path) -> None:
    """Put each table between its markers on the page of a course folder.

    Raises:
        ValueError: the markers are not there, once each; or a part names what is not there.
    """
    write_between(course / PAGE, {syllabus.name: table(syllabus, course / "notebooks") for syllabus in SYLLABI})


def _source(part: Part, folder: Path) -> Path:
    return folder / "source" / notebook_files(folder)[part.notebook].replace(".ipynb", ".py")


def _told(part: Part, source: Path) -> str:
    title = header(read_cells(source)[0].source)["title"]
    without = f", without {', '.join(f'*{name}*' for name in part.without)}" if part.without else ""
    further = f", and {', '.join(f'*{name}*' for name in part.further)} of *{FURTHER[3:]}*" if part.further else ""
    return f"[{part.notebook}](../../notebooks/{source.stem}.ipynb) {title}{without}{further}"


def _link(number: str, files: dict[str, str]) -> str:
    return f"[{number}](../../notebooks/{files[number]})"


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.1f} hours"
