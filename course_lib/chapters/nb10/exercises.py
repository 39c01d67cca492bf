"""Exercises of notebook 10: a density by change of variables, a coupling with its log-determinant, a mask of MADE."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _log_normal(z: np.ndarray) -> np.ndarray:
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)


def _z(x: np.ndarray, r: float, t: float) -> np.ndarray:
    return (np.arcsinh(x) - t) / r


def _log_density(x: np.ndarray, r: float, t: float) -> np.ndarray:
    return _log_normal(_z(x, r, t)) - np.log(abs(r)) - 0.5 * np.log1p(x**2)


def _density_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, float, float]]:
    def places(n: int) -> np.ndarray:
        return np.sinh(rng.normal(0, 1.3, size=n))

    return [(places(6), float(rng.uniform(0.5, 2)), float(rng.normal())), (places(4), 1.0, 0.0),
            (places(5), float(rng.uniform(-2, -0.5)), float(rng.normal())), (np.array([0.0]), 0.7, 0.3)]


DENSITY = Exercise(
    reference=_log_density,
    cases=_density_cases,
    mistakes=(
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)),
                ("you found z and its log density, and forgot how much the line was stretched there: add log |dz/dx|.",
                 "dz/dx is the derivative of (asinh(x) − t)/r by x.")),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) + np.log(abs(r)) + 0.5 * np.log1p(x**2),
                ("the stretching has the wrong sign: where f stretches, the density gets thinner. It is "
                 "log p(z) + log |dz/dx|, and not log |dx/dz|.",)),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) - np.log(abs(r)),
                ("you divided by r only. sinh stretches too, by cosh(r z + t) = √(1 + x²).",)),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) - 0.5 * np.log1p(x**2),
                ("the factor 1/r of dz/dx is missing: f stretches by r before it bends.",)),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) - np.log(abs(r)) - np.log1p(x**2),
                ("the derivative of asinh(x) is 1/√(1 + x²): a root is missing.",)),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) - (np.log(r) if r > 0 else np.nan) - 0.5 * np.log1p(x**2),
                ("with a negative r you take the log of a negative number: it is the *absolute* value of the "
                 "derivative that counts.",)),
        Mistake(lambda x, r, t: _log_normal(_z(x, r, t)) - np.log(abs(r)) - np.log(np.cosh(_z(x, r, t))),
                ("the slope of sinh is taken at the wrong place: it is cosh(r z + t), not cosh(z).",)),
        Mistake(lambda x, r, t: _log_density(x, r, t) + 0.5 * math.log(2 * math.pi),
                ("the constant of the bell is missing: log N(z; 0, 1) = −z²/2 − ½ log 2π.",)),
        Mistake(lambda x, r, t: np.exp(_log_density(x, r, t)),
                ("this is the density; asked for is its logarithm.",)),
        Mistake(lambda x, r, t: _log_normal(x) - np.log(abs(r)) - 0.5 * np.log1p(x**2),
                ("N(0, 1) is the density of z: go back from x to z first, z = (asinh(x) − t)/r.",)),
        Mistake(lambda x, r, t: _log_normal(np.sinh(r * x + t)) - np.log(abs(r)) - 0.5 * np.log1p(x**2),
                ("you went forward: x is given, and f leads from z to x. Take its inverse, (asinh(x) − t)/r.",)),
    ),
    hints=("log p(x) = log N(z; 0, 1) + log |dz/dx|, at z = (asinh(x) − t)/r.",
           "dz/dx = 1 / (r · √(1 + x²)).",
           "test it: np.trapezoid(np.exp(your function(x, 1, 0)), x) over a long grid must be 1."),
)


def _halves(z: Tensor) -> tuple[Tensor, Tensor]:
    a, b = z.split(z.shape[1] // 2, dim=1)
    return a, b


def _coupled(z: Tensor, s: Tensor, t: Tensor) -> Tensor:
    a, b = _halves(z)
    return torch.cat([a, b * s.exp() + t], dim=1)


def _coupling(z: Tensor, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    return _coupled(z, s, t), s.sum(dim=1)


def _coupling_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    def draw(n: int, D: int) -> Tensor:
        return torch.tensor(rng.normal(0, 0.7, size=(n, D)), dtype=torch.float32)

    return [(draw(n, 2 * D), draw(n, D), draw(n, D)) for n, D in ((4, 3), (3, 1), (1, 2), (6, 4))]


def _wrong_log_det(log_det):
    return lambda z, s, t: (_coupled(z, s, t), log_det(z, s, t))


COUPLING = Exercise(
    reference=_coupling,
    cases=_coupling_cases,
    mistakes=(
        Mistake(_wrong_log_det(lambda z, s, t: s.exp().sum(dim=1)),
                ("you added up the entries of the diagonal. A determinant is their *product*; its log is the sum of "
                 "their logs, and the log of exp(s) is s.",)),
        Mistake(_wrong_log_det(lambda z, s, t: s.exp().prod(dim=1)),
                ("this is the determinant; asked for is its logarithm.", "the log of a product of exp(s_j) is Σ s_j.")),
        Mistake(_wrong_log_det(lambda z, s, t: -s.sum(dim=1)),
                ("this is log |det ∂z/∂x|, of the way back. Asked for is ∂x/∂z: plus.",)),
        Mistake(_wrong_log_det(lambda z, s, t: s.sum()),
                ("you summed over the batch as well: each point has a determinant of its own. Sum over `dim=1`.",)),
        Mistake(_wrong_log_det(lambda z, s, t: s.mean(dim=1)),
                ("you took the mean over the coordinates: logs of factors add up.",)),
        Mistake(_wrong_log_det(lambda z, s, t: s),
                ("these are the logs of the single diagonal entries: add them up over `dim=1`.",)),
        Mistake(_wrong_log_det(lambda z, s, t: (s + t).sum(dim=1)),
                ("the shift t moves all points alike and stretches nothing: it has no place in the determinant.",)),
        Mistake(_wrong_log_det(lambda z, s, t: s.abs().sum(dim=1)),
                ("the absolute value belongs to the determinant, not to its log: exp(s) is positive as it is, and a "
                 "negative s squeezes.",)),
        Mistake(lambda z, s, t: (torch.cat([_halves(z)[0], (_halves(z)[1] + t) * s.exp()], dim=1), s.sum(dim=1)),
                ("you shifted first and scaled the shift too. It is z_b · exp(s) + t.",)),
        Mistake(lambda z, s, t: (torch.cat([_halves(z)[0], _halves(z)[1] * s + t], dim=1), s.sum(dim=1)),
                ("s is the *logarithm* of the scale: multiply by exp(s), which is never 0 and never negative.",)),
        Mistake(lambda z, s, t: (torch.cat([_halves(z)[0] * s.exp() + t, _halves(z)[1]], dim=1), s.sum(dim=1)),
                ("you bent the first half. The first half passes as it is, the second is bent.",)),
        Mistake(lambda z, s, t: (torch.cat([_halves(z)[0], (_halves(z)[1] - t) * (-s).exp()], dim=1), -s.sum(dim=1)),
                ("this is the inverse, from x to z. Asked for is the way from z to x.",)),
    ),
    hints=("return the tuple (x, log_det): x has z's shape, log_det one number for each row.",
           "the Jacobian is triangular with ones (first half) and exp(s_j) (second half) on its diagonal.",
           "log_det is s.sum(dim=1); x is torch.cat([a, b * s.exp() + t], dim=1)."),
)


def _mask(below: Tensor, above: Tensor, last: bool) -> Tensor:
    return ((above[:, None] > below) if last else (above[:, None] >= below)).float()


def _mask_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, bool]]:
    def draw(n: int, high: int) -> Tensor:
        return torch.tensor(rng.integers(1, high + 1, size=n))

    square = draw(5, 4)
    return [(torch.arange(1, 7), draw(8, 5), False), (draw(8, 5), torch.arange(1, 7), True),
            (square, draw(5, 4), False), (square, draw(5, 4), True),
            (torch.tensor([2]), torch.tensor([2, 1, 3]), False)]


MASK = Exercise(
    reference=_mask,
    cases=_mask_cases,
    mistakes=(
        Mistake(lambda below, above, last: (above[:, None] >= below).float(),
                ("you allow equality in the last layer too: output j then sees pixel j itself, and may copy it. The "
                 "loss will look wonderful.",)),
        Mistake(lambda below, above, last: (above[:, None] > below).float(),
                ("you forbid equality in the hidden layers too. A hidden unit of degree m may know pixel m; only the "
                 "outputs must be stricter. Nothing leaks, but knowledge is lost at every layer.",)),
        Mistake(lambda below, above, last: _mask(below, above, not last),
                ("> and ≥ are exchanged: it is the *last* layer that must be strict.",)),
        Mistake(lambda below, above, last: _mask(below, above, last).T,
                ("the mask is transposed: as in nn.Linear, rows are the units above and columns those below.",)),
        Mistake(lambda below, above, last: ((above[:, None] < below) if last else (above[:, None] <= below)).float(),
                ("the order is turned: a unit may know *less* than its own degree, so the degree above is the larger "
                 "one.",)),
        Mistake(lambda below, above, last: 1 - _mask(below, above, last),
                ("zeros and ones are exchanged: 1 keeps a weight, 0 removes it.",)),
        Mistake(lambda below, above, last: (above[:, None] == below).float(),
                ("only equal degrees are connected: a unit may also listen to all *lower* degrees.",)),
    ),
    hints=("compare every degree above with every degree below: `above[:, None]` against `below` gives [n_out, n_in].",
           "hidden layers: above ≥ below. Last layer: above > below.",
           "as float: `(above[:, None] >= below).float()`."),
)

EXERCISES = {"10.log_density": DENSITY, "10.coupling": COUPLING, "10.mask": MASK}
