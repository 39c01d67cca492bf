"""From noise back to data: ancestral sampling, DDIM, the reverse SDE, and Langevin's steps at one noise level.

A way back needs nothing but a denoiser, a guess x̂_0 of the data from x_t and t. The exact one of a mixture gives
sampling errors alone; a network's adds its own. For times s < t let

    α_{t|s} = α_t/α_s,      β = σ_t² − α_{t|s}² σ_s²                            one step of noise: q(x_t | x_s)
    q(x_s | x_t, x_0) = N(a x_t + c x_0, β̃ I)                                   the step back, were x_0 known
    a = α_{t|s} σ_s²/σ_t²,   c = α_s β/σ_t²,   β̃ = β σ_s²/σ_t²

Ancestral sampling puts x̂_0 for x_0 and draws with one of three variances: β, which is right as if x_0 were N(0, I); β̃,
as if x_0 were known; and the optimal one, β̃ + c² E ‖x_0 − x̂_0‖²/D, in between.

References:
    B. D. O. Anderson, Reverse-time Diffusion Equation Models, Stochastic Processes and their Applications 12, 1982.
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020: equations 6, 7 and section 3.2.
    J. Song, C. Meng, S. Ermon, Denoising Diffusion Implicit Models, ICLR 2021: equation 12 with σ = 0.
    Y. Song et al., Score-Based Generative Modeling through Stochastic Differential Equations, ICLR 2021: equation 6.
    F. Bao, C. Li, J. Zhu, B. Zhang, Analytic-DPM, ICLR 2022: theorem 1, the optimal variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from course_lib.models.noised import NoisedMixture, least_error
from course_lib.models.schedules import Schedule

Denoiser = Callable[[Tensor, Tensor], Tensor]  # x_t `[n, D]` and times `[n]` → x̂_0 `[n, D]`
Score = Callable[[Tensor, Tensor], Tensor]  # x_t `[n, D]` and times `[n]` → ∇ log p_t `[n, D]`
VARIANCES = ("beta", "beta_tilde", "optimal")


def posterior(schedule: Schedule, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """a, c and β̃ of q(x_s | x_t, x_0) = N(a x_t + c x_0, β̃ I), 0-d, for times s < t, 0-d."""
    ratio = schedule.alpha(t) / schedule.alpha(s)
    variance, left = schedule.sigma(t) ** 2, schedule.sigma(s) ** 2
    beta = variance - ratio**2 * left
    return ratio * left / variance, schedule.alpha(s) * beta / variance, beta * left / variance


def reverse_variance(kind: str, schedule: Schedule, t: Tensor, s: Tensor, error: float | Tensor = 0.0) -> Tensor:
    """Variance of a step back from t to s < t, 0-d. At s = 0, where β̃ is 0 and would leave no density, β stands for
    it.

    Args:
        kind: of `VARIANCES`.
        error: E ‖x_0 − x̂_0‖²/D at t, which the optimal one needs.

    Raises:
        ValueError: another kind.
    """
    if kind not in VARIANCES:
        raise ValueError(f"the variance must be one of {', '.join(VARIANCES)}, not {kind!r}")
    _, c, tilde = posterior(schedule, t, s)
    if kind == "optimal":
        return tilde + c**2 * error
    if kind == "beta_tilde" and tilde > 0:
        return tilde
    return schedule.sigma(t) ** 2 - (schedule.alpha(t) / schedule.alpha(s) * schedule.sigma(s)) ** 2


def errors(mixture: NoisedMixture, schedule: Schedule, times: Tensor) -> list[float]:
    """E ‖x_0 − x̂_0‖²/D of the best denoiser at each time of `[n]`, by quadrature; D ≤ 2."""
    return [least_error(mixture, schedule.alpha(t).item(), schedule.sigma(t).item()) / mixture.D for t in times]


def ancestral(denoiser: Denoiser, x: Tensor, times: Tensor, schedule: Schedule, generator: torch.Generator, *,
              variance: str = "beta", error: Sequence[float] | None = None) -> Tensor:
    """Ancestral sampling (Ho et al.): every state on the way, `[len(times), n, D]`, the first one x.

    Args:
        denoiser: x̂_0.
        x: noise `[n, D]`, float64.
        times: falling, `[T + 1]`, float64. A step to time 0 draws nothing: it ends on x̂_0.
        generator: of the noise.
        variance: of `VARIANCES`.
        error: for the optimal variance, `errors` at all times but the last.
    """
    path = [x]
    for i, (t, s) in enumerate(pairwise(times)):
        a, c, _ = posterior(schedule, t, s)
        x = a * x + c * denoiser(x, t.expand(len(x)))
        if s > 0:
            v = reverse_variance(variance, schedule, t, s, error[i] if error is not None else 0.0)
            x = x + v.sqrt() * _noise(x, generator)
        path.append(x)
    return torch.stack(path)


def ddim(denoiser: Denoiser, x: Tensor, times: Tensor, schedule: Schedule) -> Tensor:
    """DDIM: noise the guess x̂_0 again, with the ε̂ that belongs to it, to the next level. No dice. All states
    `[len(times), n, D]` from noise x `[n, D]`; arguments as of `ancestral`."""
    path = [x]
    for t, s in pairwise(times):
        x_0 = denoiser(x, t.expand(len(x)))
        eps = (x - schedule.alpha(t) * x_0) / schedule.sigma(t)
        x = schedule.alpha(s) * x_0 + schedule.sigma(s) * eps
        path.append(x)
    return torch.stack(path)


def drift_and_diffusion(schedule: Schedule, t: Tensor) -> tuple[Tensor, Tensor]:
    """f and g², each `[…]` as t, of the forward SDE dx = f x dt + g dw: f = (dα/dt)/α, g² = −σ² dλ/dt. Infinite where
    α or σ is 0."""
    return schedule.d_alpha(t) / schedule.alpha(t), -schedule.sigma(t) ** 2 * schedule.d_log_snr(t)


def reverse_sde(score: Score, x: Tensor, times: Tensor, schedule: Schedule, generator: torch.Generator) -> Tensor:
    """The reverse SDE dx = (f x − g² ∇ log p_t) dt + g dw by Euler and Maruyama's steps: all states
    `[len(times), n, D]` from noise x `[n, D]`. Arguments as of `ancestral`, with the score in place of the denoiser; f
    and g² must be finite at all times but the last."""
    path = [x]
    for t, s in pairwise(times):
        f, g2 = drift_and_diffusion(schedule, t)
        h = t - s
        x = x - h * (f * x - g2 * score(x, t.expand(len(x)))) + (g2 * h).sqrt() * _noise(x, generator)
        path.append(x)
    return torch.stack(path)


def langevin(score: Callable[[Tensor], Tensor], x: Tensor, step: float, steps: int,
             generator: torch.Generator) -> Tensor:
    """x `[n, D]` after so many steps x + h ∇ log p + √(2h) z with h = `step`, which leave p as it is but for an error
    that falls with h."""
    for _ in range(steps):
        x = x + step * score(x) + math.sqrt(2 * step) * _noise(x, generator)
    return x


def _noise(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)
