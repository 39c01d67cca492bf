"""The variational bound of a diffusion model in T steps, in closed form for mixtures with their best denoiser.

The latent variables are the noised x at times t_i = i/T, and q(x_{t_1}, …, x_{t_T} | x_0) is fixed. The model goes back
with p(x_s | x_t) = N(a x_t + c x̂_0(x_t), v I). Then −ELBO, on average over the data, is a sum of T + 1 terms in nats:

    prior     E KL(q(x_1 | x_0) ‖ N(0, I))
    t to s    E KL(q(x_s | x_t, x_0) ‖ p(x_s | x_t)) = D/2 (log v/β̃ + β̃/v − 1) + c² E ‖x_0 − x̂_0‖²/(2v)
    last      E [−log p(x_0 | x_{t_1})]              = D/2 log 2πv + E ‖x_0 − x̂_0‖²/(2v)

and what it exceeds the data's entropy by is the gap: KL of the data with their noised versions from the model's chain.

References:
    J. Sohl-Dickstein et al., Deep Unsupervised Learning using Nonequilibrium Thermodynamics, ICML 2015.
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020: equations 5 and 12.
    D. Kingma, T. Salimans, B. Poole, J. Ho, Variational Diffusion Models, NeurIPS 2021: equation 13.
    F. Bao, C. Li, J. Zhu, B. Zhang, Analytic-DPM, ICLR 2022.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.models.noised import NoisedMixture, plane_grid
from course_lib.models.samplers import errors, posterior, reverse_variance
from course_lib.models.schedules import Schedule
from course_lib.validation import whole_number


def bound_terms(mixture: NoisedMixture, schedule: Schedule, T: int, variance: str) -> Tensor:
    """The T + 1 terms in nats, float64 `[T + 1]`: that of the prior, then of the steps to t_0 = 0, t_1, …, t_{T−1}.

    Args:
        mixture: on the line or in the plane, with s > 0.
        variance: of `samplers.VARIANCES`.

    Raises:
        ValueError: no steps, or another variance.
    """
    T, D = whole_number(T, "T"), mixture.D
    times = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    alpha2, sigma2 = schedule.alpha(times[-1]) ** 2, schedule.sigma(times[-1]) ** 2
    square = (mixture.pi * ((mixture.mu**2).sum(dim=1) + D * mixture.s**2)).sum()
    terms = [0.5 * (alpha2 * square + D * (sigma2 - 1 - sigma2.log()))]
    for t, s, error in zip(times[1:], times[:-1], errors(mixture, schedule, times[1:]), strict=True):
        _, c, tilde = posterior(schedule, t, s)
        v = reverse_variance(variance, schedule, t, s, error)
        known = (v / tilde).log() + tilde / v - 1 if s > 0 else (2 * math.pi * v).log()
        terms.append(0.5 * D * (known + c**2 * error / v))
    return torch.stack(terms)


def entropy(mixture: NoisedMixture) -> float:
    """Entropy of the data in nats, by quadrature."""
    x, cell = plane_grid(mixture, 1.0, 0.0)
    log_p = mixture.log_prob(x)
    return -(log_p.exp() * log_p).sum().item() * cell


def gap(mixture: NoisedMixture, schedule: Schedule, T: int, variance: str) -> float:
    """The bound less the entropy, nats: 0 if and only if the chain back is that of the data's noise, in reverse."""
    return bound_terms(mixture, schedule, T, variance).sum().item() - entropy(mixture)


def eps_weight(schedule: Schedule, t: Tensor, s: Tensor, variance: str = "beta") -> Tensor:
    """c² σ_t²/(2 v α_t²), 0-d: what the bound's term from t to s < t multiplies E ‖ε − ε̂‖² by. The simple loss has 1
    at every step."""
    _, c, _ = posterior(schedule, t, s)
    return (c * schedule.sigma(t) / schedule.alpha(t)) ** 2 / (2 * reverse_variance(variance, schedule, t, s))
