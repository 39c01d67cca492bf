"""Exercises of notebook 11d: the guided velocity, labels left out, one replacement step, variety within a class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.tensor(rng.normal(size=shape))


def _guided(v_none: Tensor, v_y: Tensor, w: float) -> Tensor:
    return v_none + w * (v_y - v_none)


def _guided_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float]]:
    return [(_tensor(rng, *shape), _tensor(rng, *shape), w)
            for shape, w in (((4, 3), 3.0), ((2, 1, 2, 2), 1.0), ((3, 2), 0.0), ((1, 2), 1.5))]


GUIDED = Exercise(
    reference=_guided,
    cases=_guided_cases,
    mistakes=(
        Mistake(lambda v_none, v_y, w: v_y + w * (v_y - v_none),
                ("with w = 1 you already go past v_y: that is Ho and Salimans' w, which is ours less 1. Here w = 1 is "
                 "no guidance, and w = 0 forgets the label.",
                 "begin at v_none, and go w times the way to v_y.")),
        Mistake(lambda v_none, v_y, w: v_none + w * (v_none - v_y),
                ("the sign: this leads away from what was asked for. The difference is v_y − v_none.",)),
        Mistake(lambda v_none, v_y, w: v_y + w * (v_none - v_y),
                ("the two are exchanged: w = 0 gives v_y, and w = 1 forgets the label.",)),
        Mistake(lambda v_none, v_y, w: w * v_y + v_none,
                ("the weights do not add up to 1: v_none counts (1 − w), so that w = 1 leaves v_y alone.",)),
        Mistake(lambda v_none, v_y, w: w * (v_y - v_none),
                ("only the difference is there. It is added to v_none.",)),
        Mistake(lambda v_none, v_y, w: (v_none + w * v_y) / (1 + w),
                ("an average stays *between* the two velocities. Guidance goes beyond: the weights are 1 − w and w, "
                 "and for w above 1 the first is negative.",)),
        Mistake(lambda v_none, v_y, w: v_y,
                ("w is not used: that is no guidance, w = 1.",)),
    ),
    hints=("w = 0 must give v_none, and w = 1 must give v_y.", "`v_none + w * (v_y - v_none)`"),
)


def _labels_left_out(y: Tensor, u: Tensor, share: float) -> Tensor:
    return torch.where(u < share, 10, y)


def _labels_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float]]:
    return [(torch.tensor(rng.integers(0, 10, size=n)), torch.tensor(rng.uniform(size=n)), share)
            for n, share in ((40, 0.1), (12, 0.5), (30, 0.25), (6, 0.0), (6, 1.0))]


LABELS = Exercise(
    reference=_labels_left_out,
    cases=_labels_cases,
    mistakes=(
        Mistake(lambda y, u, share: torch.where(u > share, 10, y),
                ("the comparison is the wrong way round: u < share happens with probability share, and then the label "
                 "goes.",)),
        Mistake(lambda y, u, share: torch.where(u < share, 0, y),
                ("0 is a digit. A network that gets 0 for 'no label' learns that zeros look like anything: take 10, a "
                 "label of its own.",)),
        Mistake(lambda y, u, share: torch.where(u < share, -1, y),
                ("−1 as an index is the *last* row of a table: here that happens to be 10's, elsewhere it would not "
                 "be. Write 10.",)),
        Mistake(lambda y, u, share: torch.where(u[0] < share, torch.full_like(y, 10), y),
                ("you throw one die for the whole batch: each image has its own u.",)),
        Mistake(lambda y, u, share: y[u >= share],
                ("you left out the images, too. They stay, with the label 10: that is how v(x, t) without a label is "
                 "learned.",)),
        Mistake(lambda y, u, share: torch.where(torch.arange(len(y)) < share * len(y), 10, y),
                ("you take the first images, whatever u says. Which ones is chance: compare u with share.",)),
    ),
    hints=("where u < share, the label becomes 10; elsewhere it stays.", "`torch.where(u < share, 10, y)`"),
)


def _replaced(x: Tensor, v: Tensor, x_0: Tensor, seen: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
    return torch.where(seen, (1 - s) * x_0 + s * eps, x + (s - t) * v)


def _replaced_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, Tensor, float, float, Tensor]]:
    return [(_tensor(rng, n, D), _tensor(rng, n, D), _tensor(rng, n, D), torch.tensor(rng.uniform(size=D) < 0.5), t, s,
             _tensor(rng, n, D)) for n, D, t, s in ((3, 8, 0.7, 0.55), (2, 12, 1.0, 0.9), (4, 9, 0.3, 0.0))]


REPLACED = Exercise(
    reference=_replaced,
    cases=_replaced_cases,
    mistakes=(
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, (1 - t) * x_0 + t * eps, x + (s - t) * v),
                ("the seen pixels have the noise of time t, but the step has led to s. Both halves must be at the same "
                 "time: (1 − s) x_0 + s ε.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, x_0, x + (s - t) * v),
                ("you pasted the clean pixels. The network was trained on pictures that are noised *all over*, at time "
                 "s: noise them first.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, x + (s - t) * v, (1 - s) * x_0 + s * eps),
                ("the mask is reversed: where `seen` is True the pixel is known, and is overwritten.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, (1 - s) * x_0 + s * eps, x + (t - s) * v),
                ("the step leads the wrong way: time falls from t to s, so the velocity counts (s − t), a negative "
                 "number.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, (1 - s) * x_0 + s * eps, x + s * v),
                ("the step is as long as s. It should be as long as the time between: s − t.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, (1 - s) * x_0 + s * eps, x - t * v),
                ("x − t v is the denoised picture, a jump to time 0. One step goes to s only: x + (s − t) v.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, s * x_0 + (1 - s) * eps, x + (s - t) * v),
                ("time is reversed in the noising: at s = 0 the seen pixels must be x_0 itself.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: torch.where(seen, x_0 + s * eps, x + (s - t) * v),
                ("the data must fade, too: (1 − s) x_0 + s ε.",)),
        Mistake(lambda x, v, x_0, seen, t, s, eps: x + (s - t) * v,
                ("nothing is replaced: use torch.where(seen, …, …).",)),
    ),
    hints=("an Euler step first, x + (s − t) v; then the seen pixels are overwritten.",
           "what they are overwritten by is x_0 noised to time s.",
           "`torch.where(seen, (1 - s) * x_0 + s * eps, x + (s - t) * v)`"),
)


def _variety(features: Tensor) -> Tensor:
    return features.var(dim=1).sum(dim=1).mean()


def _variety_cases(rng: np.random.Generator) -> list[tuple[Tensor]]:
    return [(3 * _tensor(rng, K, 1, d) + _tensor(rng, K, n, d),) for K, n, d in ((3, 5, 2), (2, 9, 4), (1, 2, 3))]


VARIETY = Exercise(
    reference=_variety,
    cases=_variety_cases,
    mistakes=(
        Mistake(lambda features: features.flatten(0, 1).var(dim=0).sum(),
                ("that is the variance of all images together, whatever their class: it is large even if all of one "
                 "class are alike.", "the images of one class lie along axis 1.")),
        Mistake(lambda features: features.std(dim=1).sum(dim=1).mean(),
                ("these are standard deviations: variances add up, deviations do not.",)),
        Mistake(lambda features: features.var(dim=1).mean(),
                ("you took the mean over the features as well. Sum over them, and take the mean over classes.",)),
        Mistake(lambda features: features.mean(dim=1).var(dim=0).sum(),
                ("that is how far the *classes* are apart: the variance of their means.",)),
        Mistake(lambda features: features.var(dim=1, unbiased=False).sum(dim=1).mean(),
                ("divided by n: then small sets look narrower than they are. Divide by n − 1, as `var` does unless "
                 "told otherwise.",)),
        Mistake(lambda features: features.square().mean(dim=1).sum(dim=1).mean(),
                ("the class's mean was not taken off: a variance is about it.",)),
        Mistake(lambda features: features.var(dim=1).sum(),
                ("summed over the classes: take the mean over them.",)),
    ),
    hints=("the variance along axis 1, over the images of one class.",
           "then the sum over features and the mean over classes: `features.var(dim=1).sum(dim=1).mean()`"),
)

EXERCISES = {"11d.guided": GUIDED, "11d.labels_left_out": LABELS, "11d.replaced": REPLACED, "11d.variety": VARIETY}
