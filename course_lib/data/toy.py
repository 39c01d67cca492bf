"""Toy data with exact log densities: every model that learns from them can be held against the truth.

Each distribution is a frozen dataclass with `sample(n, generator)` and `log_prob(x)` in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def _log_normal(distance2: Tensor, std: float, dim: int) -> Tensor:
    """Log density of an isotropic Gaussian at squared distance `distance2` from its mean."""
    return -0.5 * distance2 / std**2 - dim * math.log(std) - 0.5 * dim * math.log(2 * math.pi)


def _require_columns(x: Tensor, columns: int) -> None:
    if x.ndim != 2 or x.shape[1] != columns:
        raise ValueError(f"x must have shape [n, {columns}], not {list(x.shape)}")


@dataclass(frozen=True)
class Normal1D:
    """The real data of the 1-D GAN: a Gaussian on the line, N(4, 0.5²) unless told otherwise."""

    mean: float = 4.0
    std: float = 0.5

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"std must be positive, not {self.std}")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points, float32 `[n, 1]`."""
        return self.mean + self.std * torch.randn(n, 1, generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, `[n]`, at points `[n, 1]`."""
        _require_columns(x, 1)
        return _log_normal((x[:, 0] - self.mean) ** 2, self.std, dim=1)


@dataclass(frozen=True)
class TwoGaussians:
    """Two classes in the plane, one Gaussian each, with equal covariances.

    Every class has unit variance in both coordinates; the means lie at x_1 = ∓separation/2 on the first axis, so
    that only the first coordinate tells the classes apart unless the two are correlated.

    Attributes:
        separation: distance between the two means, in standard deviations of one coordinate.
        correlation: of the two coordinates within each class; naive Bayes assumes 0.
        balance: p(y = 1).

    Raises:
        ValueError: correlation outside (−1, 1) or balance outside (0, 1).
    """

    separation: float = 3.0
    correlation: float = 0.0
    balance: float = 0.5

    def __post_init__(self) -> None:
        if not -1 < self.correlation < 1:
            raise ValueError(f"correlation must lie between -1 and 1 (exclusive), not {self.correlation}")
        if self.separation < 0:
            raise ValueError(f"separation must not be negative, not {self.separation}")
        if not 0 < self.balance < 1:
            raise ValueError(f"balance must lie between 0 and 1 (exclusive), not {self.balance}")

    @property
    def means(self) -> Tensor:
        """Class means, float64 `[2, 2]`."""
        return torch.tensor([[-self.separation / 2, 0.0], [self.separation / 2, 0.0]], dtype=torch.float64)

    @property
    def covariance(self) -> Tensor:
        """The covariance of each class, float64 `[2, 2]`."""
        return torch.tensor([[1.0, self.correlation], [self.correlation, 1.0]], dtype=torch.float64)

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Points float32 `[n, 2]` and labels int64 `[n]`: first y ~ p(y), then x ~ p(x|y)."""
        y = (torch.rand(n, generator=generator) < self.balance).long()
        return self.sample_given(y, generator), y

    def sample_given(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """One point x ~ p(x|y) for each label of `y` int64 `[n]`: float32 `[n, 2]`."""
        noise = torch.randn(len(y), 2, generator=generator)
        return self.means[y].to(noise) + noise @ torch.linalg.cholesky(self.covariance).T.to(noise)

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, y) in nats for both classes, `[n, 2]`, at points `[n, 2]`."""
        _require_columns(x, 2)
        difference = x[:, None, :] - self.means.to(x)
        precision = torch.linalg.inv(self.covariance).to(x)
        mahalanobis2 = torch.einsum("nki,ij,nkj->nk", difference, precision, difference)
        log_prior = torch.tensor([1 - self.balance, self.balance], dtype=x.dtype).log()
        log_det = math.log(1 - self.correlation**2)
        return log_prior - 0.5 * (mahalanobis2 + log_det) - math.log(2 * math.pi)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, `[n]`, the label summed out."""
        return self.log_joint(x).logsumexp(dim=1)

    @property
    def best_accuracy(self) -> float:
        """Accuracy of the exact posterior: no classifier can do better on average.

        With Mahalanobis distance Δ between the means and t = log((1 − balance) / balance), it is
        (1 − balance)·Φ(Δ/2 + t/Δ) + balance·Φ(Δ/2 − t/Δ).
        """
        delta = self.separation / math.sqrt(1 - self.correlation**2)
        if delta == 0:
            return max(self.balance, 1 - self.balance)
        t = math.log((1 - self.balance) / self.balance)
        phi = [0.5 * (1 + math.erf(z / math.sqrt(2))) for z in (delta / 2 + t / delta, delta / 2 - t / delta)]
        return (1 - self.balance) * phi[0] + self.balance * phi[1]


@dataclass(frozen=True)
class Blobs:
    """A mixture of round Gaussians at given places, all of the same weight and width.

    Raises:
        ValueError: no centres, centres that are not all of one dimension, or a width that is not positive.
    """

    centres: tuple[tuple[float, ...], ...] = ((-2.0, 0.0), (2.0, 0.0), (0.0, 3.0))
    std: float = 0.5

    def __post_init__(self) -> None:
        if len({len(c) for c in self.centres}) != 1 or not self.centres[0]:
            raise ValueError("centres must be a non-empty tuple of points of one dimension")
        if not self.std > 0:
            raise ValueError(f"std must be positive, not {self.std}")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points, float32 `[n, dim]`."""
        centres = torch.tensor(self.centres)
        picked = torch.randint(len(centres), (n,), generator=generator)
        return centres[picked] + self.std * torch.randn(n, centres.shape[1], generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, `[n]`, at points `[n, dim]`."""
        centres = torch.tensor(self.centres, dtype=x.dtype)
        _require_columns(x, centres.shape[1])
        distance2 = ((x[:, None, :] - centres) ** 2).sum(dim=2)
        return _log_normal(distance2, self.std, centres.shape[1]).logsumexp(dim=1) - math.log(len(centres))


def Ring(n_modes: int = 8, radius: float = 2.0, std: float = 0.05) -> Blobs:
    """A ring of narrow Gaussians in the plane: the playground on which a GAN's lost modes can be counted."""
    if n_modes < 1:
        raise ValueError(f"n_modes must be at least 1, not {n_modes}")
    angles = [2 * math.pi * k / n_modes for k in range(n_modes)]
    return Blobs(tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles), std)
