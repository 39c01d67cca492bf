"""The plain autoencoder: a code z = f(x) of few numbers, and a decoder g that rebuilds x from it.

It minimises the squared error of x̂ = g(f(x)) and asks nothing of the codes, so nothing is known of the places between
them: it is no generative model. See G. E. Hinton, R. R. Salakhutdinov, *Reducing the Dimensionality of Data with Neural
Networks*, Science 313 (2006).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.deprecated import old_keywords, old_members
from course_lib.models.layers import check_images, mlp


@old_members(pixels="n_pixels")
@old_keywords(pixels="n_pixels")
class Autoencoder(nn.Module):
    """Encoder D → widths → latent_size, ReLU between; the decoder is its mirror, with a sigmoid at the end.

    Args:
        latent_size: how many numbers a code has.
        widths: units of the encoder's hidden layers.
        n_pixels: D, numbers in an image.
        generator: decides the first weights.
    """

    def __init__(self, latent_size: int, widths: Sequence[int] = (512, 256), n_pixels: int = 784, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.latent_size, self.n_pixels = latent_size, n_pixels
        self.encoder = mlp([n_pixels, *widths, latent_size], generator)
        self.decoder = mlp([latent_size, *reversed(widths), n_pixels], generator)

    def encode(self, x: Tensor) -> Tensor:
        """Codes `[n, latent_size]` of images `[n, D]` in [0, 1]. Raises ValueError for other images."""
        check_images(x, self.n_pixels)
        return self.encoder(x).to(x.dtype)  # autocast may have computed in bfloat16

    def decode(self, z: Tensor) -> Tensor:
        """Images `[…, D]`, pixels in [0, 1], from codes `[…, latent_size]`."""
        return torch.sigmoid(self.decoder(z).to(z.dtype))

    def error(self, x: Tensor) -> Tensor:
        """Squared error ‖x − g(f(x))‖², summed over pixels, of each image `[n, D]`: `[n]`."""
        return ((x - self.decode(self.encode(x))) ** 2).sum(-1)
