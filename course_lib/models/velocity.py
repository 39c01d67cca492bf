"""Velocities of the straight path that are known exactly, and what a velocity does to a density.

The marginal velocity of a mixture of round Gaussians is closed form, v = E[ε | x_t] − E[x_0 | x_t]. Whatever velocity
v moves points by dx/dt = v(x, t) moves their density by the continuity equation ∂p/∂t + ∇·(p v) = 0. Along the way of
one point that is d log p/dt = −∇·v, so from data (t = 0) to noise (t = 1), whose density is known,

    log p_0(x_0) = log N(x_1; 0, I) + ∫_0^1 ∇·v(x_t, t) dt.

References:
    R. T. Q. Chen et al., Neural Ordinary Differential Equations, NeurIPS 2018: theorem 1, the change of log p.
    W. Grathwohl et al., FFJORD, ICLR 2019: section 3.1, Hutchinson's trace estimator for the divergence.
    Y. Lipman et al., Flow Matching for Generative Modeling, ICLR 2023: equation 8, the marginal velocity.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from course_lib.models.flow_matching import PATH, Field, follow
from course_lib.models.noised import NoisedMixture


def marginal_velocity(mixture: NoisedMixture) -> Field:
    """The velocity E[ε − x_0 | x_t = x] of data from a mixture, noise independent of them: float64 `[n, D]` at points
    `[n, D]` and times `[n]`. Unlike `NoisedMixture.field` it is there at t = 0 and t = 1 as well."""

    def field(x: Tensor, t: Tensor) -> Tensor:
        x, t = x.double(), t.double()
        alpha, sigma = PATH.alpha(t), PATH.sigma(t)
        return -sigma.view(-1, 1) * mixture.score(x, alpha, sigma) - mixture.denoiser(x, alpha, sigma)

    return field


def with_divergence(field: Field, x: Tensor, t: Tensor, probes: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Velocities `[n, D]` and their divergences Σ_j ∂v_j/∂x_j `[n]`, at points `[n, D]` and times `[n]`.

    Args:
        probes: random vectors `[n, D]` with mean 0 and covariance I: then the divergence is Hutchinson's estimate
            probe · J probe, right on average, from one backward pass; without probes it is exact, from D of them.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        v = field(x, t)
        if probes is not None:
            (pulled,) = torch.autograd.grad((v * probes).sum(), x)
            return v.detach(), (pulled * probes).sum(dim=1)
        D = x.shape[1]
        parts = [torch.autograd.grad(v[:, j].sum(), x, retain_graph=j + 1 < D)[0][:, j] for j in range(D)]
    return v.detach(), torch.stack(parts).sum(dim=0)


def log_prob(field: Field, x: Tensor, steps: int, method: str = "heun", probes: Tensor | None = None, *,
             start: float = 0.0, end: float = 1.0) -> Tensor:
    """log p_0(x) `[n]` in nats of what noise becomes along a field, at points `[n, D]`: point and divergence are
    followed together from time `start`, data, to `end`, where they are taken to be N(0, I). `steps` and `method` as of
    `follow`, `probes` as of `with_divergence`."""

    def both(state: Tensor, t: Tensor) -> Tensor:
        v, divergence = with_divergence(field, state[:, :-1], t, probes)
        return torch.cat([v, divergence[:, None]], dim=1)

    state = follow(both, torch.cat([x, torch.zeros_like(x[:, :1])], dim=1), steps, method, start, end)
    z, total = state[:, :-1], state[:, -1]
    return total - 0.5 * (z.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi))


@torch.no_grad()
def trajectory(field: Field, z: Tensor, steps: int, method: str = "heun") -> Tensor:
    """All places `[steps + 1, n, D]` of noise `[n, D]` on its way from t = 1 to data at t = 0, in equal steps."""
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64).tolist()
    places = [z]
    for start, end in itertools.pairwise(times):
        places.append(follow(field, places[-1], 1, method, start=start, end=end))
    return torch.stack(places)
