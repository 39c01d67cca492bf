"""Gaussian mixtures, p(x) = Σ_k π_k N(x; μ_k, Σ_k): what one with given parameters can be asked.

Symbols as in C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 2.3 and 9.2. All computation is
in float64, all logarithms are natural. `gmm_em` fits the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from course_lib.deprecated import old_members
from course_lib.validation import all_finite, finite_result, float_tensor, mask_tensor


class CollapsedError(ValueError):
    """A component's covariance is no longer positive definite: it sits on a point or a line, or has lost its points."""


@old_members(complete="inpaint")
class GaussianMixture:
    """A mixture with given parameters: densities, samples, and whatever is asked about hidden coordinates.

    Args:
        pi: weights π_k = p(k), `[K]`, which sum to 1.
        mu: means `[K, D]`.
        cov: covariances `[K, D, D]`. Diagonal and spherical mixtures store the whole matrix, too.

    Raises:
        ValueError: shapes that do not fit together, or weights that are no probabilities.
        CollapsedError: a covariance is not positive definite.
    """

    def __init__(self, pi: Tensor, mu: Tensor, cov: Tensor) -> None:
        self.pi, self.mu, self.cov = (torch.as_tensor(value, dtype=torch.float64) for value in (pi, mu, cov))
        if self.mu.ndim != 2 or self.pi.shape != self.mu.shape[:1] or self.cov.shape != (*self.mu.shape, self.D):
            raise ValueError("pi, mu and cov must have shapes [K], [K, D] and [K, D, D], not "
                             f"{list(self.pi.shape)}, {list(self.mu.shape)} and {list(self.cov.shape)}")
        self.L, failed = torch.linalg.cholesky_ex(self.cov)  # Σ_k = L_k L_kᵀ
        if failed.any():
            raise CollapsedError(f"the covariance of component {failed.nonzero()[0].item()} is not positive definite: "
                                 "it has collapsed or lost its points. Use reg > 0, fewer components or another start")
        if not all_finite(self.mu):
            raise ValueError("the means mu have NaN or infinite numbers")
        if not ((self.pi >= 0).all() and abs(self.pi.sum().item() - 1) < 1e-6):
            raise ValueError(f"the weights pi must not be negative and must sum to 1, not to {self.pi.sum():g}")

    @property
    def D(self) -> int:
        """Number of coordinates."""
        return self.mu.shape[1]

    def log_joint(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(x, k) = log π_k + log N(x; μ_k, Σ_k) in nats, `[n, K]`.

        Args:
            x: points `[n, D]`.
            observed: mask `[D]` or `[n, D]`. A coordinate that was not observed is integrated out exactly; what `x`
                holds there is ignored.

        Raises:
            ValueError: `x` or `observed` of another shape, a mask with other values than 0 and 1, NaN or infinity where
                x is observed, or numbers whose squares overflow.
        """
        x = self._points(x, complete=observed is None)
        if observed is not None:
            result = x.new_empty(len(x), len(self.pi))
            for pattern, rows in self.patterns(x, observed):
                result[rows] = self.marginal(pattern).log_joint(x[rows][:, pattern])
            return result
        # L⁻¹(x − μ), [D, n], has the squared length (x − μ)ᵀ Σ⁻¹ (x − μ).
        whitened = (torch.linalg.solve_triangular(L, (x - mu).T, upper=False)
                    for mu, L in zip(self.mu, self.L, strict=True))
        distance2 = finite_result(torch.stack([(w**2).sum(dim=0) for w in whitened], dim=1), "log p(x)")  # [n, K]
        log_det = 2 * self.L.diagonal(dim1=1, dim2=2).log().sum(dim=1)          # log |Σ|, [K]
        return self.pi.log() - 0.5 * (distance2 + log_det + self.D * math.log(2 * math.pi))

    def log_prob(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(x) = log Σ_k p(x, k) in nats, `[n]`; arguments as for `log_joint`."""
        return self.log_joint(x, observed).logsumexp(dim=1)

    def log_posterior(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(k | x), the logarithm of the responsibilities, `[n, K]`; arguments as for `log_joint`."""
        return self.log_joint(x, observed).log_softmax(dim=1)

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Ancestral sampling: k ~ π, then x ~ N(μ_k, Σ_k). Returns points `[n, D]` and components int64 `[n]`."""
        k = torch.multinomial(self.pi, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.D, 1, generator=generator, dtype=torch.float64)
        return self.mu[k] + (self.L[k] @ noise)[:, :, 0], k

    def marginal(self, observed: Tensor) -> GaussianMixture:
        """p(x_observed) for a mask `[D]`: the hidden rows and columns are left out (Bishop, equation 2.98)."""
        observed = observed.bool()
        return GaussianMixture(self.pi, self.mu[:, observed], self.cov[:, observed][:, :, observed])

    def regression(self, observed: Tensor) -> tuple[Tensor, Tensor]:
        """Gain B and remaining covariance C of the hidden coordinates h given the observed ones o, for a mask `[D]`.

        In component k, x_h | x_o ~ N(μ_h + B (x_o − μ_o), C), where B = Σ_ho Σ_oo⁻¹ and C = Σ_hh − B Σ_oh (Bishop,
        equations 2.81 and 2.82). B is `[K, h, o]`, C is `[K, h, h]`.
        """
        o = observed.bool()
        cov_oh = self.cov[:, o][:, :, ~o]
        B = torch.cholesky_solve(cov_oh, self.marginal(o).L).mT
        C = self.cov[:, ~o][:, :, ~o] - B @ cov_oh
        return B, (C + C.mT) / 2

    def condition(self, x: Tensor, observed: Tensor) -> GaussianMixture:
        """p(x_hidden | x_observed) for one point `x` `[D]` and its mask `[D]`: a mixture again, with new weights."""
        x, o = self._points(x[None]), mask_tensor(observed, "observed", (self.D,))
        B, C = self.regression(o)
        mu = self.mu[:, ~o] + (B @ (x[0, o] - self.mu[:, o])[:, :, None])[:, :, 0]
        return GaussianMixture(self.log_posterior(x, o)[0].exp(), mu, C)

    def inpaint(self, x: Tensor, observed: Tensor) -> Tensor:
        """Hidden coordinates replaced by E[x_hidden | x_observed], `[n, D]`; arguments as for `log_joint`."""
        x = self._points(x).clone()
        for o, rows in self.patterns(x, observed):
            B, _ = self.regression(o)
            r = self.log_posterior(x[rows], o).exp()
            means = self.mu[:, ~o][:, None] + (x[rows][:, o] - self.mu[:, o][:, None]) @ B.mT      # [K, rows, h]
            x[rows.nonzero(), ~o] = torch.einsum("nk,knh->nh", r, means)
        return x

    def patterns(self, x: Tensor, observed: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Each different row of the mask as bool `[D]`, with the rows of `x` that it belongs to as bool `[n]`."""
        observed = mask_tensor(observed, "observed", (self.D,), tuple(x.shape))
        different, which = observed.expand(x.shape).unique(dim=0, return_inverse=True)
        return ((pattern, which == i) for i, pattern in enumerate(different))

    def _points(self, x: Tensor, complete: bool = False) -> Tensor:
        return float_tensor(x, "x", ("n", self.D), finite=complete).double()
