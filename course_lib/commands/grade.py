"""`python -m course_lib grade SUBMISSIONS`: marks for a class, and where it stumbles."""

from __future__ import annotations

import argparse
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course
from course_lib.commands.errors import UsageError, integer


def add_grade(commands: argparse._SubParsersAction) -> None:
    """`grade SUBMISSIONS [-o marks.csv] [--roster FILE] [--seed N] [--workers N] [--seconds S]`."""
    add = commands.add_parser("grade", help="judge what a class handed in: a table, a page for the teacher, and a page "
                                            "for each student", description=__doc__)
    add.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="a folder with a folder for each student, "
                     "one with files such as 2023001_NAME_05.ipynb, or a learning platform's zip")
    add.add_argument("-o", "--output", type=Path, default=Path("marks.csv"), metavar="FILE",
                     help="the table (default marks.csv); the pages go beside it")
    add.add_argument("--roster", type=Path, metavar="FILE", help="a CSV file: each student's number and name")
    add.add_argument("--seed", type=integer(0), metavar="N", help="of the inputs, which are a secret by default")
    add.add_argument("--workers", type=integer(1), metavar="N", help="processes (default: one for each processor)")
    add.add_argument("--seconds", type=integer(1), default=10, metavar="S", help="for a verdict, at most (default 10)")
    add.set_defaults(run=grade)


def grade(arguments: argparse.Namespace) -> int:
    """Judge, write, and say where."""
    from course_lib.grading import report
    from course_lib.grading.grade import grade as judge_all
    from course_lib.grading.sandbox import Limits
    from course_lib.grading.submissions import find, on_roster, read_roster

    require_course()
    out = arguments.output
    if out.suffix.lower() != ".csv":
        raise UsageError(f"the table is a CSV file: name it {out.stem or 'marks'}.csv")
    stems = sorted(path.stem for path in (COURSE / "notebooks").glob("[0-9]*.ipynb"))
    roster = read_roster(arguments.roster) if arguments.roster else []
    submissions = find(arguments.submissions, stems)
    record = out.with_suffix(".progress.jsonl")
    rows, kept = judge_all(submissions, record, secret=arguments.seed, workers=arguments.workers,
                           limits=Limits(seconds=arguments.seconds))
    rows = report.listed(rows, roster, {one.student: on_roster(one.student, roster) for one in submissions})
    report.write_csv(out, rows)
    page, feedback = out.with_suffix(".html"), out.with_name(f"{out.stem}_feedback")
    report.write_pages(page, feedback, rows, {"kept": _confined(kept), "version": _course_version()})
    counts = {status: sum(row["status"] == status for row in rows) for status in (*report.STATUSES, "no submission")}
    print(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    print(f"{out}: the table; {page}: where the class stumbles; {feedback}: a page for each student.\n"
          f"{record} keeps what is judged: with it, later submissions alone are judged the next time.")
    return 0


def _confined(kept: dict[str, bool]) -> str:
    if not kept:
        return ""
    network = "with" if kept["network"] else "without"
    who = "as another user" if kept["nobody"] else "as the user who graded"
    return f"Answers were run {who}, {network} a network."


def _course_version() -> str:
    from course_lib import __version__

    return __version__
