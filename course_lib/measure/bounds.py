"""Bounds on log p(x) from importance weights: how much probability do draws of q account for?

A draw z of q(z | x) weighs w = p(x, z) / q(z | x), and E_q[w] = p(x). The logarithm of an average of k weights is on
average too small, and less so the larger k is.

References:
    Y. Burda, R. Grosse, R. Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016: L_k (eq. 8), Theorem 1 (their
        order and limit).
    A. Kong, J. S. Liu, W. H. Wong, Sequential Imputations and Bayesian Missing Data Problems, J. American Statistical
        Association 89 (1994): the effective sample size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.validation import float_tensor, whole_number


def iw_bound(log_w: Tensor, k: int) -> Tensor:
    """An estimate of L_k = E[log (w_1 + … + w_k)/k] in nats, `[…]`, from log weights `[draws, …]`.

    The draws are cut into draws/k groups of k; each group gives one log of an average, and these are averaged. So k = 1
    gives the ELBO, and every draw is used whatever k is. If k divides k', the bound for k' is never the lower one, for
    these very draws and not only on average (Jensen). Gradients pass through.

    Args:
        log_w: log p(x, z) − log q(z | x), a row for each independent draw z. −inf is a weight of 0.
        k: size of a group; divides the number of draws.

    Raises:
        ValueError: k does not divide the number of draws, or NaN or +inf among the log weights.
    """
    log_w, k = _checked(log_w), whole_number(k, "k", least=0)
    draws = log_w.shape[0]
    if not 1 <= k <= draws or draws % k:
        raise ValueError(f"k must divide the number of draws, {draws}; {k} does not: use another k, or drop some draws")
    groups = log_w.unflatten(0, (draws // k, k))
    return (groups.logsumexp(dim=1) - math.log(k)).mean(dim=0)


def effective_sample_size(log_w: Tensor) -> Tensor:
    """(Σ w)² / Σ w², `[…]`, from log weights `[draws, …]`: 1 if one draw has it all, their number if all weigh alike.

    It compares the weights that were drawn: of what lies where q never goes it knows nothing. 0 if all weights are 0.

    Raises:
        ValueError: NaN or +inf among the log weights.
    """
    log_w = _checked(log_w)
    return (1 / log_w.softmax(dim=0).square().sum(dim=0)).nan_to_num(nan=0.0)   # NaN where all weights are 0


def _checked(log_w: Tensor) -> Tensor:
    log_w = float_tensor(log_w, "log_w", finite=False)
    if log_w.ndim == 0 or log_w.shape[0] == 0:
        raise ValueError(f"log_w needs a first dimension of draws, at least one, not the shape {list(log_w.shape)}")
    if log_w.isnan().any() or (log_w == torch.inf).any():
        raise ValueError("log_w has NaN or +inf: p(x, z)/q(z | x) needs a q that is positive where it was drawn")
    return log_w
