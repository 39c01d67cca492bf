"""Bars and stripes: the smallest pictures that have a structure, few enough to list all pictures there are.

And noisy pictures of one bar, whose probabilities are known: p(x), and p(x_j | any pixels that are seen).

Reference: D. MacKay, Information Theory, Inference, and Learning Algorithms, 2003, section 43.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def bars_and_stripes(side: int = 3) -> Tensor:
    """All pictures of full columns only, or of full rows only, each once: float32 `[2·2^side − 2, side²]`, 0 and 1.

    Raises ValueError for a side below 1 or above 10.
    """
    if not 1 <= side <= 10:
        raise ValueError(f"side must lie between 1 and 10, not {side!r}")
    lines = torch.arange(2**side)[:, None] >> torch.arange(side - 1, -1, -1) & 1
    stripes = lines[:, :, None].expand(-1, -1, side)
    both = torch.cat([stripes, stripes.transpose(1, 2)]).reshape(-1, side**2)
    return both.unique(dim=0).float()  # the empty picture and the full one are both bars and stripes


@dataclass(frozen=True)
class OneBar:
    """Pictures int64 `[n, 3, 3]` of one full row or column, each of the six as frequent, in which each pixel is flipped
    with probability `flip`."""

    flip: float = 0.05

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` pictures, int64 `[n, 3, 3]`."""
        bar = self.bars()[torch.randint(6, (n,), generator=generator)]
        return bar ^ (torch.rand(n, 3, 3, generator=generator) < self.flip)

    def bars(self) -> Tensor:
        """The six bars without noise, int64 `[6, 3, 3]`: rows, then columns."""
        bar = torch.zeros(6, 3, 3, dtype=torch.int64)
        for j in range(3):
            bar[j, j], bar[3 + j, :, j] = 1, 1
        return bar

    def log_prob(self, z: Tensor) -> Tensor:
        """Exact log p of the pixels that are seen, float64 `[n]`; z `[n, 3, 3]` has 2 where a pixel is hidden.

        Raises ValueError for pictures of another shape, or other numbers.
        """
        return self._log_given_bar(z).logsumexp(1) - torch.tensor(6.0).double().log()

    def conditionals(self, z: Tensor) -> Tensor:
        """Exact p(x_j = v | pixels that are seen), float64 `[n, 2, 3, 3]`, of z `[n, 3, 3]` with 2 where a pixel is
        hidden; of a seen pixel, 1 for its value.

        Raises ValueError for pictures of another shape, or other numbers.
        """
        ink = self.flip + (1 - 2 * self.flip) * self.bars().double()
        p = (self._log_given_bar(z).softmax(1) @ ink.flatten(1)).view_as(z)
        p = torch.where(z == 2, p, z.double())
        return torch.stack([1 - p, p], dim=1)

    def _log_given_bar(self, z: Tensor) -> Tensor:
        """log p(seen pixels | bar), float64 `[n, 6]`."""
        if z.ndim != 3 or tuple(z.shape[1:]) != (3, 3) or z.is_floating_point() or not ((z >= 0) & (z <= 2)).all():
            raise ValueError(f"pictures must be whole numbers 0, 1, or 2 where hidden, [n, 3, 3], not {list(z.shape)} "
                             f"of {z.dtype}")
        p = torch.tensor([1 - self.flip, self.flip], dtype=torch.float64)
        wrong = (z[:, None] != self.bars()).long()
        return torch.where(z[:, None] == 2, 0, p.log()[wrong]).flatten(2).sum(2)
