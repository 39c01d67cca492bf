"""How a stroke is drawn: the ink, slant and thickness of digit images, from their moments and edges.

M.-K. Hu, *Visual Pattern Recognition by Moment Invariants*, IRE Trans. Information Theory 8 (1962): image moments.
"""

from __future__ import annotations

import numpy as np

from course_lib.measure.parts import by_parts
from course_lib.validation import finite_result, float_array


@by_parts
@np.errstate(over="ignore")
def ink(images: np.ndarray) -> np.ndarray:
    """Sum of the pixels of each image `[n, height, width]`, `[n]`; with pixels in [0, 1], black pixels' worth."""
    return finite_result(_checked(images).sum((1, 2)), "ink")


@by_parts
@np.errstate(over="ignore")
def slant(images: np.ndarray) -> np.ndarray:
    """By how many columns the ink leans to the right on the way up by one row, of each image `[n, height, width]`.

    It is −cov(column, row) / var(row) of a pixel picked with probability proportional to its ink: the regression of
    columns on rows. 0 is upright, 1 leans by 45°. `[n]`.

    Raises:
        ValueError: also for an image without ink, or with all its ink in one row.
    """
    images = _checked(images)
    total = finite_result(images.sum((1, 2)), "ink")
    if not (total > 0).all():
        raise ValueError("an image without ink has no slant")
    weights = images / total[:, None, None]
    row, column = np.arange(images.shape[1])[:, None], np.arange(images.shape[2])[None, :]
    row_mean, column_mean = (np.sum(weights * place, axis=(1, 2)) for place in (row, column))
    above = row - row_mean[:, None, None]
    beside = column - column_mean[:, None, None]
    var = (weights * above**2).sum((1, 2))
    if not (var > 1e-9).all():
        raise ValueError("an image with all its ink in one row has no slant")
    return -(weights * above * beside).sum((1, 2)) / var


@by_parts
@np.errstate(over="ignore")
def thickness(images: np.ndarray) -> np.ndarray:
    """Mean width of the strokes of each image `[n, height, width]`, in pixels, `[n]`.

    A stroke of length L and width w has area L·w and a border of about 2·L; so this is twice the ink divided by the
    border's length, which for grey edges too is the sum of the gradient's norm. Ends of strokes make it a little small;
    strokes thinner than a pixel or two, which are grey all through, look thicker than they are.

    Raises:
        ValueError: also for an image without ink.
    """
    images = _checked(images)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    border = finite_result(np.hypot(down, right).sum((1, 2)), "a border")
    if not (border > 0).all():
        raise ValueError("an image without ink has no strokes")
    return finite_result(2 * images.sum((1, 2)), "ink") / border


def _checked(images: np.ndarray) -> np.ndarray:
    images = float_array(images, "images", finite=False)
    if not (np.isfinite(images).all() and (images >= 0).all()):
        raise ValueError("ink must not be negative, NaN or infinite: 0 is paper")
    return images
