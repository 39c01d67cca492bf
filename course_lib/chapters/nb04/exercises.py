"""Exercises of notebook 04: a draw that gradients pass through, the loss of a VAE, and its silent dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _kl(m: Tensor, log_s: Tensor) -> Tensor:
    return 0.5 * (m**2 + (2 * log_s).exp() - 1 - 2 * log_s)


def _draw_and_kl(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    return m + log_s.exp() * eps, _kl(m, log_s)


def _code_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [tuple(_tensor(scale * rng.normal(size=(n, d))) for scale in (1.5, 1.0, 1.0))
            for n, d in ((5, 2), (3, 20), (1, 1), (4, 3))]


def _kl_of_log_var(m: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (m**2 + log_var.exp() - 1 - log_var)


def _slopes(outputs: Any, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """Gradients of the outputs' sum by each input: zero where none arrives."""
    outputs = [o.sum() for o in outputs if isinstance(o, Tensor) and o.requires_grad]
    if not outputs:
        return [torch.zeros_like(i) for i in inputs]
    found = torch.autograd.grad(sum(outputs), inputs, allow_unused=True)
    return [torch.zeros_like(i) if g is None else g for g, i in zip(found, inputs, strict=True)]


def _with_slopes(function: Callable[..., Any], m: Tensor, log_s: Tensor, eps: Tensor) -> Any:
    """z and KL, and the gradients of each one's sum that reach m and log s."""
    m, log_s = m.requires_grad_(), log_s.requires_grad_()
    answer = function(m, log_s, eps)
    if not isinstance(answer, tuple) or len(answer) != 2:
        return answer
    slopes = [slope for part in answer for slope in _slopes([part], (m, log_s))]
    return (*(part.detach() if isinstance(part, Tensor) else part for part in answer), *slopes)


def _detached_draw(m: Tensor, log_s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    return (m + log_s.exp() * eps).detach(), _kl(m, log_s)


DRAW_AND_KL = Exercise(
    reference=_draw_and_kl,
    cases=_code_cases,
    observe=_with_slopes,
    mistakes=(
        Mistake(lambda m, log_s, eps: (m + (log_s / 2).exp() * eps, _kl_of_log_var(m, log_s)),
                ("both formulas are those of log s², as in the notebook's class. Here you are given log s: what is s, "
                 "what is log s²?",
                 "s = exp(log_s) and log s² = 2·log_s: put them into ½(m² + s² − 1 − log s²).")),
        Mistake(lambda m, log_s, eps: (m + (log_s / 2).exp() * eps, _kl(m, log_s)),
                ("KL is right; the draw takes log_s for a log-variance. exp(log_s) *is* the standard deviation.",)),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, _kl_of_log_var(m, log_s)),
                ("the draw is right; KL takes log_s for a log-variance: the slip of the slides.",
                 "log s² is 2·log_s, and s² is exp(2·log_s).")),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, log_s.exp() - (1 + log_s) + m**2),
                ("this is the formula of the slides: it wants a log-variance, and its ½ is missing.",
                 "½(m² + s² − 1 − log s²) with s = exp(log_s).")),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, 2 * _kl(m, log_s)),
                ("the ½ is missing in KL: unnoticed, it trains with β = 2.",)),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, 0.5 * (m**2 + (2 * log_s).exp() - 1 - log_s)),
                ("log s² is 2·log_s, not log_s. A check: for m = 0, KL must be smallest, and 0, at s = 1.",)),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, -_kl(m, log_s)),
                ("KL has the wrong sign: it is never negative.",)),
        Mistake(_detached_draw,
                ("the numbers are right, but no gradient passes through the draw: the encoder could not learn.",
                 "leave out `detach`, `no_grad` and `.item()`: z must be computed from m and log_s.")),
        Mistake(lambda m, log_s, eps: tuple(part.detach() for part in _draw_and_kl(m, log_s, eps)),
                ("the numbers are right, but no gradient reaches m or log_s: nothing could be trained.",
                 "leave out `detach` and `no_grad`.")),
        Mistake(lambda m, log_s, eps: _draw_and_kl(m, log_s, eps)[::-1],
                ("the two are exchanged: z first, then KL.",)),
        Mistake(lambda m, log_s, eps: (m + log_s * eps, _kl(m, log_s)),
                ("you multiply the noise by log s, which can be negative; a width cannot.",)),
        Mistake(lambda m, log_s, eps: (m + (2 * log_s).exp() * eps, _kl(m, log_s)),
                ("you multiply the noise by the variance; a draw moves by standard deviations.",)),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, _kl(m, log_s).sum(dim=1)),
                ("you summed KL over the dimensions. Asked for is each one, [n, d]: it shows which are silent.",)),
        Mistake(lambda m, log_s, eps: (m + log_s.exp() * eps, _kl(m, log_s).mean()),
                ("you averaged KL over everything. Asked for is each dimension of each picture, [n, d].",)),
    ),
    hints=("s = exp(log_s). A draw from N(m, s²) is m + s·eps; KL is ½(m² + s² − 1 − log s²).",
           "set m = 0, log_s = 0: z must be eps, and KL must be 0. Then try log_s = 1."),
)


def _log_likelihood(a: Tensor, x: Tensor) -> Tensor:
    return x * a - softplus(a)


def _negative_elbo(a: Tensor, x: Tensor, kl: Tensor) -> Tensor:
    return (kl.sum(dim=1) - _log_likelihood(a, x).sum(dim=1)).mean()


def _loss_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = [(_tensor(2 * rng.normal(size=(n, D))), _tensor(rng.random((n, D)) < 0.4), _tensor(rng.random((n, d))))
             for n, D, d in ((4, 9, 2), (6, 5, 3), (3, 784, 20))]
    a, x, kl = cases[1]
    return [*cases, (200 * a.sign(), x, kl)]


def _by_sigmoid(a: Tensor, x: Tensor, kl: Tensor) -> Tensor:
    p = torch.sigmoid(a)
    return (kl.sum(dim=1) - (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=1)).mean()


def _clipped(a: Tensor, x: Tensor, kl: Tensor) -> Tensor:
    p = torch.sigmoid(a).clamp(1e-6, 1 - 1e-6)
    return (kl.sum(dim=1) - (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=1)).mean()


def _loss_with_slopes(function: Callable[..., Any], a: Tensor, x: Tensor, kl: Tensor) -> Any:
    """The loss, and its gradients by the logits and by KL."""
    a, kl = a.requires_grad_(), kl.requires_grad_()
    loss = function(a, x, kl)
    return (loss.detach(), *_slopes([loss], (a, kl))) if isinstance(loss, Tensor) else loss


NEGATIVE_ELBO = Exercise(
    reference=_negative_elbo,
    cases=_loss_cases,
    observe=_loss_with_slopes,
    mistakes=(
        Mistake(lambda a, x, kl: kl.sum(dim=1).mean() - _log_likelihood(a, x).mean(),
                ("the classic bug: a mean over pixels makes the reconstruction D times too small, as if β were D. The "
                 "code goes silent.",
                 "sum over pixels, `dim=1`; then the mean over pictures.")),
        Mistake(lambda a, x, kl: kl.mean() - _log_likelihood(a, x).mean(),
                ("you took means over everything: reconstruction is divided by D and KL by d, so their balance is off.",
                 "sum over `dim=1` in both terms, then the mean over pictures.")),
        Mistake(lambda a, x, kl: kl.mean() - _log_likelihood(a, x).sum(dim=1).mean(),
                ("KL is averaged over dimensions: q and p are products over them, so KLs add up.",)),
        Mistake(lambda a, x, kl: kl.sum() - _log_likelihood(a, x).sum(),
                ("you summed over pictures, too: the loss and its gradient grow with the batch. Take the mean.",)),
        Mistake(lambda a, x, kl: kl.sum() - _log_likelihood(a, x).sum(dim=1).mean(),
                ("KL is summed over the pictures, the reconstruction averaged: as if β were the batch size.",)),
        Mistake(lambda a, x, kl: kl.sum(dim=1).mean() - _log_likelihood(a, x).sum(),
                ("the reconstruction is summed over the pictures, KL averaged: β is divided by the batch size.",)),
        Mistake(lambda a, x, kl: -_negative_elbo(a, x, kl),
                ("this is the ELBO itself; an optimiser goes downhill, so it wants minus the ELBO.",)),
        Mistake(lambda a, x, kl: (-kl.sum(dim=1) - _log_likelihood(a, x).sum(dim=1)).mean(),
                ("the sign of KL is turned: this rewards codes that are far from the prior.",)),
        Mistake(lambda a, x, kl: (kl.sum(dim=1) + _log_likelihood(a, x).sum(dim=1)).mean(),
                ("the sign of log p(x | z) is turned: this rewards bad reconstructions.",)),
        Mistake(lambda a, x, kl: -_log_likelihood(a, x).sum(dim=1).mean(),
                ("KL is missing: nothing holds the codes, and the noise vanishes.",)),
        Mistake(lambda a, x, kl: _negative_elbo(a, x, kl).detach(),
                ("the number is right, but no gradient comes back from it: nothing would learn. Leave out `detach`.",)),
        Mistake(lambda a, x, kl: (0.5 * kl.sum(dim=1) - _log_likelihood(a, x).sum(dim=1)).mean(),
                ("KL is halved: the ½ of its formula is in `kl` already.",)),
        Mistake(lambda a, x, kl: (784 * kl.sum(dim=1) - _log_likelihood(a, x).sum(dim=1)).mean(),
                ("KL counts once: the factor 784 is what the classic bug does.",)),
        Mistake(_by_sigmoid,
                ("right for small logits, not a number for large ones: sigmoid(200) is 1 on a computer, and "
                 "0·log 0 is NaN. Stay with logits.",
                 "log p(x | a) = x·a − softplus(a).")),
        Mistake(_clipped,
                ("clipping avoids the infinity but scores a wrong pixel too kindly. Do not compute p at all.",
                 "log p(x | a) = x·a − softplus(a).")),
        Mistake(lambda a, x, kl: (kl.sum(dim=1) + ((x - torch.sigmoid(a)) ** 2).sum(dim=1)).mean(),
                ("a squared error is no log-likelihood of a pixel of 0 or 1: use x·log p + (1 − x)·log(1 − p).",)),
    ),
    hints=("minus the ELBO = KL − log p(x | z), each summed for a picture, then the mean over pictures.",
           "with logits, log p(x | z) of a pixel is x·a − softplus(a)."),
)


def _active(m: Tensor, threshold: float = 0.01) -> int:
    return int((m.var(dim=0, correction=0) > threshold).sum())


def _active_cases(rng: np.random.Generator) -> list[tuple[Tensor, float]]:
    cases = []
    for n, d, threshold in ((200, 8, 0.01), (50, 20, 0.01), (100, 6, 0.1)):
        spread = np.sqrt(threshold) * rng.permutation(np.geomspace(0.1, 10, d))
        m = rng.normal(size=(n, d))
        m = (m - m.mean(axis=0)) / m.std(axis=0) * spread + rng.choice([-1.0, 0.0, 1.0], size=d)
        cases.append((_tensor(m), threshold))
    just_below = _tensor(np.array([[-1.0, 0.0, 3.0], [1.0, 0.0, 3.0]])) * 0.0995  # the first: with n − 1, just above
    return [*cases, (just_below, 0.01)]


ACTIVE_DIMENSIONS = Exercise(
    reference=_active,
    cases=_active_cases,
    mistakes=(
        Mistake(lambda m, threshold=0.01: int((m.std(dim=0, correction=0) > threshold).sum()),
                ("you compare the standard deviation; the threshold is one for variances.",)),
        Mistake(lambda m, threshold=0.01: int((m.var(dim=0) > threshold).sum()),
                ("`var` divides by n − 1 unless told otherwise; asked for is division by n.",
                 "`m.var(dim=0, correction=0)`.")),
        Mistake(lambda m, threshold=0.01: int((m.var(dim=1, correction=0) > threshold).sum()),
                ("this is the variance over dimensions, and counts pictures. Go over pictures, `dim=0`.",)),
        Mistake(lambda m, threshold=0.01: int(((m**2).mean(dim=0) > threshold).sum()),
                ("this is the mean square: a middle that is far from 0 but the same for all pictures says nothing. "
                 "Subtract the mean first.",)),
        Mistake(lambda m, threshold=0.01: int((m.mean(dim=0).abs() > threshold).sum()),
                ("you look at the mean of m: the question is whether it moves from picture to picture.",)),
        Mistake(lambda m, threshold=0.01: int((m.var(dim=0, correction=0) <= threshold).sum()),
                ("you count the silent ones.",)),
        Mistake(lambda m, threshold=0.01: int((m.var(dim=0, correction=0) > 0.01).sum()),
                ("the threshold is an argument: use it.",)),
        Mistake(lambda m, threshold=0.01: int(m.var(correction=0) > threshold),
                ("this is one variance of all numbers together: take that of each column, `dim=0`.",)),
        Mistake(lambda m, threshold=0.01: float((m.var(dim=0, correction=0) > threshold).float().mean()),
                ("this is their share; asked for is how many, an int.",)),
    ),
    hints=("one variance for each column of m, then count those above the threshold.",
           "`m.var(dim=0, correction=0)` divides by n."),
)

EXERCISES = {"04.draw_and_kl": DRAW_AND_KL, "04.negative_elbo": NEGATIVE_ELBO,
             "04.active_dimensions": ACTIVE_DIMENSIONS}
