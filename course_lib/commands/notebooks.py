"""`python -m course_lib notebooks` and `student-zip`: what is made of the sources."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course
from course_lib.authoring.handout import student_zip as write_zip
from course_lib.commands.errors import UsageError


def add_notebooks(commands: argparse._SubParsersAction) -> None:
    """`notebooks [--force]` and `student-zip [PATH]`."""
    add = commands.add_parser("notebooks", help="lint the sources, build all notebooks, and write the tables "
                                                "of the README and of the syllabi")
    add.add_argument("--force", action="store_true", help="overwrite notebooks that were changed by hand")
    add.set_defaults(run=notebooks)

    add = commands.add_parser("student-zip", help="write the zip file that students get")
    add.add_argument("path", nargs="?", type=Path, default=Path("dist/course.zip"))
    add.set_defaults(run=student_zip)


def notebooks(arguments: argparse.Namespace) -> int:
    """Lint the sources, build the student's and the teacher's notebooks, write the README's and the syllabi's tables.
    """
    from course_lib.authoring.build import ChangedByHand, SourceError, build
    from course_lib.authoring.lint import lint
    from course_lib.authoring.reading import reading_time
    from course_lib.authoring.readme import write_readme
    from course_lib.authoring.syllabi import write_syllabi
    from course_lib.authoring.text import read_cells, sources

    require_course()
    folder = COURSE / "notebooks"
    if not sources(folder):
        print(f"no notebook sources in {folder / 'source'} (the students' version of the course has none)",
              file=sys.stderr)
        return 2
    findings = [finding for source in sources(folder) for finding in lint(source)]
    for finding in findings:
        print(finding, file=sys.stderr)
    for source in sources(folder):
        print(f"{source.stem}: {reading_time(read_cells(source))}")
    try:
        built = build(folder, force=arguments.force)
    except (SourceError, ChangedByHand) as error:
        print(error, file=sys.stderr)
        return 1
    write_readme(COURSE)
    write_syllabi(COURSE)
    print(f"{len(built)} notebooks are up to date")
    return 1 if findings else 0


def student_zip(arguments: argparse.Namespace) -> int:
    """Write the zip file that students get."""
    if arguments.path.is_dir():
        raise UsageError(f"{arguments.path} is a folder: name the zip file")
    names = write_zip(arguments.path)
    print(f"{arguments.path}: {len(names)} files, without sources and solved notebooks. Marks from check(…) are "
          "formative: the checks hold their references, which a determined student can read.")
    return 0
