"""Exercises of notebook 03c: importance-weighted bounds, effective sample sizes, the best independent q."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.measure import effective_sample_size, iw_bound
from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _bound_cases(rng: np.random.Generator) -> list[tuple[Tensor, int]]:
    cases = [(_tensor(level + 2 * rng.normal(size=(draws, n))), k)
             for draws, n, k, level in ((10, 4, 5, 0.0), (6, 3, 1, -3.0), (8, 2, 8, -1000.0), (12, 5, 3, 800.0))]
    uneven = _tensor(np.array([[-1000.0, -100.0], [-1.0, -2000.0], [3.0, 900.0]]).repeat(2, axis=0))
    return [*cases, (uneven + _tensor(rng.normal(size=uneven.shape)), 2)]


def _groups(log_w: Tensor, k: int) -> Tensor:
    return log_w.reshape(-1, k, log_w.shape[1])


WEIGHTED_BOUND = Exercise(
    reference=iw_bound,
    cases=_bound_cases,
    mistakes=(
        Mistake(lambda log_w, k: log_w.mean(dim=0),
                ("the mean of the logs estimates L_1, the ELBO, whatever k is. Average the *weights* of a group first, "
                 "then take the logarithm.",
                 "logsumexp over the group, minus log k.")),
        Mistake(lambda log_w, k: _groups(log_w, k).exp().mean(dim=1).log().mean(dim=0),
                ("right in mathematics, infinite on a computer: exp(−1000) is 0 and exp(800) is infinite. Stay in the "
                 "logs.",
                 "`logsumexp` takes the largest log weight of each group out before it uses exp.")),
        Mistake(lambda log_w, k: ((_groups(log_w, k) - log_w.max()).exp().mean(dim=1).log() + log_w.max()).mean(dim=0),
                ("you take one maximum out of everything; a group far below it still underflows. Each group needs its "
                 "own.",
                 "`logsumexp(dim=1)` does that.")),
        Mistake(lambda log_w, k: _groups(log_w, k).logsumexp(dim=1).mean(dim=0),
                ("this is the log of a *sum* of k weights: too high by log k, and no bound on log p(x) any more.",)),
        Mistake(lambda log_w, k: log_w.logsumexp(dim=0) - math.log(len(log_w)),
                ("you put all draws into one group: that is L_draws. Cut them into groups of k.",)),
        Mistake(lambda log_w, k: log_w[:k].logsumexp(dim=0) - math.log(k),
                ("you threw away all groups but the first: each gives an estimate of L_k, and their mean varies "
                 "less.",)),
        Mistake(lambda log_w, k: iw_bound(log_w, k).mean(),
                ("you averaged over the columns, too: they belong to different x, and each has its own bound.",)),
        Mistake(lambda log_w, k: log_w.logsumexp(dim=1) - math.log(log_w.shape[1]),
                ("you averaged over the columns, which are different x: the draws are the rows, `dim=0`.",)),
        Mistake(lambda log_w, k: _groups(log_w, k).logsumexp(dim=1).mean(dim=0) - math.log(len(log_w)),
                ("a group holds k weights, not all of them: subtract log k.",)),
        Mistake(lambda log_w, k: _groups(log_w, k).logsumexp(dim=1).sum(dim=0) - math.log(k),
                ("average the groups' logs, do not add them: each is an estimate of the same L_k.",)),
        Mistake(lambda log_w, k: (log_w.reshape(k, -1, log_w.shape[1]).logsumexp(dim=0) - math.log(k)).mean(dim=0),
                ("a fair estimate, of other groups: draws far apart went together. Asked were *consecutive* draws: "
                 "reshape to (groups, k, n) and go along dim 1.",)),
    ),
    hints=("reshape to (draws/k, k, n); log of the average over dim 1; mean over dim 0.",
           "log of an average = logsumexp − log k."),
)


def _effective_share(log_w: Tensor) -> Tensor:
    return effective_sample_size(log_w) / len(log_w)


def _share_cases(rng: np.random.Generator) -> list[tuple[Tensor]]:
    return [(_tensor(level + spread * rng.normal(size=(draws, n))),)
            for draws, n, level, spread in ((10, 4, 0.0, 1.0), (6, 3, -1000.0, 2.0), (12, 5, 800.0, 0.5))]


EFFECTIVE_SHARE = Exercise(
    reference=_effective_share,
    cases=_share_cases,
    mistakes=(
        Mistake(lambda log_w: log_w.exp().sum(dim=0) ** 2 / (log_w.exp() ** 2).sum(dim=0) / len(log_w),
                ("right in mathematics, 0/0 or ∞/∞ on a computer: exp(−1000) is 0 and exp(800) squared is infinite. "
                 "Only ratios of weights matter, so scale them first.",
                 "`softmax(dim=0)` gives weights that sum to 1, whatever their scale.")),
        Mistake(effective_sample_size,
                ("this is the effective sample size itself. Asked is its share of the draws: divide by their count.",)),
        Mistake(lambda log_w: 1 / (log_w.softmax(dim=0) ** 2).sum(dim=0) / log_w.shape[1],
                ("you divide by the number of columns; the draws are the rows.",)),
        Mistake(lambda log_w: (log_w.softmax(dim=0) ** 2).sum(dim=0) / len(log_w),
                ("this is Σ w² of weights that sum to 1: it is large if one draw has it all. Take one over it.",)),
        Mistake(lambda log_w: (log_w.softmax(dim=0) ** 2).sum(dim=0),
                ("this is Σ w² of weights that sum to 1. It stands below the line: one over it, over the number of "
                 "draws.",)),
        Mistake(lambda log_w: 1 / (log_w.softmax(dim=1) ** 2).sum(dim=1) / log_w.shape[1],
                ("you went along the columns, which belong to different x: the draws are the rows, dim 0.",)),
        Mistake(lambda log_w: _effective_share(log_w).mean(),
                ("you averaged over the columns, too: each x has its own share.",)),
        Mistake(lambda log_w: log_w.softmax(dim=0).amax(dim=0),
                ("this is the share of the largest weight, another diagnostic. Asked is (Σ w)²/Σ w².",)),
        Mistake(lambda log_w: log_w.sum(dim=0) ** 2 / (log_w**2).sum(dim=0) / len(log_w),
                ("these are the *log* weights; the formula wants the weights. Go through `softmax`.",)),
    ),
    hints=("divide all weights of a column by their sum: (Σ w)²/Σ w² does not change.",
           "`w = log_w.softmax(dim=0)`; then Σ w is 1, and 1/Σ w² over the number of draws is left."),
)


def _independent_variances(covariance: Tensor) -> Tensor:
    return 1 / torch.linalg.inv(covariance).diagonal(dim1=1, dim2=2)


def _covariance_cases(rng: np.random.Generator) -> list[tuple[Tensor]]:
    roots = (rng.normal(size=(n, d, d)) for n, d in ((3, 2), (1, 4), (5, 3)))
    return [(_tensor(root @ root.transpose(0, 2, 1) + 0.3 * np.eye(root.shape[1])),) for root in roots]


INDEPENDENT_VARIANCES = Exercise(
    reference=_independent_variances,
    cases=_covariance_cases,
    mistakes=(
        Mistake(lambda covariance: covariance.diagonal(dim1=1, dim2=2),
                ("these are the posterior's own variances. They are best for the *forward* KL; the ELBO's KL has q "
                 "first, and wants a narrower q.",
                 "v_j = 1/Λ_jj, where Λ is the inverse of the covariance.")),
        Mistake(lambda covariance: 1 / covariance.diagonal(dim1=1, dim2=2),
                ("invert the whole matrix, then take its diagonal: the inverse of the diagonal is something else.",)),
        Mistake(lambda covariance: torch.linalg.inv(covariance).diagonal(dim1=1, dim2=2),
                ("these are the precisions Λ_jj. A variance is one over a precision.",)),
        Mistake(lambda covariance: _independent_variances(covariance).sqrt(),
                ("these are standard deviations; asked are variances.",)),
        Mistake(lambda covariance: torch.diag_embed(_independent_variances(covariance)),
                ("right, as covariance matrices. Asked are the variances alone, of shape (n, d).",)),
        Mistake(lambda covariance: 1 / torch.linalg.inv(covariance),
                ("one over every entry of Λ: only its diagonal is wanted.",)),
        Mistake(lambda covariance: torch.linalg.eigvalsh(covariance),
                ("these are the variances along the posterior's own axes, which are turned. q must keep the axes of "
                 "the coordinates.",)),
        Mistake(lambda covariance: _independent_variances(covariance).mean(dim=0),
                ("each covariance of the batch has its own variances: do not average them.",)),
    ),
    hints=("Λ is the inverse of the covariance; v_j = 1/Λ_jj.",
           "`torch.linalg.inv` takes a batch; `.diagonal(dim1=1, dim2=2)` gives the diagonal of each matrix."),
)

EXERCISES = {"03c.weighted_bound": WEIGHTED_BOUND, "03c.effective_share": EFFECTIVE_SHARE,
             "03c.independent_variances": INDEPENDENT_VARIANCES}
