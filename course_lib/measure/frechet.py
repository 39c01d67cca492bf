"""The Fréchet distance between two sets of features: how far the Gaussians with their moments are apart.

References:
    M. Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, NIPS 2017,
        eq. 6: as a measure of generated images.
    D. C. Dowson, B. V. Landau, The Fréchet Distance between Multivariate Normal Distributions, Journal of
        Multivariate Analysis 12 (1982): its closed form.
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import finite_result, float_array, whole_number


@np.errstate(over="ignore", invalid="ignore")
def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of features `[n, d]` and `[m, d]`, in squared units of the features: 0 if moments are equal.

    The square of it in the paper, d² = ‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½), is what everybody reports, and so
    does this. It depends on the features, and on n: fewer images score worse. Compare only what was measured with the
    same network, the same reference images and the same n.

    Raises:
        ValueError: arrays that are not `[n, d]` with one d, that hold NaN or infinity, or with no more rows than
            columns, as then the covariance says more of the lack of data than of the data; numbers whose squares
            overflow.
    """
    a, b = _features(a), _features(b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"both sets need the same features, not {a.shape[1]} and {b.shape[1]} of them")
    moments = a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)
    return gaussian_frechet_distance(*(finite_result(moment, "the Fréchet distance") for moment in moments))


def frechet_bias(cov_a: np.ndarray, cov_b: np.ndarray, n: int) -> float:
    """By how much the Fréchet distance of n draws from N(μ_a, Σ_a) to N(μ_b, Σ_b), known exactly, is too large on
    average, to first order in 1/n; covariances `[d, d]`, Σ_b ≠ 0.

    The mean of n draws adds tr Σ_a / n. The trace of the root of Σ_b^½ Σ̂ Σ_b^½ is concave in Σ̂, and its second order,
    averaged over Wishart's distribution with n − 1 degrees of freedom, adds

        1/(2 (n − 1)) Σ_ij (1 + δ_ij) r_i r_j / (r_i + r_j),

    where r are the roots of the eigenvalues of Σ_a Σ_b. On a line that is σ_a²/n + σ_a σ_b / (2 (n − 1)).

    Raises:
        ValueError: fewer than two draws; else as `gaussian_frechet_distance`.
    """
    n, zero = whole_number(n, "n", least=2), np.zeros(len(np.atleast_2d(cov_a)))
    gaussian_frechet_distance(zero, cov_a, zero, cov_b)  # refuses what is no pair of covariances
    cov_a, root_b = np.atleast_2d(float_array(cov_a, "cov_a")), _root(np.atleast_2d(float_array(cov_b, "cov_b")))
    r = np.sqrt(np.linalg.eigvalsh(root_b @ cov_a @ root_b).clip(min=0))
    pairs = r[:, None] * r / np.maximum(r[:, None] + r, np.finfo(float).tiny)
    return float(np.trace(cov_a) / n + (pairs.sum() + pairs.trace()) / (2 * (n - 1)))


@np.errstate(over="ignore", invalid="ignore")
def gaussian_frechet_distance(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray) -> float:
    """The same for N(μ_a, Σ_a) and N(μ_b, Σ_b), from means `[d]` and covariances `[d, d]`.

    Σ_a Σ_b is not symmetric, and rounding can make its square root complex. But it has the eigenvalues of the
    symmetric Σ_a^½ Σ_b Σ_a^½, which are real and, but for rounding, not negative; the trace of the square root is the
    sum of their roots.

    Raises:
        ValueError: shapes that do not fit, NaN or infinity, numbers whose squares overflow, or a covariance that is not
            symmetric or has a negative eigenvalue.
    """
    mean_a, mean_b = (np.atleast_1d(float_array(m, name)) for m, name in ((mean_a, "mean_a"), (mean_b, "mean_b")))
    cov_a, cov_b = (np.atleast_2d(float_array(c, name)) for c, name in ((cov_a, "cov_a"), (cov_b, "cov_b")))
    d = len(mean_a)
    if not (d > 0 and mean_a.shape == mean_b.shape == (d,) and cov_a.shape == cov_b.shape == (d, d)):
        raise ValueError("means must be [d] and covariances [d, d], not "
                         + ", ".join(str(list(x.shape)) for x in (mean_a, cov_a, mean_b, cov_b)))
    root_a = _root(cov_a)
    _root(cov_b)  # refuses what is no covariance
    eigenvalues = np.linalg.eigvalsh(finite_result(root_a @ cov_b @ root_a, "the Fréchet distance"))
    trace = np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(eigenvalues.clip(min=0)).sum()
    distance = finite_result(float(((mean_a - mean_b) ** 2).sum() + trace), "the Fréchet distance")
    return max(0.0, distance)  # rounding may have made it negative; max would take 0 for NaN, too


def _root(cov: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance."""
    eigenvalues, vectors = np.linalg.eigh(cov)
    scale = max(np.abs(eigenvalues).max(), 1e-300)
    if not np.allclose(cov, cov.T, atol=1e-9 * scale) or eigenvalues.min() < -1e-9 * scale:
        raise ValueError("a covariance is symmetric and has no negative eigenvalue")
    return (vectors * np.sqrt(eigenvalues.clip(min=0))) @ vectors.T


def _features(x: np.ndarray) -> np.ndarray:
    x = float_array(x, "features")
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"features must have shape [n, d], not {list(x.shape)}")
    if len(x) <= x.shape[1]:
        raise ValueError(f"{len(x)} images are too few for {x.shape[1]} features: take more than as many images as "
                         "features, 10,000 for a number to report")
    return x
