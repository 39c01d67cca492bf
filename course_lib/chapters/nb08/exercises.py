"""Exercises of notebook 08: centroids, class vectors, spherical paths and attribute vectors of a latent space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from course_lib.models.latent import attribute_vector, class_centroids, linear_path, spherical_path
from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _labels(rng: np.random.Generator, n: int, K: int, least: int) -> Tensor:
    """n labels, each of the K at least `least` times, shuffled."""
    return torch.tensor(rng.permutation(np.concatenate([np.repeat(np.arange(K), least),
                                                        rng.integers(K, size=n - least * K)])))


def _centroids(z: Tensor, y: Tensor, K: int) -> Tensor:
    return class_centroids(z, y)


def _centroid_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, int]]:
    return [(_tensor(1 + rng.normal(size=(n, d))), _labels(rng, n, K, 1), K)
            for n, d, K in ((9, 2, 3), (14, 5, 4), (31, 20, 10))]


def _of_class(z: Tensor, y: Tensor, K: int) -> list[Tensor]:
    return [z[y == k] for k in range(K)]


CENTROIDS = Exercise(
    reference=_centroids,
    cases=_centroid_cases,
    mistakes=(
        Mistake(lambda z, y, K: torch.stack([c.sum(dim=0) for c in _of_class(z, y, K)]),
                ("these are sums: a class with more images would lie further out. Divide by the size of the class.",
                 "`.mean(dim=0)` in place of `.sum(dim=0)`.")),
        Mistake(lambda z, y, K: torch.stack([c.sum(dim=0) / len(z) for c in _of_class(z, y, K)]),
                ("you divide by the number of all images. Divide by the number of those of the class.",)),
        Mistake(lambda z, y, K: z.mean(dim=0).expand(K, -1),
                ("every class got the mean of all codes: pick those of class k first, `z[y == k]`.",)),
        Mistake(lambda z, y, K: torch.stack([c.mean(dim=1).mean().expand(z.shape[1]) for c in _of_class(z, y, K)]),
                ("you average over the dimensions of the code, too: average over images only, `dim=0`.",)),
        Mistake(lambda z, y, K: torch.stack([c.median(dim=0).values for c in _of_class(z, y, K)]),
                ("these are medians; asked for is the mean.",)),
        Mistake(lambda z, y, K: torch.stack([c.mean(dim=0) for c in _of_class(z, y, K)], dim=1),
                ("rows and columns are exchanged: one row a class, shape (K, d). Stack along `dim=0`.",)),
    ),
    hints=("class by class: the rows `z[y == k]` are the codes of class k.",
           "`torch.stack([... for k in range(K)])` puts the means into rows."),
)


def _moved_along(z: Tensor, c: Tensor, a: int, b: int, alpha: float) -> Tensor:
    return z + alpha * (c[b] - c[a])


def _moved_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, int, int, float]]:
    cases = []
    for n, d, K, alpha in ((3, 2, 3, 0.5), (5, 4, 10, 1.0), (2, 20, 10, -1.5), (4, 3, 4, 2.0)):
        a, b = rng.choice(K, size=2, replace=False)
        cases.append((_tensor(rng.normal(size=(n, d))), _tensor(2 * rng.normal(size=(K, d))), int(a), int(b), alpha))
    return cases


MOVED_ALONG = Exercise(
    reference=_moved_along,
    cases=_moved_cases,
    mistakes=(
        Mistake(lambda z, c, a, b, alpha: z + alpha * (c[a] - c[b]),
                ("the sign: yours leads from b to a. A vector *to* b ends there, and end minus start is c[b] − c[a].",
                 "test it on z = c[a]: with alpha = 1 you should arrive at c[b].")),
        Mistake(lambda z, c, a, b, alpha: (c[a] + alpha * (c[b] - c[a])).expand_as(z),
                ("this leads from centroid to centroid and forgets the images: start at z.",)),
        Mistake(lambda z, c, a, b, alpha: z + alpha * c[b],
                ("you add the centroid of b itself. What an image of class a has of a must go: subtract c[a].",)),
        Mistake(lambda z, c, a, b, alpha: (1 - alpha) * z + alpha * c[b],
                ("at alpha = 1 every image becomes the one centroid of b. Add the *same vector* to all, so that each "
                 "keeps what is its own.",
                 "the vector starts at c[a], not at z.")),
        Mistake(lambda z, c, a, b, alpha: z + (c[b] - c[a]),
                ("`alpha` is not used: multiply the vector by it.",)),
        Mistake(lambda z, c, a, b, alpha: z + alpha * (c[b] - c[a]) / (c[b] - c[a]).norm(),
                ("you made the vector one unit long. alpha = 1 means the whole way from c[a] to c[b].",)),
    ),
    hints=("one line: the codes, plus alpha times a difference of two rows of c.",
           "test it on z = c[a]: alpha = 0 leaves it there, alpha = 1 brings it to c[b]."),
)


def _slerp(z1: Tensor, z2: Tensor, alpha: Tensor) -> Tensor:
    return spherical_path(z1, z2, alpha)


def _slerp_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = [(_tensor(rng.normal(size=d)), _tensor(length * rng.normal(size=d)), _tensor(np.linspace(0, 1, steps)))
             for d, length, steps in ((3, 1.0, 5), (20, 1.0, 9), (8, 3.0, 4))]
    return [*cases, (_tensor(np.array([1.0, 0.0])), _tensor(np.array([0.0, 1.0])), _tensor(np.array([0.25, 0.5])))]


def _weighted(a: Tensor, b: Tensor, t: Tensor, omega: Tensor) -> Tensor:
    return torch.sin((1 - t) * omega)[:, None] * a + torch.sin(t * omega)[:, None] * b


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.acos(a @ b / (a.norm() * b.norm()))


SLERP = Exercise(
    reference=_slerp,
    cases=_slerp_cases,
    mistakes=(
        Mistake(lambda a, b, t: linear_path(a, b, t),
                ("this is the straight path: halfway it is shorter than its ends. Weigh by sines of the angle.",
                 "the weights are sin((1 − α)·ω)/sin(ω) and sin(α·ω)/sin(ω).")),
        Mistake(lambda a, b, t: spherical_path(b, a, t),
                ("it runs from z2 to z1: at α = 0 it should be z1, whose weight is sin((1 − α)·ω)/sin(ω).",)),
        Mistake(lambda a, b, t: _weighted(a, b, t, _angle(a, b)),
                ("at α = 0 it should be z1 itself: divide both weights by sin(ω).",)),
        Mistake(lambda a, b, t: _weighted(a, b, t, a @ b / (a.norm() * b.norm()))
                / torch.sin(a @ b / (a.norm() * b.norm())),
                ("you use the cosine as if it were the angle: ω is `torch.acos` of it.",)),
        Mistake(lambda a, b, t: _weighted(a, b, t, torch.acos(a @ b)) / torch.sin(torch.acos(a @ b)),
                ("the cosine is z1·z2 divided by both lengths; without, acos gets numbers above 1 and gives NaN.",)),
        Mistake(lambda a, b, t: linear_path(a, b, t) * (a.norm() / linear_path(a, b, t).norm(dim=1, keepdim=True)),
                ("you stretch the straight path back to the sphere: right length, but the angle does not grow evenly, "
                 "and z2 may be longer than z1. Weigh by sines.",)),
        Mistake(lambda a, b, t: linear_path(a, b, t) * (linear_path(a.norm()[None], b.norm()[None], t)
                                                        / linear_path(a, b, t).norm(dim=1, keepdim=True)),
                ("you give the straight path a length between those of its ends: a fair idea, but its angle does not "
                 "grow evenly. Weigh by sines.",)),
        Mistake(lambda a, b, t: spherical_path(a / a.norm(), b / b.norm(), t),
                ("your codes have length 1: divide by the lengths in the cosine only, so that the path begins at z1 "
                 "itself.",)),
        Mistake(lambda a, b, t: _weighted(a, b, t, _angle(a, b).rad2deg()) / torch.sin(_angle(a, b).rad2deg()),
                ("the angle is in degrees: `torch.sin` takes radians, which `torch.acos` gives.",)),
    ),
    hints=("three steps: the cosine from the dot product and both lengths, the angle from `acos`, the two weights.",
           "alpha has shape (steps,), z2 has shape (d,): write `torch.sin(alpha * omega)[:, None] * z2`.",
           "check the ends: α = 0 gives z1, α = 1 gives z2."),
)


def _balanced(z: Tensor, attribute: Tensor, y: Tensor) -> Tensor:
    return attribute_vector(z, attribute, y)


def _balanced_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = []
    for n, d, K in ((40, 2, 3), (60, 4, 4), (90, 6, 5)):
        y = _labels(rng, n, K, 6)
        attribute = _tensor(rng.normal(size=n)) + y  # classes differ in it, and in their codes: balance matters
        cases.append((_tensor(rng.normal(size=(n, d))) + 3 * y[:, None] + attribute[:, None], attribute, y))
    return cases


def _ways(z: Tensor, much: Tensor, y: Tensor) -> Tensor:
    return torch.stack([z[(y == k) & much].mean(dim=0) - z[(y == k) & ~much].mean(dim=0) for k in y.unique()])


def _of_own_class(attribute: Tensor, y: Tensor, middle: Callable[[Tensor], Tensor]) -> Tensor:
    """For each image the mean or median of its class, `[n]`."""
    return torch.stack([middle(attribute[y == k]) for k in y.unique()])[y]


def _above_own_median(attribute: Tensor, y: Tensor) -> Tensor:
    return attribute > _of_own_class(attribute, y, torch.median)


BALANCED = Exercise(
    reference=_balanced,
    cases=_balanced_cases,
    mistakes=(
        Mistake(lambda z, m, y: z[m > m.median()].mean(dim=0) - z[m <= m.median()].mean(dim=0),
                ("this is the plain vector: classes that have more of the attribute pull it towards themselves. Take "
                 "the halves within each class.",
                 "go through `y.unique()` and use `z[y == k]` and `attribute[y == k]`.")),
        Mistake(lambda z, m, y: -attribute_vector(z, m, y),
                ("the sign: the way from little to much is the mean of much *minus* the mean of little.",)),
        Mistake(lambda z, m, y: _ways(z, m > m.median(), y).mean(dim=0),
                ("you go class by class, but with one median for all: use the median of the class's own values.",)),
        Mistake(lambda z, m, y: _ways(z, _above_own_median(m, y), y).sum(dim=0),
                ("you add up the classes' vectors; take their mean, or one step is as many steps as there are "
                 "classes.",)),
        Mistake(lambda z, m, y: z[_above_own_median(m, y)].mean(dim=0) - z[~_above_own_median(m, y)].mean(dim=0),
                ("right halves, but pooled before the means: large classes count more. Subtract within each class, "
                 "then average the classes.",)),
        Mistake(lambda z, m, y: torch.stack([z[(y == k) & _above_own_median(m, y)].mean(dim=0)
                                             for k in y.unique()]).mean(dim=0),
                ("this is the mean code of those with much of it, a place and no direction: subtract the mean of the "
                 "others.",)),
        Mistake(lambda z, m, y: _ways(z, m > _of_own_class(m, y, torch.mean), y).mean(dim=0),
                ("you divide at the class's mean: where a few have very much of it, the parts are no halves. Use the "
                 "median.",)),
        Mistake(lambda z, m, y: _ways(z, m >= _of_own_class(m, y, torch.median), y).mean(dim=0),
                ("the one in the middle is not *above* the median: `>` in place of `>=`.",)),
        Mistake(lambda z, m, y: (_ways(z, _above_own_median(m, y), y) * y.bincount()[:, None]).sum(dim=0) / len(y),
                ("you weigh classes by their size: each should count the same, large or small.",)),
        Mistake(lambda z, m, y: torch.full_like(z[0], torch.nan),
                ("NaN is what the mean of no codes gives: there need not be ten classes. `y.unique()` lists those that "
                 "there are.",)),
        Mistake(lambda z, m, y: _ways(z, _above_own_median(m, y), y),
                ("one vector for each class: now average them, `.mean(dim=0)`.",)),
    ),
    hints=("for class k: `codes = z[y == k]`, `much = attribute[y == k] > attribute[y == k].median()`.",
           "the way of a class is `codes[much].mean(dim=0) - codes[~much].mean(dim=0)`; average over classes."),
)

EXERCISES = {"08.centroids": CENTROIDS, "08.moved_along": MOVED_ALONG, "08.slerp": SLERP, "08.balanced": BALANCED}
