"""What a program started from here must know to stay in this Python: its packages, its kernel."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from course_lib.authoring.handout import COURSE

DROPPED = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "JUPYTERLAB_DIR")  # where another Python's things lie
JUPYTER = Path(__file__).resolve().parents[1] / "jupyter"  # its kernels/python3 names no Python: each takes its own


def own_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables to start JupyterLab with, so that it and its kernels see this Python's packages and no others.

    A kernel `python3` of another Python, in the reader's own folders or on JUPYTER_PATH, would be found before ours.
    Of PYTHONPATH the course's own folder stays: a server may bring the course in that way.
    """
    environment = {name: value for name, value in environ.items() if name not in DROPPED}
    if any(Path(path or ".").resolve() == COURSE for path in environ.get("PYTHONPATH", "").split(os.pathsep)):
        environment["PYTHONPATH"] = str(COURSE)
    found = environ.get("JUPYTER_PATH")
    return environment | {"PYTHONNOUSERSITE": "1",
                          "JUPYTER_PATH": os.pathsep.join([str(JUPYTER), *([found] if found else [])])}
