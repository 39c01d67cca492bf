"""Densities on a grid: exact ones, and estimates from samples."""

from __future__ import annotations

import numpy as np

from course_lib.validation import float_array, number, whole_number


@np.errstate(over="ignore", under="ignore")  # far out in the tails the square is infinite, and the density 0
def normal_density(x: np.ndarray, mean: float, std: float) -> np.ndarray:
    """N(mean, std²) at x `[…]`; the three broadcast. Raises ValueError unless std > 0, and for NaN and infinity."""
    x, mean, std = float_array(x, "x"), float_array(mean, "mean"), float_array(std, "std")
    if not (std > 0).all():
        raise ValueError(f"std must be positive, not {std.min()}")
    return np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))


def histogram_density(samples: np.ndarray, low: float, high: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres and heights, each `[bins]`, of a histogram on [low, high] of samples of any shape.

    Heights are relative to all samples, those outside included: the area under them is the part that lies inside.

    Raises:
        ValueError: no samples, NaN or infinity, an empty interval, or no bins.
    """
    samples, bins = _flat(samples), whole_number(bins, "bins")
    low = number(low, "low")
    high = number(high, "high", above=low)
    counts, edges = np.histogram(samples, bins=bins, range=(low, high))
    return (edges[:-1] + edges[1:]) / 2, counts / (samples.size * (high - low) / bins)


def smooth_density(samples: np.ndarray, grid: np.ndarray, bandwidth: float) -> np.ndarray:
    """Kernel density estimate: the mean of N(sample, bandwidth²) over the samples, of any shape, at each point of an
    even grid `[n]`; returns `[n]`.

    Each sample is shared between its two neighbours on the grid, and the grid is then convolved with the kernel: the
    same curve to a few parts in a thousand if the bandwidth spans two grid points, without a kernel per sample.
    Samples beyond the grid are left out of the picture, not of the count.

    Raises:
        ValueError: no samples, NaN or infinity, a grid that is not even, or a bandwidth that is not positive.
    """
    samples, grid, bandwidth = _flat(samples), float_array(grid, "grid"), number(bandwidth, "bandwidth", above=0)
    spacing = grid[1] - grid[0] if grid.ndim == 1 and len(grid) > 1 else 0.0
    if not (spacing > 0 and np.allclose(np.diff(grid), spacing)):
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
    samples = float_array(samples, "samples").ravel()
    if samples.size == 0:
        raise ValueError("samples must be finite numbers, at least one")
    return samples
