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

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_lib.validation import finite_result, float_tensors, number

ROUNDING = 1e-4  # of a squared distance, in squared widths of the kernel, before differences are taken one by one


def gaussian_kernel(x: Tensor, y: Tensor, widths: Sequence[float]) -> Tensor:
    """The mean over `widths` of exp(−‖x_i − y_j‖² / 2 width²), `[n, m]`, for points `[n, D]` and `[m, D]`.

    Squared distances are ‖x‖² + ‖y‖² − 2 x·y, a product of matrices, unless that would cancel: far from the origin, or
    for narrow kernels, every difference is computed, in float64.

    Raises:
        ValueError: points of different dimensions, NaN or infinity, no width, or one that is not positive.
    """
    x, y = float_tensors(x=x, y=y)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"points must be [n, D] and [m, D] with one D, not {list(x.shape)} and {list(y.shape)}")
    widths = [number(width, "each of the kernel's widths", above=0) for width in widths]
    if not widths or not all(0 < width * width < math.inf for width in widths):
        raise ValueError(f"the kernel needs widths above 0 whose squares are numbers, too, not {widths}")
    x2, y2 = x.square().sum(1), y.square().sum(1)
    largest = max((float(part.detach().max()) for part in (x2, y2) if len(part)), default=0.0)
    if largest * torch.finfo(x.dtype).eps < ROUNDING * min(widths)**2:
        d2 = (x2[:, None] + y2 - 2 * x @ y.T).clamp(min=0)
        return torch.stack([torch.exp(-d2 / (2 * width**2)) for width in widths]).mean(0)
    d = torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")
    return torch.stack([torch.exp(-(d / width)**2 / 2) for width in widths]).mean(0).to(x.dtype)


def kid(x: Tensor, y: Tensor) -> Tensor:
    """Kernel Inception distance, 0-d: the unbiased estimate of MMD² with the kernel (x · y / D + 1)³, from features
    `[n, D]` and `[m, D]`.

    M. Bińkowski et al., Demystifying MMD GANs, ICLR 2018, section 4. Raises ValueError as `mmd2` does.
    """
    x, y = _two_or_more(x, y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"points must be of one dimension, not of {x.shape[1]} and {y.shape[1]}")
    return finite_result(_unbiased(x, y, lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3), "KID")


def mmd2(x: Tensor, y: Tensor, widths: Sequence[float]) -> Tensor:
    """Unbiased estimate of MMD², 0-d, from points `[n, D]` and `[m, D]`: pairs of a point with itself are left out.

    It is negative about half of the time when p = q. Raises ValueError for fewer than two points on a side, and as
    `gaussian_kernel` does.
    """
    return _unbiased(*_two_or_more(x, y), lambda a, b: gaussian_kernel(a, b, widths))


def mmd2_gaussians(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor, width: float) -> Tensor:
    """MMD² of two Gaussians in closed form, 0-d; means `[D]`, covariances `[D, D]`.

    x − y is Gaussian too, with mean δ and covariance S: E[k(x, y)] = |I + S/s²|^(−½) exp(−½ δᵀ (S + s² I)⁻¹ δ).

    Raises:
        ValueError: shapes that do not fit, NaN or infinity, a matrix that is no covariance, or no positive width.
    """
    mean_p, cov_p, mean_q, cov_q = float_tensors(mean_p=mean_p, cov_p=cov_p, mean_q=mean_q, cov_q=cov_q)
    width, D = number(width, "the kernel's width", above=0), mean_p.shape[-1] if mean_p.ndim == 1 else 0
    if not (D and mean_q.shape == (D,) and cov_p.shape == cov_q.shape == (D, D)):
        raise ValueError("means must be [D] and covariances [D, D], not "
                         + ", ".join(str(list(part.shape)) for part in (mean_p, cov_p, mean_q, cov_q)))
    for name, cov in (("cov_p", cov_p.detach()), ("cov_q", cov_q.detach())):
        rounding = 100 * torch.finfo(cov.dtype).eps * float(cov.abs().max())
        if not torch.allclose(cov, cov.T, atol=rounding) or torch.linalg.eigvalsh(cov)[0] < -rounding * D:
            raise ValueError(f"{name} is no covariance: that is symmetric and has no negative eigenvalue")
    eye = torch.eye(D, dtype=mean_p.dtype)

    def expected(delta: Tensor, S: Tensor) -> Tensor:
        return torch.exp(-0.5 * delta @ torch.linalg.solve(S + width**2 * eye, delta)
                         ) / torch.linalg.det(eye + S / width**2).sqrt()

    zero = torch.zeros_like(mean_p)
    distance = expected(zero, 2 * cov_p) + expected(zero, 2 * cov_q) - 2 * expected(mean_p - mean_q, cov_p + cov_q)
    return finite_result(distance, "MMD²")


def _two_or_more(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = float_tensors(("n", "D"), x=x, y=y)
    if len(x) < 2 or len(y) < 2:
        raise ValueError(f"both sides need at least two points, not {len(x)} and {len(y)}")
    return x, y


def _unbiased(x: Tensor, y: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Means of the kernel over pairs of different points of one side, less twice that over pairs of both sides."""
    within = sum((k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(y, y)))
    return within - 2 * kernel(x, y).mean()
