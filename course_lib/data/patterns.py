"""Bars and stripes: the smallest pictures that have a structure, few enough to list all pictures there are.

Reference: D. MacKay, Information Theory, Inference, and Learning Algorithms, 2003, section 43.1.
"""

from __future__ import annotations

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
