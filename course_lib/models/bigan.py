"""A DCGAN that learns the way back: an encoder E beside the generator, and a discriminator of pairs.

    G: z ~ N(0, I) → image      as in the DCGAN, from fewer numbers
    E: image → z                convolutions, then one number for each of z's
    D: (image, z) → logit       real pairs are (x, E(x)), made pairs are (G(z), z)

D's two kinds of pairs are alike only if images are, and codes are, and they fit together: E then inverts G.

References:
    J. Donahue, P. Krähenbühl, T. Darrell, Adversarial Feature Learning, ICLR 2017: the BiGAN, eq. 2 and 3; theorem 2,
        that E inverts G where nothing is left to tell; section 3.4, the losses.
    V. Dumoulin et al., Adversarially Learned Inference, ICLR 2017: the same idea, found at the same time (ALI).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from course_lib.models import dcgan
from course_lib.models.dcgan import SLOPE, Generator, SpectralNorm
from course_lib.models.layers import check_images, init_layer

LATENT_SIZE = 20  # as in the shipped VAE, with which it is compared
JOINED = 256  # units of D's layer that sees features of the image and of z together
CODE_UNITS = 128  # features of z there


class Encoder(nn.Module):
    """E(x): images `[n, 1, 28, 28]` in [−1, 1] → codes `[n, latent_size]`; as many channels as D has."""

    def __init__(self, latent_size: int, width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            init_layer(nn.Conv2d, 1, width, 4, stride=2, padding=1, generator=generator), nn.LeakyReLU(SLOPE),
            init_layer(nn.Conv2d, width, 2 * width, 4, stride=2, padding=1, generator=generator), nn.LeakyReLU(SLOPE),
            init_layer(nn.Conv2d, 2 * width, 4 * width, 3, stride=2, padding=1, generator=generator),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(), init_layer(nn.Linear, 4 * width * 4 * 4, latent_size, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).to(x.dtype)  # autocast may have computed in bfloat16


class Discriminator(dcgan.Discriminator):
    """The logit of D(x, z): images `[n, 1, 28, 28]` in [−1, 1] and codes `[n, latent_size]` → `[n]`.

    The DCGAN's convolutions look at the image; the difference is that z has a say in the verdict.

    Args:
        sees_z: without it D judges x alone, as in a DCGAN, and E learns nothing.
    """

    def __init__(self, latent_size: int, width: int, sees_z: bool = True, *, generator: torch.Generator) -> None:
        super().__init__(width=width, spectral_norm=True, generator=generator)
        self.sees_z = sees_z
        self.layers.logit = nn.Identity()
        self.code = nn.Sequential(init_layer(nn.Linear, latent_size, CODE_UNITS, generator=generator),
                                  nn.LeakyReLU(SLOPE))
        self.verdict = nn.Sequential(
            init_layer(nn.Linear, 2 * width * 7 * 7 + CODE_UNITS, JOINED, generator=generator), nn.LeakyReLU(SLOPE),
            init_layer(nn.Linear, JOINED, 1, generator=generator))
        for layer in (self.code[0], self.verdict[0]):
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, generator))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        if len(x) != len(z):
            raise ValueError(f"pairs need as many codes as images, not {len(z)} and {len(x)}")
        code = self.code(z if self.sees_z else torch.zeros_like(z))
        return self.verdict(torch.cat([self.layers(x), code], dim=1)).squeeze(1).to(x.dtype)


class BiGAN(nn.Module):
    """What is left when D has done its work: G and E, used like a VAE's decoder and encoder.

    Images in `encode` and `decode` are flat, `[…, 784]` in [0, 1], as for the VAE of notebook 04.
    """

    def __init__(self, latent_size: int = LATENT_SIZE, width: int = 32, *, generator: torch.Generator) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.G = Generator(width=width, latent_size=latent_size, generator=generator)
        self.E = Encoder(latent_size, width, generator=generator)

    def encode(self, x: Tensor) -> Tensor:
        """E(x), `[n, latent_size]`, for images `[n, 784]` in [0, 1], else ValueError."""
        check_images(x, 784)
        return torch.cat([self.E(2 * part.view(-1, 1, 28, 28) - 1) for part in x.split(1000)])

    def decode(self, z: Tensor) -> Tensor:
        """G(z) as flat images `[…, 784]` in [0, 1], for codes `[…, latent_size]`."""
        flat = z.reshape(-1, z.shape[-1])
        x = torch.cat([self.G(part) for part in flat.split(1000)])
        return (x.reshape(*z.shape[:-1], 784) + 1) / 2

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n images `[n, 28, 28]` in [0, 1] from z ~ N(0, I)."""
        return self.G.sample(n, generator)


def pair_losses(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of D and of the pair (G, E), 0-d in nats, from D's logits `[n]` of (x, E(x)) and of (G(z), z).

    D wants real pairs high and made pairs low; G and E want both turned round. Each term keeps its slope where its
    player is losing (Donahue et al., section 3.4).
    """
    loss_d = (F.softplus(-real_logits) + F.softplus(fake_logits)).mean()
    loss_ge = (F.softplus(real_logits) + F.softplus(-fake_logits)).mean()
    return loss_d, loss_ge
