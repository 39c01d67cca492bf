"""`python -m course_lib nbgrader DIR`: a course folder for nbgrader."""

from __future__ import annotations

import argparse
from pathlib import Path

from course_lib.authoring.handout import COURSE, require_course


def add_nbgrader(commands: argparse._SubParsersAction) -> None:
    """`nbgrader DIR [--points P]`."""
    add = commands.add_parser("nbgrader", help="write a course folder for nbgrader", description=__doc__)
    add.add_argument("folder", type=Path, metavar="DIR", help="the course's root; source/ and nbgrader_config.py in it")
    add.add_argument("--points", type=float, default=1.0, metavar="P", help="for each exercise (default 1)")
    add.set_defaults(run=write)


def write(arguments: argparse.Namespace) -> int:
    """Write it, and say what comes next."""
    from course_lib.authoring.nbgrader import write_course
    from course_lib.authoring.text import sources

    require_course()
    written = write_course(arguments.folder, sources(COURSE / "notebooks"), arguments.points)
    print(f"{len(written)} files in {arguments.folder}. In that folder, where nbgrader is installed "
          "(python -m pip install -c constraints.txt nbgrader): nbgrader generate_assignment 05_gan_1d")
    return 0
