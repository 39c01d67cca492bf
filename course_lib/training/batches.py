"""Batches of examples that lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.training.parallel import from_first, processes, rank


class EpochSampler(nn.Module):
    """Indices of the next batch: each epoch goes once through all n examples, in an order drawn from `generator`.

    The few examples left at the end of an epoch, less than a batch, are left out of it. Order and place are buffers,
    so that a run that was saved goes on with the batch that was next. Processes that share a step go through one epoch
    together: each gets the next `size` of its own.
    """

    def __init__(self, n: int, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("order", torch.randperm(n, generator=generator))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def next(self, size: int) -> Tensor:
        """int64 `[size]`. Raises ValueError if there are not so many examples."""
        n, place, whole = len(self.order), int(self.place), size * processes()
        if whole > n:
            raise ValueError(f"a batch of {whole} needs as many examples, and there are {n}")
        if place + whole > n:
            torch.randperm(n, generator=self.generator, out=self.order)
            from_first([self.order])
            place = 0
        self.place.fill_(place + whole)
        place += size * rank()
        return self.order[place:place + size]
