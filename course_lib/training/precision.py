"""Arithmetic in 16 bits, where a processor is faster in it."""

from __future__ import annotations

import functools
import statistics
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from course_lib.training.hyperparameters import hyperparameter

PRECISIONS = ("float32", "bfloat16")
WORTHWHILE = 1.15  # times as fast: less than that is not worth 16 bits


def autocast(precision: str, device: str = "cpu") -> AbstractContextManager:
    """Within it, matrix products and convolutions on this type of device are computed in this precision; parameters
    stay float32."""
    return torch.autocast(device, dtype=torch.bfloat16) if precision == "bfloat16" else nullcontext()


def arithmetic() -> Any:
    """The hyperparameter `precision`, for `autocast`."""
    return hyperparameter("float32", label="arithmetic", choices=PRECISIONS,
                help="In bfloat16 some processors train twice as fast. Parameters and losses stay float32.")


@functools.cache
def fastest_precision() -> str:
    """'bfloat16' where this processor trains a network faster in it, else 'float32': measured once, about 0.2 s.

    Processors with instructions for bfloat16 take half the time, others imitate them slowly. The answer is a value for
    the hyperparameter `precision`, where it can be seen, and a saved run keeps it.
    """
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(*(nn.utils.skip_init(nn.Linear, 512, 512) for _ in range(4)))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05, generator=generator)
    x = torch.randn(128, 512, generator=generator)
    times: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for _ in range(15):  # by turns, so that a moment of other work on the machine slows both
        for precision, seconds in times.items():
            start = time.perf_counter()
            with autocast(precision):
                loss = network(x).square().mean()
            loss.backward()
            seconds.append(time.perf_counter() - start)
    float32, bfloat16 = (statistics.median(times[precision]) for precision in PRECISIONS)
    return "bfloat16" if float32 > WORTHWHILE * bfloat16 else "float32"
