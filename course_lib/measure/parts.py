"""What is measured of each image by itself is measured of a thousand at a time: float64 copies of all are large."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from course_lib.validation import real_array

IMAGES = 1000


def by_parts(measure: Callable[[np.ndarray], np.ndarray]) -> Callable[[ArrayLike], np.ndarray]:
    """The same measure of images `[n, height, width]`, `[n]`, called with at most `IMAGES` of them."""

    @functools.wraps(measure)
    def of_all(images: ArrayLike) -> np.ndarray:
        images = real_array(images, "images", ("n", "height", "width"))
        parts = range(0, max(len(images), 1), IMAGES)  # of no images, one part without any
        return np.concatenate([measure(images[first:first + IMAGES]) for first in parts])

    return of_all
