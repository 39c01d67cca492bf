"""Densities on a grid: exact ones, and estimates from samples."""

from __future__ import annotations

import numpy as np


def normal_density(x: np.ndarray, mean: float, std: float) -> np.ndarray:
    """N(mean, std²) at x. Raises ValueError unless std > 0."""
    if not std > 0:
        raise ValueError(f"std must be positive, not {std!r}")
    return np.exp(-0.5 * ((np.asarray(x) - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))


def histogram_density(samples: np.ndarray, low: float, high: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres and heights, each of shape (bins,), of a histogram on [low, high].

    Heights are relative to all samples, those outside included: the area under them is the part that lies inside.
    """
    samples = _flat(samples)
    counts, edges = np.histogram(samples, bins=bins, range=(low, high))
    return (edges[:-1] + edges[1:]) / 2, counts / (samples.size * (high - low) / bins)


def smooth_density(samples: np.ndarray, grid: np.ndarray, bandwidth: float) -> np.ndarray:
    """Kernel density estimate: the mean of N(sample, bandwidth²) over the samples, at each point of an even grid.

    Each sample is shared between its two neighbours on the grid, and the grid is then convolved with the kernel: the
    same curve to a few parts in a thousand if the bandwidth spans two grid points, without a kernel per sample.
    Samples beyond the grid are left out of the picture, not of the count.
    """
    samples, grid = _flat(samples), np.asarray(grid, dtype=float)
    spacing = grid[1] - grid[0]
    if grid.ndim != 1 or not np.allclose(np.diff(grid), spacing) or not spacing > 0:
        raise ValueError("the grid must be one row of increasing, evenly spaced numbers")
    place = (samples - grid[0]) / spacing
    place = place[(place >= 0) & (place < grid.size - 1)]
    left = place.astype(int)
    share = place - left
    mass = np.bincount(left, 1 - share, grid.size) + np.bincount(left + 1, share, grid.size)
    reach = min(int(np.ceil(5 * bandwidth / spacing)), (grid.size - 1) // 2)
    kernel = normal_density(spacing * np.arange(-reach, reach + 1), 0.0, bandwidth)
    return np.convolve(mass, kernel, mode="same") / samples.size


def _flat(samples: np.ndarray) -> np.ndarray:
    samples = np.asarray(samples, dtype=float).ravel()
    if samples.size == 0 or not np.isfinite(samples).all():
        raise ValueError("samples must be finite numbers, at least one")
    return samples
