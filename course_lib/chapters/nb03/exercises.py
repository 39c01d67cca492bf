"""Exercises of notebook 03: the KL of two Gaussians, the bound from its terms, an M-step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.measure import kl_diagonal
from course_lib.teach.exercises import Exercise, Mistake


def _kl(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    return kl_diagonal(mean_q, log_var_q, mean_p, log_var_p)


def _terms(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    """What is summed over the dimensions, twice the KL of each."""
    return log_var_p - log_var_q + (log_var_q - log_var_p).exp() + (mean_q - mean_p) ** 2 / log_var_p.exp() - 1


def _kl_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    def draw(n: int, D: int) -> Tensor:
        return torch.tensor(rng.uniform(-1.5, 1.5, size=(n, D)), dtype=torch.float32)

    cases = [tuple(draw(n, D) for _ in range(4)) for n, D in ((4, 3), (2, 7), (6, 1))]
    mean, log_var = draw(3, 2), draw(3, 2)
    return [*cases, (mean, log_var, torch.zeros(3, 2), torch.zeros(3, 2)), (mean, log_var, mean, log_var)]


KL_GAUSSIANS = Exercise(
    reference=_kl,
    cases=_kl_cases,
    mistakes=(
        Mistake(lambda mq, vq, mp, vp: _kl(mq, 2 * vq, mp, 2 * vp),
                ("you took the logs for log standard deviations. They are log-variances: σ² is `log_var.exp()`, not "
                 "`(2 * log_var).exp()`.",)),
        Mistake(lambda mq, vq, mp, vp: _kl(mq, vq / 2, mp, vp / 2),
                ("you used `exp(log_var / 2)`, a standard deviation, where the formula has a variance.",)),
        Mistake(lambda mq, vq, mp, vp: 2 * _kl(mq, vq, mp, vp),
                ("it is twice too large: the ½ in front is missing. In a VAE that would be an unnoticed β = 2.",)),
        Mistake(lambda mq, vq, mp, vp: _kl(mp, vp, mq, vq),
                ("this is KL(p ‖ q): the expectation is over q, so it is q's variance that is divided by p's.",
                 "exchange q and p everywhere.")),
        Mistake(lambda mq, vq, mp, vp: _terms(mq, vq, mp, vp).mean(dim=1) / 2,
                ("you took the mean over the dimensions. Independent dimensions *add* their KLs: sum over `dim=1`.",)),
        Mistake(lambda mq, vq, mp, vp: _kl(mq, vq, mp, vp).sum(),
                ("you summed over the batch as well: each row is a pair of Gaussians of its own. Sum over "
                 "`dim=1` only.",)),
        Mistake(lambda mq, vq, mp, vp: _kl(mq, vq, mp, vp).mean(),
                ("you averaged over the batch: each row is asked for. Sum over `dim=1` and stop there.",)),
        Mistake(lambda mq, vq, mp, vp: _terms(mq, vq, mp, vp) / 2,
                ("these are the KLs of the single dimensions: add them up, `dim=1`.",)),
        Mistake(lambda mq, vq, mp, vp: _terms(mq, vq, mp, vp).sum(dim=0) / 2,
                ("you summed over the batch (`dim=0`) instead of over the dimensions (`dim=1`).",)),
        Mistake(lambda mq, vq, mp, vp: _kl(mq, vq, torch.zeros_like(mp), torch.zeros_like(vp)),
                ("this is the KL to N(0, I): p has a mean and a variance of its own.",)),
        Mistake(lambda mq, vq, mp, vp: (_terms(mq, vq, mp, vp) + 1).sum(dim=1) / 2,
                ("the −1 is missing: the KL of a Gaussian from itself must be 0. It stands inside the sum, once for "
                 "each dimension.",)),
        Mistake(lambda mq, vq, mp, vp: (_terms(mq, vq, mp, vp) + 1).sum(dim=1) / 2 - 0.5,
                ("the −1 belongs inside the sum, once for each dimension; you subtract it once in all.",)),
        Mistake(lambda mq, vq, mp, vp: (vp - vq + (vq - vp).exp() + (mq - mp) ** 2 - 1).sum(dim=1) / 2,
                ("the squared distance of the means must be divided by p's variance too: a wide p hardly notices "
                 "it.",)),
        Mistake(lambda mq, vq, mp, vp: (vq - vp + (vq - vp).exp() + (mq - mp) ** 2 / vp.exp() - 1).sum(dim=1) / 2,
                ("the sign of the logs is turned: it is log σ_p² − log σ_q², p's first.",)),
        Mistake(lambda mq, vq, mp, vp: -_kl(mq, vq, mp, vp),
                ("the sign is turned: a KL is never negative.",)),
    ),
    hints=("½ Σ_j [log σ_p² − log σ_q² + (σ_q² + (μ_q − μ_p)²)/σ_p² − 1], with σ² = exp(log_var).",
           "if q = p every row must be 0; if p = N(0, 1) and the means are 0, it is ½ Σ (e^v − 1 − v).",
           "print the four terms for one row and one dimension, and compare with a sum over a grid."),
)


def _elbo(cross_entropy: Tensor, kl_terms: Tensor) -> Tensor:
    return -cross_entropy.sum(dim=1).mean() - kl_terms.sum(dim=1).mean()


def _elbo_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    return [(torch.tensor(rng.exponential(0.4, size=(n, pixels)), dtype=torch.float32),
             torch.tensor(rng.exponential(0.8, size=(n, hidden)), dtype=torch.float32))
            for n, pixels, hidden in ((4, 12, 2), (3, 50, 5), (5, 784, 20), (2, 9, 1))]


ELBO = Exercise(
    reference=_elbo,
    cases=_elbo_cases,
    mistakes=(
        Mistake(lambda ce, kl: -_elbo(ce, kl),
                ("this is the loss, −ℒ, which one minimises. Asked for is ℒ itself.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1).mean() + kl.sum(dim=1).mean(),
                ("the KL has the wrong sign: it is a price. With + KL, q would be paid for leaving the prior.",)),
        Mistake(lambda ce, kl: ce.sum(dim=1).mean() - kl.sum(dim=1).mean(),
                ("the fit has the wrong sign: the cross-entropy is *minus* log p(x|z), and ℒ contains plus "
                 "log p(x|z).",)),
        Mistake(lambda ce, kl: -ce.mean() - kl.sum(dim=1).mean(),
                ("you averaged over the pixels. log p(x|z) is their *sum*; the mean makes the fit weigh as many times "
                 "less as there are pixels, and the KL wins.",
                 "sum over `dim=1`, then the mean over the examples.")),
        Mistake(lambda ce, kl: -ce.mean() - kl.mean(),
                ("you took the mean of everything, as many libraries do by default: pixels and hidden dimensions must "
                 "be summed, each for its example.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1).mean() - kl.mean(),
                ("you averaged the KL over the hidden dimensions: independent dimensions add up.",)),
        Mistake(lambda ce, kl: -ce.sum() - kl.sum(),
                ("you summed over the batch: the answer would double with twice the examples. Take the mean there.",)),
        Mistake(lambda ce, kl: -ce.sum() - kl.sum(dim=1).mean(),
                ("you summed the fit over the batch but averaged the KL: both are means over the examples.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1).mean() - kl.sum(),
                ("you summed the KL over the batch but averaged the fit: both are means over the examples.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1) - kl.sum(dim=1),
                ("these are the bounds of the single examples: take their mean.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1).mean(),
                ("the KL is missing: without it the width of q goes to 0.",)),
        Mistake(lambda ce, kl: -ce.sum(dim=1).mean() - kl.sum(dim=1).mean() / 2,
                ("the ½ is part of each KL you were given: do not halve it again.",)),
    ),
    hints=("ℒ = E_q[log p(x|z)] − KL: which sign does a cross-entropy have in it?",
           "for one example: minus the sum of its cross-entropies, minus the sum of its KLs. Then the mean over "
           "examples."),
)


def _best_theta(x: np.ndarray, z: np.ndarray, q: np.ndarray) -> float:
    return float((q * (x[:, None] - z) * z**2).sum() / (q * z**4).sum())


def _theta_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return [(rng.normal(1, 1.5, size=n), np.sort(rng.normal(0.2, 1.2, size=m)), rng.dirichlet(np.ones(m), size=n))
            for n, m in ((3, 7), (1, 5), (6, 12))]


def _ratios(x: np.ndarray, z: np.ndarray, q: np.ndarray) -> np.ndarray:
    return (q * (x[:, None] - z) * z**2).sum(axis=1) / (q * z**4).sum(axis=1)


BEST_THETA = Exercise(
    reference=_best_theta,
    cases=_theta_cases,
    mistakes=(
        Mistake(lambda x, z, q: float(_ratios(x, z, q).mean()),
                ("you found the best θ of each x and averaged those. One θ serves all: add up the bounds first, then "
                 "divide once.",)),
        Mistake(lambda x, z, q: float(_ratios(x, z, q).sum()),
                ("you found the best θ of each x and added those: with more examples θ would grow and grow. Sum over "
                 "the examples above the line and below it, then divide once.",)),
        Mistake(lambda x, z, q: _ratios(x, z, q),
                ("this is one θ for each x; one θ must serve all of them: sum over the examples, above and below the "
                 "line.",)),
        Mistake(lambda x, z, q: float((q * x[:, None] * z**2).sum() / (q * z**4).sum()),
                ("f has two terms: what θz² must explain is what z leaves over, x − z.",)),
        Mistake(lambda x, z, q: float((q * (x[:, None] - z)).sum() / (q * z**2).sum()),
                ("the derivative of (x − z − θz²)² by θ brings down a factor z²: errors at large z weigh more.",)),
        Mistake(lambda x, z, q: float((q * (x[:, None] - z) / z**2).sum(axis=1).mean()),
                ("you solved for θ at each z and averaged; maximise the average instead: the derivative has a factor "
                 "z².",)),
        Mistake(lambda x, z, q: float((q * (x[:, None] - z) * z**2).sum() / ((q * z**2).sum(axis=1) ** 2).sum()),
                ("below the line stands E[z⁴], which is not the square of E[z²].",)),
        Mistake(lambda x, z, q: float(((x - q @ z) * (q @ z) ** 2).sum() / ((q @ z) ** 4).sum()),
                ("you put the mean of z into the formula. The expectation stands outside: average the powers of z, "
                 "each with its probability.",)),
        Mistake(lambda x, z, q: float(((x[:, None] - z) * z**2).sum() / (np.ones_like(q) * z**4).sum()),
                ("every z counts the same here: weigh them with q.",)),
        Mistake(lambda x, z, q: _best_theta(x, z, (q == q.max(axis=1, keepdims=True)).astype(float)),
                ("you kept only the most probable z; q says how probable each is.",)),
        Mistake(lambda x, z, q: -_best_theta(x, z, q),
                ("the sign is turned: set Σ q·(x − z − θz²)·z² to zero and solve for θ.",)),
    ),
    hints=("for one x: E_q[log p(x|z)] = const − E_q[(x − z − θz²)²] / (2σ_x²).",
           "its derivative by θ is E_q[(x − z − θz²)·z²] / σ_x². Sum over the examples, set it to zero.",
           "θ = Σ E_q[(x − z)·z²] / Σ E_q[z⁴], with E_q a sum over the grid, weighted by q."),
)

EXERCISES = {"03.kl_gaussians": KL_GAUSSIANS, "03.elbo": ELBO, "03.best_theta": BEST_THETA}
