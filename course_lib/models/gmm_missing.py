"""EM for Gaussian mixtures when coordinates are missing: hidden ones are integrated out exactly, never filled in.

Z. Ghahramani, M. I. Jordan, *Supervised Learning from Incomplete Data via an EM Approach*, NIPS 6 (1994), section 3.
Right if what is hidden does not depend on the hidden values themselves ('missing at random').
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_em import constrain
from course_lib.validation import float_tensor


def em_step(model: GaussianMixture, x: Tensor, observed: Tensor, covariance: str = "full",
            reg: float = 0.0) -> tuple[GaussianMixture, float]:
    """One E-step and one M-step on the observed coordinates of `x`.

    The E-step needs p(k | x_o) and, in each component, the mean and covariance of what is hidden. The M-step is that
    of complete data with both filled in: μ_k is the weighted mean of the completed points, and Σ_k their weighted
    scatter *plus* the covariance C_k of the hidden part. Without C_k the fit would grow too narrow.

    Args:
        model: the current mixture.
        x: points `[n, D]`; what they hold where `observed` is false is ignored.
        observed: mask `[n, D]`.
        covariance, reg: as for `gmm_em.m_step`.

    Returns:
        the next mixture, and the mean of log p(x_observed) under `model`, in nats per point.

    Raises:
        ValueError: shapes that do not fit, no points, or NaN or infinity where x is observed.
        CollapsedError: a component has collapsed.
    """
    x = float_tensor(x, "x", ("n", model.D), rows=1, finite=False)
    log_joint = model.log_joint(x, observed)
    r = log_joint.softmax(dim=1)
    completed = torch.where(observed.bool(), x, 0).to(model.mu).expand(len(model.pi), -1, -1).clone()   # [K, n, D]
    hidden_cov = torch.zeros_like(model.cov)                                                            # Σ_i r_ik C_ik
    for o, rows in model.patterns(x, observed):
        B, C = model.regression(o)
        expected = model.mu[:, None, ~o] + (completed[:, rows][:, :, o] - model.mu[:, None, o]) @ B.mT
        completed[:, rows.nonzero(), ~o] = expected
        hidden_cov[:, (~o).nonzero(), ~o] += r[rows].sum(dim=0)[:, None, None] * C
    N = r.sum(dim=0)
    mu = torch.einsum("nk,knd->kd", r, completed) / N[:, None]
    difference = completed - mu[:, None]
    scatter = (r.T[:, :, None] * difference).mT @ difference + hidden_cov
    better = GaussianMixture(N / len(x), mu, constrain(scatter / N[:, None, None], covariance, reg))
    return better, log_joint.logsumexp(dim=1).mean().item()


def fit_missing(x: Tensor, observed: Tensor, model: GaussianMixture, steps: int, covariance: str = "full",
                reg: float = 0.0) -> tuple[GaussianMixture, list[float]]:
    """As `gmm_em.fit`, on the observed coordinates only, points and mask `[n, D]`; the likelihoods are those of what
    was observed."""
    track = []
    for _ in range(steps):
        model, log_likelihood = em_step(model, x, observed, covariance, reg)
        track.append(log_likelihood)
    return model, track
