"""Exercises of notebook 05b: minibatch discrimination, distance by sorting, and a game whose players circle."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.measure import wasserstein1
from course_lib.teach.exercises import Exercise, Mistake


def _distances(M: Tensor, others: Tensor) -> Tensor:
    return (M[:, None] - others[None]).abs().sum(dim=3)


def _closeness(M: Tensor, others: Tensor) -> Tensor:
    return torch.exp(-_distances(M, others)).sum(dim=1)


def _batch_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    def draw(n: int, kernels: int, dim: int) -> Tensor:
        return torch.tensor(rng.normal(size=(n, kernels, dim)), dtype=torch.float32)

    return [(draw(n, kernels, dim), draw(m, kernels, dim))
            for n, m, kernels, dim in ((4, 7, 5, 3), (1, 2, 2, 3), (6, 3, 1, 2), (3, 1, 5, 4), (5, 5, 4, 2))]


CLOSENESS_TO = Exercise(
    reference=_closeness,
    cases=_batch_cases,
    mistakes=(
        Mistake(lambda M, o: torch.exp(-((M[:, None] - o[None]) ** 2).sum(dim=3)).sum(dim=1),
                ("you squared the differences; the L1 distance sums their absolute values.",)),
        Mistake(lambda M, o: torch.exp(-(M[:, None] - o[None]).norm(dim=3)).sum(dim=1),
                ("this is the Euclidean distance (L2); asked for is L1, the sum of absolute differences.",)),
        Mistake(lambda M, o: torch.exp(-(M[:, None] - o[None]).sum(dim=3)).sum(dim=1),
                ("differences of either sign cancel: take their absolute values before you sum.",)),
        Mistake(lambda M, o: torch.exp(_distances(M, o)).sum(dim=1),
                ("closeness must fall with the distance: a minus is missing in the exponential.",)),
        Mistake(lambda M, o: _distances(M, o).sum(dim=1),
                ("these are summed distances: turn each into a closeness, exp(−distance), before you sum.",)),
        Mistake(lambda M, o: torch.exp(-_distances(M, o).sum(dim=1)),
                ("the order matters: exponential of each pair first, then the sum over the others.",)),
        Mistake(lambda M, o: _closeness(M, M),
                ("you compared M with itself; the batch to compare with is `others`.",)),
        Mistake(lambda M, o: _closeness(o, M),
                ("one row for each number of M is asked for; you sum over M, and give a row for each of `others`.",)),
        Mistake(lambda M, o: _closeness(M, o) / len(o),
                ("you took the mean over the batch; the paper's feature is the sum.",)),
        Mistake(lambda M, o: torch.exp(-_distances(M, o)),
                ("this is the closeness of every pair, (n, m, kernels): sum it over the others.",)),
        Mistake(lambda M, o: torch.exp(-(M[:, None] - o[None]).abs()).sum(dim=3).sum(dim=1),
                ("the sum over the kernel's dimensions belongs inside the exponential: it is part of the distance.",)),
    ),
    hints=("three steps: all pairs, `M[:, None] - others[None]`; L1 over the last dimension; exp, then sum.",
           "follow the shapes: (n, m, kernels, dim) → (n, m, kernels) → (n, kernels)."),
)


def _unsorted(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


WASSERSTEIN1 = Exercise(
    reference=wasserstein1,
    cases=lambda rng: [(rng.normal(size=n), shift + scale * rng.normal(size=n))
                       for n, shift, scale in ((6, 0.0, 1.0), (50, 2.0, 0.5), (1, 1.0, 1.0), (40, 0.0, 3.0))],
    mistakes=(
        Mistake(_unsorted,
                ("you compare the numbers in the order they came. Which should go where, so that the ways are short?",
                 "on a line the smallest goes to the smallest: sort both first.")),
        Mistake(lambda a, b: float(abs(a.mean() - b.mean())),
                ("this compares the means only: two samples may share their mean and yet differ.",)),
        Mistake(lambda a, b: float(np.abs(np.sort(a) - np.sort(b)).sum()),
                ("you summed the ways; the distance is their mean.",)),
        Mistake(lambda a, b: float(np.sqrt(((np.sort(a) - np.sort(b)) ** 2).mean())),
                ("this is W₂, by squares; W₁ is the mean of the absolute differences.",)),
        Mistake(lambda a, b: float(((np.sort(a) - np.sort(b)) ** 2).mean()),
                ("you squared the differences: take their absolute values.",)),
        Mistake(lambda a, b: float((np.sort(a) - np.sort(b)).mean()),
                ("ways to the left and to the right cancel: take absolute values.",)),
    ),
    hints=("each number of a goes to one number of b, and the mean way shall be as short as possible.",
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

EXERCISES = {"05b.closeness_to": CLOSENESS_TO, "05b.wasserstein1": WASSERSTEIN1,
             "05b.extragradient": EXTRAGRADIENT}
