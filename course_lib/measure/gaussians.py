"""KL divergences between diagonal Gaussians in closed form.

Along one dimension, with E_q[(z − μ_p)²] = σ_q² + (μ_q − μ_p)²,

    KL(q ‖ p) = E_q[log q − log p] = ½ (log σ_p² − log σ_q² + (σ_q² + (μ_q − μ_p)²) / σ_p² − 1),

and over independent dimensions the divergences add up: all functions sum over the last dimension, in nats.

Reference: D. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, appendix B, for p = N(0, I).
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validation import finite_result, float_tensor, float_tensors


def kl_diagonal(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    """KL(q ‖ p) of two Gaussians with diagonal covariances, `[…, D]` → `[…]`, in nats.

    Args:
        mean_q, log_var_q: q's means and log σ², of one shape `[…, D]`.
        mean_p, log_var_p: p's, of one shape; it must broadcast with q's, with the same D.

    Raises:
        ValueError: a mean and its log-variance differ in shape, or q and p in D, or there is no dimension to sum over;
            NaN or infinity, or numbers so large that the KL overflows.
    """
    mean_q, log_var_q, mean_p, log_var_p = float_tensors(mean_q=mean_q, log_var_q=log_var_q, mean_p=mean_p,
                                                         log_var_p=log_var_p)
    _one_shape(mean_q, log_var_q, "q")
    _one_shape(mean_p, log_var_p, "p")
    if mean_q.shape[-1] != mean_p.shape[-1]:
        raise ValueError(f"q has {mean_q.shape[-1]} dimensions and p has {mean_p.shape[-1]}: they need the same number")
    d = log_var_q - log_var_p
    # expm1(d) − d keeps its digits where q and p are nearly equal; exp(d) − 1 − d would lose them.
    kl = 0.5 * (torch.expm1(d) - d + (mean_q - mean_p).square() * torch.exp(-log_var_p)).sum(-1)
    return finite_result(kl, "KL(q ‖ p)")


def kl_standard(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, e^log_var) ‖ N(0, I)) = ½ Σ (e^log_var − 1 − log_var + mean²), `[…, D]` → `[…]`, in nats.

    Raises ValueError as `kl_diagonal` does.
    """
    nothing = torch.zeros_like(float_tensor(mean, "mean"))
    return kl_diagonal(mean, log_var, nothing, nothing)


def kl_standard_log_std(mean: Tensor, log_std: Tensor) -> Tensor:
    """The same for z = mean + e^log_std · e, e ~ N(0, I): ½ Σ (e^(2 log_std) − 1 − 2 log_std + mean²), `[…, D]` →
    `[…]`.

    Raises ValueError as `kl_diagonal` does.
    """
    return kl_standard(mean, 2 * float_tensor(log_std, "log_std"))


def _one_shape(mean: Tensor, log_var: Tensor, name: str) -> None:
    if mean.shape != log_var.shape:
        raise ValueError(f"{name}'s means and logarithms must have one shape, not {tuple(mean.shape)} and "
                         f"{tuple(log_var.shape)}: broadcasting them would add up too much or too little")
    if mean.ndim == 0 or mean.shape[-1] == 0:
        raise ValueError(f"{name}'s means need a last dimension to sum over: give shape (1,) for a single number")
