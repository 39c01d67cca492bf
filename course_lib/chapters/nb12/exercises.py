"""Exercises of notebook 12: the standard error of a rank, cheats by their rows, a choice under constraints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.teach.exercises import Exercise, Mistake


def _places(values: np.ndarray) -> np.ndarray:
    return values.argsort(axis=0).argsort(axis=0) + 1


def _ranked(places: Callable[[np.ndarray], np.ndarray] = _places,
            error: Callable[[np.ndarray], np.ndarray] = lambda r: r.std(axis=1, ddof=1) / r.shape[1]**0.5,
            ) -> Callable[[np.ndarray], np.ndarray]:
    """An answer from a way to rank and a way to tell the error of the mean."""
    return lambda values: np.stack([places(values).mean(axis=1), error(places(values))], axis=1)


def _rank_cases(rng: np.random.Generator) -> list[tuple[np.ndarray]]:
    return [(rng.normal(size=(families, 1)) + scale * rng.normal(size=(families, seeds)),)
            for families, seeds, scale in ((6, 3, 0.7), (9, 5, 1.0), (4, 8, 0.5))]


RANK_ERROR = Exercise(
    reference=_ranked(),
    cases=_rank_cases,
    mistakes=(
        Mistake(_ranked(lambda values: _places(-values)),
                ("the wrong way round: the smallest value has rank 1.",)),
        Mistake(_ranked(lambda values: _places(values) - 1), ("you count from 0; the best has rank 1.",)),
        Mistake(_ranked(lambda values: values.argsort(axis=0) + 1),
                ("`argsort` says who is first, not what place each has: apply it twice.",)),
        Mistake(_ranked(lambda values: values.argsort(axis=1).argsort(axis=1) + 1),
                ("you rank the seeds of one family; rank the families within each seed, along axis 0.",)),
        Mistake(_ranked(lambda values: np.repeat(_places(values.mean(axis=1, keepdims=True)), values.shape[1], axis=1)),
                ("you rank the means. That is one ranking, and says nothing of how much it varies: rank within each "
                 "seed, then take the mean.",)),
        Mistake(_ranked(error=lambda r: r.std(axis=1, ddof=1)),
                ("the second column is the spread of single ranks. That of their mean is smaller by √n, with n seeds.",
                 )),
        Mistake(_ranked(error=lambda r: r.std(axis=1) / r.shape[1]**0.5),
                ("`std` divides by n; the variance of a sample divides by n − 1: `ddof=1`.",)),
        Mistake(_ranked(error=lambda r: r.std(axis=1)),
                ("`std` divides by n, where a sample's divides by n − 1 (`ddof=1`); and the error of a mean is smaller "
                 "than the spread by √n.",)),
        Mistake(_ranked(error=lambda r: r.std(axis=1, ddof=1) / r.shape[1]),
                ("you divide by n; the *variance* of a mean is smaller by n, its deviation by √n.",)),
        Mistake(_ranked(error=lambda r: r.var(axis=1, ddof=1) / r.shape[1]),
                ("the second column is the variance of the mean rank; its root is the standard error.",)),
        Mistake(lambda values: np.stack([values.mean(axis=1), values.std(axis=1, ddof=1) / values.shape[1]**0.5], 1),
                ("these are mean and error of the *values*. First turn each seed's values into ranks.",)),
        Mistake(lambda values: _ranked()(values).T, ("right, but lying: one row for each family is asked for.",)),
    ),
    hints=("ranks within each seed by `argsort` applied twice along axis 0; then mean and error along axis 1.",
           "`ranks = values.argsort(axis=0).argsort(axis=0) + 1`; the error is `ranks.std(axis=1, ddof=1)` over the "
           "root of the number of seeds; `np.stack([…], axis=1)`."),
)


def _kinds(nearest: float = 0.5, least_recall: float = 0.01) -> Callable[..., np.ndarray]:
    def kinds(frechet: np.ndarray, precision: np.ndarray, recall: np.ndarray, near: np.ndarray,
              copied: np.ndarray) -> np.ndarray:
        found = np.zeros(len(near), dtype=np.int64)
        found[recall < least_recall] = 2
        found[(near < nearest) | (copied > 0.5)] = 1
        return found

    return kinds


def _by_precision(frechet: np.ndarray, precision: np.ndarray, recall: np.ndarray, nearest: np.ndarray,
                  copied: np.ndarray) -> np.ndarray:
    return np.where(nearest < 0.5, 1, np.where(precision > 0.95, 2, 0))


def _by_frechet(frechet: np.ndarray, precision: np.ndarray, recall: np.ndarray, nearest: np.ndarray,
                copied: np.ndarray) -> np.ndarray:
    return np.where(frechet == frechet.min(), 1, np.where(frechet == frechet.max(), 2, 0))


def _kind_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, ...]]:
    """Rows of honest families, of copiers with and without noise, and of one picture drawn again and again.

    Honest ones may have the best Fréchet distance, a perfect precision, or a tenth of copies.
    """
    cases = []
    for n in (8, 6, 11):
        kind = np.array([0, 1, 1, 2, 0, 0, *rng.integers(0, 3, n - 6).tolist()])
        noisy = np.arange(n) % 2 == 0  # a copier that moves each picture a little copies none exactly
        copies, one = kind == 1, kind == 2
        copied = np.where(copies, np.where(noisy, 0.0, rng.uniform(0.9, 1.0, n)), rng.uniform(0.0, 0.15, n))
        nearest = np.where(copies, np.where(noisy, rng.uniform(0.1, 0.3, n), 0.02), rng.uniform(0.8, 1.6, n))
        frechet = np.where(copies, rng.uniform(0.3, 0.5, n), rng.uniform(0.3, 2.0, n))
        frechet[0], frechet[4] = 0.2, 20.0
        precision = rng.uniform(0.3, 0.94, n)
        precision[0], precision[one] = 0.99, rng.choice([0.9, 1.0], one.sum())
        order = rng.permutation(n)
        recall = np.where(one, 0.0, rng.uniform(0.2, 1.0, n))
        recall[4] = 0.3
        cases.append(tuple(column[order] for column in (frechet, precision, recall, nearest, copied)))
    return cases


CHEAT = Exercise(
    reference=_kinds(),
    cases=_kind_cases,
    mistakes=(
        Mistake(_kinds(nearest=0.0),
                ("a copier that changes a pixel of each picture has `copied` 0. What of its `nearest`?",)),
        Mistake(_kinds(least_recall=0.0),
                ("who draws one picture again and again is missed: which column is 0 then?",)),
        Mistake(_kinds(least_recall=0.5),
                ("a recall of 0.3 is an honest family that leaves much out. Who draws one picture leaves out all the "
                 "others.",)),
        Mistake(_by_precision,
                ("a high precision is no cheat: an honest family that plays safe has it, too, and the one picture need "
                 "not reach 1. It is what it leaves out that gives it away.",)),
        Mistake(_by_frechet,
                ("by the Fréchet distance an honest family can be the best, and another the worst. No cheat is told by "
                 "it: that is why it wins the measure.",)),
        Mistake(_kinds(nearest=1.0),
                ("0.8 is what honest families have, too, if they play safe. Leave them room: a copy is much nearer "
                 "than a test picture is.",)),
        Mistake(lambda *columns: np.where(_kinds()(*columns) > 0, 1, 0),
                ("the two cheats have different numbers: 1 copies training pictures, 2 draws one picture again and "
                 "again.",)),
        Mistake(lambda *columns: (3 - _kinds()(*columns)) % 3,
                ("exchanged: 1 copies training pictures, 2 draws one picture again and again.",)),
    ),
    hints=("copies: `nearest` far below 1, that of a test picture. One picture: `recall` 0.",
           "`np.where(nearest < 0.5, 1, np.where(recall < 0.01, 2, 0))`."),
)


def _chosen(values: np.ndarray, errors: np.ndarray, seconds: np.ndarray, limit: float, sign: int = 1,
            gap: Callable[[np.ndarray, float], np.ndarray] = np.hypot, of_all: bool = False, all_may: bool = False,
            times: float = 2.0, place_within: bool = False, limit_once: bool = False) -> np.ndarray:
    may = np.full(len(values), True) if all_may else seconds <= limit
    best = np.where(may | of_all, sign * values, np.inf).argmin()
    if place_within and may.any():
        best = values[may].argmin()
    near = sign * (values - values[best]) <= times * gap(errors, errors[best])
    return near if limit_once else may & near


def _chosen_with(**wrong: object) -> Callable[..., np.ndarray]:
    return lambda values, errors, seconds, limit: _chosen(values, errors, seconds, limit, **wrong)


def _choose_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    cases = []
    for n in (9, 10, 12):
        values, errors = 1 + 0.3 * rng.random(n), 0.03 + 0.05 * rng.random(n)
        seconds = np.exp(rng.normal(size=n))
        values[0], seconds[0], errors[0] = 0.9, 100.0, 0.01  # the best of all is too slow
        values[1], seconds[1], errors[1] = 1.0, 0.01, 0.04
        values[2], seconds[2], errors[2] = 1.095, 0.5, 0.03  # within 2 · hypot of the second, not within 2 · its own
        values[3], seconds[3], errors[3] = 1.13, 0.5, 0.04   # within 2 · the sum, not within 2 · hypot
        values[4], seconds[4] = 1.02, 1.0                    # just allowed
        values[5], seconds[5], errors[5] = 1.06, 0.3, 0.05   # within one
        values[6], seconds[6], errors[6] = 1.1, 0.4, 0.08    # its own error is large
        values[7], seconds[7], errors[7] = 1.07, 0.2, 0.01   # its own error is small
        values[8], seconds[8], errors[8] = 1.22, 0.2, 0.06   # level with the fourth, not with the second
        order = rng.permutation(n) if cases else np.array([0, 3, 1, 2, 4, 5, 6, 7, 8])  # the slow, then not the best
        cases.append((values[order], errors[order], seconds[order], 1.0))
    return [*cases, (*cases[0][:3], 0.001)]  # nobody is that fast


CHOOSE = Exercise(
    reference=_chosen_with(),
    cases=_choose_cases,
    mistakes=(
        Mistake(_chosen_with(all_may=True), ("you do not look at the seconds: only families within the limit may be "
                                             "chosen.",)),
        Mistake(_chosen_with(of_all=True),
                ("you hold them against the best of *all*, which may be too slow. The best is sought among those "
                 "within the limit.",)),
        Mistake(_chosen_with(limit_once=True),
                ("you seek the best within the limit, and then mark families that are too slow as well: the limit "
                 "holds for them, too.",)),
        Mistake(_chosen_with(place_within=True),
                ("`argmin` of the fast ones alone is a place among *those*; with it you take another family's value. "
                 "Put infinity where a family is too slow, and seek among all.",)),
        Mistake(_chosen_with(sign=-1), ("the wrong end: small values are good here.",)),
        Mistake(_chosen_with(gap=lambda e, best: e),
                ("you take each family's own error. The best one's mean is uncertain, too: the variances of the two "
                 "add up.",)),
        Mistake(_chosen_with(gap=lambda e, best: e + best),
                ("you add standard errors. Variances add up: the error of a difference is the root of the sum of "
                 "squares.",)),
        Mistake(_chosen_with(gap=lambda e, best: np.full_like(e, best)),
                ("you take the best one's error alone; each family's own counts as much.",)),
        Mistake(_chosen_with(times=1.0), ("one standard error; two are asked for.",)),
        Mistake(_chosen_with(times=0.0),
                ("only the best itself: also those are asked for that the record cannot tell from it.",)),
        Mistake(lambda values, errors, seconds, limit: _chosen(values, errors, seconds, np.nextafter(limit, 0)),
                ("exactly `limit` seconds are within the limit: `<=`.",)),
        Mistake(lambda *given: np.flatnonzero(_chosen(*given)),
                ("right, but these are places; True or False is asked for, one for each family.",)),
    ),
    hints=("first `may = seconds <= limit`; the best is the smallest value among those; the others may be behind by "
           "two standard errors of the difference.",
           "`best = np.where(may, values, np.inf).argmin()`, then `may & (values - values[best] <= 2 * "
           "np.hypot(errors, errors[best]))`."),
)

EXERCISES = {"12.rank_error": RANK_ERROR, "12.cheat": CHEAT, "12.choose": CHOOSE}
