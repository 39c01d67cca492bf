"""log p(x) by the probability-flow ODE: x is carried to noise, and what the flow squeezes is added up.

    dx/dt = u(x, t)   gives   d log p_t(x_t)/dt = −div u(x_t, t),   so   log p_0(x_0) = log p_1(x_1) + ∫ div u dt.

u is the velocity, of `schedules.KINDS`, and p_1 = N(0, I). Of a mixture the divergence is exact: with û the velocity as
a sum a x_0 + b ε, u = (b/σ) x + (a − α b/σ) x̂_0(x), and the divergence of x̂_0 is α/σ² times tr Cov(x_0 | x_t). Of a
network `velocity.log_prob` does the same, with one backward pass for each coordinate.

References:
    R. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, Neural Ordinary Differential Equations, NeurIPS 2018: theorem 1.
    W. Grathwohl et al., FFJORD, ICLR 2019.
    Y. Song et al., Score-Based Generative Modeling through Stochastic Differential Equations, ICLR 2021: section 4.3.
    E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 1993, section II.5: Dormand and
        Prince's method of order 8.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.models.noised import NoisedMixture
from course_lib.models.schedules import Schedule, weights

EARLIEST = 1e-5  # where the exact field's way begins: σ is so small there that log p_t is log p_0 to 1e-7


def exact_divergence(mixture: NoisedMixture, x: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """div u `[n]` at points `[n, D]` and a time 0-d, or `[n]`."""
    t = t.double()
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    a, b = weights("velocity", schedule, t)
    return mixture.D * b / sigma + (a - alpha * b / sigma) * alpha / sigma**2 * mixture.spread(x, alpha, sigma)


def exact_log_prob(mixture: NoisedMixture, x: Tensor, schedule: Schedule, rtol: float) -> tuple[Tensor, int]:
    """log p_0 `[n]` in nats of points `[n, D]` by the exact field, and how often the field was asked for.

    Args:
        schedule: one whose velocity is finite at t = 1.
        rtol: relative tolerance of Dormand and Prince's method of order 8, which chooses its steps; the absolute one is
            a hundredth of it.
    """
    from scipy.integrate import solve_ivp  # here, since the import takes long and few need it

    n, D = x.shape

    def flow(t: float, state: np.ndarray) -> np.ndarray:
        at, now = torch.tensor(t, dtype=torch.float64), torch.from_numpy(state[: n * D].reshape(n, D))
        u, div = mixture.field("velocity", now, at, schedule), exact_divergence(mixture, now, at, schedule)
        return np.concatenate([u.numpy().ravel(), div.numpy()])

    start = np.concatenate([x.double().numpy().ravel(), np.zeros(n)])
    way = solve_ivp(flow, (EARLIEST, 1.0), start, method="DOP853", rtol=rtol, atol=rtol / 100)
    end = torch.from_numpy(way.y[:, -1])
    return _standard_normal(end[: n * D].reshape(n, D)) + end[n * D:], way.nfev


def _standard_normal(x: Tensor) -> Tensor:
    """log N(x; 0, I) `[n]`."""
    return -0.5 * (x.square().sum(dim=1) + x.shape[1] * math.log(2 * math.pi))
