"""How far samples must be moved to become others, and whether they recovered a normal distribution.

Reference: G. Peyré, M. Cuturi, Computational Optimal Transport, 2019, remark 2.28 (on a line, sorting is optimal).
"""

from __future__ import annotations

import numpy as np
import torch

from course_lib.validation import finite_result, float_array, number, whole_number


@np.errstate(over="ignore")
def wasserstein1(a: np.ndarray, b: np.ndarray) -> float:
    """W₁ between two samples `[n]`, in the unit of the samples: the mean distance once both are sorted.

    Raises ValueError for samples that are empty, of unequal size, or not finite.
    """
    a, b = np.sort(float_array(a, "a"), axis=None), np.sort(float_array(b, "b"), axis=None)
    if a.size != b.size or a.size == 0:
        raise ValueError(f"both samples must have one size, at least 1, not {a.size} and {b.size}")
    return finite_result(float(np.abs(a - b).mean()), "W₁")


def normal_quantiles(count: int, mean: float, std: float) -> np.ndarray:
    """The numbers `[count]` that stand for N(mean, std²) without any chance: its quantiles at (i + ½)/count.

    Raises:
        ValueError: a count below 1, or a mean or standard deviation that is no number, or std ≤ 0.
    """
    count, mean, std = whole_number(count, "count"), number(mean, "mean"), number(std, "std", above=0)
    return mean + std * torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count).numpy()


@np.errstate(over="ignore", invalid="ignore")
def recovered(samples: np.ndarray, mean: float = 4.0, std: float = 0.5) -> bool:
    """Whether samples `[n]` look like N(mean, std²): the mean within .15, the std within .1, and W₁ below .15.

    Mean and std alone would let two spikes at mean ± std pass; their W₁ is about std/2. Samples with NaN or infinity
    are not recovered. Raises ValueError for none.
    """
    samples = float_array(samples, "samples", finite=False).ravel()
    mean, std = number(mean, "mean"), number(std, "std", above=0)
    if samples.size == 0:
        raise ValueError("samples must be at least one")
    if not np.isfinite(samples).all():
        return False
    return bool(abs(samples.mean() - mean) < 0.15 and abs(samples.std() - std) < 0.1
                and wasserstein1(samples, normal_quantiles(samples.size, mean, std)) < 0.15)
