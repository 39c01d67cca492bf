"""MADE: an autoencoder whose masks make it an autoregressive network, all conditionals in one pass.

M. Germain, K. Gregor, I. Murray, H. Larochelle, *MADE: Masked Autoencoder for Distribution Estimation*, ICML 2015.
Each unit has a degree m: how many of the first pixels it may know of (section 3.1). A fixed order, raster, and degrees
that are spread evenly instead of drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import init_layer
from course_lib.models.pixels import PixelModel


def degrees(D: int, hidden: Sequence[int]) -> list[Tensor]:
    """Degrees m of D inputs, of each hidden layer, and of D outputs, int64 `[units]` each.

    Input j and output j have degree j, from 1 to D; hidden units have 1 … D − 1, over and over (a hidden unit that
    knew all D pixels could tell no output).

    Raises:
        ValueError: fewer than two pixels, for then there is nothing to know.
    """
    if D < 2:
        raise ValueError(f"a network of conditionals needs two pixels or more, not {D}")
    pixels = torch.arange(1, D + 1)
    return [pixels, *(torch.arange(size) % (D - 1) + 1 for size in hidden), pixels]


def masks(m: Sequence[Tensor]) -> list[Tensor]:
    """One mask of zeros and ones, float32 `[units, units below]`, for each layer of weights.

    A hidden unit may listen to units of its own degree or lower (equation 12), an output only to lower ones
    (equation 13), so that output j knows pixels 1 … j − 1.
    """
    pairs = list(itertools.pairwise(m))
    return [((above[:, None] > below) if i == len(pairs) - 1 else (above[:, None] >= below)).float()
            for i, (below, above) in enumerate(pairs)]


class MaskedLinear(nn.Module):
    """A linear layer in which weights are multiplied by a mask `[n_out, n_in]`."""

    def __init__(self, mask: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = init_layer(nn.Linear, mask.shape[1], mask.shape[0], generator=generator)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[n, n_out]` of `[n, n_in]`."""
        return F.linear(x, self.linear.weight * self.mask, self.linear.bias)


class MADE(PixelModel):
    """log p(x) of black and white images `[n, H, W]` by one pass through masked layers; drawing takes one a pixel.

    Args:
        size: (H, W), of at least two pixels.
        hidden: units of each hidden layer.
        generator: draws the first weights.
    """

    def __init__(self, size: tuple[int, int], hidden: Sequence[int], generator: torch.Generator) -> None:
        super().__init__(size, n_classes=2)
        layers: list[nn.Module] = []
        for mask in masks(degrees(size[0] * size[1], hidden)):
            layers += [MaskedLinear(mask, generator), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])

    def logits(self, image: Tensor) -> Tensor:
        """Logits of p(x_j = k | x_1 … x_{j−1}), `[n, 2, H, W]`, from one-hot images `[n, 2, H, W]`: 0 for paper, and
        one number for ink."""
        ink = self.network(image[:, 1].flatten(1)).view(-1, *self.size)
        return torch.stack([torch.zeros_like(ink), ink], dim=1)
