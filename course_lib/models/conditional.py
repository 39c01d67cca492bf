"""Conditional GANs: the DCGAN with a label in both networks, so that a digit can be asked for.

    G: z and the label y, ten numbers of which one is 1  →  an image of y
    D: an image x and the label y  →  one logit a(x, y): is x real, *and* is it what y says?

G differs from the DCGAN's in nothing but the meaning of its input. D differs in how it is told the label.

References:
    M. Mirza, S. Osindero, Conditional Generative Adversarial Nets, 2014: y as additional input of both networks.
    T. Miyato, M. Koyama, cGANs with Projection Discriminator, ICLR 2018, eq. 4: a(x, y) = v_y·φ(x) + ψ(φ(x)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from course_lib.deprecated import takes_rng
from course_lib.models.dcgan import LATENT_SIZE, PRESETS, Discriminator, Generator, joined_in_unit_range
from course_lib.models.layers import device_of

CLASSES = 10
NOISE_SIZE = LATENT_SIZE - CLASSES  # of the hundred numbers that G gets, ten say the label
CONDITIONINGS = ("projection", "concatenated", "none")


def one_hot(y: Tensor) -> Tensor:
    """Labels `[n]` as rows `[n, 10]` of nine 0 and one 1. Raises ValueError for anything but whole numbers 0 to 9."""
    if y.ndim != 1 or y.dtype != torch.int64:
        raise ValueError(f"labels must be int64 of shape [n], not {y.dtype} {list(y.shape)}")
    if len(y) and not (y.min() >= 0 and y.max() < CLASSES):
        raise ValueError(f"labels run from 0 to {CLASSES - 1}; there is a {int(y.max())} or a {int(y.min())}")
    return F.one_hot(y, CLASSES).to(torch.get_default_dtype())


def noise(n: int, generator: torch.Generator) -> Tensor:
    """z ~ N(0, I), `[n, 90]`."""
    return torch.randn(n, NOISE_SIZE, generator=generator)


@takes_rng
class ConditionalGenerator(Generator):
    """G(z, y): noise `[n, 90]` and labels `[n]` → images `[n, 1, 28, 28]` in [−1, 1]."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return super().forward(torch.cat([z, one_hot(y)], dim=1))

    @torch.no_grad()
    def sample(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """An image `[28, 28]` with pixels in [0, 1] for each label of y `[n]`."""
        device = device_of(self)
        images = (self(noise(len(part), generator).to(device), part.to(device)) for part in y.split(500))
        return joined_in_unit_range(images, len(y))


@takes_rng
class ConditionalDiscriminator(Discriminator):
    """The logit a(x, y): images `[n, 1, 28, 28]` in [−1, 1] and labels `[n]` → `[n]`.

    Args:
        conditioning: how D is told the label.
            'projection': one vector v_y for each label, of the size of D's features φ(x); v_y·φ(x) is added to the
            logit. 'concatenated': ten more planes beside the image, that of y all 1, the others 0. 'none': it is not
            told, and judges images only.
    """

    def __init__(self, preset: str = "course", width: int = 64, dropout: float = 0.0, spectral_norm: bool = False,
                 conditioning: str = "projection", *, generator: torch.Generator) -> None:
        super().__init__(preset, width, dropout, spectral_norm, generator=generator)
        if conditioning not in CONDITIONINGS:
            raise ValueError(f"conditioning must be one of {', '.join(CONDITIONINGS)}, not {conditioning!r}")
        self.conditioning = conditioning
        if conditioning == "projection":
            self.v = nn.Parameter(0.02 * torch.randn(CLASSES, self.layers.logit.in_features, generator=generator))
        if conditioning == "concatenated":
            # A convolution is linear: that of eleven planes is that of the image plus that of the label's ten.
            kernel = PRESETS[preset].kernel
            self.planes = skip_init(nn.Conv2d, CLASSES, width, kernel, stride=2, padding=(kernel - 1) // 2, bias=False)
            nn.init.normal_(self.planes.weight, std=0.02, generator=generator)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        label = one_hot(y)
        if self.conditioning == "none":
            return super().forward(x)
        if self.conditioning == "projection":
            features = self.features(x)
            return (self.layers.logit(features).squeeze(1) + ((label @ self.v) * features).sum(1)).to(x.dtype)
        told = self.planes(label[:, :, None, None].expand(-1, -1, 28, 28))
        return self.layers[1:](self.layers.down1(self.checked(x)) + told).squeeze(1).to(x.dtype)
