"""Memory that a notebook no longer needs goes back to the system after the cell that needed it.

Two things keep it. A matplotlib figure is a ring of references with a picture in it, which only Python's collector of
rings frees; beside PyTorch's many objects that one runs seldom. And the C library keeps what was freed between pieces
still in use, tens of megabytes at a time, unless it is asked to return them (glibc's `malloc_trim`).
"""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path

GROWTH = 16 * 2**20  # bytes that the process must have grown by: less is not worth a collection

_STATM = Path("/proc/self/statm")
_held = 0  # bytes, after the last collection


def resident() -> int | None:
    """Bytes of memory that this process holds; None where the system does not say (it is Linux that does)."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def tidy() -> None:
    """Free unreachable objects and return freed memory, if the process has grown since the last time. Elsewhere than on
    Linux with glibc it does nothing: other allocators return memory by themselves."""
    global _held
    now = resident()
    if now is None or now < _held + GROWTH:
        return
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    _held = resident() or 0


def tidy_after_cells() -> None:
    """Within IPython, `tidy` after every cell from now on; elsewhere nothing."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)  # which takes each function once


def _after_cell(_result: object) -> None:
    tidy()
