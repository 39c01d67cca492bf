"""How well samples of the plane match: modes covered, share near a mode, KL and JS by counting in cells.

The first two are as in A. Srivastava et al., VEEGAN, NIPS 2017, section 5.1 (with 3σ, too); the divergences are those
that GAN Lab draws (M. Kahng et al., GAN Lab, IEEE Trans. Visualization and Computer Graphics 25, 2019), in nats.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.validation import float_array, number, whole_number


class Modes(NamedTuple):
    """covered: modes with at least a third of their fair share of the samples near them; near: share of the samples
    within 3σ of some mode; shares: of the samples near each mode, `[modes]`."""

    covered: int
    near: float
    shares: np.ndarray


@np.errstate(over="ignore", invalid="ignore")
def count_modes(samples: np.ndarray, centres: np.ndarray, std: float) -> Modes:
    """How samples `[n, dim]` fall on modes of equal weight with these centres `[modes, dim]` and this width.

    Near is within 3 std of a mode. A mode is covered if at least 1/(3·modes) of all samples, 1/24 for eight modes, lie
    near it. Samples with NaN or infinity are near nothing. A perfect sampler in the plane has 1 − exp(−9/2) = .989
    near. Raises ValueError for no samples, no modes, shapes that do not fit, or a width that is not positive.
    """
    samples, centres = float_array(samples, "samples", finite=False), float_array(centres, "centres")
    std = number(std, "std", above=0)
    if (samples.ndim != 2 or centres.ndim != 2 or samples.shape[1] != centres.shape[1]
            or 0 in (len(samples), len(centres), samples.shape[1])):
        raise ValueError(f"samples (n, dim) and centres (modes, dim) are needed, not {samples.shape} {centres.shape}")
    distance = np.linalg.norm(samples[:, None] - centres, axis=2)
    distance[~np.isfinite(distance)] = np.inf
    nearest = distance.argmin(axis=1)
    near = distance.min(axis=1) < 3 * std
    shares = np.bincount(nearest[near], minlength=len(centres)) / len(samples)
    return Modes(int((shares >= 1 / (3 * len(centres))).sum()), float(near.mean()), shares)


@np.errstate(over="ignore")  # of samples far outside
def cell_shares(samples: np.ndarray, low: float, high: float, cells: int) -> np.ndarray:
    """Share of the samples `[n, 2]` in each cell of [low, high]², `[cells, cells]`, row 0 at the bottom.

    Samples outside are counted in the nearest cell, so that the shares sum to 1. Raises ValueError unless samples are
    finite, at least one, and there are cells.
    """
    samples, cells = float_array(samples, "samples"), whole_number(cells, "cells")
    low = number(low, "low")
    high = number(high, "high", above=low)
    if samples.ndim != 2 or samples.shape[1] != 2 or len(samples) == 0:
        raise ValueError(f"samples must be finite and of shape (n, 2), not {samples.shape}")
    column, row = np.clip((samples - low) / (high - low) * cells, 0, cells - 1).astype(int).T
    return np.bincount(row * cells + column, minlength=cells * cells).reshape(cells, cells) / len(samples)


def cell_divergences(p: np.ndarray, q: np.ndarray, smoothing: float = 1e-4) -> tuple[float, float]:
    """KL(p ‖ q) and JS(p, q) in nats between two arrays of shares, of any shape, but the same.

    For KL alone, `smoothing` is first added to every share: by chance an empty cell of q would make it infinite. So
    KL depends on `smoothing` and on the cells; compare it only between equals. JS needs no such help.

    Raises:
        ValueError: arrays of unequal shape, or whose numbers are no shares: negative, NaN, or not of sum 1.
    """
    p, q, smoothing = float_array(p, "p"), float_array(q, "q"), number(smoothing, "smoothing")
    if p.shape != q.shape:
        raise ValueError(f"the shares must have one shape, not {p.shape} and {q.shape}")
    if smoothing < 0 or not all((s >= 0).all() and abs(s.sum() - 1) < 1e-3 for s in (p, q)):
        raise ValueError("shares must not be negative and must add up to 1, and smoothing must not be negative")
    smooth_p, smooth_q = ((s + smoothing) / (1 + smoothing * s.size) for s in (p, q))
    return _kl(smooth_p, smooth_q), (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    inside = p > 0
    with np.errstate(divide="ignore"):  # infinite where q is 0 and p is not
        return float((p[inside] * np.log(p[inside] / q[inside])).sum())
