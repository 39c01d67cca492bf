"""`python -m course_lib run-sheets` and `quiz`: what a teacher gets of the sources."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course
from course_lib.commands.errors import UsageError, as_usage_error, integer

NOTEBOOKS = COURSE / "notebooks"


def add_teaching(commands: argparse._SubParsersAction) -> None:
    """`run-sheets [DIR]` and `quiz [NOTEBOOK …] [-o FILE] [--measure] [--seeds N]`."""
    add = commands.add_parser("run-sheets", help="write a page for each notebook that a teacher has on the desk",
                              description="Minutes, where to stop, formulas for the board, predictions with their "
                              "answers, labs, exercises with their foreseen mistakes. They hold answers.")
    add.add_argument("folder", nargs="?", type=Path, metavar="DIR", default=Path("dist/run-sheets"))
    add.set_defaults(run=run_sheets)

    add = commands.add_parser("quiz", help="write the predictions as a bank of questions, for Moodle too",
                              description="The answers are those of recorded runs of the notebooks.")
    add.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04; all if none is named")
    add.add_argument("-o", "--output", type=Path, metavar="FILE", help="a name that ends in .md or in .gift (default "
                     "dist/quiz.md and dist/quiz.gift)")
    add.add_argument("--measure", action="store_true", help="first run the notebooks whose code no recorded run is of")
    add.add_argument("--seeds", type=integer(1), default=1, metavar="N", help="of --measure: runs of each (default 1)")
    add.set_defaults(run=quiz)


def run_sheets(arguments: argparse.Namespace) -> int:
    """Write them."""
    from course_lib.authoring.run_sheets import write_run_sheets

    if not _has_sources():
        return 2
    written = as_usage_error(write_run_sheets, arguments.folder, NOTEBOOKS)
    print(f"{len(written) - 1} run-sheets in {arguments.folder}. They hold answers: they are for you alone.")
    return 0


def quiz(arguments: argparse.Namespace) -> int:
    """Measure what is asked for, and write the bank."""
    from course_lib.authoring.predictions import measure, predictions
    from course_lib.authoring.quiz import quiz_gift, quiz_markdown
    from course_lib.authoring.text import sources
    from course_lib.commands.calibrate import named
    from course_lib.files import atomic_write

    if not _has_sources():
        return 2
    chosen = {path.stem for path in named(arguments.notebooks)}
    output = arguments.output
    paths = [output] if output else [Path("dist/quiz.md"), Path("dist/quiz.gift")]
    makers = {".md": quiz_markdown, ".gift": quiz_gift}
    if unknown := [path for path in paths if path.suffix not in makers]:
        raise UsageError(f"{unknown[0]} must end in .md or in .gift")
    if arguments.measure:
        measure(named(arguments.notebooks), arguments.seeds, workers=1)
    bank = [(source, as_usage_error(predictions, source)) for source in sources(NOTEBOOKS) if source.stem in chosen]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, makers[path.suffix](bank))
    asked = [question for _, questions in bank for question in questions]
    print(f"{', '.join(map(str, paths))}: {len(asked)} questions; {sum(not q.answers for q in asked)} without a "
          f"recorded answer, {sum(bool(q.answers) and not q.current for q in asked)} with one of earlier code "
          "(`quiz --measure` runs those notebooks).")
    return 0


def _has_sources() -> bool:
    from course_lib.authoring.text import sources

    require_course()
    if sources(NOTEBOOKS):
        return True
    print(f"no notebook sources in {NOTEBOOKS / 'source'} (the students' version of the course has none)",
          file=sys.stderr)
    return False
