"""Where random numbers come from: a generator made of a written seed, and nothing else.

`COURSE_SEED=1` adds 1 to every seed that is written in a notebook or an experiment. So a whole notebook can be run with
other random numbers, to see which of its sentences depend on them (`make calibrate`).
"""

from __future__ import annotations

import os

import torch


def offset() -> int:
    """What `COURSE_SEED` adds to each seed: 0 unless it is set. Raises ValueError if it is no whole number ≥ 0."""
    told = os.environ.get("COURSE_SEED", "0")
    if not told.isdecimal():
        raise ValueError(f"COURSE_SEED must be a whole number from 0 on, not {told!r}")
    return int(told)


def seeded(seed: int = 0) -> torch.Generator:
    """A CPU generator that begins at this seed."""
    return torch.Generator().manual_seed(seed + offset())
