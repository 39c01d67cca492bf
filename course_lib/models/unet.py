"""A small U-Net for 28x28 images, told the time and a label: the network of diffusion models and of flow matching.

    28x28 pixels, 2x2 of them folded into four channels at 14x14  →  two blocks of 32 channels at 14x14
      →  two blocks of 96 channels at 7x7  →  back to 14x14, joined with what was there, two blocks  →  28x28 pixels

What goes down through the 7x7 middle sees the whole image; what passes beside it keeps the strokes sharp. Each block is
residual and begins as the identity. Time and label reach it as a scale and a shift of every channel. Most of the work
is done at 7x7 and 14x14, where a convolution costs a quarter, or a sixteenth, of what it costs at 28x28.

References:
    O. Ronneberger, P. Fischer, T. Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015.
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020, appendix B: the U-Net told the
        time by sinusoids.
    P. Dhariwal, A. Nichol, Diffusion Models Beat GANs on Image Synthesis, NeurIPS 2021, section 3.1: scale and shift.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.diffusion import sinusoids
from course_lib.models.layers import init_layer

CLASSES = 10
NO_LABEL = CLASSES  # the label of an image of which none is told
SIZE = 28
FREQUENCIES, SLOWEST, FASTEST = 32, 1000 / 10**3.875, 1000.0  # of the time; the papers count it in a thousand steps


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel, `[n, C, H, W]`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """x + convolutions of x: normalise, convolve, scale and shift by the embedding, SiLU, convolve."""

    def __init__(self, channels: int, embedding: int, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.conv = init_layer(nn.Conv2d, channels, channels, 3, padding=1, generator=generator)
        self.scale_shift = init_layer(nn.Linear, embedding, 2 * channels, generator=generator)
        self.last = nn.utils.skip_init(nn.Conv2d, channels, channels, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """`[n, C, H, W]`, of x in the same shape and an embedding `[n, E]`."""
        scale, shift = self.scale_shift(embedding)[..., None, None].chunk(2, dim=1)
        return x + self.last(F.silu(self.conv(self.norm(x)) * (1 + scale) + shift))


class UNet(nn.Module):
    """f(x, t, y): what is added to, or taken from, each pixel of a noisy image.

    Args:
        width: channels at 14x14; there are three times as many at 7x7, and numbers in the embedding.
        blocks: residual blocks before, in, and after the middle, of each so many.
        generator: decides the first weights.
    """

    def __init__(self, width: int = 32, blocks: int = 2, *, generator: torch.Generator) -> None:
        super().__init__()
        middle = embedding = 3 * width
        self.time = nn.Sequential(init_layer(nn.Linear, 2 * FREQUENCIES, embedding, generator=generator), nn.SiLU(),
                                  init_layer(nn.Linear, embedding, embedding, generator=generator))
        self.label = nn.Parameter(torch.randn(CLASSES + 1, embedding, generator=generator) / embedding**0.5)
        self.first = init_layer(nn.Conv2d, 4, width, 3, padding=1, generator=generator)
        self.down = init_layer(nn.Conv2d, width, middle, 2, stride=2, generator=generator)
        self.up = init_layer(nn.Conv2d, middle, 4 * width, 1, generator=generator)
        self.before, self.middle, self.after = (
            nn.ModuleList(Block(channels, embedding, generator) for _ in range(blocks))
            for channels in (width, middle, width))
        self.norm = ChannelNorm(width)
        self.last = nn.utils.skip_init(nn.Conv2d, width, 4, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """`[n, 1, 28, 28]`.

        Args:
            x: images `[n, 1, 28, 28]`.
            t: their times `[n]`, from 0 for data to 1 for noise.
            y: their labels `[n]`, int64 from 0 to 9; `NO_LABEL` where none is told.

        Raises:
            ValueError: x, t or y in another shape, or a label that there is not.
        """
        n = len(x)
        if x.shape != (n, 1, SIZE, SIZE) or t.shape != (n,) or y.shape != (n,):
            raise ValueError(f"x, t, y must have shapes [n, 1, {SIZE}, {SIZE}], [n], [n], not {list(x.shape)}, "
                             f"{list(t.shape)}, {list(y.shape)}")
        if n and not (y.min() >= 0 and y.max() <= NO_LABEL):
            raise ValueError(f"labels run from 0 to {CLASSES - 1}, and {NO_LABEL} is no label; these run from "
                             f"{int(y.min())} to {int(y.max())}")
        embedding = F.silu(self.time(sinusoids(t, FREQUENCIES, SLOWEST, FASTEST).flip(1)) + self.label[y])
        fine = self.first(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        for block in self.before:
            fine = block(fine, embedding)
        coarse = self.down(fine)
        for block in self.middle:
            coarse = block(coarse, embedding)
        fine = fine + F.pixel_shuffle(self.up(coarse), 2)
        for block in self.after:
            fine = block(fine, embedding)
        return F.pixel_shuffle(self.last(F.silu(self.norm(fine))), 2).to(x.dtype)
