"""How long a notebook takes to read, computed from what it holds.

To read: 130 words a minute, 6 seconds a line of code, 90 a displayed formula, 5 a claim. To work through, that and 6
seconds a formula within the text, 40 a figure or a prediction, and the minutes that one plays with sliders and labs: so
two readers who worked through six notebooks were met within a fifth. Exercises, 6 minutes each, are counted apart, and
so is what lies under the heading `## Going further`, which has no limit and is counted as worked through.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course_lib.authoring.text import Section, calls, prose, sections, students

WORDS_A_MINUTE, LINE, FORMULA, CLAIM, EXERCISE = 130, 6, 90, 5, 360  # seconds but the first
INLINE = 6
PLAYED = {"predict": 40, "explore|explore_canvas": 150, r"LiveLab|\w+_lab": 300}  # seconds a call of these names
FIGURE = 40  # it is known by its alternative text
CORE = 45  # minutes at most
TIME_ROW = re.compile(r"^\| Time \| ", re.M)
DISPLAYED = re.compile(r"\$\$.+?\$\$", re.S)
WITHIN = re.compile(r"\$[^$]+\$")


@dataclass(frozen=True)
class ReadingTime:
    """Whole minutes, rounded up.

    Attributes:
        core: to read the core.
        worked: to work through it.
        with_exercises: with the exercises, too.
        further: to work through what goes further; 0 where nothing does.
    """

    core: int
    worked: int
    with_exercises: int
    further: int

    def __str__(self) -> str:
        further = f" · going further {self.further}" if self.further else ""
        return (f"{self.core} minutes to read · {self.worked} to work through · "
                f"with exercises {self.with_exercises}{further}")


@dataclass(frozen=True)
class SectionTime:
    """What a section takes, in seconds.

    Attributes:
        section: the section.
        read: to read it.
        tried: what working through it adds.
        exercises: how many it holds; they are counted apart.
    """

    section: Section
    read: float
    tried: float
    exercises: int

    @property
    def minutes(self) -> float:
        """To work through it, with its exercises, not rounded."""
        return (self.read + self.tried + self.exercises * EXERCISE) / 60


def section_times(cells: Sequence[NotebookNode]) -> list[SectionTime]:
    """Of each section of the student's version of these cells of a source."""
    return [_time_of(section) for section in sections(students(cells))]


def _time_of(section: Section) -> SectionTime:
    read, tried, exercises = 0.0, 0.0, 0
    for before, cell in zip([None, *section.cells], section.cells, strict=False):
        if cell.cell_type == "markdown":
            rest, displayed = DISPLAYED.subn(" ", cell.source)
            read += word_count(cell.source) * 60 / WORDS_A_MINUTE + displayed * FORMULA
            tried += len(WITHIN.findall(rest)) * INLINE
        elif _is_exercise(cell):
            exercises += 1
        elif not (before is not None and _is_exercise(before)):  # the call of its check
            lines = [line for line in cell.source.splitlines() if line.strip()]
            read += len(lines) * LINE + len(calls(cell.source, "claim")) * CLAIM
            tried += cell.source.count("alt=") * FIGURE + sum(
                len(calls(cell.source, name)) * seconds for name, seconds in PLAYED.items())
    return SectionTime(section, read, tried, exercises)


def reading_time(cells: Sequence[NotebookNode]) -> ReadingTime:
    """Of the student's version of these cells of a source."""
    times = section_times(cells)
    core = sum(t.read for t in times if not t.section.further)
    worked = core + sum(t.tried for t in times if not t.section.further)
    further = sum(t.read + t.tried for t in times if t.section.further)
    exercises = sum(t.exercises for t in times) * EXERCISE
    return ReadingTime(*(math.ceil(seconds / 60) for seconds in (core, worked, worked + exercises, further)))


def with_reading_time(header: str, cells: Sequence[NotebookNode]) -> str:
    """The header's text with the time to read these cells before the time to run, in the row that begins | Time |."""
    return TIME_ROW.sub(lambda row: f"{row[0]}{reading_time(cells)} · ", header, count=1)


def word_count(text: str) -> int:
    """Words of a Markdown text; formulas, code, references and addresses of links left out."""
    return len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", prose(text)))


def _is_exercise(cell: NotebookNode) -> bool:
    return "exercise" in cell.metadata.get("tags", [])
