"""A notebook in `work/` may be older or newer than the package it imports: then its reader is told, and what to do."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from IPython import get_ipython
from IPython.display import display

from course_lib import __version__
from course_lib.teach.message import Message

NAMED = 3  # so many notebooks are named; of more, only the number is told


def tell_other_versions(folder: Path | None = None) -> None:
    """Say in a sentence which notebook of another version of the course is read here; say nothing if there is none.

    Looks at the notebook whose kernel this is, where Jupyter or VS Code tell its name, else at all in the folder.
    Never raises: a notebook that cannot be read is none of the course's.

    Args:
        folder: where the notebooks lie; the kernel's folder by default.
    """
    try:
        folder = Path.cwd() if folder is None else folder
        others = {path: version for path in _opened() or sorted(folder.glob("[0-9]*.ipynb"))
                  if (version := version_of(path)) not in (None, __version__)}
        if others:
            display(Message("another version", _sentence(others)))
    except Exception:  # whatever a strange folder, or a strange place to run in, makes go wrong: the course goes on
        return


def version_of(notebook: Path) -> str | None:
    """The course's version that a notebook was built for: 'before 1.0' if it does not say, None if it is no notebook
    of the course."""
    try:
        course = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["course"]
        return str(course.get("version", "before 1.0"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _opened() -> list[Path]:
    """The notebook whose kernel this is, if it can be known."""
    shell = get_ipython()
    names = (os.environ.get("JPY_SESSION_NAME"), None if shell is None else shell.user_ns.get("__vsc_ipynb_file__"))
    return [path for name in names if name and (path := Path(name)).suffix == ".ipynb" and path.is_file()][:1]


def _sentence(others: dict[Path, str]) -> str:
    names = [path.name for path in others]
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    be, versions = ("is" if len(names) == 1 else "are"), " and ".join(sorted(set(others.values())))
    start = f"{listed} {be} of version {versions} of the course, its code is of {__version__}: "
    if any(_parts(version) > _parts(__version__) for version in others.values()):
        return start + "bring the course's folder up to date, install it again (`make setup`), and restart the kernel."
    fresh = [new.name for path in others for new in sorted(path.parent.glob(f"{path.stem}_new_version*.ipynb"))
             if version_of(new) == __version__]
    if len(names) == 1 and fresh:
        return start + f"go on in {fresh[-1]}, which is the new one."
    return start + ("run `make lab` (or `python -m course_lib lab`) again; what you changed stays, and the new version "
                    "comes beside it as …_new_version.ipynb.")


def _parts(version: Any) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", str(version))] if "before" not in str(version) else [0]
