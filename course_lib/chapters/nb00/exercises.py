"""Exercises of notebook 00: the likelihood of a coin, the best Gaussian, a Kullback–Leibler divergence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.teach.exercises import Exercise, Mistake


def _log_likelihood(flips: np.ndarray, theta: float) -> float:
    heads = flips.sum()
    return float(heads * np.log(theta) + (len(flips) - heads) * np.log(1 - theta))


def _flips(rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    cases = [(rng.random(n) < 0.7, theta) for n, theta in ((10, 0.7), (25, 0.2), (7, float(rng.uniform(0.3, 0.6))))]
    return [(flips.astype(float), theta) for flips, theta in (*cases, (np.ones(2000, dtype=bool), 0.5))]


def _log_of_product(flips: np.ndarray, theta: float) -> float:
    with np.errstate(divide="ignore"):  # 0.5 to the power of 2,000 is 0 to a computer
        return float(np.log(np.prod(np.where(flips == 1, theta, 1 - theta))))


def _in_any_order(flips: np.ndarray, theta: float) -> float:
    n, heads = len(flips), int(flips.sum())
    ways = math.lgamma(n + 1) - math.lgamma(heads + 1) - math.lgamma(n - heads + 1)
    return _log_likelihood(flips, theta) + ways


def _as_numpy_would(function: Callable[[np.ndarray, float], float], flips: np.ndarray, theta: float) -> float:
    """What the function returns, −∞ where it took `math.log` of a product that is 0 to a computer, as that of many
    flips is: numpy's answer, so both get the same hint."""
    try:
        return function(flips, theta)
    except ValueError as error:  # its words in Python up to 3.13, and since
        if len(flips) >= 1000 and ("math domain" in str(error) or "positive input" in str(error)):
            return -math.inf
        raise


LOG_LIKELIHOOD = Exercise(
    reference=_log_likelihood,
    cases=_flips,
    mistakes=(
        Mistake(lambda flips, theta: float(np.prod(np.where(flips == 1, theta, 1 - theta))),
                ("this is the likelihood itself, and for many flips it is too small for a computer. Take the logarithm "
                 "of each factor and add.", "heads · log theta + tails · log(1 − theta).")),
        Mistake(_log_of_product,
                ("right for few flips. With two thousand the product is too small for a computer, which rounds it to "
                 "0. Take the logarithm of each factor first, then add.",
                 "log(a · b) = log a + log b, and log(a^h) = h · log a.")),
        Mistake(lambda flips, theta: np.log(np.where(flips == 1, theta, 1 - theta)),
                ("these are the logarithms of the factors, one a flip; their sum is asked for.", "add `.sum()`.")),
        Mistake(_in_any_order,
                ("for a row in a given order there is no binomial coefficient: leave it out.",
                 "n! over h! (n − h)! counts the orders in which h heads may come. Here one order is given.")),
        Mistake(lambda flips, theta: _log_likelihood(flips, theta) / len(flips),
                ("this is the mean per flip; the likelihood of the data set is a product, its logarithm a sum.",
                 "do not divide by the number of flips.")),
        Mistake(lambda flips, theta: _log_likelihood(1 - flips, theta),
                ("heads and tails are exchanged: a 1 has probability theta.",
                 "`flips.sum()` counts the heads; each gives log theta.")),
        Mistake(lambda flips, theta: float(flips.sum() * np.log(theta)),
                ("the tails are missing: each has probability 1 − theta.",
                 "add (len(flips) − heads) · log(1 − theta).")),
        Mistake(lambda flips, theta: -_log_likelihood(flips, theta),
                ("the sign is turned: the logarithm of a probability is never above 0.", "take the minus away.")),
        Mistake(lambda flips, theta: _log_likelihood(flips, theta) / math.log(2),
                ("this is in bits; the course counts in nats: use the natural logarithm.", "`np.log`, not `np.log2`.")),
        Mistake(lambda flips, theta: _log_likelihood(flips, theta) / math.log(10),
                ("this is the logarithm to base ten: use the natural one.", "`np.log`, not `np.log10`.")),
    ),
    hints=("count the heads; each contributes log theta, each tail log(1 − theta).",
           "heads · log theta + (n − heads) · log(1 − theta)."),
    observe=_as_numpy_would,
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
                 "largest with n.", "`x.var()` of numpy divides by n, that of torch by n − 1.")),
        Mistake(lambda x: (float(x.mean()), float(x.std())),
                ("the second number is the standard deviation; its square is asked for.",
                 "the variance is the mean of (x − μ)².")),
        Mistake(lambda x: (float(x.mean()), float(x.std(ddof=1))),
                ("the second number is a standard deviation, and with n − 1 in place of n. Square it, and divide by n: "
                 "the likelihood is largest there.", "the variance is the mean of (x − μ)².")),
        Mistake(lambda x: (float(x.mean()), float((x**2).mean())),
                ("the variance is taken around the mean, not around 0.", "subtract the mean before you square.")),
        Mistake(lambda x: (float(np.median(x)), _fit_gaussian(x)[1]),
                ("the middle number maximises the likelihood of another family. Set Σ (x − μ) to 0.",
                 "Σ x = n μ, so μ is the plain mean.")),
        Mistake(lambda x: (float(x.mean()), float(((x - x.mean()) ** 2).sum())),
                ("you added the squares up; take their mean.", "divide by n.")),
        Mistake(lambda x: (float(x.mean()), float(np.abs(x - x.mean()).mean())),
                ("this is the mean distance from the mean; the variance is the mean of the squared distance.",
                 "square x − μ, then take the mean.")),
        Mistake(lambda x: _fit_gaussian(x)[::-1],
                ("both are right, but exchanged: first the mean, then the variance.", "return mean, variance.")),
    ),
    hints=("set the derivative by μ to 0, then the one by σ².", "the mean, and the mean square distance from it."),
)


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())


def _tables(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    cases = [(rng.dirichlet(np.ones(n)), rng.dirichlet(np.full(n, 3.0))) for n in (2, 5, 3)]
    return [*cases, (np.array([0.0, 0.25, 0.75, 0.0]), np.array([0.1, 0.2, 0.3, 0.4]))]


def _over_all(term: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], float]:
    """What someone computes who sums `term` over all outcomes, also where p is 0."""
    def summed(p: np.ndarray, q: np.ndarray) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(term(p, q).sum())
    return summed


def _over_seen(term: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], float]:
    """The same over the outcomes where p is above 0."""
    return lambda p, q: float(term(p[p > 0], q[p > 0]).sum())


KL = Exercise(
    reference=_kl,
    cases=_tables,
    mistakes=(
        Mistake(_over_all(lambda p, q: p * np.log(p / q)),
                ("right unless some p is 0: there the computer finds 0 · log 0, which is not a number. Such a term "
                 "counts as 0.", "sum over the places where `p > 0` only.")),
        Mistake(_over_all(lambda p, q: q * np.log(q / p)),
                ("p and q are exchanged, this is KL(q ‖ p): the expectation is over the first, p. Then no term is "
                 "infinite.", "p · log(p/q), over the places where `p > 0`.")),
        Mistake(_over_seen(lambda p, q: -p * np.log(p)),
                ("this is the entropy of p: q does not occur in it.", "each term is p · log(p/q).")),
        Mistake(_over_all(lambda p, q: np.abs(p - q)),
                ("this is the distance of the two tables, number by number. KL is the expectation over p of a "
                 "logarithm.",
                 "p · log(p/q), over the places where `p > 0`.")),
        Mistake(_over_seen(lambda p, q: q * np.log(q / p)),
                ("p and q are exchanged: KL(p ‖ q) is the expectation over p of log(p/q).", "p · log(p/q).")),
        Mistake(_over_all(lambda p, q: p * np.log(q / p)),
                ("the fraction stands upside down, log(q/p), so the sign is turned. And where p is 0 the computer "
                 "finds no number: such a term counts as 0.", "p · log(p/q), over the places where `p > 0`.")),
        Mistake(_over_all(lambda p, q: np.log(p / q)),
                ("the weight p is missing: an expectation over p multiplies each term by p. Where p is 0 the term is "
                 "0.", "p · log(p/q), over the places where `p > 0`.")),
        Mistake(_over_all(lambda p, q: np.log(p / q) / len(p)),
                ("a plain mean of log(p/q) counts all outcomes alike, also those that never happen; the expectation "
                 "over p weighs each by its p.", "p · log(p/q), added over the places where `p > 0`.")),
        Mistake(_over_all(lambda p, q: p * np.log(p / q) / len(p)),
                ("two things: p already weighs the terms, so add them and take no mean; and where p is 0 the term is "
                 "0.", "`.sum()`, over the places where `p > 0`.")),
        Mistake(_over_seen(lambda p, q: np.log(p / q)),
                ("the weight p is missing: an expectation over p multiplies each term by p before the sum.",
                 "p · log(p/q).")),
        Mistake(_over_seen(lambda p, q: np.log(p / q) / len(p)),
                ("a plain mean counts all outcomes alike; the expectation over p weighs each by its p.",
                 "multiply by p, and add.")),
        Mistake(lambda p, q: float(-(p * np.log(q)).sum()),
                ("this is the cross-entropy; subtract the entropy of p.", "log(p/q), not −log q.")),
        Mistake(lambda p, q: _kl(p, q) / math.log(2),
                ("this is in bits: use the natural logarithm.", "`np.log`, not `np.log2`.")),
        Mistake(lambda p, q: -_kl(p, q),
                ("the sign is turned: KL is never negative.", "log(p/q), not log(q/p).")),
        Mistake(lambda p, q: _kl(p, q) / len(p),
                ("you took the plain mean; p already weighs the terms, so add them.", "`.sum()`, not `.mean()`.")),
        Mistake(_over_seen(lambda p, q: p * np.log(p / q) / len(p)),
                ("you took the mean over the places where p is above 0; p already weighs the terms, so add them.",
                 "`.sum()`, not `.mean()`.")),
    ),
    hints=("add p · log(p/q) over all outcomes.", "where p is 0 the term is 0."),
)

EXERCISES = {"00.log_likelihood": LOG_LIKELIHOOD, "00.fit_gaussian": FIT_GAUSSIAN, "00.kl": KL}
