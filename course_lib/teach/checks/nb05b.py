"""Exercises of notebook 05b: minibatch discrimination, distance by sorting, and a game that circles."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.measure import wasserstein1
from course_lib.teach.exercises import Exercise, Mistake


def _distances(M: Tensor) -> Tensor:
    return (M[:, None] - M[None]).abs().sum(dim=3)


def _closeness(M: Tensor) -> Tensor:
    return torch.exp(-_distances(M)).sum(dim=1)


MINIBATCH_FEATURES = Exercise(
    reference=_closeness,
    cases=lambda rng: [(torch.tensor(rng.normal(size=shape), dtype=torch.float32),)
                       for shape in ((4, 5, 3), (1, 2, 3), (6, 1, 2), (3, 5, 1))],
    mistakes=(
        Mistake(lambda M: torch.exp(-((M[:, None] - M[None]) ** 2).sum(dim=3)).sum(dim=1),
                ("you squared the differences; the L1 distance sums their absolute values.",)),
        Mistake(lambda M: torch.exp(-(M[:, None] - M[None]).norm(dim=3)).sum(dim=1),
                ("this is the Euclidean distance (L2); asked for is L1, the sum of absolute differences.",)),
        Mistake(lambda M: torch.exp(_distances(M)).sum(dim=1),
                ("closeness must fall with the distance: a minus is missing in the exponential.",)),
        Mistake(lambda M: _distances(M).sum(dim=1),
                ("these are summed distances: turn each into a closeness, exp(−distance), before you sum.",)),
        Mistake(lambda M: torch.exp(-_distances(M).sum(dim=1)),
                ("the order matters: exponential of each pair first, then the sum over the batch.",)),
        Mistake(lambda M: _closeness(M) - 1,
                ("you left out the pair of a number with itself; the paper's sum keeps it (it adds exp(0) = 1).",)),
        Mistake(lambda M: _closeness(M) / len(M),
                ("you took the mean over the batch; the paper's feature is the sum.",)),
        Mistake(lambda M: torch.exp(-_distances(M)),
                ("this is the closeness of every pair, (batch, batch, kernels): sum it over the other numbers.",)),
        Mistake(lambda M: torch.exp(-(M[:, None] - M[None]).abs()).sum(dim=3).sum(dim=1),
                ("the sum over the kernel's dimensions belongs inside the exponential: it is part of the distance.",)),
    ),
    hints=("three steps: all pairs by broadcasting, `M[:, None] - M[None]`; L1 over the last dimension; exp, then sum.",
           "follow the shapes: (batch, batch, kernels, dim) → (batch, batch, kernels) → (batch, kernels)."),
)


def _unsorted(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


WASSERSTEIN1 = Exercise(
    reference=wasserstein1,
    cases=lambda rng: [(rng.normal(size=n), shift + scale * rng.normal(size=n))
                       for n, shift, scale in ((6, 0.0, 1.0), (50, 2.0, 0.5), (1, 1.0, 1.0), (40, 0.0, 3.0))],
    mistakes=(
        Mistake(_unsorted,
                ("you compare the numbers in the order they came. Who should go where, so that the walk is shortest?",
                 "on a line the smallest goes to the smallest: sort both first.")),
        Mistake(lambda a, b: float(abs(a.mean() - b.mean())),
                ("this compares the means only: two samples may share their mean and yet differ.",)),
        Mistake(lambda a, b: float(np.abs(np.sort(a) - np.sort(b)).sum()),
                ("you summed the walks; the distance is their mean.",)),
        Mistake(lambda a, b: float(np.sqrt(((np.sort(a) - np.sort(b)) ** 2).mean())),
                ("this is W₂, by squares; W₁ is the mean of the absolute walks.",)),
        Mistake(lambda a, b: float(((np.sort(a) - np.sort(b)) ** 2).mean()),
                ("you squared the walks: take their absolute values.",)),
        Mistake(lambda a, b: float((np.sort(a) - np.sort(b)).mean()),
                ("walks to the left and to the right cancel: take absolute values.",)),
    ),
    hints=("each number of a must walk to one number of b, and the mean walk shall be as short as possible.",
           "sort both, subtract, absolute values, mean."),
)


def _growth(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    factor = 1 - eta**2 + eta**4
    return factor, (eta > 0) & (eta < 1)


def _eta_cases(rng: np.random.Generator) -> list[tuple[np.ndarray]]:
    return [(np.array([0.1, 0.5, 0.9, 1.0, 1.5]),), (rng.uniform(0.01, 0.99, size=4),), (rng.uniform(1.01, 2, size=3),)]


EXTRAGRADIENT = Exercise(
    reference=_growth,
    cases=_eta_cases,
    mistakes=(
        Mistake(lambda eta: (1 + eta**2, np.zeros(eta.shape, bool)),
                ("this is simultaneous descent. Extragradient evaluates the gradient one step *ahead*.",)),
        Mistake(lambda eta: (1 - eta**2, (eta > 0) & (eta < 1)),
                ("the term in η⁴ is missing: square both coordinates of the new point completely.",)),
        Mistake(lambda eta: (np.sqrt(1 - eta**2 + eta**4), (eta > 0) & (eta < 1)),
                ("this is the factor of the distance; asked for is that of its square, x² + y².",)),
        Mistake(lambda eta: (1 - eta**2 + eta**4, np.ones(eta.shape, bool)),
                ("the factor is right. When is it below 1?", "1 − η² + η⁴ < 1 means η⁴ < η².")),
        Mistake(lambda eta: (1 - eta**2 + eta**4, (eta > 0) & (eta <= 1)),
                ("at η = 1 the factor is exactly 1: the point circles and does not come in.",)),
        Mistake(lambda eta: ((1 - eta**2) ** 2, (eta > 0) & (eta < np.sqrt(2))),
                ("the new point has two coordinates: with w = x + iy it is (1 − η² + iη)·w. Take its squared size.",)),
    ),
    hints=("write the step: x' = x − η(y + ηx), y' = y + η(x − ηy). Then compute x'² + y'².",
           "the cross terms cancel, and what is left is a factor times x² + y²."),
)

EXERCISES = {"05b.minibatch_features": MINIBATCH_FEATURES, "05b.wasserstein1": WASSERSTEIN1,
             "05b.extragradient": EXTRAGRADIENT}
