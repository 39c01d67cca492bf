"""Exercises of notebook 04: a draw that gradients pass through, the loss of a VAE, and its silent dimensions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _kl(m: Tensor, s: Tensor) -> Tensor:
    return 0.5 * (m**2 + (2 * s).exp() - 1 - 2 * s)


def _draw_and_kl(m: Tensor, s: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    return m + s.exp() * eps, _kl(m, s)


def _code_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [tuple(_tensor(scale * rng.normal(size=(n, d))) for scale in (1.5, 1.0, 1.0))
            for n, d in ((5, 2), (3, 20), (1, 1), (4, 3))]


DRAW_AND_KL = Exercise(
    reference=_draw_and_kl,
    cases=_code_cases,
    mistakes=(
        Mistake(lambda m, s, eps: (m + (s / 2).exp() * eps, 0.5 * (m**2 + s.exp() - 1 - s)),
                ("both formulas are those of s = log σ², as in the notebook's class. Here s = log σ: what is σ, "
                 "what is log σ²?",
                 "σ = e^s and σ² = e^(2s): put them into ½(m² + σ² − 1 − log σ²).")),
        Mistake(lambda m, s, eps: (m + (s / 2).exp() * eps, _kl(m, s)),
                ("KL is right; the draw takes s for a log-variance. Here e^s *is* the standard deviation.",)),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, 0.5 * (m**2 + s.exp() - 1 - s)),
                ("the draw is right; KL takes s for a log-variance. The slip of the slides.",
                 "log σ² is 2s, and σ² is e^(2s).")),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, s.exp() - (1 + s) + m**2),
                ("this is the formula of the slides: its s is a log-variance, and the ½ is missing.",
                 "½(m² + e^(2s) − 1 − 2s).")),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, 2 * _kl(m, s)),
                ("the ½ is missing in KL: unnoticed, it trains with β = 2.",)),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, 0.5 * (m**2 + s.exp() ** 2 - 1 - s)),
                ("log σ² is 2s, not s. A check: for m = 0 KL must be smallest, and 0, at s = 0.",)),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, -_kl(m, s)),
                ("KL has the wrong sign: it is never negative.",)),
        Mistake(lambda m, s, eps: (m + s * eps, _kl(m, s)),
                ("you multiply the noise by s itself: s = log σ can be negative, σ cannot.",)),
        Mistake(lambda m, s, eps: (m + (2 * s).exp() * eps, _kl(m, s)),
                ("you multiply the noise by the variance; a draw moves by standard deviations.",)),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, _kl(m, s).sum(dim=1)),
                ("you summed KL over the dimensions. Asked for is each one, [n, d]: it shows which are silent.",)),
        Mistake(lambda m, s, eps: (m + s.exp() * eps, _kl(m, s).mean()),
                ("you averaged KL over everything. Asked for is each dimension of each picture, [n, d].",)),
    ),
    hints=("σ = e^s. A draw from N(m, σ²) is m + σ·eps; KL is ½(m² + σ² − 1 − log σ²).",
           "set m = 0, s = 0: z must be eps, and KL must be 0. Then try s = 1."),
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


NEGATIVE_ELBO = Exercise(
    reference=_negative_elbo,
    cases=_loss_cases,
    mistakes=(
        Mistake(lambda a, x, kl: kl.sum(dim=1).mean() - _log_likelihood(a, x).mean(),
                ("the classic bug: a mean over pixels makes the reconstruction D times too small, as if β were D. The "
                 "code goes silent.",
                 "sum over pixels, `dim=1`; then the mean over pictures.")),
        Mistake(lambda a, x, kl: kl.mean() - _log_likelihood(a, x).mean(),
                ("you took means over everything: reconstruction is divided by D and KL by d, so their balance is off.",
                 "sum over `dim=1` in both terms, then the mean over pictures.")),
        Mistake(lambda a, x, kl: kl.mean() - _log_likelihood(a, x).sum(dim=1).mean(),
                ("KL is averaged over the dimensions: q and p are products over them, so KLs *add up*.",)),
        Mistake(lambda a, x, kl: kl.sum() - _log_likelihood(a, x).sum(),
                ("you summed over the pictures, too: the loss and its gradient grow with the batch. Take their mean.",)),
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
        Mistake(_by_sigmoid,
                ("right for small logits, not a number for large ones: sigmoid(200) is 1 on a computer, and "
                 "0·log 0 is NaN. Stay with logits.",
                 "log p(x | a) = x·a − softplus(a).")),
        Mistake(_clipped,
                ("clipping avoids the infinity but scores a wrong pixel too kindly. Do not compute p at all.",
                 "log p(x | a) = x·a − softplus(a).")),
        Mistake(lambda a, x, kl: (kl.sum(dim=1) + ((x - torch.sigmoid(a)) ** 2).sum(dim=1)).mean(),
                ("a squared error is no log-likelihood of pixels that are 0 or 1: use x·log p + (1 − x)·log(1 − p).",)),
    ),
    hints=("minus the ELBO = KL − log p(x | z), each summed for a picture, then the mean over pictures.",
           "with logits, log p(x | z) of a pixel is x·a − softplus(a)."),
)


def _active(mu: Tensor, threshold: float = 0.01) -> int:
    return int((mu.var(dim=0, correction=0) > threshold).sum())


def _active_cases(rng: np.random.Generator) -> list[tuple[Tensor, float]]:
    cases = []
    for n, d, threshold in ((200, 8, 0.01), (50, 20, 0.01), (100, 5, 0.1)):
        spread = np.sqrt(threshold) * rng.permutation(np.geomspace(0.1, 10, d))
        mu = rng.normal(size=(n, d))
        mu = (mu - mu.mean(axis=0)) / mu.std(axis=0) * spread + rng.choice([-1.0, 0.0, 1.0], size=d)
        cases.append((_tensor(mu), threshold))
    just_below = _tensor(np.array([[-1.0, 0.0, 3.0], [1.0, 0.0, 3.0]])) * 0.0995  # the first: with n − 1, just above
    return [*cases, (just_below, 0.01)]


ACTIVE_DIMENSIONS = Exercise(
    reference=_active,
    cases=_active_cases,
    mistakes=(
        Mistake(lambda mu, threshold=0.01: int((mu.std(dim=0, correction=0) > threshold).sum()),
                ("you compare the standard deviation; the threshold is one for variances.",)),
        Mistake(lambda mu, threshold=0.01: int((mu.var(dim=0) > threshold).sum()),
                ("`var` divides by n − 1 unless told otherwise; asked for is division by n.",
                 "`mu.var(dim=0, correction=0)`.")),
        Mistake(lambda mu, threshold=0.01: int((mu.var(dim=1, correction=0) > threshold).sum()),
                ("this is the variance over the dimensions, and counts pictures. Go over the pictures, `dim=0`.",)),
        Mistake(lambda mu, threshold=0.01: int(((mu**2).mean(dim=0) > threshold).sum()),
                ("this is the mean square: a μ that is far from 0 but the same for all pictures says nothing. Subtract "
                 "the mean first.",)),
        Mistake(lambda mu, threshold=0.01: int((mu.mean(dim=0).abs() > threshold).sum()),
                ("you look at the mean of μ: the question is whether it moves from picture to picture.",)),
        Mistake(lambda mu, threshold=0.01: int((mu.var(dim=0, correction=0) <= threshold).sum()),
                ("you count the silent ones.",)),
        Mistake(lambda mu, threshold=0.01: int((mu.var(dim=0, correction=0) > 0.01).sum()),
                ("the threshold is an argument: use it.",)),
        Mistake(lambda mu, threshold=0.01: int(mu.var(correction=0) > threshold),
                ("this is one variance of all numbers together: take that of each column, `dim=0`.",)),
        Mistake(lambda mu, threshold=0.01: float((mu.var(dim=0, correction=0) > threshold).float().mean()),
                ("this is their share; asked for is how many, an int.",)),
    ),
    hints=("one variance for each column of mu, then count those above the threshold.",
           "`mu.var(dim=0, correction=0)` divides by n."),
)

EXERCISES = {"04.draw_and_kl": DRAW_AND_KL, "04.negative_elbo": NEGATIVE_ELBO,
             "04.active_dimensions": ACTIVE_DIMENSIONS}
