"""The command line: `python -m course_lib lab | handout | train | checkpoints | notebooks | student-zip`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from course_lib import __version__
from course_lib.console import drop_output, survive_any_encoding, tell
from course_lib.files import CourseFileError, explain
from course_lib.handout import COURSE, NoCourse, SolvedNotebook, copy_notebooks, require_course, work_folder
from course_lib.handout import student_zip as write_zip
from course_lib.own_python import JUPYTER, own_environment
from course_lib.stopping import Stopped, Stopper, handled
from course_lib.train import INTERRUPTED, UsageError, add_train, make_checkpoints

PROG = "python -m course_lib"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that tells a mistake in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def lab(arguments: argparse.Namespace) -> int:
    """Copy the notebooks to where the student works and open JupyterLab there, on the first one."""
    work = handed_out(arguments.work)
    first = min(p.name for p in (COURSE / "notebooks").glob("*.ipynb"))
    if work != COURSE / "work":
        print(f"The notebooks are in {work}")
    print(f"Opening {first} in JupyterLab. If no browser opens, use the address printed below; Ctrl-C stops it.",
          flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}",
               f"--LabApp.default_url=/lab/tree/{first}",
               f"--LabApp.app_settings_dir={JUPYTER}", "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; the token and the loopback address stay as they are
    server = None

    def pass_on(number: int, frame: Any) -> None:
        if server is None:
            raise Stopped(number)
        if number != signal.SIGINT:  # JupyterLab got Ctrl-C too, and asks whether to stop
            server.send_signal(number)

    with handled(pass_on):
        server = subprocess.Popen(command + arguments.jupyter, env=own_environment())
        code = server.wait()
    return code if code >= 0 else 128 - code


def handout(arguments: argparse.Namespace) -> int:
    """Copy the notebooks to where the student works, and open nothing."""
    print(f"The notebooks are in {handed_out(arguments.path)}")
    return 0


def handed_out(work: Path | None) -> Path:
    """Copy the notebooks, tell what a student should know, and return the folder, as an absolute path.

    Args:
        work: the folder that was named on the command line, or None for the usual one.
    """
    work = Path(os.path.abspath(os.path.expanduser(work or work_folder())))
    if work == COURSE / "notebooks":
        raise UsageError(f"{work} holds the course's own notebooks: name a folder to copy them to")
    for line in copy_notebooks(work=work):
        print(line)
    return work


def notebooks(arguments: argparse.Namespace) -> int:
    """Lint the sources, build the student's and the teacher's notebooks, and write the README's map of them."""
    from course_lib.notebooks import ChangedByHand, SourceError, build, lint, sources, word_count
    from course_lib.teach.tree import write_map

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
        print(f"{source.stem}: {word_count(source)} words")
    try:
        built = build(folder, force=arguments.force)
    except (SourceError, ChangedByHand) as error:
        print(error, file=sys.stderr)
        return 1
    write_map(COURSE)
    print(f"{len(built)} notebooks are up to date")
    return 1 if findings else 0


def checkpoints(arguments: argparse.Namespace) -> int:
    """Train what the course ships, into the course's folder."""
    require_course()
    return make_checkpoints(arguments)


def student_zip(arguments: argparse.Namespace) -> int:
    """Write the zip file that students get."""
    if arguments.path.is_dir():
        raise UsageError(f"{arguments.path} is a folder: name the zip file")
    names = write_zip(arguments.path)
    print(f"{arguments.path}: {len(names)} files, without sources and solved notebooks. Marks from check(…) are "
          "formative: the checks hold their references, which a determined student can read.")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    0 done, 1 something could not be done, 2 a mistake of the user or a file that cannot be read or written, 130
    stopped by Ctrl-C, 143 by SIGTERM. Whatever went wrong with a file or a request is told in one line.
    """
    survive_any_encoding()
    stopper = Stopper()
    with handled(stopper):
        try:
            try:
                return run_command(argv)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()  # here, where it is told if it fails
        except (UsageError, NoCourse, SolvedNotebook, CourseFileError) as mistake:
            tell(f"{PROG}: error: {mistake}")
            return 2
        except KeyboardInterrupt as stop:
            return getattr(stop, "code", INTERRUPTED)
        except BrokenPipeError:  # … | head has read enough
            drop_output()
            return 128 + getattr(signal, "SIGPIPE", 13)
        except OSError as error:
            drop_output()
            tell(f"{PROG}: error: {explain(error)}")
            return 2
        except Exception:
            if stopper.code:  # a library made another error of the interrupt
                return stopper.code
            raise


def run_command(argv: Sequence[str] | None) -> int:
    """Read the command line and do what it says; returns the exit code."""
    parser = Parser(prog=PROG, description="The tools of the course on generative models.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    where = "$COURSE_WORK, or work/, or, if the course is read-only, ~/generative-models"
    add = commands.add_parser("lab", help="copy the notebooks to work/ and open JupyterLab there")
    add.add_argument("--work", type=Path, metavar="PATH", help=f"the folder to work in (default: {where})")
    add.add_argument("jupyter", nargs="*", metavar="OPTION", help="options for JupyterLab, after --")
    add.set_defaults(run=lab)

    add = commands.add_parser("handout", help="copy the notebooks to a folder, and open nothing")
    add.add_argument("path", nargs="?", type=Path, metavar="PATH", help=f"the folder (default: {where})")
    add.set_defaults(run=handout)

    add_train(commands)

    add = commands.add_parser("checkpoints", help="train what the course ships, where it is missing or out of date")
    add.add_argument("names", nargs="*", metavar="NAME", help="train these anew, whether they are there or not")
    add.set_defaults(run=checkpoints)

    add = commands.add_parser("notebooks", help="lint the sources, build all notebooks, and write the README's map")
    add.add_argument("--force", action="store_true", help="overwrite notebooks that were changed by hand")
    add.set_defaults(run=notebooks)

    add = commands.add_parser("student-zip", help="write the zip file that students get")
    add.add_argument("path", nargs="?", type=Path, default=Path("dist/course.zip"))
    add.set_defaults(run=student_zip)

    arguments = parser.parse_args(argv)
    return arguments.run(arguments)
