"""A Gaussian mixture over pictures: a mixture in the space of the first principal components, and even noise around it.

With orthonormal directions V and mean m, x = m + V c + e, where c follows a mixture and e is round noise orthogonal to
V, as in M. E. Tipping, C. M. Bishop, *Mixtures of Probabilistic Principal Component Analysers*, Neural Computation 11
(1999), but with one V for all components. So x is a Gaussian mixture, too, in as many dimensions as there are pixels,
and all of its conditionals are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.models.gmm import GaussianMixture
from course_lib.validation import finite_result, float_tensor


@dataclass(frozen=True)
class Subspace:
    """The directions in which data vary most, and how much they vary in all others.

    Attributes:
        mean: of the data, `[D]`.
        V: orthonormal columns, `[D, d]`, float64.
        noise_var: mean variance in the D − d directions left out.
    """

    mean: Tensor
    V: Tensor
    noise_var: float

    @classmethod
    def of(cls, x: Tensor, d: int) -> Subspace:
        """The first `d` principal components of points `[n, D]`.

        Raises:
            ValueError: unless 0 < d < D; fewer than two points, NaN or infinity.
        """
        x = float_tensor(x, "x", ("n", "D"), rows=2)
        if not 0 < d < x.shape[1]:
            raise ValueError(f"d must lie between 1 and {x.shape[1] - 1}, not {d}")
        mean = x.mean(dim=0, dtype=torch.float64)
        centred = x - mean
        covariance = finite_result(centred.T @ centred / len(x), "the covariance")
        variances, directions = torch.linalg.eigh(covariance)  # ascending
        return cls(mean, directions[:, -d:].flip(1), variances[:-d].mean().item())

    def project(self, x: Tensor) -> Tensor:
        """Coordinates c = Vᵀ(x − m), `[n, d]`, of points `[n, D]`."""
        return (float_tensor(x, "x", ("n", len(self.mean))) - self.mean) @ self.V

    def lift(self, model: GaussianMixture) -> GaussianMixture:
        """The mixture of x, `[K, D]`, from that of c, `[K, d]`: N(m + V μ_k, V Σ_k Vᵀ + noise_var·(I − V Vᵀ))."""
        noise = self.noise_var * (torch.eye(len(self.mean), dtype=torch.float64) - self.V @ self.V.T)
        cov = torch.baddbmm(noise, self.V @ model.cov, self.V.T.expand(len(model.pi), -1, -1))  # one array of its size
        return GaussianMixture(model.pi, self.mean + model.mu @ self.V.T, cov)

    def inpaint(self, model: GaussianMixture, x: Tensor, observed: Tensor) -> Tensor:
        """Hidden pixels of `x` `[n, D]` replaced by their mean given the observed ones, float64 `[n, D]`.

        As `lift(model).inpaint(x, observed)`, but with one component at a time: K covariances of D x D numbers, and
        what is computed from them, are hundreds of megabytes for pictures of 784 pixels.
        """
        log_joint, means = [], []
        for k, log_pi in enumerate(model.pi.log()):
            one = self.lift(GaussianMixture(torch.ones(1), model.mu[k:k + 1], model.cov[k:k + 1]))
            log_joint.append(log_pi + one.log_prob(x, observed))
            means.append(one.inpaint(x, observed))
        r = torch.stack(log_joint, dim=1).softmax(dim=1)
        expected = sum(r[:, k, None] * mean for k, mean in enumerate(means))
        return torch.where(observed.bool(), x.double(), expected)
