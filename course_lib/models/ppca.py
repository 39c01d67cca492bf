"""Probabilistic PCA: the latent variable model in which everything has a closed form.

    z ~ N(0, I_d),    x | z ~ N(W z + μ, σ² I_D)

Hence x ~ N(μ, C) with C = W Wᵀ + σ² I, and z | x ~ N(M⁻¹ Wᵀ (x − μ), σ² M⁻¹) with M = Wᵀ W + σ² I.

References:
    M. E. Tipping, C. M. Bishop, Probabilistic Principal Component Analysis, J. Royal Statistical Society B 61(3), 1999:
        the model and its marginal (eqs. 2 to 4), the posterior (eq. 6), maximum likelihood (eqs. 7 and 8).
    J. Lucas, G. Tucker, R. Grosse, M. Norouzi, Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse,
        NeurIPS 2019: its ELBO.
"""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from course_lib.validation import all_finite, finite_result, float_tensor, require_spread


class PPCA:
    """The model with given parameters; `PPCA.fit` finds those of maximum likelihood.

    Args:
        W: weights `[D, d]`; its columns span the plane that z moves x in.
        mu: mean `[D]`.
        sigma2: variance σ² of the noise on each feature.

    Attributes:
        M: Wᵀ W + σ² I, `[d, d]`.
        C: covariance of x, `[D, D]`.

    Raises:
        ValueError: shapes that do not match, NaN or infinity, or σ² not positive.
    """

    def __init__(self, W: Tensor, mu: Tensor, sigma2: Tensor | float) -> None:
        if W.ndim != 2 or mu.shape != W.shape[:1]:
            raise ValueError(f"PPCA needs W of shape [D, d] and mu of shape [D], not {list(W.shape)}, {list(mu.shape)}")
        W, mu = float_tensor(W, "W"), float_tensor(mu, "mu")
        if not 0 < sigma2 < torch.inf:
            raise ValueError(f"sigma2 must be a positive variance, not {float(sigma2)!r}: without noise p(x) is 0 "
                             "almost everywhere")
        self.W, self.mu, self.sigma2 = W, mu, torch.as_tensor(sigma2, dtype=W.dtype)
        D, d = W.shape
        self.M = W.T @ W + self.sigma2 * torch.eye(d, dtype=W.dtype)
        self.C = W @ W.T + self.sigma2 * torch.eye(D, dtype=W.dtype)

    @classmethod
    def fit(cls, x: Tensor, d: int) -> Self:
        """Maximum likelihood with `d` latent dimensions on x `[n, D]`, in closed form.

        With λ_1 ≥ λ_2 ≥ … the eigenvalues of the data's covariance and U the first d eigenvectors,
        σ² = mean of λ_{d+1} … λ_D and W = U (Λ − σ² I)^½: the variance that W cannot hold is spread evenly.

        Raises:
            ValueError: x of another shape, NaN or infinite, too few rows, d not in 1 … D − 1, or no variance left
                for the noise.
        """
        x = float_tensor(x, "x", finite=False, whole=False)
        if x.ndim != 2 or not all_finite(x) or len(x) < 2:
            raise ValueError(f"fit needs at least two rows of finite floating numbers, shape [n, D], not "
                             f"{list(x.shape)}, {x.dtype}")
        if not 1 <= d < x.shape[1]:
            raise ValueError(f"d must lie between 1 and D - 1 = {x.shape[1] - 1}, not {d}: the noise needs a direction")
        mean = x.double().mean(dim=0)
        cov = finite_result((x - mean).T.cov(correction=0), "the covariance").to(x.dtype)
        eigenvalues, vectors = torch.linalg.eigh(cov)                       # ascending
        sigma2 = eigenvalues[:-d].mean()
        if not sigma2 > x.shape[1] * torch.finfo(x.dtype).eps * eigenvalues[-1]:    # the rounding error of eigh
            raise ValueError(f"the data lie in {d} dimensions or fewer, so nothing is left for the noise: take a "
                             "smaller d")
        lengths = (eigenvalues[-d:] - sigma2).clamp(min=0).sqrt()
        require_spread(mean.to(x.dtype), sigma2.sqrt(), "x")
        return cls((vectors[:, -d:] * lengths).flip(1), mean.to(x.dtype), sigma2)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log N(x; μ, C) in nats, `[n]`, exactly, for x `[n, D]`."""
        normal = MultivariateNormal(self.mu, self.C, validate_args=False)  # its own check stumbles over no rows
        return finite_result(normal.log_prob(self._rows(x)), "log p(x)")

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z | x) for x `[n, D]`: its means `[n, d]`, affine in x, and its covariance `[d, d]`, the same for all x."""
        mean = torch.linalg.solve(self.M, self.W.T @ (self._rows(x) - self.mu).T).T
        return mean, self.sigma2 * torch.linalg.inv(self.M)

    def elbo(self, x: Tensor, m: Tensor, S: Tensor) -> Tensor:
        """E_q[log p(x | z)] − KL(q ‖ p(z)) in nats, `[n]`, in closed form for q = N(m, S).

        x is `[n, D]`, m `[n, d]`, and the covariance S `[d, d]` or `[n, d, d]`.
        """
        D, d = self.W.shape
        m, S = float_tensor(m, "m", (len(x), d)), float_tensor(S, "S", ("...", d, d))
        residual = self._rows(x) - self.mu - m @ self.W.T
        spread = (self.W.T @ self.W * S).sum(dim=(-2, -1))                  # tr(W S Wᵀ)
        log_x = -0.5 * (D * (2 * math.pi * self.sigma2).log() + ((residual**2).sum(dim=1) + spread) / self.sigma2)
        trace = S.diagonal(dim1=-2, dim2=-1).sum(-1)
        kl_prior = 0.5 * (trace + (m**2).sum(dim=1) - d - torch.logdet(S))
        return finite_result(log_x - kl_prior, "the ELBO")

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Ancestral sampling: x `[n, D]` and the z `[n, d]` it came from."""
        D, d = self.W.shape
        z = torch.randn(n, d, generator=generator, dtype=self.W.dtype)
        noise = torch.randn(n, D, generator=generator, dtype=self.W.dtype)
        return z @ self.W.T + self.mu + self.sigma2.sqrt() * noise, z

    def _rows(self, x: Tensor) -> Tensor:
        return float_tensor(x, "x", ("n", len(self.mu))).to(self.mu.dtype)
