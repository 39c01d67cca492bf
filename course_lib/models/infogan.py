"""InfoGAN: the DCGAN with a code in the noise that must be readable from the image.

    G: z, a category k ~ uniform{0, …, 9} and two numbers u ~ U(−1, 1)  →  an image
    D: image → features → one logit
    Q: the same features → q(k | x), a distribution over ten categories, and N(u; m, s²)

Nobody says what the codes mean. All that is asked is that the code c = (k, u) can be told from the image, by a bound on
their mutual information, in nats:

    I(c; G(z, c)) = H(c) − H(c | x) ≥ H(c) + E[log q(c | x)]

References:
    X. Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial
        Nets, NIPS 2016, eq. 4 to 6.
    D. Barber, F. Agakov, The IM Algorithm, NIPS 2003: the bound.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from course_lib.models.dcgan import LATENT_SIZE, SLOPE, Discriminator, Generator, joined_in_unit_range
from course_lib.models.layers import device_of

CATEGORIES, CONTINUOUS = 10, 2
NOISE_SIZE = LATENT_SIZE - CATEGORIES - CONTINUOUS  # of the hundred numbers that G gets, twelve are the code
CATEGORY_SCALE = 4.0  # of the one-hot category in G's input, our choice (the paper has 1): the noise has length √88
HIDDEN = 64


class Code(NamedTuple):
    """What is to be read from an image: category k, int64 `[n]`, and numbers u in (−1, 1), `[n, 2]`."""

    k: Tensor
    u: Tensor


class QOutput(NamedTuple):
    """What Q makes of an image: log q(k | x) `[n, 10]`, and mean m and log-variance log s² of q(u | x), `[n, 2]`."""

    log_q: Tensor
    mu: Tensor
    log_var: Tensor


def draw_code(n: int, generator: torch.Generator) -> Code:
    """n codes from their prior."""
    return Code(torch.randint(CATEGORIES, (n,), generator=generator), 2 * torch.rand(n, CONTINUOUS,
                                                                                     generator=generator) - 1)


def noise(n: int, generator: torch.Generator) -> Tensor:
    """z ~ N(0, I), `[n, 88]`."""
    return torch.randn(n, NOISE_SIZE, generator=generator)


class InfoGenerator(Generator):
    """G(z, c): noise `[n, 88]` and a code → images `[n, 1, 28, 28]` in [−1, 1]. G gets [z, 4 · one-hot k, u]."""

    def forward(self, z: Tensor, code: Code) -> Tensor:
        category = CATEGORY_SCALE * F.one_hot(code.k, CATEGORIES).to(z.dtype)
        return super().forward(torch.cat([z, category, code.u], dim=1))

    @torch.no_grad()
    def sample(self, code: Code, generator: torch.Generator) -> Tensor:
        """An image `[28, 28]` with pixels in [0, 1] for each of n codes."""
        device = device_of(self)
        images = (self(noise(len(k), generator).to(device), Code(k.to(device), u.to(device)))
                  for k, u in zip(code.k.split(500), code.u.split(500), strict=True))
        return joined_in_unit_range(images, len(code.k))


class QHead(nn.Module):
    """Q: features of D `[n, d]` → what it reads, a `QOutput`. One hidden layer of its own, all before it is D's."""

    def __init__(self, d: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = skip_init(nn.Linear, d, HIDDEN)
        self.out = skip_init(nn.Linear, HIDDEN, CATEGORIES + 2 * CONTINUOUS)
        for layer in (self.hidden, self.out):
            nn.init.normal_(layer.weight, std=0.02, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> QOutput:
        read = self.out(F.leaky_relu(self.hidden(features), SLOPE)).to(torch.get_default_dtype())
        logits, mu, log_var = read.split([CATEGORIES, CONTINUOUS, CONTINUOUS], dim=1)
        return QOutput(logits.log_softmax(1), mu, log_var)


class InfoDiscriminator(Discriminator):
    """D with the reader Q on its features: images `[n, 1, 28, 28]` in [−1, 1] → logits `[n]`, and what Q reads."""

    def __init__(self, preset: str = "course", width: int = 64, dropout: float = 0.0, spectral_norm: bool = False, *,
                 generator: torch.Generator) -> None:
        super().__init__(preset, width, dropout, spectral_norm, generator=generator)
        self.Q = QHead(self.layers.logit.in_features, generator=generator)

    def forward(self, x: Tensor) -> tuple[Tensor, QOutput]:
        features = self.features(x)
        return self.layers.logit(features).squeeze(1).to(x.dtype), self.Q(features)


def log_q(code: Code, read: QOutput) -> tuple[Tensor, Tensor]:
    """log q(k | x) `[n]` and log q(u | x) `[n, 2]` of the codes that the images were made from, in nats."""
    category = read.log_q.gather(1, code.k[:, None]).squeeze(1)
    numbers = -0.5 * ((code.u - read.mu) ** 2 / read.log_var.exp() + read.log_var + math.log(2 * math.pi))
    return category, numbers
