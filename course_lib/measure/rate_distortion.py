"""The rate–distortion function of a Gaussian: how many nats a code needs for how small an error.

Independent coordinates of variances λ_i, of which each may be off by a squared error d_i:

    R(D) = min Σ ½ log(λ_i / d_i)   over all d_i ≤ λ_i whose sum is D;   at the optimum d_i = min(λ_i, θ)

with one level θ for all (reverse water-filling): coordinates whose variance lies below the level get no code at all.
Along the curve dR/dD = −1/(2θ).

References:
    C. E. Shannon, Coding Theorems for a Discrete Source with a Fidelity Criterion, IRE Convention Record, 1959.
    T. M. Cover, J. A. Thomas, Elements of Information Theory, 2nd edition, 2006, Theorem 10.3.3.
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import float_array, number


def gaussian_rate_distortion(variances: np.ndarray, level: float) -> tuple[float, float]:
    """Rate R in nats and distortion D, the summed squared error, of the best code of a Gaussian at a level.

    Args:
        variances: λ `[d]`, of independent coordinates (the eigenvalues of a covariance), none negative.
        level: θ > 0, the squared error at which every coordinate is cut off, in the unit of the variances.

    Raises:
        ValueError: variances that are not `[d]`, negative or not finite, or a level that is not positive.
    """
    variances, level = float_array(variances, "variances", ("d",)), number(level, "level", above=0)
    if (variances < 0).any():
        raise ValueError(f"variances cannot be negative; the smallest is {variances.min():.4g}")
    error = np.minimum(variances, level)
    coded = variances > level
    return float(0.5 * np.log(variances[coded] / level).sum()), float(error.sum())
