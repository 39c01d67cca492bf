"""Denoising score matching: a network that is shown x_t and t learns what noise was added, or anything that says the
same.

It predicts one of `schedules.KINDS`, and the loss is the mean squared error of that. The least loss is not 0: x_t does
not tell x_0. What remains at the exact conditional mean is the floor, (determinant/σ)² E ‖x_0 − E[x_0 | x_t]‖², and the
loss of any network is the floor plus its squared distance from the exact field: Vincent's constant, level by level.

References:
    P. Vincent, A Connection Between Score Matching and Denoising Autoencoders, Neural Computation 23, 2011: the
        constant, equation 11 and the appendix.
    Y. Song, S. Ermon, Generative Modeling by Estimating Gradients of the Data Distribution, NeurIPS 2019: one network
        for all noise levels.
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020: equation 14, the simple loss.
    A. Vaswani et al., Attention Is All You Need, NeurIPS 2017: section 3.5, sinusoids.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.models.layers import mlp
from course_lib.models.noised import NoisedMixture, least_error
from course_lib.models.schedules import Schedule, determinant, target

FREQUENCIES, SLOWEST, FASTEST = 16, 1.0, 30.0  # of the embedded time, in radians per unit of t
NODES = 32  # of the quadrature over noise levels


def sinusoids(t: Tensor, count: int = FREQUENCIES, slowest: float = SLOWEST, fastest: float = FASTEST) -> Tensor:
    """sin(ω t) and cos(ω t) of times `[n]`, `[n, 2·count]`, for `count` frequencies ω in a geometric row: a number as a
    pattern, from which a network can read both rough and fine differences."""
    omega = torch.logspace(math.log10(slowest), math.log10(fastest), count, dtype=t.dtype, device=t.device)
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class DiffusionMLP(nn.Module):
    """From x_t `[n, D]` and t `[n]` to a prediction `[n, D]`: three hidden layers of SiLUs on points beside embedded
    times.

    Args:
        D: number of coordinates.
        width: units of each hidden layer.
        generator: draws the first weights.
        told_time: False shows the network the same t, 0, at every noise level.
    """

    def __init__(self, D: int, width: int, generator: torch.Generator, told_time: bool = True) -> None:
        super().__init__()
        self.told_time = told_time
        self.layers = mlp([D + 2 * FREQUENCIES, width, width, width, D], generator, activation=nn.SiLU)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        told = t if self.told_time else torch.zeros_like(t)
        return self.layers(torch.cat([x_t, sinusoids(told)], dim=1))


def denoising_loss(network: nn.Module, x_0: Tensor, t: Tensor, eps: Tensor, schedule: Schedule, kind: str) -> Tensor:
    """Squared errors `[n]` of what the network says of x_t = α x_0 + σ ε, summed over coordinates: their mean is the
    loss. Data and noise are `[n, D]`, times `[n]`."""
    x_t = schedule.noised(x_0, t, eps)
    return (network(x_t, t) - target(kind, schedule, t, x_0, eps)).square().sum(dim=1)


def loss_floor(mixture: NoisedMixture, schedule: Schedule, kind: str, t: float) -> float:
    """The least loss of any network at one time t, by quadrature, for a mixture on the line or in the plane."""
    at = torch.tensor(t, dtype=torch.float64)
    alpha, sigma = schedule.alpha(at).item(), schedule.sigma(at).item()
    return (determinant(kind, schedule, at).item() / sigma) ** 2 * least_error(mixture, alpha, sigma)


def mean_floor(mixture: NoisedMixture, schedule: Schedule, kind: str, t_low: float, t_high: float) -> float:
    """The mean of `loss_floor` over times that are even between t_low > 0 and t_high, by Gauss and Legendre's rule on
    λ = log α²/σ², along which it changes slowly."""
    low, high = schedule.log_snr(torch.tensor([t_high, t_low], dtype=torch.float64)).tolist()
    nodes, parts = np.polynomial.legendre.leggauss(NODES)
    log_snr = torch.from_numpy((low + high) / 2 + (high - low) / 2 * nodes)
    t = schedule.time(log_snr)
    dt = torch.from_numpy((high - low) / 2 * parts) / -schedule.d_log_snr(t)
    floors = torch.tensor([loss_floor(mixture, schedule, kind, at) for at in t.tolist()], dtype=torch.float64)
    return ((floors * dt).sum() / (t_high - t_low)).item()
