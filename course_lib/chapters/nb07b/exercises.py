"""Exercises of notebook 07b: temperature, a dilated causal convolution, the μ-law, and top-p sampling."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data.waveform import mu_law_encode
from course_lib.models.sequences import nucleus
from course_lib.teach.exercises import Exercise, Mistake


def _next_probabilities(logits: Tensor, tau: float) -> Tensor:
    return (logits / tau).softmax(dim=1)


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor, float]]:
    cases = [(torch.tensor(3 * rng.normal(size=size)), tau)
             for size, tau in (((4, 5), 0.5), ((1, 3), 2.0), ((6, 2), 1.3), ((3, 3), 0.25))]
    return [*cases, (1000 * cases[0][0].sign(), 0.7)]


def _by_exp(logits: Tensor, tau: float) -> Tensor:
    odds = (logits / tau).exp()
    return odds / odds.sum(dim=1, keepdim=True)


NEXT_PROBABILITIES = Exercise(
    reference=_next_probabilities,
    cases=_logit_cases,
    mistakes=(
        Mistake(lambda logits, tau: (logits * tau).softmax(dim=1),
                ("a small temperature must make the likely likelier: divide the logits by it.",)),
        Mistake(lambda logits, tau: logits.softmax(dim=1) / tau,
                ("these do not add up to 1: divide the logits, before the softmax.",)),
        Mistake(lambda logits, tau: logits.softmax(dim=1),
                ("the temperature changes nothing here. (Probabilities divided by it and normalised again are the old "
                 "ones: divide the logits.)",)),
        Mistake(lambda logits, tau: logits.softmax(dim=1) ** (1 / tau),
                ("right up to a factor: p^(1/τ) must be normalised again. Shorter: divide the logits by τ first.",)),
        Mistake(lambda logits, tau: (logits / tau).softmax(dim=0),
                ("the softmax runs over the examples; symbols lie in dimension 1.",)),
        Mistake(lambda logits, tau: (logits / tau).log_softmax(dim=1),
                ("these are log probabilities; asked for are probabilities.",)),
        Mistake(lambda logits, tau: logits / tau,
                ("these are still logits: the softmax is missing.",)),
        Mistake(_by_exp,
                ("right for small logits, but exp(1000) is too large for a computer. `softmax` subtracts the largest "
                 "logit first.",)),
    ),
    hints=("divide the logits by τ, then take the softmax over the symbols.", "`(logits / tau).softmax(dim=1)`."),
)


def _past(x: Tensor, d: int) -> Tensor:
    return F.pad(x, (0, 0, d, 0))[:, :x.shape[1]]


def _taps(past: Tensor, x: Tensor, K: Tensor) -> Tensor:
    return past @ K[0].T + x @ K[1].T


def _dilated(x: Tensor, K: Tensor, d: int) -> Tensor:
    return _taps(_past(x, d), x, K)


def _convolution_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, int]]:
    return [(torch.tensor(rng.normal(size=(n, T, C))), torch.tensor(rng.normal(size=(2, out, C))), d)
            for n, T, C, out, d in ((2, 10, 3, 4, 2), (1, 12, 2, 2, 4), (3, 5, 1, 3, 3), (2, 4, 2, 2, 8))]


DILATED = Exercise(
    reference=_dilated,
    cases=_convolution_cases,
    mistakes=(
        Mistake(lambda x, K, d: _taps(F.pad(x, (0, 0, 0, d))[:, d:], x, K),
                ("y_t looks at x_{t+d}: that is the future. Put the zeros at the beginning.",)),
        Mistake(lambda x, K, d: _taps(x, _past(x, d), K),
                ("the taps are exchanged: K[0] belongs to x_{t−d}, K[1] to x_t.",)),
        Mistake(lambda x, K, d: _taps(x.roll(d, dims=1), x, K),
                ("`roll` brings the end of the sequence to its beginning: there it must be zeros, or the first outputs "
                 "see the future.",)),
        Mistake(lambda x, K, d: _taps(_past(x, 1), x, K),
                ("the dilation is not used: this looks one step back, not d.",)),
        Mistake(lambda x, K, d: _taps(_past(x, d - 1), x, K),
                ("one step short: x_{t−d} needs d zeros at the beginning.",)),
        Mistake(lambda x, K, d: _taps(_past(x, d + 1), x, K),
                ("one step too far: x_{t−d} needs d zeros at the beginning.",)),
        Mistake(lambda x, K, d: F.pad(_dilated(x, K, d)[:, d:], (0, 0, min(d, x.shape[1]), 0)),
                ("the first d outputs are zero in yours. Zeros stand in for the past only: y_t = K_1 x_t there.",)),
        Mistake(lambda x, K, d: _taps(_past(x, 2**d), x, K),
                ("d is the dilation itself, not the number of a layer: look d steps back, not 2^d.",)),
        Mistake(lambda x, K, d: x @ K[1].T,
                ("only the present: the tap K[0] on the past is missing.",)),
        Mistake(lambda x, K, d: _past(x, d) @ K[0].T,
                ("only the past: the tap K[1] on x_t is missing.",)),
    ),
    hints=("shift x by d: d rows of zeros first, and the last d rows off.",
           "`past = F.pad(x, (0, 0, d, 0))[:, :x.shape[1]]`, then two matrix products."),
)


def _to_classes(x: Tensor, n_classes: int) -> Tensor:
    return mu_law_encode(x, n_classes)


def _amplitude_cases(rng: np.random.Generator) -> list[tuple[Tensor, int]]:
    cases = [(torch.tensor(np.concatenate([rng.uniform(-1, 1, n), 0.05 * rng.normal(size=n)])), N)
             for n, N in ((40, 16), (60, 64), (30, 256))]
    return [*cases, (torch.tensor([-1.0, 1.0, 0.5, -0.5], dtype=torch.float64), 8)]


def _curved(x: Tensor, mu: int) -> Tensor:
    return x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)


def _bare(x: Tensor, mu: int) -> Tensor:
    return x.sign() * torch.log1p(mu * x) / math.log1p(mu)  # NaN below −1/μ


def _whole(y: Tensor, n_classes: int) -> Tensor:
    return ((y + 1) / 2 * n_classes).long().clamp(max=n_classes - 1)


TO_CLASSES = Exercise(
    reference=_to_classes,
    cases=_amplitude_cases,
    mistakes=(
        Mistake(lambda x, n_classes: ((_curved(x, n_classes - 1) + 1) / 2 * n_classes).long(),
                ("nearly: an amplitude of exactly 1 gets the class N, which does not exist. Clamp it to N − 1.",)),
        Mistake(lambda x, n_classes: ((x + 1) / 2 * n_classes).long().clamp(max=n_classes - 1),
                ("equal intervals of the amplitude itself: quiet sounds would get few classes. Bend it first.",)),
        Mistake(lambda x, n_classes: ((_curved(x, 255) + 1) / 2 * n_classes).long().clamp(max=n_classes - 1),
                ("μ is 255 in yours, always. Here it follows the number of classes: N − 1.",)),
        Mistake(lambda x, n_classes: _whole(_bare(x, n_classes - 1), n_classes),
                ("the logarithm of a negative amplitude: take |x| in it, and put the sign before it.",)),
        Mistake(lambda x, n_classes: ((_curved(x, n_classes) + 1) / 2 * n_classes).long().clamp(max=n_classes - 1),
                ("μ is N − 1, not N.",)),
        Mistake(lambda x, n_classes: ((_curved(x, n_classes - 1) + 1) / 2 * (n_classes - 1)).round().long(),
                ("you round to the nearest of N points; asked for is in which of N equal intervals u lies.",)),
        Mistake(lambda x, n_classes: ((_curved(x, n_classes - 1) + 1) / 2 * (n_classes - 1)).long(),
                ("you cut into N − 1 intervals; there are N.",)),
        Mistake(lambda x, n_classes: ((_curved(x.abs(), n_classes - 1) + 1) / 2 * n_classes).long().clamp(
                    max=n_classes - 1),
                ("the sign is lost: negative and positive amplitudes get one class.",)),
        Mistake(lambda x, n_classes: (_curved(x, n_classes - 1) * n_classes).long().clamp(max=n_classes - 1),
                ("u runs from −1 to 1, so some classes are negative: shift and halve it first, (u + 1)/2.",)),
        Mistake(lambda x, n_classes: (_curved(x, n_classes - 1) + 1) / 2,
                ("this is u, moved to [0, 1]. Now cut that into N classes, whole numbers.",)),
        Mistake(lambda x, n_classes: mu_law_encode(x, n_classes).float(),
                ("the classes are right; return whole numbers, `.long()`.",)),
    ),
    hints=("bend: u = sign(x)·log(1 + μ|x|)/log(1 + μ); move to [0, 1]; times N; round down; at most N − 1.",
           "`((u + 1) / 2 * n_classes).long().clamp(max=n_classes - 1)`."),
)


def _tail_cases(rng: np.random.Generator) -> list[tuple[Tensor, float]]:
    cases = [(torch.tensor(rng.dirichlet(np.full(N, 0.7), size=n)), top_p)
             for n, N, top_p in ((4, 6, 0.8), (3, 12, 0.6), (5, 9, 0.95), (1, 4, 0.3))]
    return [*cases, (torch.tensor([[0.05, 0.6, 0.04, 0.31], [0.02, 0.03, 0.9, 0.05]], dtype=torch.float64), 0.7)]


def _cut(p: Tensor, keep: Callable[[Tensor], Tensor], descending: bool = True) -> Tensor:
    """Probabilities after a cut: `keep` says which of the sorted ones stay; at least one does."""
    ordered, symbol = p.sort(dim=1, descending=descending)
    stay = keep(ordered)
    stay[:, 0] = True
    kept = torch.where(stay, ordered, 0)
    return torch.zeros_like(p).scatter(1, symbol, kept / kept.sum(dim=1, keepdim=True))


def _in_order(p: Tensor, top_p: float) -> Tensor:
    kept = torch.where(p.cumsum(dim=1) - p < top_p, p, 0)
    return kept / kept.sum(dim=1, keepdim=True)


CUT_TAIL = Exercise(
    reference=nucleus,
    cases=_tail_cases,
    mistakes=(
        Mistake(lambda p, top_p: _cut(p, lambda ordered: ordered.cumsum(dim=1) < top_p),
                ("one symbol short: what you keep adds up to less than top_p. The symbol that brings the sum to top_p "
                 "stays, so ask what the *likelier* ones add up to: cumsum less the symbol's own.",)),
        Mistake(lambda p, top_p: (p > 0) * torch.where(nucleus(p, top_p) > 0, p, 0),
                ("the right symbols, but their probabilities do not add up to 1: divide by their sum.",)),
        Mistake(lambda p, top_p: nucleus(p, top_p).sort(dim=1, descending=True).values,
                ("these are in the order of size: bring them back to their symbols, with `scatter`.",)),
        Mistake(lambda p, top_p: _cut(p, lambda ordered: ordered.cumsum(dim=1) - ordered < top_p, False),
                ("you began with the unlikeliest symbols: sort in descending order.",)),
        Mistake(_in_order,
                ("you added up in the order of the alphabet; begin with the likeliest symbol: sort first.",)),
        Mistake(lambda p, top_p: _cut(p, lambda ordered: ordered > 1 - top_p),
                ("you cut single probabilities at 1 − top_p. It is their *sum*, from the likeliest down, that is held "
                 "against top_p.",)),
        Mistake(lambda p, top_p: p.clone(),
                ("nothing was cut: all symbols are left.",)),
    ),
    hints=("sort each row in descending order, and add up: `ordered.cumsum(dim=1)`.",
           "a symbol stays if the likelier ones hold less than top_p: `ordered.cumsum(dim=1) - ordered < top_p`.",
           "divide by the sum of what stays, and put it in place: `torch.zeros_like(p).scatter(1, symbol, kept)`."),
)

EXERCISES = {"07b.next_probabilities": NEXT_PROBABILITIES, "07b.dilated": DILATED, "07b.to_classes": TO_CLASSES,
             "07b.cut_tail": CUT_TAIL}
