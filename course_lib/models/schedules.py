"""How fast noise replaces data: x_t = α_t x_0 + σ_t ε with ε ~ N(0, I), for times t from 0, data, to 1, noise.

A schedule says α and σ at each t. What matters of them is their ratio, the signal-to-noise ratio α²/σ², given here as
its logarithm λ = log α²/σ², which falls from left to right:

    VP          variance preserving, α² + σ² = 1, with β(t) = −2 d log α/dt rising in a line from .1 to 20 (Song et al.)
    cosine      variance preserving, α = cos(πt/2), σ = sin(πt/2) (Nichol and Dhariwal, without their offset s)
    straight    α = 1 − t, σ = t: on the way each point goes straight from data to noise (Lipman et al.; Liu et al.)

Where J. Ho et al. write √ᾱ_t this is α_t, and σ_t² is their 1 − ᾱ_t; their σ_t is another number.

Any of five numbers says the same of a noised point, once x_t and t are known; each is a weighted sum of x_0 and ε:

    kind        what it is           weight of x_0    of ε
    data        x_0                  1                0
    noise       ε                    0                1
    v           α ε − σ x_0          −σ               α
    score       −ε/σ                 0                −1/σ
    velocity    dx_t/dt              dα/dt            dσ/dt

Sums stay sums under expectation given x_t, so the same table leads from one conditional mean to another: from the best
denoiser E[x_0 | x_t] to E[ε | x_t], to the score of p_t (Tweedie's formula), to the velocity of the flow.

References:
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020: equations 4 and 9.
    Y. Song et al., Score-Based Generative Modeling through Stochastic Differential Equations, ICLR 2021: equation 33
        for the linear β.
    A. Nichol, P. Dhariwal, Improved Denoising Diffusion Probabilistic Models, ICML 2021: equation 17.
    D. Kingma, T. Salimans, B. Poole, J. Ho, Variational Diffusion Models, NeurIPS 2021: λ in place of t.
    T. Salimans, J. Ho, Progressive Distillation for Fast Sampling of Diffusion Models, ICLR 2022: section 4 for v.
    Y. Lipman et al., Flow Matching for Generative Modeling, ICLR 2023: equation 20; their time runs the other way.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

KINDS = ("data", "noise", "v", "score", "velocity")


class Schedule(ABC):
    """α and σ of a time, with their derivatives. Times are float tensors `[…]` in [0, 1], as are all answers."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """α_t `[…]`: how much of the data is left."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """σ_t `[…]`: standard deviation of the noise."""

    @abstractmethod
    def d_alpha(self, t: Tensor) -> Tensor:
        """dα/dt `[…]`."""

    @abstractmethod
    def d_sigma(self, t: Tensor) -> Tensor:
        """dσ/dt `[…]`; infinite at 0 for VP, whose σ begins as a root."""

    @abstractmethod
    def time(self, log_snr: Tensor) -> Tensor:
        """The t `[…]` at which λ has these values `[…]`."""

    def log_snr(self, t: Tensor) -> Tensor:
        """λ = log α²/σ² `[…]`: ∞ where there is no noise, −∞ where nothing but noise is left."""
        return 2 * (self.alpha(t).log() - self.sigma(t).log())

    def d_log_snr(self, t: Tensor) -> Tensor:
        """dλ/dt `[…]`, negative. Of the SDE dx = f x dt + g dw with the same p_t it gives g² = −σ² dλ/dt, while f is
        (dα/dt)/α."""
        return 2 * (self.d_alpha(t) / self.alpha(t) - self.d_sigma(t) / self.sigma(t))

    def noised(self, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """x_t = α_t x_0 + σ_t ε, `[n, …]`, of data and noise `[n, …]` at times `[n]`, or at one time, 0-d."""
        alpha, sigma = (level.view(-1, *[1] * (x_0.ndim - 1)) for level in (self.alpha(t), self.sigma(t)))
        return alpha * x_0 + sigma * eps


class VP(Schedule):
    """log α = −¼ t² (β₁ − β₀) − ½ t β₀, σ² = 1 − α²."""

    def __init__(self, beta_0: float = 0.1, beta_1: float = 20.0) -> None:
        if not 0 < beta_0 <= beta_1:
            raise ValueError(f"beta must be positive and not fall, not go from {beta_0} to {beta_1}")
        self.beta_0, self.beta_1 = beta_0, beta_1

    def _log_alpha(self, t: Tensor) -> Tensor:
        return -0.25 * t**2 * (self.beta_1 - self.beta_0) - 0.5 * t * self.beta_0

    def alpha(self, t: Tensor) -> Tensor:
        return self._log_alpha(t).exp()

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(2 * self._log_alpha(t))).sqrt()  # 1 − α² itself would lose its digits near t = 0

    def _half_beta(self, t: Tensor) -> Tensor:
        return 0.5 * (self.beta_0 + t * (self.beta_1 - self.beta_0))

    def d_alpha(self, t: Tensor) -> Tensor:
        return -self._half_beta(t) * self.alpha(t)

    def d_sigma(self, t: Tensor) -> Tensor:
        return self._half_beta(t) * self.alpha(t) ** 2 / self.sigma(t)

    def time(self, log_snr: Tensor) -> Tensor:
        c = 2 * torch.nn.functional.softplus(-log_snr)  # −4 log α, since α² = sigmoid(λ)
        slope = self.beta_1 - self.beta_0
        return c / (self.beta_0 + (self.beta_0**2 + slope * c).sqrt())  # the root of slope t² + 2 β₀ t = c, stable


class Cosine(Schedule):
    """α = cos(πt/2), σ = sin(πt/2). Its velocity is π/2 times v."""

    def alpha(self, t: Tensor) -> Tensor:
        return torch.sin(0.5 * math.pi * (1 - t))  # exactly 0 at t = 1, where cos(π/2) is not

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin(0.5 * math.pi * t)

    def d_alpha(self, t: Tensor) -> Tensor:
        return -0.5 * math.pi * self.sigma(t)

    def d_sigma(self, t: Tensor) -> Tensor:
        return 0.5 * math.pi * self.alpha(t)

    def time(self, log_snr: Tensor) -> Tensor:
        return 2 / math.pi * torch.atan((-0.5 * log_snr).exp())


class Straight(Schedule):
    """α = 1 − t, σ = t."""

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        return t * 1.0

    def d_alpha(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)

    def d_sigma(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def time(self, log_snr: Tensor) -> Tensor:
        return torch.sigmoid(-0.5 * log_snr)


SCHEDULES: dict[str, Schedule] = {"cosine": Cosine(), "VP": VP(), "straight": Straight()}


def weights(kind: str, schedule: Schedule, t: Tensor) -> tuple[Tensor, Tensor]:
    """The weights a and b, each `[…]`, with which a kind is a x_0 + b ε at times t `[…]`: the table above.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    zero, one = torch.zeros_like(t), torch.ones_like(t)
    if kind == "data":
        return one, zero
    if kind == "noise":
        return zero, one
    if kind == "v":
        return -schedule.sigma(t), schedule.alpha(t)
    if kind == "score":
        return zero, -1 / schedule.sigma(t)
    return schedule.d_alpha(t), schedule.d_sigma(t)


def determinant(kind: str, schedule: Schedule, t: Tensor) -> Tensor:
    """α b − σ a of a kind a x_0 + b ε, `[…]` as t: where it is 0, x_t and the kind together do not give x_0 and ε.

    It is also how errors travel: an error e of the kind is an error σ e / determinant of x_0.
    """
    a, b = weights(kind, schedule, t)
    return schedule.alpha(t) * b - schedule.sigma(t) * a


def target(kind: str, schedule: Schedule, t: Tensor, x_0: Tensor, eps: Tensor) -> Tensor:
    """What a network of this kind learns to predict, a x_0 + b ε: `[n, D]`, of data and noise `[n, D]` at times `[n]`,
    or at one time, 0-d."""
    a, b = weights(kind, schedule, t)
    return _column(a) * x_0 + _column(b) * eps


def convert(value: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule, *, given: str, wanted: str) -> Tensor:
    """From one kind to another, `[n, D]`: two equations, value = a x_0 + b ε and x_t = α x_0 + σ ε, are solved for x_0
    and ε.

    Args:
        value: what is known, `[n, D]`: of a draw, or a conditional mean given x_t.
        x_t: the noised points, `[n, D]`.
        t: their times, `[n]`, or one time, 0-d.
        schedule: that x_t was made with.
        given, wanted: of `KINDS`.

    At t = 0 and t = 1 some of the ways divide by 0: see `determinant`.
    """
    if given == wanted:
        return value
    a, b = (_column(weight) for weight in weights(given, schedule, t))
    alpha, sigma, det = (_column(w) for w in (schedule.alpha(t), schedule.sigma(t), determinant(given, schedule, t)))
    return target(wanted, schedule, t, (b * x_t - sigma * value) / det, (alpha * value - a * x_t) / det)


def _column(value: Tensor) -> Tensor:
    """`[n]` as `[n, 1]`; one number as it is."""
    return value[:, None] if value.ndim else value
