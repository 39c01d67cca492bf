"""Units of log-likelihoods."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from torch import Tensor

from course_lib.validation import float_array, float_tensor, whole_number

Number = TypeVar("Number", float, Tensor)


def bits_per_dimension(nats: Number, dimensions: int) -> Number:
    """An image's −log p(x) in nats as bits per pixel (or other dimension): nats / (dimensions · log 2).

    Infinite nats, of an image that is impossible, are infinitely many bits.

    Raises:
        ValueError: NaN, or no dimensions.
    """
    dimensions = whole_number(dimensions, "dimensions")
    if isinstance(nats, Tensor):
        nats = float_tensor(nats, "nats", finite=False)
        undefined = nats.isnan().any()
    else:
        nats = float_array(nats, "nats", finite=False)[()]  # a number remains one
        undefined = np.isnan(nats).any()
    if undefined:
        raise ValueError("nats are NaN, as a diverged model makes them: there is no code length")
    return nats / (dimensions * math.log(2))
