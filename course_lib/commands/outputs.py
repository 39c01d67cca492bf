"""The files that a command is to write: checked before it starts to work, and written each on its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from course_lib.commands.errors import UsageError
from course_lib.files import check_writable, explain

SAVE_EVERY = 500  # steps: what a killed run loses at most


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Raises UsageError if the name ends in none of `endings`."""
    if path.suffix.lower() not in endings:
        raise UsageError(f"{path}: the name must end in {' or '.join(endings)}")


def check_outputs(paths: Sequence[Path]) -> None:
    """Raises UsageError if one of the files that a command is to write cannot be written, or is named twice."""
    seen = set()
    for path in paths:
        try:
            check_writable(path)
            printed_to = path.exists() and any(os.path.samestat(path.stat(), os.fstat(n)) for n in _printed_to())
        except OSError as error:
            raise UsageError(f"cannot write {explain(error)}") from error
        if printed_to:
            raise UsageError(f"cannot write {path}: this is where the command prints; name another file")
        if (real := os.path.normcase(os.path.realpath(path))) in seen:
            raise UsageError(f"cannot write {path} twice: give each output a name of its own")
        seen.add(real)


def _printed_to() -> Iterator[int]:
    """The open files that stand behind stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError):  # None, or no file
            yield stream.fileno()
