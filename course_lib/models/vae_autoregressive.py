"""A VAE whose decoder also reads the pixels before: it can describe pictures without its code, and may leave it unused.

    p(x | z) = Π_j p(x_j | x_1 … x_{j−1}, z),    log-odds a_j = (decoder of z)_j + (MADE of x_1 … x_{j−1})_j

References:
    S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz, S. Bengio, Generating Sentences from a Continuous
        Space, CoNLL 2016: a decoder that reads what it has written, and its collapse.
    M. Germain, K. Gregor, I. Murray, H. Larochelle, MADE, ICML 2015: the masked network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.made import MADE
from course_lib.models.vae import VAE, Elbo


class AutoregressiveVAE(nn.Module):
    """Encoder and decoder of a `VAE` with one hidden layer, and a MADE of one hidden layer that adds to the logits.

    Args:
        size: (H, W) of a picture.
        latent_size: dimensions of z.
        width: hidden units of encoder and decoder.
        hidden: hidden units of the MADE.
        generator: decides the first weights.
    """

    def __init__(self, size: tuple[int, int], latent_size: int, width: int, hidden: int, *,
                 generator: torch.Generator) -> None:
        super().__init__()
        self.vae = VAE(latent_size, (width,), n_pixels=size[0] * size[1], generator=generator)
        self.made = MADE(size, [hidden], generator)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, `[n]`, for pictures of zeros and ones `[n, H·W]` and z `[n, latent_size]`."""
        a = self.vae.decoder(z) + self.made.network(x)
        return (x * a - F.softplus(a)).sum(-1)

    def elbo(self, x: Tensor, generator: torch.Generator) -> Elbo:
        """The ELBO of pictures `[n, H·W]`, its terms apart, one z a picture. Raises as `VAE.encode`."""
        mu, log_var = self.vae.encode(x)
        z = self.vae.reparameterize(mu, log_var, generator)
        return Elbo(self.log_likelihood(x, z), 0.5 * (mu**2 + log_var.exp() - 1 - log_var), mu, log_var)
