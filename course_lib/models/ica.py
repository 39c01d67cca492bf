"""Linear independent component analysis by FastICA: x = A z with independent sources z, of which only x is seen.

A. Hyvärinen, E. Oja, *Independent Component Analysis: Algorithms and Applications*, Neural Networks 13 (2000):
whitening (section 5.2), the fixed point with the contrast log cosh, whose derivative is tanh (6.1), and symmetric
decorrelation (equation 45).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.validation import finite_result, float_tensor


class ICA(NamedTuple):
    """What FastICA found.

    Attributes:
        W: unmixing matrix `[D, D]`: sources are `(x - mean) @ W.T`, in an order and with signs that mean nothing.
        mean: of the points, `[D]`.
        rounds: how many rounds were done.
        converged: whether the last round turned no direction by more than the tolerance.
    """

    W: Tensor
    mean: Tensor
    rounds: int
    converged: bool

    def sources(self, x: Tensor) -> Tensor:
        """Sources of unit variance, `[n, D]`, of points `[n, D]`. Raises ValueError for others, NaN or infinity."""
        return (float_tensor(x, "x", ("n", len(self.mean))) - self.mean) @ self.W.T


def whitening(x: Tensor) -> Tensor:
    """The matrix `[D, D]` that gives centred points `[n, D]` the covariance I: Λ^(−½) Eᵀ, of Σ = E Λ Eᵀ.

    Raises:
        ValueError: coordinates that depend linearly on each other, or fewer points than coordinates; NaN or infinity,
            or numbers whose squares overflow.
    """
    x = float_tensor(x, "x", ("n", "D"), rows=2)
    values, directions = torch.linalg.eigh(finite_result(x.T.cov(correction=0), "the covariance"))
    if not values[0] > 1e-10 * values[-1]:
        raise ValueError("these points lie in fewer dimensions than they have coordinates, so nothing makes their "
                         "covariance I: leave out coordinates, or give more points")
    return directions.T / values.sqrt()[:, None]


def decorrelate(W: Tensor) -> Tensor:
    """The orthogonal matrix `[D, D]` closest to W `[D, D]`, (W Wᵀ)^(−½) W: no row is preferred to another."""
    U, _, V = torch.linalg.svd(W)
    return U @ V


def fast_ica(x: Tensor, generator: torch.Generator, rounds: int = 200, tolerance: float = 1e-6) -> ICA:
    """Directions in which whitened points are least Gaussian, all at once.

    Args:
        x: points `[n, D]`.
        generator: draws where to start.
        rounds: at most.
        tolerance: stop when each row of W has turned by less: 1 − |cos| of the angle.

    Raises:
        ValueError: points that are not `[n, D]`, or that cannot be whitened.
    """
    x = float_tensor(x, "x", ("n", "D"), rows=2).double()
    mean = x.mean(dim=0)
    K = whitening(x - mean)
    white = (x - mean) @ K.T
    D = x.shape[1]
    W = decorrelate(torch.randn(D, D, generator=generator, dtype=torch.float64))
    for done in range(1, rounds + 1):
        g = torch.tanh(white @ W.T)
        moved = decorrelate(g.T @ white / len(x) - (1 - g**2).mean(dim=0)[:, None] * W)
        turned = (1 - (moved * W).sum(dim=1).abs()).max()
        W = moved
        if turned < tolerance:
            return ICA(W @ K, mean, done, True)
    return ICA(W @ K, mean, rounds, False)
