"""GANs in the plane, where everything can be seen: the vanilla game, and five that change what D is.

The generator G bends noise z into fake points x̃ = G(z). D is a function of the plane; what it means is the variant's:

    vanilla    sigmoid(D(x)) is the probability that x is real (Goodfellow et al. 2014)
    R1         the same, and D must be flat where the data are (Mescheder et al. 2018)
    R1+R2      the same, and D must be flat where the fakes are, too
    R3GAN      R1+R2, and sigmoid(D(x) − D(x̃)) is the probability that of a pair x is the real one (Huang et al. 2024)
    WGAN       a critic: a score whose weights lie in [−c, c], so that it cannot be steep (Arjovsky et al. 2017)
    WGAN-GP    a critic whose slope is asked to be 1 between real and fake (Gulrajani et al. 2017)

References:
    I. Goodfellow et al., Generative Adversarial Nets, NIPS 2014.
    M. Arjovsky, S. Chintala, L. Bottou, Wasserstein GAN, ICML 2017: Algorithm 1.
    I. Gulrajani et al., Improved Training of Wasserstein GANs, NIPS 2017: Algorithm 1.
    L. Mescheder, A. Geiger, S. Nowozin, Which Training Methods for GANs do actually Converge?, ICML 2018: eq. 9.
    Y. Huang et al., The GAN is dead; long live the GAN! A Modern GAN Baseline, NeurIPS 2024: section 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import mlp
from course_lib.models.penalties import gradient_penalty, r1_penalty

NOISE_DIM = 2  # so that a grid of noise is a grid of points, and its bending can be drawn
NOISES = ("normal", "uniform")
VARIANTS = ("vanilla", "R1", "R1+R2", "R3GAN", "WGAN", "WGAN-GP")


def noise(kind: str, count: int, generator: torch.Generator) -> Tensor:
    """What G makes its fakes from, `[count, 2]`: 'normal' is z ~ N(0, I), 'uniform' is z ~ U(−1, 1)²."""
    if kind == "normal":
        return torch.randn(count, NOISE_DIM, generator=generator)
    if kind == "uniform":
        return 2 * torch.rand(count, NOISE_DIM, generator=generator) - 1
    raise ValueError(f"noise must be one of {', '.join(NOISES)}, not {kind!r}")


class Generator(nn.Module):
    """G(z): noise `[n, 2]` → points `[n, 2]`. Three hidden layers of ReLUs: a sheet, straight between its creases."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = mlp([NOISE_DIM, width, width, width, 2], generator)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Critic(nn.Module):
    """D(x): points `[n, dim]` → scores `[n]`. Three hidden layers of tanh.

    tanh rather than ReLU: the gradient penalty trains D's gradient, and that of a ReLU network jumps.
    """

    def __init__(self, width: int, generator: torch.Generator, dim: int = 2) -> None:
        super().__init__()
        self.layers = mlp([dim, width, width, width, 1], generator, activation=nn.Tanh)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(-1)


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Mean D(x̃) − mean D(x) of scores `[n]`, 0-d, to be minimised: minus what the critic says the Wasserstein distance
    is at least."""
    return fake_scores.mean() - real_scores.mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of −log σ(D(x)) − log(1 − σ(D(x̃))) of logits `[n]`, 0-d in nats; 2·log 2 where D can tell nothing."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def pairing_loss(first_logits: Tensor, second_logits: Tensor) -> Tensor:
    """Mean of −log σ(first − second) over pairs of logits `[n]`, 0-d in nats: small where the first of each pair is
    taken for the real one (Huang et al. 2024, eq. 2, after A. Jolicoeur-Martineau, The Relativistic Discriminator,
    ICLR 2019)."""
    return F.softplus(second_logits - first_logits).mean()


def is_paired(variant: str) -> bool:
    """Whether D judges pairs of a real and a fake point, so that G's loss needs real ones, too."""
    return variant == "R3GAN"


def d_loss(variant: str, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """The loss of D without its penalty, of scores `[n]`, 0-d: `critic_loss` for the Wasserstein variants,
    `pairing_loss` for R3GAN, else `discriminator_loss`."""
    if is_paired(variant):
        return pairing_loss(real_scores, fake_scores)
    return (critic_loss if is_wasserstein(variant) else discriminator_loss)(real_scores, fake_scores)


def g_loss(variant: str, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
    """The loss of G, of scores `[n]`, 0-d: mean −D(x̃) for the Wasserstein variants; for R3GAN `pairing_loss` with the
    fakes first; else mean −log σ(D(x̃)), which does not saturate.

    Raises ValueError for R3GAN without the scores of as many real points.
    """
    if is_paired(variant):
        if real_scores is None or real_scores.shape != fake_scores.shape:
            raise ValueError("R3GAN's G needs the score of a real point for each fake one: give real_scores")
        return pairing_loss(fake_scores, real_scores)
    return (-fake_scores if is_wasserstein(variant) else F.softplus(-fake_scores)).mean()


def is_wasserstein(variant: str) -> bool:
    """Whether D is a critic. Raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, not {variant!r}")
    return variant.startswith("WGAN")


def penalty(variant: str, D: nn.Module, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor | None:
    """What the variant adds to the loss of D on points `[n, dim]`, 0-d, before it is weighted; None where it adds
    nothing."""
    if variant == "WGAN-GP":
        return gradient_penalty(D, real, fake, generator)
    if variant in ("R1+R2", "R3GAN"):
        return r1_penalty(D, real) + r1_penalty(D, fake)  # R2 is R1 at fakes
    return r1_penalty(D, real) if variant == "R1" else None


@torch.no_grad()
def clip_weights(D: nn.Module, c: float) -> None:
    """Put every weight and bias of D back into [−c, c]."""
    for parameter in D.parameters():
        parameter.clamp_(-c, c)
