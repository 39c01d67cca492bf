"""Exercises of notebook 03b: reparametrised draws, baselines and control variates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake

LOG_2PI = math.log(2 * math.pi)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _log_q(z: Tensor, m: Tensor, log_s: Tensor) -> Tensor:
    return (-0.5 * ((z - m) / log_s.exp()) ** 2 - log_s - 0.5 * LOG_2PI).sum(dim=2)


def _draw_q(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    z = m + log_s.exp() * eps
    return z, _log_q(z, m, log_s)


def _draw_q_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    shapes = ((4, 3, 2), (1, 5, 1), (6, 2, 7))
    return [(_tensor(rng.normal(size=(n, d))), _tensor(rng.normal(size=(n, d))), _tensor(rng.normal(size=(k, n, d))))
            for k, n, d in shapes]


def _values_and_gradients(function: Callable[..., tuple[Tensor, Tensor] | None], m: Tensor, log_s: Tensor,
                          eps: Tensor) -> Any:
    """z and log q, and the gradients of their sums by m and log_s: draws are reparametrised in order to be trained.

    An answer of another form goes back as it is, so that `check` can say what is wrong with the form.
    """
    m, log_s = m.requires_grad_(), log_s.requires_grad_()
    try:
        answer = function(m, log_s, eps)
    except ValueError as error:
        if "parameter scale" not in str(error):
            raise
        raise ValueError("a scale must be positive, and log_s is a log: the exp is missing, s = log_s.exp()") from error
    if not (isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(a, Tensor) for a in answer)):
        return answer
    gradients = []
    for output in answer:
        gradients += (torch.autograd.grad(output.sum(), (m, log_s), retain_graph=True, allow_unused=True,
                                          materialize_grads=True)
                      if output.requires_grad else (torch.zeros_like(m), torch.zeros_like(log_s)))
    return (*(a.detach() for a in answer), *(g.detach() for g in gradients))


@torch.no_grad()
def _draw_q_without_gradient(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    return _draw_q(m, log_s, eps)


def _draw_q_detached(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    z = (m + log_s.exp() * eps).detach()
    return z, _log_q(z, m, log_s)


def _draw_q_detached_log_q_of_eps(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    z = (m + log_s.exp() * eps).detach()
    return z, (-0.5 * eps**2 - log_s - 0.5 * LOG_2PI).sum(dim=2)


DRAW_Q = Exercise(
    reference=_draw_q,
    cases=_draw_q_cases,
    observe=_values_and_gradients,
    mistakes=(
        Mistake(lambda m, log_s, eps: _draw_q(m, log_s / 2, eps),
                ("you read `log_s` as the log of a variance: no half is needed, s = exp(log_s).",)),
        Mistake(lambda m, log_s, eps: _draw_q(m, 2 * log_s, eps),
                ("z is scaled by the variance; the scale of a draw is the standard deviation, s = exp(log_s).",)),
        Mistake(lambda m, log_s, eps: (m + log_s * eps, _log_q(m + log_s * eps, m, log_s)),
                ("you scale by log s: a scale must be positive, so take `log_s.exp()`.",)),
        Mistake(lambda m, log_s, eps: (m + log_s * eps, (-0.5 * eps**2 - log_s - 0.5 * LOG_2PI).sum(dim=2)),
                ("log q is right, but the draw is scaled by log s. The `exp` is missing: s = exp(log_s).",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0],
                                       (-0.5 * eps**2 - log_s.exp() - 0.5 * LOG_2PI).sum(dim=2)),
                ("you subtract s in log q: the density is divided by s, so its log loses log s, which is given.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], (-0.5 * eps**2 - log_s).sum(dim=2) - 0.5 * LOG_2PI),
                ("you subtract ½ log 2π once for each draw. Each coordinate has a density of its own, so it belongs "
                 "inside the sum.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], (-0.5 * eps**2 - 0.5 * LOG_2PI).sum(dim=2)),
                ("this is the log density of eps. Stretching by s makes the density s times lower.",
                 "subtract `log_s` for each coordinate.")),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], (-0.5 * eps**2 + log_s - 0.5 * LOG_2PI).sum(dim=2)),
                ("the sign of `log_s` is turned: a wider q has a lower density.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], (-0.5 * eps**2 - log_s).sum(dim=2)),
                ("the constant is missing: −½ log 2π for each coordinate. Without it the density does not integrate "
                 "to one.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], _draw_q(m, log_s, eps)[1] / eps.shape[2]),
                ("you took the mean over the coordinates. Their densities multiply, so the logs add up: `sum`.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], _draw_q(m, log_s, eps)[1].sum(dim=0)),
                ("you also summed over the draws: each draw has its own log q.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], -0.5 * eps**2 - log_s - 0.5 * LOG_2PI),
                ("log q still has an entry for each coordinate: sum over the last dimension.",)),
        Mistake(lambda m, log_s, eps: (_draw_q(m, log_s, eps)[0], _log_q(eps, m, log_s)),
                ("you put `eps` where z belongs: (z − m)/s is `eps` already, do not standardise it again.",)),
        Mistake(_draw_q_without_gradient,
                ("the values are right, but no gradient reaches m: nothing could be trained. Work outside "
                 "`no_grad`.",)),
        Mistake(_draw_q_detached,
                ("the values are right, but z is detached, so no gradient reaches m through the draw: nothing could be "
                 "trained.",)),
        Mistake(_draw_q_detached_log_q_of_eps,
                ("the values are right, but no gradient of z reaches m or log_s: nothing could be trained. Do not "
                 "detach z.",)),
        Mistake(lambda m, log_s, eps: _draw_q(m, log_s, eps)[0],
                ("z is right. log q(z) is asked for, too: return both, z first.",)),
    ),
    hints=("z = m + s·eps, and (z − m)/s is eps again.",
           "one coordinate: log N(z; m, s²) = −½ eps² − log s − ½ log 2π. Independent coordinates add up."),
)


def _leave_one_out(f: Tensor, score: Tensor) -> Tensor:
    return ((f - (f.sum() - f) / (len(f) - 1)) * score).mean()


def _gradient_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    return [(_tensor(level + rng.normal(size=n)), _tensor(rng.normal(size=n)))
            for n, level in ((5, 0.0), (8, -20.0), (2, 3.0))]


LEAVE_ONE_OUT = Exercise(
    reference=_leave_one_out,
    cases=_gradient_cases,
    mistakes=(
        Mistake(lambda f, score: ((f.sum() - f) / (len(f) - 1) * score).mean(),
                ("only the baseline is multiplied by the score: f itself is missing, f minus baseline.",)),
        Mistake(lambda f, score: ((f - f.mean()) * score).mean(),
                ("this baseline holds f of draw i itself, so it is not independent of that draw's score: the estimate "
                 "comes out too small, by the factor 1 − 1/n.",
                 "mean of the others: (f.sum() − f)/(n − 1), one number for each draw.")),
        Mistake(lambda f, score: (f * score).mean(),
                ("there is no baseline yet: subtract from each f the mean of the others.",)),
        Mistake(lambda f, score: ((f - (f.sum() - f) / len(f)) * score).mean(),
                ("there are n − 1 others, not n.",)),
        Mistake(lambda f, score: ((f - (f.sum() - f) / (len(f) - 1)) * score).sum(),
                ("you summed over the draws: take the mean.",)),
        Mistake(lambda f, score: (f - (f.sum() - f) / (len(f) - 1)) * score,
                ("these are the estimates of each draw: take their mean.",)),
        Mistake(lambda f, score: -_leave_one_out(f, score),
                ("the sign is turned: f minus baseline, not baseline minus f.",)),
        Mistake(lambda f, score: (f * (score - (score.sum() - score) / (len(f) - 1))).mean() * 2,
                ("the baseline is subtracted from f, not from the score, and nothing is doubled.",)),
        Mistake(lambda f, score: (f - (f.sum() - f) / (len(f) - 1)).mean() * score.mean(),
                ("this is 0, whatever f is. Either you took the others' mean of f·score from f·score: take that of f "
                 "from f. Or you averaged too early: the mean of a product is not the product of the means.",)),
        Mistake(lambda f, score: (f + (f.sum() - f) / (len(f) - 1)).mul(score).mean(),
                ("the baseline is added; it should be taken away.",)),
    ),
    hints=("for draw i: (f_i − mean of the other f) · score_i. Then the mean over i.",
           "the sum of the others is `f.sum() - f`."),
)


def _control_variate(g: Tensor, h: Tensor) -> Tensor:
    return g - _c(g, h) * h


def _c(g: Tensor, h: Tensor) -> Tensor:
    g_rest, h_rest = g - g.mean(), h - h.mean()
    return (g_rest * h_rest).mean() / (h_rest**2).mean()


def _control_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = []
    for n, slope, level in ((20, 2.0, 1.0), (7, -0.5, -3.0), (50, 10.0, 0.0)):
        h = rng.normal(size=n)
        cases.append((_tensor(level + slope * h + rng.normal(size=n)), _tensor(h)))
    return cases


CONTROL_VARIATE = Exercise(
    reference=_control_variate,
    cases=_control_cases,
    mistakes=(
        Mistake(lambda g, h: g,
                ("this is g as it came: c·h has not been taken away. The best c is Cov(g, h)/Var(h).",)),
        Mistake(lambda g, h: g - g.mean() * h,
                ("you took c = E[g]. A baseline has E[f] for its c, not the mean of the whole estimate. Find the "
                 "lowest point of the parabola in c.",
                 "set −2·Cov(g, h) + 2c·Var(h) to zero.")),
        Mistake(lambda g, h: g - ((g - g.mean()) * (h - h.mean())).mean() / h.std() * h,
                ("you divide the covariance by the standard deviation of h: the parabola in c has its variance, the "
                 "square.",)),
        Mistake(lambda g, h: g - h,
                ("you took c = 1. The variance is a parabola in c: where is its lowest point?",
                 "set −2·Cov(g, h) + 2c·Var(h) to zero.")),
        Mistake(lambda g, h: g + _c(g, h) * h,
                ("the sign is turned: this raises the variance. Take c·h away.",)),
        Mistake(lambda g, h: g - ((g - g.mean()) * (h - h.mean())).mean() / ((g - g.mean()) ** 2).mean() * h,
                ("you divide by the variance of g: the parabola in c has Var(h) in front of c².",)),
        Mistake(lambda g, h: g - ((g - g.mean()) * (h - h.mean())).mean() * h,
                ("this c is the covariance. Divide it by the variance of h.",)),
        Mistake(lambda g, h: g - torch.corrcoef(torch.stack([g, h]))[0, 1] * h,
                ("this c is the correlation, which has no unit. c must turn units of h into units of g.",)),
        Mistake(lambda g, h: g - _c(g, h) / 2 * h,
                ("this c is half of the best one: differentiate c² once more.",)),
        Mistake(lambda g, h: g - (g * h).mean() / (h**2).mean() * h,
                ("nearly: with few draws the averages of g and h are not 0. A covariance takes them away first.",)),
        Mistake(lambda g, h: g - _c(g, h) * (h - h.mean()),
                ("you also took away the mean of h. Its *known* mean is 0; what its average is off by is what "
                 "corrects g.",)),
        Mistake(lambda g, h: g - ((g - g.mean()) * (h - h.mean())).mean() / (h - h.mean()).var() * h,
                ("`mean()` divides by n and `var()` by n − 1: use one of them for both, covariance and variance.",)),
        Mistake(_c,
                ("this is the best c. Asked for are the corrected estimates g − c·h.",)),
        Mistake(lambda g, h: _control_variate(g, h).mean(),
                ("this is their average; asked for are the corrected estimates, one for each draw.",)),
    ),
    hints=("the best c is Cov(g, h)/Var(h): the slope of the regression of g on h.",
           "take the mean of g from g and that of h from h. c is the mean of the product of the two rests over the "
           "mean of h's squared rest."),
)

EXERCISES = {"03b.draw_q": DRAW_Q, "03b.leave_one_out": LEAVE_ONE_OUT, "03b.control_variate": CONTROL_VARIATE}
