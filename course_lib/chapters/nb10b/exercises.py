"""Exercises of notebook 10b: the free energy of an RBM, one Gibbs round, the unbiased MMD² from kernel matrices."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from course_lib.teach.exercises import Exercise, Mistake


def _machine(rng: np.random.Generator, n: int, D: int, H: int, scale: float) -> tuple[Tensor, ...]:
    """x, W, b and c."""
    x = torch.tensor(rng.integers(0, 2, size=(n, D)), dtype=torch.float32)
    return x, *(torch.tensor(rng.normal(0, scale, size=shape), dtype=torch.float32) for shape in ((D, H), D, H))


def _free_energy(x: Tensor, W: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return -x @ b - softplus(x @ W + c).sum(1)


def _free_energy_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    return [_machine(rng, *sizes) for sizes in ((4, 9, 3, 1.0), (3, 5, 8, 1.0), (2, 6, 1, 1.0), (5, 4, 6, 200.0))]


CLAMPS = (10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 85, 88)  # that people pick: e^88 is the last that float32 holds


FREE_ENERGY = Exercise(
    reference=_free_energy,
    cases=_free_energy_cases,
    mistakes=(
        Mistake(lambda x, W, b, c: -_free_energy(x, W, b, c),
                ("the sign is turned: this is −F, which is large where p(x) is large. An energy is *low* there.",)),
        Mistake(lambda x, W, b, c: x @ b - softplus(x @ W + c).sum(1),
                ("the biases of the pixels have the wrong sign: an inked pixel with b > 0 must *lower* the energy.",)),
        Mistake(lambda x, W, b, c: -softplus(x @ W + c).sum(1),
                ("the term −b·x is missing: the pixels have biases of their own.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus(x @ W).sum(1),
                ("the biases c of the hidden units are missing: each stands in its softplus, beside x·W_j.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus((x @ W + c).sum(1)),
                ("you summed over the hidden units before the softplus. Each unit has a factor 1 + e^a of its own, and "
                 "the log of a product is the sum of the logs: softplus first, then the sum.",)),
        Mistake(lambda x, W, b, c: -x @ b - torch.relu(x @ W + c).sum(1),
                ("max(0, a) is where log(1 + e^a) goes for large |a|; near 0 it is up to log 2 too low: use "
                 "`softplus`.",)),
        *(Mistake(lambda x, W, b, c, top=top: -x @ b - (x @ W + c).clamp(max=top).exp().log1p().sum(1),
                  (f"clamped at {top}, e^a does not overflow, but every larger a counts as {top} now, while "
                   "log(1 + e^a) goes on like a: `softplus` needs no clamp.",)) for top in CLAMPS),
        Mistake(lambda x, W, b, c: -x @ b - ((x @ W + c) * torch.sigmoid(x @ W + c)).sum(1),
                ("this is the *mean* energy with h at its average. F also counts the entropy of h: it is −log of a sum "
                 "over h, and each unit gives log(1 + e^a).",)),
        Mistake(lambda x, W, b, c: -x @ b - (x @ W + c).sum(1),
                ("this is the energy E(x, h) with every hidden unit on. Sum over h: 1 for off, e^a for on, and the "
                 "log of that.",)),
        Mistake(lambda x, W, b, c: (-x @ b)[:, None] - softplus(x @ W + c),
                ("one number for each picture, please: sum the softplus over the hidden units, `dim=1`.",)),
        Mistake(lambda x, W, b, c: _free_energy(x, W, b, c).sum(),
                ("you summed over the batch: each picture has its own free energy.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus(x @ W + c).mean(1),
                ("the hidden units *add* their terms; you took the mean.",)),
    ),
    hints=("F(x) = −b·x − Σ_j log(1 + exp(c_j + x·W_j)); log(1 + e^a) is `softplus(a)`.",
           "with all weights and biases 0, F must be −H log 2 for every picture.",
           "shapes: x @ b is (n,), x @ W + c is (n, H)."),
)


def _gibbs(x: Tensor, W: Tensor, b: Tensor, c: Tensor, u_h: Tensor, u_x: Tensor) -> Tensor:
    h = (u_h < torch.sigmoid(x @ W + c)).to(x.dtype)
    return (u_x < torch.sigmoid(h @ W.T + b)).to(x.dtype)


def _gibbs_turned(x: Tensor, W: Tensor, b: Tensor, c: Tensor, u_h: Tensor, u_x: Tensor, h_too: bool) -> Tensor:
    h = u_h < torch.sigmoid(x @ W + c)
    h = (~h if h_too else h).to(x.dtype)
    return (u_x > torch.sigmoid(h @ W.T + b)).to(x.dtype)


def _gibbs_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, D, H in ((40, 9, 5), (30, 6, 6), (60, 4, 7), (50, 12, 1)):
        uniform = (torch.tensor(rng.uniform(size=(n, units)), dtype=torch.float32) for units in (H, D))
        cases.append((*_machine(rng, n, D, H, 1.0), *uniform))
    return cases


GIBBS_STEP = Exercise(
    reference=_gibbs,
    cases=_gibbs_cases,
    mistakes=(
        Mistake(lambda x, W, b, c, u_h, u_x: torch.sigmoid((u_h < torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b),
                ("these are the probabilities of the pixels: draw them, `u_x < p`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_x < torch.sigmoid(torch.sigmoid(x @ W + c) @ W.T + b)).to(x.dtype),
                ("you passed on the probabilities of h instead of drawing h. That is a mean field, and the chain has "
                 "another stationary distribution: h must be 0 or 1.", "h = `(u_h < p_h)`, as floats.")),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            u_x < torch.sigmoid((torch.sigmoid(x @ W + c) > 0.5).to(x.dtype) @ W.T + b)).to(x.dtype),
                ("you rounded the probabilities of h: then nothing is random. Compare with `u_h`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            torch.sigmoid((u_h < torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b) > 0.5).to(x.dtype),
                ("you rounded the probabilities of the pixels: the most probable picture is not a draw. Compare with "
                 "`u_x`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs_turned(x, W, b, c, u_h, u_x, h_too=True),
                ("both comparisons are turned: a unit is 1 where u < p. With u > p it is 1 with probability 1 − p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs_turned(x, W, b, c, u_h, u_x, h_too=False),
                ("the comparison of the pixels is turned: a pixel is 1 where u_x < p, not where u_x > p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            u_x < torch.sigmoid((u_h > torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b)).to(x.dtype),
                ("the comparison of the hidden units is turned: h_j is 1 where u_h < p, not where u_h > p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, b, c, 1 - u_h, 1 - u_x),
                ("you compared 1 − u with p. That draws as well, but other pictures than asked: a unit is 1 where "
                 "u < p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, torch.zeros_like(b), torch.zeros_like(c), u_h, u_x),
                ("the biases are missing: c for the hidden units, b for the pixels.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, b, torch.zeros_like(c), u_h, u_x),
                ("the hidden units' biases c are missing.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, torch.zeros_like(b), c, u_h, u_x),
                ("the pixels' biases b are missing.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_h < torch.sigmoid(x @ W + c)).to(x.dtype),
                ("these are the hidden units: go on and draw the pixels from them.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, -W, -b, -c, u_h, u_x),
                ("the sign of the energy is turned: p(h = 1 | x) = σ(c + x·W), with a plus.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(_gibbs(x, W, b, c, u_h, u_x), W, b, c, u_h, u_x),
                ("these are two rounds, with the same random numbers: one is asked for.",)),
    ),
    hints=("first all hidden units from x, then all pixels from those hidden units.",
           "p(h = 1 | x) = σ(x @ W + c), `[n, H]`; p(x = 1 | h) = σ(h @ W.T + b), `[n, D]`.",
           "`(u < p)` is True and False: turn it into floats, `.to(x.dtype)`."),
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

EXERCISES = {"10b.free_energy": FREE_ENERGY, "10b.gibbs_step": GIBBS_STEP, "10b.mmd2_from_kernels": MMD2}
