"""What noise makes of a mixture of round Gaussians, exactly, at any level: density, score, best denoiser, its error.

    p_0 = Σ_k π_k N(μ_k, s_k² I)   and   x_t = α x_0 + σ ε   give   p_t = Σ_k π_k N(α μ_k, (α² s_k² + σ²) I).

With s_k = 0 the components are points: p_0 is then a finite data set, and all below a softmax over its points. Given
x_t, component k has the responsibility r_k = p(k | x_t), and x_0 is Gaussian within it: with v_k = α² s_k² + σ²,

    E[x_0 | x_t, k] = μ_k + (α s_k²/v_k) (x_t − α μ_k),      Var[x_0 | x_t, k] = s_k² σ²/v_k I.

References:
    B. Efron, Tweedie's Formula and Selection Bias, J. American Statistical Association 106, 2011: E[x_0 | x_t] from the
        score of p_t.
    P. Vincent, A Connection Between Score Matching and Denoising Autoencoders, Neural Computation 23, 2011.
    C. M. Bishop, Pattern Recognition and Machine Learning, 2006: equations 2.113 to 2.117.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.models.schedules import Schedule, convert
from course_lib.validation import finite_result, float_tensor

Level = float | Tensor  # α or σ: one number, or one for each point, [n]
STEP = {1: 0.2, 2: 0.7}  # of the grid of an integral, in standard deviations of the narrowest component
FEW = 8  # up to so many dimensions squared distances are added up coordinate by coordinate, which loses no digits


class NoisedMixture:
    """A mixture of K round Gaussians in D dimensions, or K points, and its noised versions. All in float64.

    Args:
        mu: means μ_k, `[K, D]`.
        s: standard deviations s_k, `[K]` or one number for all, 0 or more.
        pi: weights π_k, `[K]`, which sum to 1; equal ones unless given.

    Raises:
        ValueError: shapes that do not fit together, a negative s, or weights that are no probabilities.
    """

    def __init__(self, mu: Tensor, s: float | Tensor, pi: Tensor | None = None) -> None:
        self.mu = float_tensor(mu, "mu", ("K", "D"), rows=1).double()
        K = len(self.mu)
        self.s = float_tensor(torch.as_tensor(s, dtype=torch.float64).expand(K), "s", (K,))
        self.pi = float_tensor(torch.full((K,), 1 / K, dtype=torch.float64) if pi is None else pi, "pi", (K,)).double()
        if not (self.s >= 0).all():
            raise ValueError(f"s holds standard deviations, which are not negative: {self.s.min():g}")
        if not ((self.pi >= 0).all() and abs(self.pi.sum().item() - 1) < 1e-6):
            raise ValueError(f"the weights pi must not be negative and must sum to 1, not to {self.pi.sum():g}")

    @property
    def D(self) -> int:
        """Number of coordinates."""
        return self.mu.shape[1]

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` draws of x_0, float32 `[n, D]`."""
        k = torch.multinomial(self.pi, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.D, generator=generator)
        return self.mu[k].float() + self.s[k, None].float() * noise

    def log_prob(self, x: Tensor, alpha: Level = 1.0, sigma: Level = 0.0) -> Tensor:
        """log p_t(x) in nats, `[n]`, of points `[n, D]`; without a level log p_0.

        α and σ are one number or `[n]`, here and below.
        """
        return self._log_joint(*self._checked(x, alpha, sigma)).logsumexp(dim=1)

    def posterior(self, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
        """Responsibilities r_k = p(k | x_t), `[n, K]`, of points `[n, D]`."""
        return self._log_joint(*self._checked(x, alpha, sigma)).softmax(dim=1)

    def score(self, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
        """∇ log p_t(x), `[n, D]`: Σ_k r_k (α μ_k − x)/v_k."""
        x, alpha, sigma = self._checked(x, alpha, sigma)
        share = self._log_joint(x, alpha, sigma).softmax(dim=1) / self._variance(alpha, sigma)
        return alpha * (share @ self.mu) - share.sum(dim=1, keepdim=True) * x

    def denoiser(self, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
        """E[x_0 | x_t = x], `[n, D]`: of all guesses the one with the least mean squared error."""
        x, alpha, sigma = self._checked(x, alpha, sigma)
        r = self._log_joint(x, alpha, sigma).softmax(dim=1)
        gain = alpha * self.s**2 / self._variance(alpha, sigma)
        return (r * (1 - alpha * gain)) @ self.mu + (r * gain).sum(dim=1, keepdim=True) * x

    def spread(self, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
        """tr Cov(x_0 | x_t = x), `[n]`: the squared error that even the best denoiser makes at x."""
        x, alpha, sigma = self._checked(x, alpha, sigma)
        r = self._log_joint(x, alpha, sigma).softmax(dim=1)
        v = self._variance(alpha, sigma)
        gain = alpha * self.s**2 / v                                             # [n, K]
        mean = (r * (1 - alpha * gain)) @ self.mu + (r * gain).sum(dim=1, keepdim=True) * x
        # ‖E[x_0 | x_t, k] − mean‖² coordinate by coordinate: no difference of large squares.
        off = sum((gain * x[:, [j]] + (1 - alpha * gain) * self.mu[:, j] - mean[:, [j]]) ** 2 for j in range(self.D))
        return (r * (self.D * self.s**2 * sigma**2 / v + off)).sum(dim=1)

    def field(self, kind: str, x: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
        """E[kind | x_t = x], `[n, D]`, at times t `[n]` or 0-d, for any of `schedules.KINDS`: what a network of this
        kind should say."""
        x, t = x.double(), t.double()
        best = self.denoiser(x, schedule.alpha(t), schedule.sigma(t))
        return convert(best, x, t, schedule, given="data", wanted=kind)

    def _checked(self, x: Tensor, alpha: Level, sigma: Level) -> tuple[Tensor, Tensor, Tensor]:
        """x `[n, D]`, α and σ `[1, 1]` or `[n, 1]`."""
        x = float_tensor(x, "x", ("n", self.D)).double()
        alpha, sigma = (torch.as_tensor(level, dtype=torch.float64) for level in (alpha, sigma))
        return x, alpha.reshape(-1, 1), sigma.reshape(-1, 1)

    def _variance(self, alpha: Tensor, sigma: Tensor) -> Tensor:
        """v_k `[n or 1, K]`."""
        return alpha**2 * self.s**2 + sigma**2

    def _log_joint(self, x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
        """log p(x_t, k) `[n, K]`. Raises ValueError where squares overflow, or a component has no width at all."""
        if self.D <= FEW:
            distance2 = sum((x[:, [j]] - alpha * self.mu[:, j]) ** 2 for j in range(self.D))
        else:
            square = (x**2).sum(dim=1, keepdim=True)
            distance2 = square - 2 * alpha * (x @ self.mu.T) + alpha**2 * (self.mu**2).sum(dim=1)
        v = self._variance(alpha, sigma)
        if not (v > 0).all():
            raise ValueError("without noise a component of width 0 is a point and has no density: take sigma above 0")
        return self.pi.log() - 0.5 * (finite_result(distance2 / v, "log p(x_t)") + self.D * (2 * math.pi * v).log())


def plane_grid(mixture: NoisedMixture, alpha: float, sigma: float) -> tuple[Tensor, float]:
    """Points `[m, D]` that cover p_t of a mixture on the line or in the plane, and the length or area of a cell: sums
    over them of smooth functions times p_t are integrals, on the line to about 1e-10, in the plane to about 1e-6.

    Raises:
        ValueError: more than two dimensions, or no width at all.
    """
    v = alpha**2 * mixture.s**2 + sigma**2
    if mixture.D > 2 or not (v > 0).all():
        raise ValueError("integrals are sums over a grid for one or two dimensions, and a density that is no point")
    step, reach = STEP[mixture.D] * v.min().sqrt().item(), 8 * v.max().sqrt().item()
    axes = [torch.arange(low - reach, high + reach + step, step, dtype=torch.float64)
            for low, high in zip(alpha * mixture.mu.amin(dim=0), alpha * mixture.mu.amax(dim=0), strict=True)]
    points = torch.stack(torch.meshgrid(*axes, indexing="xy"), dim=-1).reshape(-1, mixture.D)
    return points, step**mixture.D


def least_error(mixture: NoisedMixture, alpha: float, sigma: float) -> float:
    """E ‖x_0 − E[x_0 | x_t]‖², the least mean squared error of a denoiser, by quadrature; D ≤ 2."""
    if sigma == 0:
        return 0.0
    points, cell = plane_grid(mixture, alpha, sigma)
    total = 0.0
    for part in points.split(max(1, 4_000_000 // len(mixture.mu))):
        total += (mixture.log_prob(part, alpha, sigma).exp() * mixture.spread(part, alpha, sigma)).sum().item()
    return total * cell
