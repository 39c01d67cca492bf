"""Precision and recall of samples: how many look like data, and how much of the data they cover.

Around each point of a set lies a ball that reaches to its k-th nearest neighbour in that set; all balls together stand
for where the set's distribution lies. Precision is the share of samples within the balls of the data, recall the share
of data within the balls of the samples.

Reference: T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila, Improved Precision and Recall Metric for
    Assessing Generative Models, NeurIPS 2019: equations 1 and 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.validation import finite_result, float_array, whole_number


class PrecisionRecall(NamedTuple):
    """Two shares from 0 to 1."""

    precision: float
    recall: float


@np.errstate(over="ignore", invalid="ignore")
def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Precision and recall of samples with features `fake` `[m, d]`, for data with features `real` `[n, d]`.

    Both depend on the features, on k and on the numbers of points, which are best the same: more points make smaller
    balls. Two sets from one distribution do not score 1. Samples that are all alike have recall 0.

    Raises:
        ValueError: arrays of other shapes, no more points than k on a side, NaN or infinity, or numbers whose squares
            overflow.
    """
    from scipy.spatial.distance import cdist  # here, since the import takes long and few need it

    real, fake = float_array(real, "real", ("n", "d")), float_array(fake, "fake", ("m", "d"))
    k = whole_number(k, "k")
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"both sets need the same features, not {real.shape[1]} and {fake.shape[1]} of them")
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"{k} nearest neighbours need more than {k} points a side, not {len(real)} and {len(fake)}")
    between = finite_result(cdist(real, fake), "a distance")
    radius_real, radius_fake = (np.partition(finite_result(cdist(x, x), "a distance"), k, axis=1)[:, k]
                                for x in (real, fake))  # the nearest of all is the point itself
    return PrecisionRecall(float((between <= radius_real[:, None]).any(0).mean()),
                           float((between <= radius_fake).any(1).mean()))
