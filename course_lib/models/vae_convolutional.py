"""A VAE whose encoder and decoder are convolutions: neighbouring pixels share weights, so it has far fewer of them.

    encoder: image H×W  →  convolution to H/2×W/2 → convolution to H/4×W/4 → linear to (m, log s²)
    decoder: z → linear to H/4×W/4 → transposed convolution to H/2×W/2 → transposed convolution to H×W

The bound and all else are the `VAE`'s: only how its two networks are made differs.

References:
    T. Salimans, D. P. Kingma, M. Welling, Markov Chain Monte Carlo and Variational Inference: Bridging the Gap, ICML
        2015: VAEs of MNIST with convolutional networks.
    A. Radford, L. Metz, S. Chintala, Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks, ICLR 2016, section 3: strides instead of pooling.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.models.layers import init_layer
from course_lib.models.vae import VAE

HALVING = {"kernel_size": 4, "stride": 2, "padding": 1}  # a side of 4 at stride 2 reaches every pixel equally often


class ConvolutionalVAE(VAE):
    """A `VAE` with two convolutions of 4x4 down and two up, ReLU between. Images are flat, `[n, H·W]`, as there.

    Args:
        latent_size: dimensions of z.
        channels: of the encoder at half and at a quarter of the size; the decoder is its mirror.
        likelihood: as of a `VAE`.
        size: (H, W) of an image, multiples of four.
        generator: decides the first weights.

    Raises:
        ValueError: unknown likelihood, a number of channels that is not two, or sides that four does not divide.
            Methods raise it as the `VAE`'s.
    """

    def __init__(self, latent_size: int, channels: Sequence[int] = (16, 32), likelihood: str = "bernoulli",
                 size: tuple[int, int] = (28, 28), *, generator: torch.Generator) -> None:
        if len(channels) != 2:
            raise ValueError(f"channels must be two numbers, for the two convolutions, not {list(channels)}")
        if any(side < 4 or side % 4 for side in size):
            raise ValueError(f"the sides of an image must be multiples of 4, since two convolutions halve them: not "
                             f"{size[0]}x{size[1]}")
        self.size = tuple(size)
        super().__init__(latent_size, channels, likelihood, size[0] * size[1], generator=generator)

    def _networks(self, widths: Sequence[int], generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
        (H, W), (half, quarter) = self.size, widths
        small = (quarter, H // 4, W // 4)
        numbers = quarter * (H // 4) * (W // 4)
        encoder = nn.Sequential(
            nn.Unflatten(1, (1, H, W)),
            init_layer(nn.Conv2d, 1, half, **HALVING, generator=generator), nn.ReLU(),
            init_layer(nn.Conv2d, half, quarter, **HALVING, generator=generator), nn.ReLU(),
            nn.Flatten(), init_layer(nn.Linear, numbers, 2 * self.latent_size, generator=generator))
        decoder = _OfAnyBatch(
            init_layer(nn.Linear, self.latent_size, numbers, generator=generator), nn.ReLU(), nn.Unflatten(1, small),
            init_layer(nn.ConvTranspose2d, quarter, half, **HALVING, generator=generator), nn.ReLU(),
            init_layer(nn.ConvTranspose2d, half, 1, **HALVING, generator=generator), nn.Flatten())
        return encoder, decoder


class _OfAnyBatch(nn.Sequential):
    """Layers that want one batch dimension, for inputs `[…, size]`: k draws of z for each of n images are k·n."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z.flatten(0, -2)).unflatten(0, z.shape[:-1])
