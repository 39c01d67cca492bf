"""Functions for `map_runs`, in a module that workers in other processes can import."""

import os
import signal
import time
from pathlib import Path

import numpy as np


def draw(seed: int, n: int = 3) -> dict:
    """What depends on its setting alone."""
    import torch

    x = torch.randn(n, generator=torch.Generator().manual_seed(seed))
    return {"mean": x.mean(), "draws": x, "rank": np.argsort(x.numpy()), "seed": seed}


def counted(seed: int, folder: str) -> int:
    """Leaves a trace of each time it ran."""
    (Path(folder) / f"{seed}-{time.monotonic_ns()}").touch()
    return seed**2


def fails_if_odd(seed: int, folder: str) -> int:
    counted(seed, folder)
    if seed % 2:
        raise ArithmeticError(f"{seed} is odd")
    return seed


def killed_once(seed: int, folder: str) -> dict:
    """Takes its process with it, the first time that seed 3 is run."""
    trace = Path(folder) / "killed"
    if seed == 3 and not trace.exists():
        trace.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(seed)


def process(seed: int) -> int:
    time.sleep(0.3)
    return os.getpid()


def hopeless(seed: int) -> object:
    return object()
