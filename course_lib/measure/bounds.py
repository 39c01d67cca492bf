"""Bounds on log p(x) from importance weights: how much probability do draws of q account for?

A draw z of q(z | x) weighs w = p(x, z) / q(z | x), and E_q[w] = p(x). The logarithm of an average of k weights is on
average too small, and less so the larger k is.

References:
    Y. Burda, R. Grosse, R. Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016: L_k (eq. 8), Theorem 1 (their
        order and limit).
    A. Kong, J. S. Liu, W. H. Wong, Sequential Imputations and Bayesian Missing Data Problems, J. American Statistical
        Association 89 (1994): the effective sample size.
    T. Rainforth et al., Tighter Variational Bounds Are Not Necessarily Better, ICML 2018: Theorem 1 (the
        signal-to-noise ratio of the bound's gradient over k).
    G. Tucker, D. Lawson, S. Gu, C. Maddison, Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives,
        ICLR 2019: the gradient whose ratio does not fall.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def ratio_moments(log_w: Tensor, a: Tensor, weights: Tensor, ks: Sequence[int],
                  power: int = 1) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of (a_1 + … + a_k)/(w_1 + … + w_k)^power over k independent draws, exactly.

    A draw is one of m nodes, say of a quadrature: node j has the probability `weights[j]`, and gives w = exp(log_w[j])
    and a[j]. By 1/y^n = ∫ t^(n−1) e^(−ty) dt / Γ(n) an expectation over k draws is an integral over t of products of
    expectations over one; the integral is done by the trapezoid rule in log t. With a = w·∂ log w this is the gradient
    of the importance-weighted bound, and with a = w²·∂ log w and power 2 its doubly reparametrised form.

    Args:
        log_w: `[m]`, float64. A constant added to it multiplies the result as it must.
        a: `[m]`.
        weights: `[m]`, none negative, and summing to 1.
        ks: numbers of draws, each at least 1.
        power: of the denominator, 1 or more.

    Returns:
        Means and standard deviations, `[len(ks)]` each.

    Raises:
        ValueError: tensors of different shapes, weights that do not sum to 1, or a k below 1.
    """
    log_w, a, weights = (float_tensor(value, name, ("m",)) for value, name in (
        (log_w, "log_w"), (a, "a"), (weights, "weights")))
    if not log_w.shape == a.shape == weights.shape:
        raise ValueError(f"log_w, a and weights need one shape, not {list(log_w.shape)}, {list(a.shape)} and "
                         f"{list(weights.shape)}")
    if (weights < 0).any() or abs(weights.sum() - 1) > 1e-9:
        raise ValueError(f"weights are probabilities: none negative, and of sum 1, not {weights.sum():g}")
    ks, power = [whole_number(k, "k", least=1) for k in ks], whole_number(power, "power", least=1)
    scale = log_w.logsumexp(dim=0) - math.log(len(log_w))
    w, a = (log_w - scale).exp(), a * torch.exp(-power * scale)
    step = 0.05
    log_t = torch.arange(-40, 40, step, dtype=w.dtype)                      # t from 4e-18 to 2e17
    decay = weights * torch.exp(-log_t.exp()[:, None] * w)                  # [len(log_t), m]
    none, one, two = decay.sum(dim=1), decay @ a, decay @ a**2              # E[e^(−tw)], E[a e^(−tw)], E[a² e^(−tw)]

    def integral(values: Tensor, n: int) -> Tensor:
        return step * (torch.exp(n * log_t) * values).sum() / math.gamma(n)

    means, deviations = [], []
    for k in ks:
        mean = integral(k * one * none ** (k - 1), power)
        square = integral(k * two * none ** (k - 1), 2 * power)
        if k > 1:
            square = square + integral(k * (k - 1) * one**2 * none ** (k - 2), 2 * power)
        means.append(mean)
        deviations.append((square - mean**2).clamp_min(0).sqrt())
    return torch.stack(means), torch.stack(deviations)


def _checked(log_w: Tensor) -> Tensor:
    log_w = float_tensor(log_w, "log_w", finite=False)
    if log_w.ndim == 0 or log_w.shape[0] == 0:
        raise ValueError(f"log_w needs a first dimension of draws, at least one, not the shape {list(log_w.shape)}")
    if log_w.isnan().any() or (log_w == torch.inf).any():
        raise ValueError("log_w has NaN or +inf: p(x, z)/q(z | x) needs a q that is positive where it was drawn")
    return log_w
