"""How well were mixed sources told apart?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from course_lib.validation import finite_result, float_array


@np.errstate(over="ignore", invalid="ignore")
def amari_error(W: ArrayLike, A: ArrayLike) -> float:
    """How far P = W A is from one number in each row and column: 0 for perfect unmixing, 1 for all entries equal.

    Order, sign and scale of the sources do not count. W and A are `[D, D]`. S. Amari, A. Cichocki,
    H. H. Yang, *A New Learning Algorithm for Blind Signal Separation*, NIPS 1995, divided by its largest value,
    2 D (D − 1).

    Raises:
        ValueError: matrices that are not square, of different shapes, smaller than 2 x 2, or not finite; a row or
            column of W A that is 0.
    """
    W, A = float_array(W, "W"), float_array(A, "A")
    if W.shape != A.shape or W.ndim != 2 or W.shape[0] != W.shape[1] or len(W) < 2:
        raise ValueError(f"W and A must be square and of one shape, at least 2 x 2, not {W.shape} and {A.shape}")
    P = np.abs(finite_result(W @ A, "W A"))
    if not (P.any(axis=0).all() and P.any(axis=1).all()):
        raise ValueError("W A has a row or a column of zeros, so a source is lost: W and A must be invertible")
    rows, columns = P / P.max(axis=1, keepdims=True), P / P.max(axis=0)
    return float((rows.sum() + columns.sum() - 2 * len(P)) / (2 * len(P) * (len(P) - 1)))
