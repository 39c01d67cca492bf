"""What the teacher and each student get to see: a table, a page of the class, and a page for each student."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from course_lib.files import atomic_write

Row = dict[str, Any]
COLUMNS = ("number", "name", "student", "notebook", "exercise", "status", "share", "mistake", "error", "flags", "told")
STATUSES = ("passed", "not yet", "error", "not attempted")


def listed(rows: Iterable[Row], roster: Sequence[tuple[str, str]], whose: dict[str, tuple[str, str] | None],
           ) -> list[Row]:
    """The rows with each student's number and name, those who are not on the roster flagged; and a row for each on it
    who handed in nothing."""
    found, there = [], set()
    for row in rows:
        line = whose.get(row["student"])
        there.add(line)
        flags = [*row["flags"], "not on the roster"] if roster and line is None else row["flags"]
        found.append(row | {"number": line[0] if line else "", "name": line[1] if line else "", "flags": flags})
    nothing = {"student": "", "notebook": "", "exercise": "", "status": "no submission", "share": 0.0, "mistake": "",
               "error": "", "told": "", "flags": []}
    return found + [nothing | {"number": number, "name": name}
                    for number, name in roster if (number, name) not in there]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """The table of all rows, in UTF-8 with the mark by which Excel knows it."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow([_cell("; ".join(row[name]) if name == "flags" else row[name]) for name in COLUMNS])
    atomic_write(path, out.getvalue().encode("utf-8-sig"))


def _cell(value: Any) -> Any:
    """A spreadsheet takes text that begins so for a formula, and what a student handed in must not be one."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Of each exercise how many have which status, and each mistake and error: how often, and what was told."""
    by_exercise: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["exercise"]:
            by_exercise[row["exercise"]].append(row)
    table = []
    for name, of_one in sorted(by_exercise.items()):
        statuses = Counter(row["status"] for row in of_one)
        faults = Counter((row["mistake"] or row["error"] or "a wrong answer that nobody foresaw", row["told"])
                         for row in of_one if row["status"] in ("not yet", "error"))
        mistakes: dict[str, dict[str, Any]] = {}
        for (fault, told), count in faults.most_common():
            one = mistakes.setdefault(fault, {"name": fault, "count": 0, "told": told})
            one["count"] += count
        table.append({"name": name, "n": len(of_one), "statuses": [(s, statuses[s]) for s in STATUSES],
                      "share": sum(row["share"] for row in of_one) / len(of_one),
                      "mistakes": sorted(mistakes.values(), key=lambda one: -one["count"])})
    return table


def write_pages(page: Path, feedback: Path, rows: Sequence[Row], facts: dict[str, Any]) -> None:
    """The teacher's page, and a page for each student in a folder.

    Args:
        page: where the teacher's goes.
        feedback: the folder of the students' pages.
        rows: as `listed` returns them.
        facts: what else the teacher's page says: `kept` (how verdicts were confined), `version`.
    """
    pages = Environment(loader=PackageLoader("course_lib.grading", "pages"), autoescape=True, undefined=StrictUndefined,
                        trim_blocks=True, lstrip_blocks=True)
    pages.filters["code"] = _with_code
    by_student: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_student[row["student"] or row["name"] or row["number"]].append(row)
    odd = [row for row in rows if row["flags"] or row["status"] in ("error", "no submission")]
    atomic_write(page, pages.get_template("class.html").render(
        exercises=summary(rows), odd=odd, students=len(by_student), feedback=feedback.name, statuses=STATUSES, **facts))
    feedback.mkdir(parents=True, exist_ok=True)
    template = pages.get_template("student.html")
    for student, of_one in by_student.items():
        if any(row["exercise"] or row["error"] for row in of_one):
            atomic_write(feedback / f"{file_name(student)}.html", template.render(student=student, rows=of_one))


def file_name(student: str) -> str:
    """A name that every system takes for a file."""
    return re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", student).strip(" .")[:100] or "_"


def _with_code(text: str) -> Any:
    """Text whose parts in `backquotes` are set as code."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
                           for i, part in enumerate(parts))
