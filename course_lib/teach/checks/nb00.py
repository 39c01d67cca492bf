"""Exercises of notebook 00: the likelihood of a coin, the best Gaussian, a Kullback–Leibler divergence."""

from __future__ import annotations

import math

import numpy as np

from course_lib.teach.exercises import Exercise, Mistake


def _log_likelihood(flips: np.ndarray, theta: float) -> float:
    heads = flips.sum()
    return float(heads * np.log(theta) + (len(flips) - heads) * np.log(1 - theta))


def _flips(rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    cases = [(rng.random(n) < 0.7, theta) for n, theta in ((10, 0.7), (25, 0.2), (7, float(rng.uniform(0.3, 0.6))))]
    return [(flips.astype(float), theta) for flips, theta in (*cases, (np.ones(2000, dtype=bool), 0.5))]


LOG_LIKELIHOOD = Exercise(
    reference=_log_likelihood,
    cases=_flips,
    mistakes=(
        Mistake(lambda flips, theta: float(np.prod(np.where(flips == 1, theta, 1 - theta))),
                ("this is the likelihood itself, and for many flips it is too small for a computer. Take the logarithm "
                 "of each factor and add.",)),
        Mistake(lambda flips, theta: _log_likelihood(flips, theta) / len(flips),
                ("this is the mean per flip; the likelihood of the data set is a product, its logarithm a sum.",)),
        Mistake(lambda flips, theta: _log_likelihood(1 - flips, theta),
                ("heads and tails are exchanged: a 1 has probability theta.",)),
        Mistake(lambda flips, theta: float(flips.sum() * np.log(theta)),
                ("the tails are missing: each has probability 1 − theta.",)),
        Mistake(lambda flips, theta: -_log_likelihood(flips, theta),
                ("the sign is turned: the logarithm of a probability is never above 0.",)),
        Mistake(lambda flips, theta: _log_likelihood(flips, theta) / math.log(2),
                ("this is in bits; the course counts in nats: use the natural logarithm.",)),
    ),
    hints=("count the heads; each contributes log theta, each tail log(1 − theta).",
           "heads · log theta + (n − heads) · log(1 − theta)."),
)


def _fit_gaussian(x: np.ndarray) -> tuple[float, float]:
    return float(x.mean()), float(((x - x.mean()) ** 2).mean())


def _numbers(rng: np.random.Generator) -> list[tuple[np.ndarray]]:
    return [(rng.normal(mean, std, n),) for n, mean, std in ((5, 4, 0.5), (3, -2, 3), (12, 0.5, 2))]


FIT_GAUSSIAN = Exercise(
    reference=_fit_gaussian,
    cases=_numbers,
    mistakes=(
        Mistake(lambda x: (float(x.mean()), float(x.var(ddof=1))),
                ("you divided by n − 1. That makes the variance right on average over data sets; the likelihood is "
                 "largest with n.",)),
        Mistake(lambda x: (float(x.mean()), float(x.std())),
                ("the second number is the standard deviation; its square is asked for.",)),
        Mistake(lambda x: (float(x.mean()), float((x**2).mean())),
                ("the variance is taken around the mean, not around 0.",)),
        Mistake(lambda x: (float(np.median(x)), _fit_gaussian(x)[1]),
                ("the middle number maximises the likelihood of another family. Set Σ (x − μ) to 0.",)),
        Mistake(lambda x: (float(x.mean()), float(((x - x.mean()) ** 2).sum())),
                ("you added the squares up; take their mean.",)),
    ),
    hints=("set the derivative by μ to 0, then the one by σ².", "the mean, and the mean square distance from it."),
)


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())


def _tables(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    cases = [(rng.dirichlet(np.ones(n)), rng.dirichlet(np.full(n, 3.0))) for n in (2, 5, 3)]
    return [*cases, (np.array([0.0, 0.25, 0.75, 0.0]), np.array([0.1, 0.2, 0.3, 0.4]))]


def _forgetful(p: np.ndarray, q: np.ndarray) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((p * np.log(p / q)).sum())


KL = Exercise(
    reference=_kl,
    cases=_tables,
    mistakes=(
        Mistake(_forgetful,
                ("right unless some p is 0: there the computer finds 0 · log 0, which is not a number. Such a term "
                 "counts as 0.", "sum over the places where `p > 0` only.")),
        Mistake(lambda p, q: float((q * np.log(q / np.maximum(p, 1e-300))).sum()),
                ("this is KL(q ‖ p): the average is taken over the first, p.",)),
        Mistake(lambda p, q: float(-(p * np.log(q)).sum()),
                ("this is the cross-entropy; subtract the entropy of p.",)),
        Mistake(lambda p, q: _kl(p, q) / math.log(2), ("this is in bits: use the natural logarithm.",)),
        Mistake(lambda p, q: -_kl(p, q), ("the sign is turned: KL is never negative.",)),
        Mistake(lambda p, q: _kl(p, q) / len(p),
                ("you took the plain mean; p already weighs the terms, so add them.",)),
    ),
    hints=("add p · log(p/q) over all outcomes.", "where p is 0 the term is 0."),
)

EXERCISES = {"00.log_likelihood": LOG_LIKELIHOOD, "00.fit_gaussian": FIT_GAUSSIAN, "00.kl": KL}
