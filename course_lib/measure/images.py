"""Measures of images themselves: the nearest training images, and sharpness.

Reference: J. L. Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy, ICPR 2000: variance of the
    Laplacian.
"""

from __future__ import annotations

import numpy as np

from course_lib.measure.parts import by_parts
from course_lib.validation import finite_result, float_array, real_array, whole_number

REFERENCES = 2048  # held against x at a time: in float64 and 784 pixels 13 MB


@np.errstate(over="ignore", invalid="ignore")
def nearest_neighbours(x: np.ndarray, references: np.ndarray, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """For each x the nearest of the references: Euclidean distance over all pixels `[n]`, and its index `[n]`.

    A distance of 0 means that x is a copy. A larger one proves no originality: a training image of MNIST, moved by one
    pixel, is about as far from all of them as an image is that the model has not seen.

    Args:
        x: `[n, …]`, of the same shape as the references, `[m, …]`, but for the first number.
        batch_size: how many of x are held against the references at a time.

    Raises:
        ValueError: shapes that do not fit, no references, NaN or infinity, or numbers whose squares overflow.
    """
    x, references = float_array(x, "x"), real_array(references, "references")
    if x.shape[1:] != references.shape[1:] or x.ndim < 2 or len(references) == 0 or references[0].size == 0:
        raise ValueError(f"both must be [n, …] with the same numbers after n, not {list(x.shape)} and "
                         f"{list(references.shape)}")
    batch_size = whole_number(batch_size, "batch_size")
    x, references = x.reshape(len(x), -1), references.reshape(len(references), -1)
    centre = references.mean(0, dtype=np.float64)
    least, index = np.full(len(x), np.inf), np.zeros(len(x), dtype=np.int64)
    for first in range(0, len(references), REFERENCES):  # so that references stay as they are, bytes perhaps
        some = float_array(references[first:first + REFERENCES], "references") - centre  # large squares lose digits
        squares = np.einsum("ij,ij->i", some, some)
        for start in range(0, len(x), batch_size):
            here = slice(start, start + batch_size)
            score = finite_result(squares - 2 * (x[here] - centre) @ some.T, "a distance")  # ‖x‖² is the same for all
            best = score.argmin(1)
            nearest = np.take_along_axis(score, best[:, None], 1)[:, 0]
            better = nearest < least[here]
            least[here][better], index[here][better] = nearest[better], first + best[better]
    return np.sqrt(finite_result(((x - references[index]) ** 2).sum(1), "a distance")), index  # exactly 0 for a copy


@by_parts
@np.errstate(over="ignore", invalid="ignore")
def sharpness(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian of each image `[n, height, width]`, `[n]`: small where edges are soft.

    The Laplacian is a pixel's four neighbours minus four times itself. It is large for noise too: so sharp does not
    mean good.

    Raises:
        ValueError: another shape, images smaller than 3x3, NaN or infinity, or numbers whose squares overflow.
    """
    x = float_array(images, "images")
    if min(x.shape[1:]) < 3:
        raise ValueError(f"images must have shape [n, height, width], at least 3x3, not {list(x.shape)}")
    laplacian = (x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1])
    return finite_result(laplacian.var((1, 2)), "a sharpness")
