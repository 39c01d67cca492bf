"""Image-to-image translation: a DCGAN whose G is given a picture instead of noise alone, and whose D sees both.

    G: condition c [n, 1, 28, 28], noise → image       a U-Net: down to 7x7 and up again, with skip connections
    D: (c, image) → a logit for each part of the image

The same two networks make a sharp digit of a coarse one and a digit of its outline: only the pairs that they learn from
are others.

References:
    P. Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017 ('pix2pix'): section
        3.1, D sees the condition; section 3.2, skip connections in G, and a D that judges part by part.
    W. Shi et al., Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
        Network, CVPR 2016, eq. 4: `PixelShuffle`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.dcgan import SLOPE, SpectralNorm
from course_lib.models.layers import init_layer

NOISE_CHANNELS = 8  # at 7x7


class UNetGenerator(nn.Module):
    """G(c, noise): conditions `[n, 1, 28, 28]` and noise `[n, 8, 7, 7]` → images `[n, 1, 28, 28]`.

    The output is a number and no tanh: where squared error drives a tanh to its ends its slope is gone, and all images
    turn black. What lies outside [−1, 1] is cut off when it is looked at.
    """

    def __init__(self, width: int, *, generator: torch.Generator) -> None:
        super().__init__()

        def conv(n_in: int, n_out: int, kernel: int = 3, stride: int = 1) -> nn.Module:
            return init_layer(nn.Conv2d, n_in, n_out, kernel, stride=stride, padding=1, generator=generator)

        self.down1, self.down2 = conv(1, width, 4, 2), conv(width, 2 * width, 4, 2)
        self.up1, self.up2 = conv(2 * width + NOISE_CHANNELS, 4 * width), conv(2 * width, 4 * width)
        self.last = conv(width + 1, 1)

    def forward(self, c: Tensor, noise: Tensor) -> Tensor:
        half = F.leaky_relu(self.down1(c), SLOPE)
        quarter = F.leaky_relu(self.down2(half), SLOPE)
        up = F.leaky_relu(F.pixel_shuffle(self.up1(torch.cat([quarter, noise], dim=1)), 2), SLOPE)
        up = F.leaky_relu(F.pixel_shuffle(self.up2(torch.cat([up, half], dim=1)), 2), SLOPE)
        return self.last(torch.cat([up, c], dim=1)).to(c.dtype)


class Discriminator(nn.Module):
    """D(c, x): conditions and images `[n, 1, 28, 28]` → logits `[n, 7, 7]`, one for each part."""

    def __init__(self, width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            init_layer(nn.Conv2d, 2, width, 4, stride=2, padding=1, generator=generator), nn.LeakyReLU(SLOPE),
            init_layer(nn.Conv2d, width, 2 * width, 4, stride=2, padding=1, generator=generator), nn.LeakyReLU(SLOPE),
            init_layer(nn.Conv2d, 2 * width, 1, 3, padding=1, generator=generator))
        for layer in (self.layers[0], self.layers[2]):
            nn.utils.parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, generator))

    def forward(self, c: Tensor, x: Tensor) -> Tensor:
        return self.layers(torch.cat([c, x], dim=1)).squeeze(1).to(x.dtype)


def noise(n: int, generator: torch.Generator) -> Tensor:
    """What G's choice comes from, `[n, 8, 7, 7]`, N(0, 1)."""
    return torch.randn(n, NOISE_CHANNELS, 7, 7, generator=generator)


def coarse(x: Tensor) -> Tensor:
    """Images `[n, 1, 28, 28]` of 7x7 large pixels, each the mean of 4x4."""
    return F.interpolate(F.avg_pool2d(x, 4), scale_factor=4, mode="nearest")


def outline(x: Tensor) -> Tensor:
    """Where strokes begin, −1 or 1, for images `[n, 1, 28, 28]` in [−1, 1]: paper with ink beside it."""
    ink = (x > 0).to(x.dtype)
    return 2 * (F.max_pool2d(ink, 3, stride=1, padding=1) - ink) - 1
