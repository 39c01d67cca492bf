"""The command line: `python -m course_lib lab | train | checkpoints | notebooks | student-zip`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from course_lib.handout import COURSE
from course_lib.own_python import JUPYTER, own_environment
from course_lib.train import INTERRUPTED, UsageError, add_train, make_checkpoints


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that tells a mistake in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def lab(arguments: argparse.Namespace) -> int:
    """Copy the notebooks to `work/` and open JupyterLab there, on the first one."""
    from course_lib.handout import copy_notebooks

    require_course()
    for line in copy_notebooks():
        print(line)
    first = min(p.name for p in (COURSE / "notebooks").glob("*.ipynb"))
    work = COURSE / "work"
    print(f"Opening {first} in JupyterLab. If no browser opens, use the address printed below; Ctrl-C stops it.",
          flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}",
               f"--LabApp.default_url=/lab/tree/{first}",
               f"--LabApp.app_settings_dir={JUPYTER}", "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; the token and the loopback address stay as they are
    server = subprocess.Popen(command + arguments.jupyter, env=own_environment())
    while True:
        try:
            return server.wait()
        except KeyboardInterrupt:
            pass  # JupyterLab got it too, and asks whether to stop


def require_course() -> None:
    """Raises UsageError where course_lib was installed without the course around it."""
    if not list((COURSE / "notebooks").glob("*.ipynb")):
        raise UsageError(f"there are no notebooks beside {COURSE / 'course_lib'}: work in the course's folder and "
                         "install it with `pip install -e .`")


def notebooks(arguments: argparse.Namespace) -> int:
    """Lint the sources, build the student's and the teacher's notebooks, and write the README's map of them."""
    from course_lib.notebooks import ChangedByHand, SourceError, build, lint, sources, word_count
    from course_lib.teach.tree import write_map

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
    write_map(COURSE)
    print(f"{len(built)} notebooks are up to date")
    return 1 if findings else 0


def student_zip(arguments: argparse.Namespace) -> int:
    """Write the zip file that students get."""
    from course_lib.handout import SolvedNotebook
    from course_lib.handout import student_zip as write

    require_course()
    if arguments.path.is_dir():
        raise UsageError(f"{arguments.path} is a folder: name the zip file")
    try:
        names = write(arguments.path)
    except SolvedNotebook as error:
        raise UsageError(str(error)) from error
    print(f"{arguments.path}: {len(names)} files, no sources, no solutions")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 2 a mistake of the user, 130 stopped by Ctrl-C)."""
    parser = Parser(prog="python -m course_lib", description="The tools of the course on generative models.")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    add = commands.add_parser("lab", help="copy the notebooks to work/ and open JupyterLab there")
    add.add_argument("jupyter", nargs="*", metavar="OPTION", help="options for JupyterLab, after --")
    add.set_defaults(run=lab)

    add_train(commands)

    add = commands.add_parser("checkpoints", help="train what the course ships, where it is missing or out of date")
    add.add_argument("names", nargs="*", metavar="NAME", help="train these anew, whether they are there or not")
    add.set_defaults(run=make_checkpoints)

    add = commands.add_parser("notebooks", help="lint the sources, build all notebooks, and write the README's map")
    add.add_argument("--force", action="store_true", help="overwrite notebooks that were changed by hand")
    add.set_defaults(run=notebooks)

    add = commands.add_parser("student-zip", help="write the zip file that students get")
    add.add_argument("path", nargs="?", type=Path, default=Path("dist/course.zip"))
    add.set_defaults(run=student_zip)

    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except UsageError as mistake:
        print(f"{parser.prog}: error: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # … | head has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
