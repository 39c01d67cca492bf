"""The command line: `python -m course_lib lab | train | checkpoints | notebooks | student-zip | grade …`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from course_lib import __version__
from course_lib.authoring.handout import NoCourse, SolvedNotebook
from course_lib.commands.calibrate import add_calibrate
from course_lib.commands.checkpoints import add_checkpoints
from course_lib.commands.class_page import add_class
from course_lib.commands.console import drop_output, survive_any_encoding, tell
from course_lib.commands.errors import INTERRUPTED, Parser, UsageError
from course_lib.commands.grade import add_grade
from course_lib.commands.lab import add_lab
from course_lib.commands.nbgrader import add_nbgrader
from course_lib.commands.notebooks import add_notebooks
from course_lib.commands.site import add_site
from course_lib.commands.stopping import Stopper, handled
from course_lib.commands.teaching import add_teaching
from course_lib.commands.train import add_train
from course_lib.files import CourseFileError, explain

PROG = "python -m course_lib"


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
    for add in (add_lab, add_train, add_checkpoints, add_notebooks, add_calibrate, add_grade, add_class,
                add_nbgrader, add_site, add_teaching):
        add(commands)
    arguments = parser.parse_args(argv)
    return arguments.run(arguments)
