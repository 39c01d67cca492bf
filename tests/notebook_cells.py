"""The code cells of a notebook's student version, to be run in part and broken on purpose."""

import functools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from course_lib.authoring.build import convert
from course_lib.authoring.text import sources
from course_lib.teach import ClaimFailed

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


@functools.cache
def cells_of(number: str) -> tuple[str, ...]:
    """The code of every cell of the notebook with this number, such as '05b'."""
    source = next(s for s in sources(NOTEBOOKS) if s.stem.startswith(f"{number}_"))
    return tuple(c.source for c in convert(source, teacher=False).cells if c.cell_type == "code")


def cell(cells: Sequence[str], start: str) -> str:
    return next(c for c in cells if c.startswith(start))


def changed(code: str, change: Iterable[tuple[str, str]]) -> str:
    """The code with text replaced; each pattern must be found, or the test would break nothing."""
    for old, new in change:
        assert re.search(old, code), old
        code = re.sub(old, new, code)
    return code


def run(cells: Sequence[str], *starts: str, change: Iterable[tuple[str, str]] = (), given: str = "") -> dict[str, Any]:
    """Run the import cell, what is given and the cells that start so, all of them changed; returns their names."""
    names: dict[str, Any] = {}
    exec(changed("\n\n".join([cells[0], given, *(cell(cells, start) for start in starts)]), change), names)
    return names


def broken(cells: Sequence[str], starts: Iterable[str], claim: str, *change: tuple[str, str], given: str = "") -> None:
    """Run these cells with something broken: the claim of this name must fail."""
    with pytest.raises(ClaimFailed, match=claim):
        run(cells, *starts, change=change, given=given)
