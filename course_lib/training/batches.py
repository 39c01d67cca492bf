"""Batches of examples that lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class EpochSampler(nn.Module):
    """Indices of the next batch: each epoch goes once through all n examples, in an order drawn from `generator`.

    The few examples left at the end of an epoch, less than a batch, are left out of it. Order and place are buffers,
    so that a run that was saved goes on with the batch that was next.
    """

    def __init__(self, n: int, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("order", torch.randperm(n, generator=generator))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def next(self, size: int) -> Tensor:
        """int64 `[size]`. Raises ValueError if there are not so many examples."""
        n, place = len(self.order), int(self.place)
        if size > n:
            raise ValueError(f"a batch of {size} needs as many examples, and there are {n}")
        if place + size > n:
            torch.randperm(n, generator=self.generator, out=self.order)
            place = 0
        self.place.fill_(place + size)
        return self.order[place:place + size]
