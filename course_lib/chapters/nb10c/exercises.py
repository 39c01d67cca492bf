"""Exercises of notebook 10c: a denoising chain's matrix, the Gaussian kernel, the unbiased MMD² from kernels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _chain(p: np.ndarray, C: np.ndarray) -> np.ndarray:
    joint = p[:, None] * C
    return C @ (joint / joint.sum(0)).T


def _chain_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, ...]]:
    """The last two with as many x̃ as x, so that a product in the wrong order has the right shape."""
    return [(rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m), size=n)) for n, m in ((3, 5), (4, 2), (4, 4), (6, 6))]


CHAIN = Exercise(
    reference=_chain,
    cases=_chain_cases,
    mistakes=(
        Mistake(lambda p, C: C @ (C / C.sum(0)).T,
                ("the prior is missing: by Bayes' rule p(x | x̃) is p(x) C(x̃ | x), divided by its sum over x.",)),
        Mistake(lambda p, C: C @ (p[:, None] * C).T,
                ("this is the joint p(x, x̃) in the place of the posterior: divide each column by its sum over x.",)),
        Mistake(lambda p, C: C @ (p[:, None] * C / (p[:, None] * C).sum(1, keepdims=True)).T,
                ("you divided by the sum over x̃: that leads back to C. The posterior adds up to 1 over *x*.",)),
        Mistake(lambda p, C: (p[:, None] * C / (p[:, None] * C).sum(0)).T,
                ("this is the posterior p(x' | x̃), half of a step: first x is corrupted, by C.",)),
        Mistake(lambda p, C: _chain(p, C).T,
                ("rows and columns are exchanged: row x, column x', so each *row* adds up to 1.",)),
        Mistake(lambda p, C: (p[:, None] * C / (p[:, None] * C).sum(0)).T @ C,
                ("the order is turned: this is the chain of x̃, from one corrupted point to the next. C comes first, "
                 "then the posterior.",)),
        Mistake(lambda p, C: np.tile(p, (len(p), 1)),
                ("this draws x' from p whatever x is. A step starts at x and stays near it if the noise is small.",)),
        Mistake(lambda p, C: np.linalg.matrix_power(_chain(p, C), 2),
                ("these are two steps: one is asked for.",)),
    ),
    hints=("the posterior of x given x̃ is p(x) C(x̃ | x), divided by its sum over x.",
           "`joint = p[:, None] * C` has a row for x, a column for x̃; `joint / joint.sum(axis=0)` is the posterior.",
           "a step: C, then the posterior with a row for x̃ and a column for x'. Then p @ T must be p."),
)


def _squared(x: Tensor, y: Tensor) -> Tensor:
    return (x[:, None] - y).square().sum(-1)


def _kernel(x: Tensor, y: Tensor, s: float) -> Tensor:
    return torch.exp(-_squared(x, y) / (2 * s**2))


def _kernel_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float]]:
    return [(torch.tensor(rng.normal(size=(n, D)), dtype=torch.float32),
             torch.tensor(rng.normal(0.5, 1, size=(m, D)), dtype=torch.float32), s)
            for n, m, D, s in ((4, 3, 2, 0.7), (2, 5, 3, 1.5), (3, 3, 4, 2.5), (6, 1, 2, 0.4))]


GAUSSIAN_KERNEL = Exercise(
    reference=_kernel,
    cases=_kernel_cases,
    mistakes=(
        Mistake(lambda x, y, s: torch.exp(-_squared(x, y).sqrt() / (2 * s**2)),
                ("the distance is not squared: that is another kernel, with a tip where x = y.",)),
        Mistake(lambda x, y, s: torch.exp(-_squared(x, y) / s**2),
                ("the 2 is missing: the exponent is ‖x − y‖² / 2s², as in a Gaussian.",)),
        Mistake(lambda x, y, s: torch.exp(-_squared(x, y) / (2 * s)),
                ("the width is squared, too: s is in the unit of x, so s² is in that of ‖x − y‖².",)),
        Mistake(lambda x, y, s: torch.exp(-_squared(x, y) / 2 * s**2),
                ("you multiplied by s²: brackets, `/ (2 * s**2)`. A wider kernel falls off more slowly.",)),
        Mistake(lambda x, y, s: torch.exp(_squared(x, y) / (2 * s**2)),
                ("the sign is turned: the kernel is 1 where x = y and falls with the distance.",)),
        Mistake(lambda x, y, s: _squared(x, y),
                ("these are the squared distances: the kernel is the exponential of minus them, over 2s².",)),
        Mistake(lambda x, y, s: torch.exp(-(x[:, None] - y).square().mean(-1) / (2 * s**2)),
                ("you took the mean over the coordinates: a squared distance is their sum.",)),
        Mistake(lambda x, y, s: _kernel(x, y, s).T,
                ("rows and columns are exchanged: a row for each x, a column for each y.",)),
        Mistake(lambda x, y, s: _kernel(x, y, s) / (s * (2 * np.pi) ** 0.5) ** x.shape[1],
                ("this is a Gaussian *density*: a kernel needs no factor in front, k(x, x) = 1.",)),
    ),
    hints=("k(x, y) = exp(−‖x − y‖² / 2s²), for each pair.",
           "`torch.cdist(x, y)` gives the distances (n, m), or `x[:, None] - y` all differences (n, m, D).",
           "of a set with itself the diagonal must be 1."),
)


def _within(k: Tensor) -> Tensor:
    return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))


def _mmd2(k_xx: Tensor, k_yy: Tensor, k_xy: Tensor) -> Tensor:
    return _within(k_xx) + _within(k_yy) - 2 * k_xy.mean()


def _without_diagonal(k: Tensor) -> Tensor:
    return k.sum() - k.diagonal().sum()


def _mmd2_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    """The last is negative, and by far: two places, and at each a point of either set."""
    sets = [tuple(torch.tensor(rng.normal(place, 1, size=(count, D)), dtype=torch.float32)
                  for place, count in ((0, n), (0.7, m))) for n, m, D in ((5, 7, 2), (8, 3, 1), (2, 2, 3), (6, 6, 2))]
    places = torch.tensor([[0.0], [3.0]])
    sets.append((places, places + torch.tensor(rng.normal(0, 0.1, size=(2, 1)), dtype=torch.float32)))
    return [tuple(torch.exp(-torch.cdist(a, b) ** 2 / 2) for a, b in ((x, x), (y, y), (x, y))) for x, y in sets]


MMD2 = Exercise(
    reference=_mmd2,
    cases=_mmd2_cases,
    mistakes=(
        Mistake(lambda xx, yy, xy: xx.mean() + yy.mean() - 2 * xy.mean(),
                ("this keeps the pairs of a point with itself, k(x, x) = 1, so it is too large by about 1/n + 1/m, "
                 "also where both are the same. Leave the diagonals out.",)),
        Mistake(lambda xx, yy, xy: _without_diagonal(xx) / xx.numel() + _without_diagonal(yy) / yy.numel()
                - 2 * xy.mean(),
                ("you left the diagonals out of the sum, but not out of the count: n(n − 1) pairs remain, not n².",)),
        Mistake(lambda xx, yy, xy: _within(xx) + _within(yy) - xy.mean(),
                ("the pairs across count twice: once as (x, y), once as (y, x).",)),
        Mistake(lambda xx, yy, xy: _within(xx) + _within(yy) + 2 * xy.mean(),
                ("the pairs across must be subtracted: alike sets are at distance 0.",)),
        Mistake(lambda xx, yy, xy: -_mmd2(xx, yy, xy),
                ("the sign is turned.",)),
        Mistake(lambda xx, yy, xy: _mmd2(xx, yy, xy).clamp(min=0),
                ("you cut it off at 0. An unbiased estimate of 0 must be negative half of the time; cut off, it is "
                 "biased again.",)),
        Mistake(lambda xx, yy, xy: _mmd2(xx, yy, xy).clamp(min=0).sqrt(),
                ("this is MMD, its root: MMD² is asked for, which need not be positive.",)),
        Mistake(lambda xx, yy, xy: _within(xx) + _within(yy) - 2 * _without_diagonal(xy) / (
                min(xy.shape) * (max(xy.shape) - 1)),
                ("there is no pair of a point with itself across the sets: take the plain mean of k_xy.",)),
        Mistake(lambda xx, yy, xy: _without_diagonal(xx) + _without_diagonal(yy) - 2 * xy.sum(),
                ("these are sums: divide each by how many pairs it has.",)),
        Mistake(lambda xx, yy, xy: (_within(xx) + _within(yy)) / 2 - 2 * xy.mean(),
                ("you counted each pair once but divided by n(n − 1), which counts it twice.",)),
    ),
    hints=("mean within x + mean within y − 2 · mean across.",
           "within a set there are n(n − 1) pairs of *different* points: take the diagonal out of sum and count.",
           "test it: with x and y from one distribution, the mean of many estimates must be 0."),
)

EXERCISES = {"10c.chain_matrix": CHAIN, "10c.gaussian_kernel": GAUSSIAN_KERNEL, "10c.mmd2_from_kernels": MMD2}
