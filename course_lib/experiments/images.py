"""What experiments on images share: batches in memory, the fall of the learning rate, and arithmetic in 16 bits."""

from __future__ import annotations

import functools
import statistics
import time
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.experiments.base import knob

PRECISIONS = ("float32", "bfloat16")
WORTHWHILE = 1.15  # times as fast: less than that is not worth 16 bits


class Batches(nn.Module):
    """Indices of the next batch: each epoch goes once through all n examples, in an order drawn from `rng`.

    The few examples left at the end of an epoch, less than a batch, are left out of it. Order and place are buffers,
    so that a run that was saved goes on with the batch that was next.
    """

    def __init__(self, n: int, rng: torch.Generator) -> None:
        super().__init__()
        self.rng = rng
        self.register_buffer("order", torch.randperm(n, generator=rng))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def next(self, size: int) -> Tensor:
        """int64 `[size]`. Raises ValueError if there are not so many examples."""
        n, place = len(self.order), int(self.place)
        if size > n:
            raise ValueError(f"a batch of {size} needs as many examples, and there are {n}")
        if place + size > n:
            torch.randperm(n, generator=self.rng, out=self.order)
            place = 0
        self.place.fill_(place + size)
        return self.order[place:place + size]


def decayed(rate: float, step: int, total_steps: int) -> float:
    """The learning rate of update number `step`, from 0 on: flat for half of `total_steps`, then falling in a line
    to 0 at their end. With `total_steps` 0 the end is not known and the rate stays."""
    if total_steps == 0:
        return rate
    return rate * min(1.0, max(0.0, 2 * (1 - step / total_steps)))


def autocast(precision: str) -> AbstractContextManager:
    """Within it, matrix products and convolutions are computed in this precision; parameters stay float32."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")


def length_of_training() -> Any:
    """The knob `total_steps`, for `decayed`."""
    return knob(0, label="length of training", low=0, high=10_000_000, unit="steps",
                help="Learning rates fall to 0 over the second half of so many steps; 0 where the end is open.")


def arithmetic() -> Any:
    """The knob `precision`, for `autocast`."""
    return knob("float32", label="arithmetic", choices=PRECISIONS,
                help="In bfloat16 some processors train twice as fast. Parameters and losses stay float32.")


@functools.cache
def fastest_precision() -> str:
    """'bfloat16' where this processor trains a network faster in it, else 'float32': measured once, about 0.2 s.

    Processors with instructions for bfloat16 take half the time, others imitate them slowly. The answer is a value for
    the hyperparameter `precision`, where it can be seen, and a saved run keeps it.
    """
    rng = torch.Generator().manual_seed(0)
    network = nn.Sequential(*(nn.utils.skip_init(nn.Linear, 512, 512) for _ in range(4)))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05, generator=rng)
    x = torch.randn(128, 512, generator=rng)
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
