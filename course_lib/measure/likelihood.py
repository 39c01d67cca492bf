"""Units of log-likelihoods."""

from __future__ import annotations

import math
from typing import TypeVar

from torch import Tensor

Number = TypeVar("Number", float, Tensor)


def bits_per_dimension(nats: Number, dimensions: int) -> Number:
    """An image's −log p(x) in nats as bits per pixel (or other dimension): nats / (dimensions · log 2)."""
    return nats / (dimensions * math.log(2))
