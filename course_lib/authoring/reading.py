"""How long a notebook takes to read, computed from what it holds.

130 words a minute, 6 seconds a line of code, 90 a displayed formula, 5 a claim. Exercises, 6 minutes each, are counted
apart, and so is what lies under the heading `## Going further`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course_lib.authoring.text import claims, prose, students

WORDS_A_MINUTE, LINE, FORMULA, CLAIM, EXERCISE = 130, 6, 90, 5, 360  # seconds but the first
CORE = 45  # minutes at most
TIME_ROW = re.compile(r"^\| Time \| ", re.M)
FURTHER = "## Going further"
DISPLAYED = re.compile(r"\$\$.+?\$\$", re.S)
SECTION = re.compile(r"^(?=## )", re.M)


@dataclass(frozen=True)
class ReadingTime:
    """Whole minutes, rounded up: of the core, with the exercises, and of what goes further (0 where nothing does)."""

    core: int
    with_exercises: int
    further: int

    def __str__(self) -> str:
        further = f" · going further {self.further}" if self.further else ""
        return f"{self.core} minutes to read · with exercises {self.with_exercises}{further}"


def reading_time(cells: Sequence[NotebookNode]) -> ReadingTime:
    """Of the student's version of these cells of a source."""
    seconds, exercises, section = {True: 0.0, False: 0.0}, 0, ""
    cells = students(cells)
    for before, cell in zip([None, *cells], cells, strict=False):
        if cell.cell_type == "markdown":
            for part in SECTION.split(cell.source):
                section = part.partition("\n")[0].strip() if part.startswith("## ") else section
                seconds[section == FURTHER] += (word_count(part) * 60 / WORDS_A_MINUTE
                                                + len(DISPLAYED.findall(part)) * FORMULA)
        elif _is_exercise(cell):
            exercises += 1
        elif not (before is not None and _is_exercise(before)):  # the call of its check
            lines = [line for line in cell.source.splitlines() if line.strip()]
            seconds[section == FURTHER] += len(lines) * LINE + len(claims(cell.source)) * CLAIM
    core, further = seconds[False], seconds[True]
    return ReadingTime(math.ceil(core / 60), math.ceil((core + exercises * EXERCISE) / 60), math.ceil(further / 60))


def with_reading_time(header: str, cells: Sequence[NotebookNode]) -> str:
    """The header's text with the time to read these cells before the time to run, in the row that begins | Time |."""
    return TIME_ROW.sub(lambda row: f"{row[0]}{reading_time(cells)} · ", header, count=1)


def word_count(text: str) -> int:
    """Words of a Markdown text; formulas, code, references and addresses of links left out."""
    return len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", prose(text)))


def _is_exercise(cell: NotebookNode) -> bool:
    return "exercise" in cell.metadata.get("tags", [])
