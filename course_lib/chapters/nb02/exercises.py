"""Exercises of notebook 02: Gaussian mixtures."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _log_joint(x: Tensor, pi: Tensor, mu: Tensor, var: Tensor) -> Tensor:
    """log p(x, k) up to a constant, `[n, K]`."""
    return pi.log() - 0.5 * (((x[:, None] - mu) ** 2 / var).sum(dim=2) + var.log().sum(dim=1))


def _log_responsibilities(x: Tensor, pi: Tensor, mu: Tensor, var: Tensor) -> Tensor:
    return _log_joint(x, pi, mu, var).log_softmax(dim=1)


def _e_step_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, K, D, spread in ((5, 3, 2, 1.0), (4, 2, 1, 2.0), (6, 4, 5, 1.0), (3, 3, 2, 60.0)):
        cases.append((_tensor(spread * rng.normal(size=(n, D))), _tensor(rng.dirichlet(np.ones(K))),
                      _tensor(rng.normal(size=(K, D))), _tensor(rng.uniform(0.2, 3.0, size=(K, D)))))
    # As many coordinates as a picture has pixels: the product of the variances underflows, the sum of their logs does
    # not. Means close together, so that the widths decide.
    cases.append((_tensor(0.2 * rng.normal(size=(3, 400))), _tensor(rng.dirichlet(np.ones(2))),
                  _tensor(0.01 * rng.normal(size=(2, 400))), _tensor(rng.uniform(0.03, 0.06, size=(2, 400)))))
    return cases


def _by_determinant(x: Tensor, pi: Tensor, mu: Tensor, var: Tensor) -> Tensor:
    distance2 = ((x[:, None] - mu) ** 2 / var).sum(dim=2)
    return (pi.log() - 0.5 * (distance2 + var.prod(dim=1).log())).log_softmax(dim=1)


def _by_raised_densities(x: Tensor, pi: Tensor, mu: Tensor, var: Tensor) -> Tensor:
    joint = _log_joint(x, pi, mu, var).exp() + 1e-300
    return (joint / joint.sum(dim=1, keepdim=True)).log()


def _by_densities(x: Tensor, pi: Tensor, mu: Tensor, var: Tensor) -> Tensor:
    joint = _log_joint(x, pi, mu, var).exp()
    return (joint / joint.sum(dim=1, keepdim=True)).log()


LOG_RESPONSIBILITIES = Exercise(
    reference=_log_responsibilities,
    cases=_e_step_cases,
    mistakes=(
        Mistake(lambda x, pi, mu, var: _log_responsibilities(x, torch.ones_like(pi), mu, var),
                ("the weights are missing: of two components that explain a point equally well, the more frequent one "
                 "is the more probable. Add `pi.log()`.",)),
        Mistake(lambda x, pi, mu, var: (pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var).sum(2)).log_softmax(1),
                ("the widths count in the distance only. A wide Gaussian is also lower: its density is divided by σ "
                 "for each coordinate.",
                 "subtract ½ Σ_j log σ²_kj, half the log-determinant.")),
        Mistake(lambda x, pi, mu, var: (pi.log() - 0.5 * ((x[:, None] - mu) ** 2 / var).sum(2)
                                        - var.log().sum(1)).log_softmax(1),
                ("the log-determinant has lost its ½: the density is divided by σ, and log σ = ½ log σ².",)),
        Mistake(lambda x, pi, mu, var: (pi.log() - ((x[:, None] - mu) ** 2 / var).sum(2)
                                        - 0.5 * var.log().sum(1)).log_softmax(1),
                ("the distance has lost its ½: log N(x) = −½ (x − μ)²/σ² − …",)),
        Mistake(lambda x, pi, mu, var: _log_responsibilities(x, pi, mu, var**2),
                ("`var` holds variances already: do not square them.",)),
        Mistake(lambda x, pi, mu, var: _log_joint(x, pi, mu, var) - 0.5 * x.shape[1] * math.log(2 * math.pi),
                ("this is log p(x, k). Asked for is log p(k | x): subtract log p(x).",
                 "log p(x) is the `logsumexp` of the joint over the components, `dim=1`, `keepdim=True`.")),
        Mistake(lambda x, pi, mu, var: _log_joint(x, pi, mu, var),
                ("this is log p(x, k), up to a constant. Asked for is log p(k | x): subtract the `logsumexp` over the "
                 "components.",)),
        Mistake(lambda x, pi, mu, var: _log_responsibilities(x, pi, mu, var).exp(),
                ("these are the responsibilities themselves; asked for are their logarithms.",)),
        Mistake(lambda x, pi, mu, var: _log_joint(x, pi, mu, var).log_softmax(dim=0),
                ("you normalise over the points (`dim=0`): each point must be shared out over the components, "
                 "`dim=1`.",)),
        Mistake(_by_densities,
                ("right near the data, not far out: there every density is 0 on a computer. Stay in the logs.",
                 "subtract `logsumexp(dim=1, keepdim=True)` from the log joint.")),
        Mistake(_by_raised_densities,
                ("no NaN, but right near the data only: far out the small number that you added is all there is, and "
                 "every component looks equally probable. Stay in the logs.",)),
        Mistake(lambda x, pi, mu, var: _log_joint(x, pi, mu, var).clamp(min=-700).log_softmax(dim=1),
                ("right near the data, not far out: there the clamp makes all components equal. `logsumexp` needs no "
                 "clamp: it takes the largest value out first.",)),
        Mistake(_by_determinant,
                ("right for few coordinates, not for many: the product of four hundred small variances is 0 on a "
                 "computer. Sum their logarithms, `var.log().sum(dim=1)`.",)),
    ),
    hints=("log π_k − ½ Σ_j [(x_j − μ_kj)² / σ²_kj + log σ²_kj], then subtract the logsumexp over k.",
           "`x[:, None] - mu` has shape (n, K, D): sum over the last dimension.",
           "each row of your answer, exponentiated, must sum to one: print it."),
)


def _pick(u: Tensor, pi: Tensor) -> Tensor:
    return (u[:, None] >= pi.cumsum(dim=0)[:-1]).sum(dim=1)


def _sample(u: Tensor, e: Tensor, pi: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    k = _pick(u, pi)
    return mu[k] + sigma[k] * e


def _from_the_left(u: Tensor, e: Tensor, pi: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    k = (u[:, None] > pi.cumsum(dim=0)[:-1]).sum(dim=1)
    return mu[k] + sigma[k] * e


def _sample_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, K in ((12, 3), (7, 2), (40, 5), (6, 1)):
        cases.append((_tensor(rng.random(n)), _tensor(rng.normal(size=n)), _tensor(rng.dirichlet(2 * np.ones(K))),
                      _tensor(4 * rng.normal(size=K)), _tensor(rng.uniform(0.2, 2.0, size=K))))
    # u exactly on the ends of stretches; the first component has no stretch at all.
    u, pi = _tensor(np.array([0.0, 0.25, 0.5, 0.75, 0.9])), _tensor(np.array([0.0, 0.25, 0.5, 0.25]))
    cases.append((u, _tensor(rng.normal(size=5)), pi, _tensor(4 * rng.normal(size=4)),
                  _tensor(rng.uniform(0.2, 2.0, size=4))))
    return cases


SAMPLE_MIXTURE = Exercise(
    reference=_sample,
    cases=_sample_cases,
    mistakes=(
        Mistake(lambda u, e, pi, mu, sigma: (pi * (mu + sigma * e[:, None])).sum(dim=1),
                ("you average the components, and get one Gaussian. A mixture adds densities, not numbers: pick one "
                 "component for each point.",
                 "`u` is not used yet: it says which component.")),
        Mistake(lambda u, e, pi, mu, sigma: mu[_pick(u, pi)] + sigma[_pick(u, pi)] ** 2 * e,
                ("`sigma` holds standard deviations: do not square them.",)),
        Mistake(lambda u, e, pi, mu, sigma: mu[_pick(u, pi)] + sigma[_pick(u, pi)].sqrt() * e,
                ("`sigma` holds standard deviations, not variances: no root.",)),
        Mistake(lambda u, e, pi, mu, sigma: mu[_pick(u, pi)] + e,
                ("all of your bumps are equally wide: multiply `e` by the sigma of the component that was picked.",)),
        Mistake(lambda u, e, pi, mu, sigma: mu[_pick(u, pi)],
                ("only the means are drawn: the second parent is missing, `sigma[k] * e`.",)),
        Mistake(lambda u, e, pi, mu, sigma: mu[(u * len(pi)).long()] + sigma[(u * len(pi)).long()] * e,
                ("all components are picked equally often: component k needs a stretch of [0, 1) as long as pi[k].",
                 "the stretches end at `pi.cumsum(dim=0)`.")),
        Mistake(lambda u, e, pi, mu, sigma: mu[pi.argmax()] + sigma[pi.argmax()] * e,
                ("you always take the most probable component: it should be picked with probability pi, by `u`.",)),
        Mistake(_from_the_left,
                ("right, but for a `u` exactly equal to a cumulated weight: the sum must *exceed* u. With u = 0 and "
                 "pi[0] = 0 you pick a component that never occurs.",
                 "`torch.searchsorted(…, right=True)`, or `>=` in place of `>`.")),
    ),
    hints=("first k from u: the number of ends of stretches, `pi.cumsum(dim=0)`, that lie at or below u. Then the "
           "point.",
           "given k `(n,)`, `mu[k] + sigma[k] * e` makes all points at once.",
           "`torch.searchsorted(pi.cumsum(dim=0), u, right=True)` finds k."),
)


def _conditional_means(x1: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    """E[x_2 | x_1, k], `[n, K]`."""
    return mu[:, 1] + cov[:, 1, 0] / cov[:, 0, 0] * (x1[:, None] - mu[:, 0])


def _log_seen(x1: Tensor, pi: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    """log p(x_1, k) up to a constant, `[n, K]`."""
    return pi.log() - 0.5 * ((x1[:, None] - mu[:, 0]) ** 2 / cov[:, 0, 0] + cov[:, 0, 0].log())


def _weighted(r: Tensor, means: Tensor) -> Tensor:
    return (r * means).sum(dim=1)


def _expected_x2(x1: Tensor, pi: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    return _weighted(_log_seen(x1, pi, mu, cov).softmax(dim=1), _conditional_means(x1, mu, cov))


def _expected_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, K, spread in ((6, 3, 2.0), (4, 2, 1.0), (5, 5, 3.0), (3, 2, 80.0)):
        factor = rng.normal(size=(K, 2, 2)) + 0.5 * np.eye(2)
        cases.append((_tensor(spread * rng.normal(size=n)), _tensor(rng.dirichlet(2 * np.ones(K))),
                      _tensor(2 * rng.normal(size=(K, 2))), _tensor(factor @ factor.transpose(0, 2, 1)
                                                                   + 0.3 * np.eye(2))))
    return cases


def _by_seen_densities(x1: Tensor, pi: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    joint = _log_seen(x1, pi, mu, cov).exp()
    return _weighted(joint / joint.sum(dim=1, keepdim=True), _conditional_means(x1, mu, cov))


EXPECTED_X2 = Exercise(
    reference=_expected_x2,
    cases=_expected_cases,
    mistakes=(
        Mistake(lambda x1, pi, mu, cov: (pi * mu[:, 1]).sum().expand(len(x1)),
                ("this is the mean of x_2 without having seen anything: x_1 is not used.",)),
        Mistake(lambda x1, pi, mu, cov: _weighted(pi.expand(len(x1), -1), _conditional_means(x1, mu, cov)),
                ("the weights are those from before x_1 was seen. x_1 also says which component the point is from.",
                 "p(k | x_1) ∝ π_k N(x_1; μ_k1, Σ_k11).")),
        Mistake(lambda x1, pi, mu, cov: _weighted(_log_seen(x1, pi, mu, cov).softmax(dim=1),
                                                  mu[:, 1].expand(len(x1), -1)),
                ("within a component x_2 leans on x_1, too: the mean moves by Σ_21 Σ_11⁻¹ (x_1 − μ_1).",)),
        Mistake(lambda x1, pi, mu, cov: _weighted(_log_seen(x1, pi, mu, cov).softmax(dim=1), mu[:, 1] +
                                                  cov[:, 1, 0] / cov[:, 1, 1] * (x1[:, None] - mu[:, 0])),
                ("you divide by the variance of x_2. Divide by that of what was seen, Σ_11.",)),
        Mistake(lambda x1, pi, mu, cov: _weighted(_log_seen(x1, pi, mu, cov).softmax(dim=1), mu[:, 1] +
                                                  cov[:, 1, 0] * (x1[:, None] - mu[:, 0])),
                ("the covariance alone is not a slope: divide it by the variance of x_1, Σ_11.",)),
        Mistake(lambda x1, pi, mu, cov: _weighted((pi.log() - 0.5 * (x1[:, None] - mu[:, 0]) ** 2 /
                                                   cov[:, 0, 0]).softmax(dim=1), _conditional_means(x1, mu, cov)),
                ("the posterior of k forgets that a wide Gaussian is lower: subtract ½ log Σ_11.",)),
        Mistake(lambda x1, pi, mu, cov: _weighted((_log_seen(x1, pi, mu, cov) - pi.log()).softmax(dim=1),
                                                  _conditional_means(x1, mu, cov)),
                ("the posterior of k forgets the weights π_k.",)),
        Mistake(lambda x1, pi, mu, cov: _conditional_means(x1, mu, cov).gather(
                    1, _log_seen(x1, pi, mu, cov).argmax(dim=1, keepdim=True))[:, 0],
                ("you trust the most probable component alone; the mean of a mixture weighs all of them.",)),
        Mistake(lambda x1, pi, mu, cov: _conditional_means(x1, mu, cov),
                ("this is the mean in each component: weigh them by p(k | x_1) and add.",)),
        Mistake(_by_seen_densities,
                ("it returns NaN where x_1 lies far out: all densities are 0 there. Take the softmax of log p(x_1, k).",
                 "`log_joint.softmax(dim=1)` divides by the sum without leaving the safe range.")),
    ),
    hints=("two parts: which component, p(k | x_1), from x_1's own Gaussian; and where in it, E[x_2 | x_1, k].",
           "E[x_2 | x_1, k] = μ_k2 + Σ_k21 / Σ_k11 · (x_1 − μ_k1); then the average over k with weights p(k | x_1)."),
)

EXERCISES = {"02.log_responsibilities": LOG_RESPONSIBILITIES, "02.sample_mixture": SAMPLE_MIXTURE,
             "02.expected_x2": EXPECTED_X2}
