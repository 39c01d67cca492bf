"""`python -m course_lib lab` and `handout`: the notebooks where a student works, and JupyterLab."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any, NoReturn

from course_lib.authoring.handout import COURSE, copy_notebooks, hidden_modules, work_folder
from course_lib.commands.console import tell
from course_lib.commands.errors import UsageError
from course_lib.commands.own_python import JUPYTER, own_environment
from course_lib.commands.stopping import Stopped, handled
from course_lib.files import explain

LAB_OPTIONS = (f"--LabApp.app_settings_dir={JUPYTER}", "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
SOCKET_PATH = 107  # characters of a path that a socket may have, on Linux
KERNEL_SOCKET = len(f"/kernel-{uuid.UUID(int=0)}-ipc-1")  # what jupyter_client names it below the runtime folder


def add_lab(commands: argparse._SubParsersAction) -> None:
    """`lab [--work PATH] [--hub]` and `handout [PATH]`."""
    where = "$COURSE_WORK, or work/, or, if the course is read-only, ~/generative-models"
    add = commands.add_parser("lab", help="copy the notebooks to work/ and open JupyterLab there")
    add.add_argument("--work", type=Path, metavar="PATH", help=f"the folder to work in (default: {where})")
    add.add_argument("--hub", action="store_true", help="be the server that JupyterHub starts for a student")
    add.add_argument("jupyter", nargs="*", metavar="OPTION", help="options for JupyterLab, after --")
    add.set_defaults(run=lab)

    add = commands.add_parser("handout", help="copy the notebooks to a folder, and open nothing")
    add.add_argument("path", nargs="?", type=Path, metavar="PATH", help=f"the folder (default: {where})")
    add.set_defaults(run=handout)


def lab(arguments: argparse.Namespace) -> int:
    """Copy the notebooks to where the student works and open JupyterLab there, on the first one."""
    if arguments.hub:
        return serve_for_hub(arguments)
    work = handed_out(arguments.work)
    first = min(p.name for p in (COURSE / "notebooks").glob("*.ipynb"))
    if work != COURSE / "work":
        print(f"The notebooks are in {work}")
    print(f"Opening {first} in JupyterLab. If no browser opens, use the address printed below; Ctrl-C stops it.",
          flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}",
               f"--LabApp.default_url=/lab/tree/{first}", *LAB_OPTIONS]
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


def serve_for_hub(arguments: argparse.Namespace) -> NoReturn:
    """Copy the notebooks and become the server that JupyterHub waits for.

    Whatever goes wrong with a copy is said in the hub's log, and the server starts all the same: a student whose disk
    is full must get in to make room.
    """
    if importlib.util.find_spec("jupyterhub") is None:
        raise UsageError("--hub needs JupyterHub: pip install -r deploy/requirements-hub.txt")
    work = Path(os.path.abspath(os.path.expanduser(arguments.work or work_folder())))
    try:
        handed_out(work)
    except OSError as error:
        tell(f"the notebooks were not handed out: {explain(error)}")
    root = work if work.is_dir() else Path.home()
    environment = own_environment() | _short_runtime_folder()
    command = [sys.executable, "-m", "jupyterhub.singleuser", f"--ServerApp.root_dir={root}", *LAB_OPTIONS,
               *arguments.jupyter]
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(sys.executable, command, environment)


def _short_runtime_folder() -> dict[str, str]:
    """A folder for the kernels' sockets where the usual one is too deep for them, as in a home with a long name."""
    from jupyter_core.paths import jupyter_runtime_dir  # here: notebooks are handed out where no packages are yet

    if len(os.fsencode(jupyter_runtime_dir())) <= SOCKET_PATH - KERNEL_SOCKET:
        return {}
    return {"JUPYTER_RUNTIME_DIR": tempfile.mkdtemp(prefix="jupyter-")}  # which nobody else may read


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
    for line in (*copy_notebooks(work=work), *hidden_modules(work)):
        print(line)
    return work
