"""Maximum mean discrepancy: how far apart the averages of two distributions are, among all features of a kernel.

With the kernel k(x, y) = exp(−‖x − y‖² / 2s²),

    MMD²(p, q) = E[k(x, x')] + E[k(y, y')] − 2 E[k(x, y)],      x, x' ~ p and y, y' ~ q, all independent:

0 if and only if p = q, and no density is needed, only samples.

References:
    A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, A Kernel Two-Sample Test, JMLR 13, 2012: lemma 6,
        eq. 3.
    Y. Li, K. Swersky, R. Zemel, Generative Moment Matching Networks, ICML 2015: as a generator's loss, with kernels of
        several widths added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def gaussian_kernel(x: Tensor, y: Tensor, widths: Sequence[float]) -> Tensor:
    """The mean over `widths` of exp(−‖x_i − y_j‖² / 2 width²), `[n, m]`, for points `[n, D]` and `[m, D]`.

    Raises:
        ValueError: points of different dimensions, no width, or one that is not positive.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"points must be [n, D] and [m, D] with one D, not {list(x.shape)} and {list(y.shape)}")
    if not widths or not all(width > 0 for width in widths):
        raise ValueError(f"the kernel needs widths above 0, not {list(widths)}")
    d2 = (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T).clamp(min=0)
    return torch.stack([torch.exp(-d2 / (2 * width**2)) for width in widths]).mean(0)


def mmd2(x: Tensor, y: Tensor, widths: Sequence[float]) -> Tensor:
    """Unbiased estimate of MMD², 0-d, from points `[n, D]` and `[m, D]`: pairs of a point with itself are left out.

    It is negative about half of the time when p = q. Raises ValueError for fewer than two points on a side.
    """
    n, m = len(x), len(y)
    if n < 2 or m < 2:
        raise ValueError(f"both sides need at least two points, not {n} and {m}")
    within = sum((k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))
                 for k in (gaussian_kernel(x, x, widths), gaussian_kernel(y, y, widths)))
    return within - 2 * gaussian_kernel(x, y, widths).mean()


def mmd2_gaussians(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor, width: float) -> Tensor:
    """MMD² of two Gaussians in closed form, 0-d; means `[D]`, covariances `[D, D]`.

    x − y is Gaussian too, with mean δ and covariance S: E[k(x, y)] = |I + S/s²|^(−½) exp(−½ δᵀ (S + s² I)⁻¹ δ).
    """
    eye = torch.eye(len(mean_p), dtype=mean_p.dtype)

    def expected(delta: Tensor, S: Tensor) -> Tensor:
        return torch.exp(-0.5 * delta @ torch.linalg.solve(S + width**2 * eye, delta)
                         ) / torch.linalg.det(eye + S / width**2).sqrt()

    zero = torch.zeros_like(mean_p)
    return expected(zero, 2 * cov_p) + expected(zero, 2 * cov_q) - 2 * expected(mean_p - mean_q, cov_p + cov_q)
