"""Measures of images themselves: the nearest training images, and sharpness.

Reference: J. L. Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy, ICPR 2000: variance of the
    Laplacian.
"""

from __future__ import annotations

import numpy as np


def nearest_neighbours(x: np.ndarray, references: np.ndarray, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """For each x the nearest of the references: Euclidean distance over all pixels `[n]`, and its index `[n]`.

    A distance of 0 means that x is a copy. Copies apart, compare with the distances of real images that the model has
    not seen: a model that only remembers comes nearer to its training images than they do.

    Args:
        x: `[n, …]`, of the same shape as the references, `[m, …]`, but for the first number.
        batch_size: how many of x are held against all references at a time.

    Raises:
        ValueError: shapes that do not fit, or no references.
    """
    x, references = np.asarray(x, dtype=np.float32), np.asarray(references, dtype=np.float32)
    if x.shape[1:] != references.shape[1:] or x.ndim < 2 or len(references) == 0:
        raise ValueError(f"both must be [n, …] with the same numbers after n, not {list(x.shape)} and "
                         f"{list(references.shape)}")
    x, references = x.reshape(len(x), -1), references.reshape(len(references), -1)
    squares = (references**2).sum(1)
    index = np.empty(len(x), dtype=np.int64)
    for start in range(0, len(x), batch_size):
        part = x[start:start + batch_size]
        index[start:start + batch_size] = (squares - 2 * part @ references.T).argmin(1)  # ‖x‖² is the same for all
    return np.sqrt(((x - references[index]) ** 2).sum(1, dtype=np.float64)), index  # exactly 0 for a copy


def sharpness(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian of each image `[n, height, width]`, `[n]`: small where edges are soft.

    The Laplacian is a pixel's four neighbours minus four times itself. It is large for noise too: so sharp does not
    mean good.

    Raises:
        ValueError: another shape, or images smaller than 3x3.
    """
    x = np.asarray(images, dtype=np.float64)
    if x.ndim != 3 or min(x.shape[1:]) < 3:
        raise ValueError(f"images must have shape [n, height, width], at least 3x3, not {list(x.shape)}")
    laplacian = (x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1])
    return laplacian.var((1, 2))
