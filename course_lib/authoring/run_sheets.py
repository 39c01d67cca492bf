"""A run-sheet for each notebook: what a teacher has on the desk during the lesson.

All of it comes from the source. Its sections and minutes are those of `reading`, its formulas, predictions, labs and
exercises are the notebook's own, the foreseen mistakes are the chapter's, and what is said to the teacher alone stands
in the cell for the teacher: after its first paragraph, items `- **Prepare.** …`, `- **HEADING.** …` for a section, and
`- **05.log.** …` for a prediction. They say what goes on the board, what to look for, which wrong answers to expect.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib.authoring.links import link_notebooks
from course_lib.authoring.predictions import RECORD, Prediction, paragraphs, predictions
from course_lib.authoring.reading import DISPLAYED, SectionTime, reading_time, section_times
from course_lib.authoring.readme import header, markdown_table
from course_lib.authoring.text import calls, is_teachers, notebook_files, read_cells, sources
from course_lib.files import atomic_write
from course_lib.teach.exercises import exercises

LESSONS = (45, 90)  # minutes
HINTS = 5  # foreseen mistakes of an exercise that are told with their hints; the others by name
PREPARE, BOARD = "Prepare", "On the board:"
NOTE = re.compile(r"^- \*\*(?P<label>.+?)\*\* (?P<text>.+?)(?=\n- |\n\n|\Z)", re.M | re.S)
ASKED = re.compile(r"^\*\*\d+\.\*\* ", re.M)
LAB = r"LiveLab|explore|explore_canvas|\w+_lab"
NO_SLIDER = ("alt", "labels", "drawing", "mask")  # arguments of `explore` that nobody turns
ITEM = re.compile(r"^(?:\d+\.|-) (.+?)(?=\n(?:\d+\.|-) |\n\n|\Z)", re.M | re.S)


class UnknownLabel(Exception):
    """A note for the teacher is for something that the notebook does not have."""


@dataclass(frozen=True)
class Notes:
    """What the teacher's cells of a source say.

    Attributes:
        general: their text without the items.
        of: each item by its label: "Prepare", a heading, or the key of a prediction.
    """

    general: str
    of: dict[str, str]


def notes(cells: Sequence[NotebookNode]) -> Notes:
    """The notes of a source's cells for the teacher, each in one line."""
    text = "\n\n".join(cell.source for cell in cells if is_teachers(cell))
    items = {item["label"].rstrip("."): " ".join(item["text"].split()) for item in NOTE.finditer(text)}
    general = [" ".join(part.split()) for part in NOTE.sub("", text).split("\n\n")]
    return Notes("\n\n".join(filter(None, general)), items)


def lessons(times: Sequence[SectionTime], length: float) -> list[list[SectionTime]]:
    """The sections in lessons of at most `length` minutes, in order, each as full as it gets.

    A section that is longer has a lesson of its own, which runs over.
    """
    made: list[list[SectionTime]] = []
    for time in times:
        if made and sum(t.minutes for t in made[-1]) + time.minutes <= length:
            made[-1].append(time)
        else:
            made.append([time])
    return made


def run_sheet(source: Path, record: Path = RECORD) -> str:
    """The run-sheet of a source, as Markdown; where it names a notebook, with a link to that one's sheet beside it.

    Raises:
        UnknownLabel: a note is for a section or a prediction that is not there.
        ValueError: as `predictions`.
    """
    cells = read_cells(source)
    said, told, times = header(cells[0].source), notes(cells), section_times(cells)
    asked = predictions(source, record)
    known = {PREPARE, *(t.section.heading.rstrip(".") for t in times), *(p.key for p in asked)}
    if unknown := set(told.of) - known:
        raise UnknownLabel(f"{source.name}: a note for the teacher is for {sorted(unknown)[0]!r}, which is neither "
                           f"{PREPARE!r}, nor a heading, nor a prediction")
    number = source.stem.split("_")[0]
    parts = [
        f"# Run-sheet {number} · {said['title']}",
        "*For the teacher: it holds answers. Made from the notebook's source by `python -m course_lib run-sheets`.*",
        f"**{said['question']}**",
        f"- **Afterwards they can** {said['able']}.\n- **They need** {said['need']}.\n"
        f"- **Time:** {reading_time(cells)}; runs in {said['run']}.",
        told.general, *([f"**Prepare.** {told.of[PREPARE]}"] if PREPARE in told.of else []),
        "## Plan", _plan(times, asked), *_lessons_told(times),
        *(part for time in times if (part := _section(time, told, asked)) is not None)]
    sheets = {name: f"{Path(file).stem}.md" for name, file in notebook_files(source.parents[1]).items()}
    return link_notebooks("\n\n".join(parts), sheets, number) + "\n"


def _name(time: SectionTime) -> str:
    return time.section.heading or "Opening"


def _plan(times: Sequence[SectionTime], asked: Sequence[Prediction]) -> str:
    """The table of all sections: minutes, minutes of the core so far, what is in it."""
    rows, so_far = [("section", "minutes", "so far", "in it")], 0.0
    for time in times:
        so_far += 0 if time.section.further else time.minutes
        predicted = sum(p.asked == time.section.heading for p in asked)
        figures = sum(len(calls(cell.source, "show")) for cell in time.section.cells if cell.cell_type == "code")
        inside = {"formula": len(_formulas(time)), "prediction": predicted, "figure": figures,
                  "slider or lab": len(_labs(time)), "exercise": time.exercises}
        words = (f"{count} {_plural(what) if count > 1 else what}" for what, count in inside.items() if count)
        rows.append((f"{'*further:* ' * time.section.further}{_name(time)}", str(math.ceil(time.minutes)),
                     "" if time.section.further else str(math.ceil(so_far)), ", ".join(words) or "text, code"))
    return markdown_table(rows)


def _plural(what: str) -> str:
    return {"formula": "formulas", "slider or lab": "sliders or labs"}.get(what, f"{what}s")


def _lessons_told(times: Sequence[SectionTime]) -> Iterator[str]:
    """Where to stop, for lessons of each length; what goes further is left to homework."""
    core = [time for time in times if not time.section.further]
    for length in LESSONS:
        ends = [(_name(lesson[-1]), math.ceil(sum(time.minutes for time in lesson)))
                for lesson in lessons(core, length)]
        told = "; ".join(f"{i}. to the end of *{name}* ({minutes} min{', runs over' * (minutes > length)})"
                         for i, (name, minutes) in enumerate(ends, start=1))
        if len(ends) == 1:
            told = f"all of it ({ends[0][1]} min)"
        yield f"**Lessons of {length} minutes:** {told}."


def _section(time: SectionTime, told: Notes, asked: Sequence[Prediction]) -> str | None:
    """What is said of a section; None where it holds text and code alone."""
    heading = time.section.heading
    note, formulas = told.of.get(heading.rstrip("."), ""), _formulas(time)
    parts = [note] if note else []
    if formulas and BOARD in note:
        parts += formulas
    elif formulas:
        parts += [BOARD, *formulas]
    for prediction in asked:
        if prediction.asked == heading:
            parts.append(_prediction(prediction, told.of.get(prediction.key)))
        elif prediction.revealed == heading:
            parts.append(f"**Answer** to `{prediction.key}`: {prediction.told()}")
    parts += [*_labs(time), *_exercises(time)]
    title = f"## {_name(time)} ({math.ceil(time.minutes)} min)"
    return "\n\n".join([title, *(part.replace(BOARD, f"**{BOARD}**") for part in parts)]) if parts else None


def _formulas(time: SectionTime) -> list[str]:
    return [formula for cell in time.section.cells if cell.cell_type == "markdown"
            for formula in DISPLAYED.findall(cell.source)]


def _prediction(asked: Prediction, note: str | None) -> str:
    offered = "\n".join(f"- {option}{' ← measured' * (option == asked.right)}" for option in asked.offered())
    where = "in this section" if asked.revealed == asked.asked else f"in *{asked.revealed}*"
    expect = [f"Expect: {note}"] if note else []
    return "\n\n".join([f"**Prediction** `{asked.key}`, answered {where}: {asked.question}", offered,
                        f"Measured: {asked.told()}", *expect])


def _labs(time: SectionTime) -> list[str]:
    """Of each lab and each picture with sliders: what can be turned, and the text before it, which says what to do."""
    told, text = [], ""
    for cell in time.section.cells:
        if cell.cell_type == "markdown":
            text = cell.source
            continue
        for call in calls(cell.source, LAB):
            items = [" ".join(item.split()) for item in ITEM.findall(text)] or paragraphs(text)[-1:]
            turned = [word.arg for word in call.keywords if word.arg and word.arg not in NO_SLIDER]
            what = (f"**Sliders** for {', '.join(f'`{name}`' for name in turned)}"
                    if call.func.id.startswith("explore") else "**Live lab**")
            told.append("\n".join([f"{what}. To do and to look for:\n", *(f"- {item}" for item in items)]))
    return told


def _exercises(time: SectionTime) -> list[str]:
    """Of each exercise that is checked in a section: what is asked, and the foreseen mistakes."""
    told, asked = [], ""
    for cell in time.section.cells:
        if cell.cell_type == "markdown":
            asked = ASKED.split(cell.source)[-1].strip()
            continue
        for call in calls(cell.source, "check"):
            name = ast.literal_eval(call.args[0])
            exercise = exercises(name.partition(".")[0])[name]
            named = exercise.names()
            hints = [f"- {mistake.hints[0]}" for mistake in exercise.mistakes]
            more = [f"- also: {'; '.join(named[HINTS:])}"] if named[HINTS:] else []
            told.append("\n".join([f"**Exercise** `{name}`. {asked}\n\nForeseen mistakes, as their hints put them:\n",
                                   *hints[:HINTS], *more]))
    return told


def write_run_sheets(folder: Path, notebooks: Path, record: Path = RECORD) -> list[Path]:
    """Write the sheet of each source under `notebooks/source` into `folder`, and their index; returns the paths.

    Raises:
        UnknownLabel, ValueError: as `run_sheet`; nothing has been written.
        OSError: a file cannot be written.
    """
    sheets = {source.stem: run_sheet(source, record) for source in sources(notebooks)}
    index = ["# Run-sheets", *(f"- [{sheet.splitlines()[0].removeprefix('# Run-sheet ')}]({stem}.md)"
                               for stem, sheet in sheets.items())]
    made = {"index.md": f"{index[0]}\n\n" + "\n".join(index[1:]) + "\n",
            **{f"{stem}.md": sheet for stem, sheet in sheets.items()}}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        atomic_write(folder / name, text)
    return [folder / name for name in made]
