"""How far samples must be moved to become others, and whether they recovered a normal distribution.

References:
    G. Peyré, M. Cuturi, Computational Optimal Transport, 2019: remark 2.28 (on a line, sorting is optimal), section 2.2
        (assignments).
    N. Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, J. Mathematical Imaging and Vision 51,
        2015: the sliced distance.
    X. Liu, C. Gong, Q. Liu, Flow Straight and Fast, ICLR 2023: straightness.
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


def sliced_wasserstein2(a: np.ndarray, b: np.ndarray, directions: int = 64) -> float:
    """Sliced W₂ between two samples of the plane `[n, 2]`, in their unit: the root of the mean, over directions that
    are spread evenly, of W₂² between the shadows of both on a line.

    Raises:
        ValueError: samples that are empty, of unequal size, or not finite; no directions.
    """
    a = float_array(a, "a", ("n", 2), rows=1)
    b, directions = float_array(b, "b", (len(a), 2)), whole_number(directions, "directions")
    angle = np.pi * np.arange(directions) / directions
    ways = np.stack([np.cos(angle), np.sin(angle)])
    with np.errstate(over="ignore"):
        squares = (np.sort(a @ ways, axis=0) - np.sort(b @ ways, axis=0)) ** 2
        return finite_result(float(np.sqrt(squares.mean())), "sliced W₂")


def optimal_pairs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which row of b `[n, D]` belongs to each row of a `[n, D]`, int64 `[n]`: of all one-to-one pairings the one with
    the least sum of squared distances, exactly. Its time grows as n³.

    Raises:
        ValueError: samples that are empty, of unequal shape, or not finite.
    """
    from scipy.optimize import linear_sum_assignment  # here, since the import takes long and few need it

    a = float_array(a, "a", ("n", "D"), rows=1)
    b = float_array(b, "b", a.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        cost = finite_result(-2 * a @ b.T, "the cost of a pair")  # what is left out, ‖a‖² and ‖b‖², all pairings share
    return linear_sum_assignment(cost)[1]


def transport_cost(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared distance of each row of a `[n, D]` from the same row of b, in squared units."""
    a = float_array(a, "a", ("n", "D"), rows=1)
    with np.errstate(over="ignore"):
        squares = (a - float_array(b, "b", a.shape)) ** 2
        return finite_result(float(squares.sum(axis=1).mean()), "transport cost")


def straightness(track: np.ndarray) -> float:
    """How much velocities change along ways `[steps + 1, n, D]` through times 0 to 1 in equal steps: the mean squared
    distance of each step's velocity from that of the straight way between the same ends; 0 where all ways are straight
    and evenly walked."""
    track = float_array(track, "track", ("steps", "n", "D"), rows=2)
    with np.errstate(over="ignore", invalid="ignore"):
        velocity = np.diff(track, axis=0) * (len(track) - 1)
        squares = ((velocity - (track[-1] - track[0])) ** 2).sum(axis=2)
        return finite_result(float(squares.mean()), "straightness")
