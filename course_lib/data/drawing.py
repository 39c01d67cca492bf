"""Drawings brought into the form of MNIST, so that a model of MNIST has seen their like."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

BOX = 20  # MNIST's digits were scaled into 20x20 pixels and set into 28x28 by their centre of mass
SIDE = 28


def like_mnist(drawing: Tensor) -> Tensor:
    """A drawing `[height, width]`, 0 paper and 1 ink, scaled and centred as MNIST's digits were: `[28, 28]`.

    The ink's bounding box is scaled to fit 20x20, proportions kept, and its centre of mass put into the middle. See
    Y. LeCun et al., *Gradient-Based Learning Applied to Document Recognition*, Proc. IEEE 86 (1998), section III.A.

    Raises:
        ValueError: another shape, values outside [0, 1], or no ink.
    """
    if drawing.ndim != 2:
        raise ValueError(f"a drawing must have shape [height, width], not {list(drawing.shape)}")
    if not ((drawing >= 0) & (drawing <= 1)).all():
        raise ValueError("a drawing must lie in [0, 1]: 0 is paper and 1 is ink")
    inked = (drawing > 0.1).nonzero()
    if len(inked) == 0:
        raise ValueError("the drawing has no ink: draw something first")
    (top, left), (bottom, right) = inked.amin(0).tolist(), inked.amax(0).tolist()
    digit = drawing[None, None, top:bottom + 1, left:right + 1].to(torch.float32)
    scale = BOX / max(digit.shape[2:])
    size = [max(1, round(scale * length)) for length in digit.shape[2:]]
    digit = interpolate(digit, size, mode="bilinear", antialias=True)[0, 0].clamp(0, 1)
    above, beside = (_room(digit.sum(1 - side), side_length) for side, side_length in enumerate(digit.shape))
    return pad(digit, (beside, SIDE - beside - digit.shape[1], above, SIDE - above - digit.shape[0]))


def _room(ink: Tensor, length: int) -> int:
    """Rows (or columns) to leave before a digit whose rows have so much ink, so that its centre of mass is central."""
    middle = (ink * torch.arange(length)).sum() / ink.sum()
    return min(max(round(SIDE / 2 - middle.item()), 0), SIDE - length)  # pixel 14 of 0 … 27 is where MNIST has it
