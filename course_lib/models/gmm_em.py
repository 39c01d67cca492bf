"""EM for Gaussian mixtures: responsibilities, then weighted means, and again.

A. P. Dempster, N. M. Laird, D. B. Rubin, *Maximum Likelihood from Incomplete Data via the EM Algorithm*, JRSS B 39
(1977); C. M. Bishop, *Pattern Recognition and Machine Learning* (2006), equations 9.23 to 9.26. The E-step is
`GaussianMixture.log_posterior`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.models.gmm import GaussianMixture
from course_lib.validation import float_tensor, whole_number

COVARIANCES = ("full", "diag", "spherical")
STARTS = ("random points", "k-means", "one corner")


def m_step(x: Tensor, r: Tensor, covariance: str = "full", reg: float = 0.0) -> GaussianMixture:
    """The mixture that maximises Σ_i Σ_k r_ik log p(x_i, k): shares, weighted means, weighted covariances.

    Args:
        x: points `[n, D]`.
        r: responsibilities `[n, K]`, rows sum to 1.
        covariance: 'full', 'diag' (axis-parallel) or 'spherical' (round).
        reg: added to each variance, so that no component can collapse.

    Raises:
        ValueError: shapes that do not fit, no points, NaN or infinity, or negative responsibilities.
        CollapsedError: a component has no points, or sits on one.
    """
    x = float_tensor(x, "x", ("n", "D"), rows=1).double()
    r = float_tensor(r, "r", (len(x), "K")).double()
    if not (r >= 0).all():
        raise ValueError("responsibilities r must not be negative")
    N = r.sum(dim=0)
    mu = r.T @ x / N[:, None]
    cov = torch.stack([((x - mu_k).T * r_k) @ (x - mu_k) for mu_k, r_k in zip(mu, r.T, strict=True)])  # [K, D, D]
    return GaussianMixture(N / len(x), mu, constrain(cov / N[:, None, None], covariance, reg))


def constrain(cov: Tensor, covariance: str, reg: float) -> Tensor:
    """Covariances `[K, D, D]`, or their closest in the likelihood that are 'diag' or 'spherical', plus reg·I."""
    if covariance not in COVARIANCES:
        raise ValueError(f"covariance must be one of {COVARIANCES}, not {covariance!r}")
    identity, var = torch.eye(cov.shape[-1], dtype=cov.dtype), cov.diagonal(dim1=1, dim2=2)
    if covariance == "spherical":
        var = var.mean(dim=1, keepdim=True)
    return (cov if covariance == "full" else var[:, :, None] * identity) + reg * identity


def start(x: Tensor, K: int, generator: torch.Generator, how: str = "k-means", covariance: str = "full",
          reg: float = 0.0) -> GaussianMixture:
    """Parameters for EM to start from, on points `[n, D]`.

    'random points' takes K points as means and the covariance of all data for each; 'k-means' the clusters of
    scikit-learn's KMeans; 'one corner' puts all means close together at the lowest values of all coordinates.

    Raises:
        ValueError: fewer points than components, NaN or infinity, or another way to start.
    """
    x = float_tensor(x, "x", ("n", "D"), rows=max(2, whole_number(K, "K"))).double()
    if how == "k-means":
        from sklearn.cluster import KMeans  # here, since the import takes most of a second and few need it

        labels = KMeans(K, n_init=1, random_state=int(torch.randint(2**31, (), generator=generator))).fit_predict(x)
        return m_step(x, torch.nn.functional.one_hot(torch.tensor(labels).long(), K).to(x), covariance, reg)
    cov = constrain(x.T.cov(correction=0).reshape(1, x.shape[1], -1), covariance, reg).expand(K, -1, -1)
    if how == "random points":
        mu = x[torch.randperm(len(x), generator=generator)[:K]]
    elif how == "one corner":
        mu = x.amin(dim=0) + 0.1 * x.std(dim=0) * torch.randn(K, x.shape[1], generator=generator, dtype=x.dtype)
    else:
        raise ValueError(f"how must be one of {STARTS}, not {how!r}")
    return GaussianMixture(torch.full((K,), 1 / K, dtype=torch.float64), mu, cov)


def fit(x: Tensor, model: GaussianMixture, steps: int, covariance: str = "full",
        reg: float = 0.0) -> tuple[GaussianMixture, list[float]]:
    """EM on points `[n, D]` from a starting model: E-step, M-step, and again, `steps` times.

    Returns:
        the last model, and the mean log-likelihood in nats per point of each model before it: `steps` numbers, the
        first that of the start. With reg = 0 they never fall.

    Raises:
        ValueError: points of another shape, none of them, NaN or infinity.
        CollapsedError: a component has collapsed.
    """
    x = float_tensor(x, "x", ("n", model.D), rows=1)
    track = []
    for _ in range(steps):
        log_joint = model.log_joint(x)
        track.append(log_joint.logsumexp(dim=1).mean().item())
        model = m_step(x, log_joint.softmax(dim=1), covariance, reg)
    return model, track


def n_parameters(K: int, D: int, covariance: str = "full") -> int:
    """How many numbers a mixture may choose freely: K − 1 weights, K·D means, and the covariances."""
    return K - 1 + K * D + K * {"full": D * (D + 1) // 2, "diag": D, "spherical": 1}[covariance]


def bic(model: GaussianMixture, x: Tensor, covariance: str = "full") -> float:
    """Bayesian information criterion, −2 log p(x) + (number of parameters)·log n, in nats, of points `[n, D]`: smaller
    is better.

    G. Schwarz, *Estimating the Dimension of a Model*, Annals of Statistics 6 (1978). Raises ValueError for no points,
    and as `log_prob` does.
    """
    x = float_tensor(x, "x", rows=1)
    return -2 * model.log_prob(x).sum().item() + n_parameters(len(model.pi), model.D, covariance) * math.log(len(x))
