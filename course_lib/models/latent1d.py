"""One hidden number z behind one seen number x, small enough that nothing about it need be approximated.

    z ~ N(0, 1),   x | z ~ N(f_θ(z), σ_x²),   f_θ(z) = z + θ z².

For θ = 0 the model is linear and the posterior p(z | x) is Gaussian. Otherwise f_θ is a parabola, two values of z lead
to one x, and the posterior has two peaks. Integrals over z are sums over the grid `Z`: for smooth functions that vanish
at both ends the trapezoid rule converges exponentially, here to about 1e-14.

References:
    M. Jordan, Z. Ghahramani, T. Jaakkola, L. Saul, An Introduction to Variational Methods for Graphical Models,
        Machine Learning 37, 1999, section 6: the bound, and EM as climbing it.
    D. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, eqs. 1 to 3: the bound in its two forms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from course_lib.validation import finite_result, float_array, number

Z = np.linspace(-12, 12, 4801)
DZ = Z[1] - Z[0]
Z.setflags(write=False)  # everybody shares it

# E[g(e)] for e ~ N(0, 1) as a weighted sum over three points: exact for polynomials up to degree 5 (Gauss–Hermite).
NODES = np.array([-np.sqrt(3), 0, np.sqrt(3)])
WEIGHTS = np.array([1, 4, 1]) / 6


def _log_normal(x: np.ndarray, mean: np.ndarray | float, std: float) -> np.ndarray:
    with np.errstate(over="ignore"):
        distance2 = finite_result(((x - mean) / std) ** 2, "a log density")
    return -0.5 * distance2 - np.log(std) - 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class Latent1D:
    """The model. All logarithms are natural: log densities, evidence and bound are in nats.

    Attributes:
        theta: how much f bends.
        sigma_x: standard deviation of x around f_θ(z).

    Raises:
        ValueError: theta is not finite, or sigma_x is not a positive number.
    """

    theta: float = 1.0
    sigma_x: float = 0.7

    def __post_init__(self) -> None:
        if not np.isfinite(self.theta):
            raise ValueError(f"theta must be a finite number, not {self.theta!r}")
        if not (np.isfinite(self.sigma_x) and self.sigma_x > 0):
            raise ValueError(f"sigma_x is a standard deviation and must be positive, not {self.sigma_x!r}")

    def f(self, z: ArrayLike) -> np.ndarray:
        """The mean of x given z `[…]`, `[…]`."""
        z = float_array(z, "z")
        with np.errstate(over="ignore"):
            return finite_result(z + self.theta * z**2, "f(z)")

    def log_prior(self, z: ArrayLike) -> np.ndarray:
        """log p(z) in nats, `[…]` as z."""
        return _log_normal(float_array(z, "z"), 0.0, 1.0)

    def log_likelihood(self, x: ArrayLike, z: ArrayLike) -> np.ndarray:
        """log p(x | z) in nats, `[…]`; x and z broadcast."""
        return _log_normal(float_array(x, "x"), self.f(z), self.sigma_x)

    def log_joint(self, x: ArrayLike, z: ArrayLike) -> np.ndarray:
        """log p(x, z) = log p(z) + log p(x | z) in nats, `[…]`; x and z broadcast."""
        return self.log_prior(z) + self.log_likelihood(x, z)

    def log_evidence(self, x: ArrayLike) -> np.ndarray:
        """log p(x) = log ∫ p(x, z) dz in nats, `[…]` as x.

        Raises:
            ValueError: an x is not finite, or so far out that its posterior leaves the grid (or is too narrow for it).
        """
        x = float_array(x, "x")
        joint = self.log_joint(x[..., None], Z)
        top = joint.max(axis=-1, keepdims=True)  # taken out, so that exp neither over- nor underflows
        density = np.exp(joint - top)
        if (density[..., [0, -1]] > 1e-16).any():
            raise ValueError(f"the posterior of some x reaches beyond the grid [{Z[0]:g}, {Z[-1]:g}]: take x nearer to "
                             "0, or a smaller sigma_x")
        total = density.sum(axis=-1)
        if (total < 5).any():  # fewer than about 2 grid steps of standard deviation
            raise ValueError(f"the posterior of some x is narrower than the grid's step {DZ:g}: take a larger sigma_x")
        return top[..., 0] + np.log(total * DZ)

    def posterior(self, x: ArrayLike) -> np.ndarray:
        """p(z | x) on the grid `Z`, `[*x.shape, len(Z)]`."""
        x = float_array(x, "x")
        return np.exp(self.log_joint(x[..., None], Z) - self.log_evidence(x)[..., None])

    def elbo(self, q: ArrayLike, x: float) -> float:
        """ℒ = E_q[log p(x | z)] − KL(q ‖ p(z)), in nats, for a density q on the grid `Z`, `[len(Z)]`.

        Raises:
            ValueError: q has another shape, is negative somewhere, or does not integrate to 1 on the grid.
        """
        q, x = float_array(q, "q"), number(x, "x")
        if q.shape != Z.shape:
            raise ValueError(f"q must be a density on the grid Z, of shape {Z.shape}, not {q.shape}")
        if not (q >= 0).all() or abs(q.sum() * DZ - 1) > 1e-6:
            raise ValueError("q must be nowhere negative and integrate to 1 over the grid: is it too far out, too wide "
                             "or too narrow?")
        log_ratio = np.zeros_like(q)
        np.log(q, out=log_ratio, where=q > 0)  # 0 · log 0 is 0
        log_ratio -= self.log_prior(Z)
        kl_to_prior = (q * log_ratio).sum() * DZ
        return float((q * self.log_likelihood(x, Z)).sum() * DZ - kl_to_prior)

    def gaussian_elbo(self, mu: ArrayLike, sigma: ArrayLike, x: float) -> np.ndarray:
        """ℒ for q = N(mu, sigma²) = E_q[log p(x, z)] + ½ log(2πe sigma²) in nats, `[…]`; mu and sigma broadcast.

        log p(x, z) is a polynomial of degree 4 in z, so that three nodes give its expectation exactly.
        """
        mu, sigma = np.broadcast_arrays(float_array(mu, "mu"), float_array(sigma, "sigma"))
        x = number(x, "x")
        if not (sigma > 0).all():
            raise ValueError("sigma is a standard deviation and must be positive")
        z = mu[..., None] + sigma[..., None] * NODES
        return self.log_joint(x, z) @ WEIGHTS + 0.5 * np.log(2 * np.pi * np.e * sigma**2)

    def best_gaussian(self, x: float) -> tuple[float, float]:
        """Mean and standard deviation of the Gaussian q with the largest ℒ.

        ℒ may have several peaks over (mu, log sigma). The best point of a lattice is taken, then the best of a finer
        lattice around it, and so on: both come out to about 1e-6.
        """
        mu, log_sigma = 0.0, -1.5
        reach_mu, reach_log = 5.0, 2.5
        for points in (61, *[13] * 12):
            mus = mu + reach_mu * np.linspace(-1, 1, points)
            logs = log_sigma + reach_log * np.linspace(-1, 1, points)
            values = self.gaussian_elbo(mus[:, None], np.exp(logs), x)
            i, j = np.unravel_index(values.argmax(), values.shape)
            mu, log_sigma = float(mus[i]), float(logs[j])
            spacing = 2 / (points - 1)
            reach_mu, reach_log = 2 * spacing * reach_mu, 2 * spacing * reach_log
        return mu, float(np.exp(log_sigma))
