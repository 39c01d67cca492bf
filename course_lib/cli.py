"""The command line: `python -m course_lib lab | notebooks | student-zip`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from course_lib.handout import COURSE


def lab(arguments: argparse.Namespace) -> int:
    """Copy the notebooks to `work/` and open JupyterLab there, on the first one."""
    from course_lib.handout import copy_notebooks

    for line in copy_notebooks():
        print(line)
    work = COURSE / "work"
    first = min(p.name for p in work.glob("[0-9]*.ipynb"))
    print(f"Opening {first} in JupyterLab. If no browser opens, use the address printed below; Ctrl-C stops it.",
          flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}",
               f"--LabApp.default_url=/lab/tree/{first}",
               f"--LabApp.app_settings_dir={Path(__file__).with_name('jupyter')}", "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; the token and the loopback address stay as they are
    try:
        return subprocess.call(command + arguments.jupyter)
    except KeyboardInterrupt:
        return 0


def notebooks(arguments: argparse.Namespace) -> int:
    """Lint the sources and build the student's and the teacher's notebooks."""
    from course_lib.notebooks import ChangedByHand, SourceError, build, lint, sources, word_count

    folder = COURSE / "notebooks"
    if not sources(folder):
        print(f"no notebook sources in {folder / 'source'} (the students' version of the course has none)",
              file=sys.stderr)
        return 2
    findings = [finding for source in sources(folder) for finding in lint(source)]
    for finding in findings:
        print(finding, file=sys.stderr)
    for source in sources(folder):
        print(f"{source.stem}: {word_count(source)} words")
    try:
        built = build(folder, force=arguments.force)
    except (SourceError, ChangedByHand) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(built)} notebooks are up to date")
    return 1 if findings else 0


def student_zip(arguments: argparse.Namespace) -> int:
    """Write the zip file that students get."""
    from course_lib.handout import student_zip as write

    names = write(arguments.path)
    print(f"{arguments.path}: {len(names)} files, no sources, no solutions")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m course_lib", description="The generative models course.")
    commands = parser.add_subparsers(dest="command", required=True)

    add = commands.add_parser("lab", help=lab.__doc__)
    add.add_argument("jupyter", nargs="*", metavar="OPTION", help="options for JupyterLab, after --")
    add.set_defaults(run=lab)

    add = commands.add_parser("notebooks", help=notebooks.__doc__)
    add.add_argument("--force", action="store_true", help="overwrite notebooks that were changed by hand")
    add.set_defaults(run=notebooks)

    add = commands.add_parser("student-zip", help=student_zip.__doc__)
    add.add_argument("path", nargs="?", type=Path, default=Path("dist/course.zip"))
    add.set_defaults(run=student_zip)

    arguments = parser.parse_args(argv)
    return arguments.run(arguments)
