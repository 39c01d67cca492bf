"""Exercises of notebook 11f: hiding symbols, the bound at one time, a step back, drawing in few steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _mask(x: Tensor, u: Tensor, t: Tensor, N: int) -> Tensor:
    return torch.where(u < t[:, None], N, x)


def _mask_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, int]]:
    return [(torch.tensor(rng.integers(0, N, (n, D))), torch.tensor(rng.random((n, D))),
             torch.tensor(np.concatenate([[0.0, 1.0], rng.random(n - 2)])), N) for n, D, N in
            ((6, 9, 3), (9, 4, 5), (4, 7, 2))]


MASK = Exercise(
    reference=_mask,
    cases=_mask_cases,
    mistakes=(
        Mistake(lambda x, u, t, N: torch.where(u < t[:, None], x, N),
                ("exchanged: at t = 0 all should be seen, and at t = 1 all hidden.",)),
        Mistake(lambda x, u, t, N: torch.where(u < 1 - t[:, None], N, x),
                ("you hide with probability 1 − t, that of being still there.",)),
        Mistake(lambda x, u, t, N: torch.where((u[:, :1] < t[:, None]).expand_as(x), N, x),
                ("one uniform number decides about a whole picture. Each symbol has its own.",)),
        Mistake(lambda x, u, t, N: torch.where(u < t[:, None], 0, x),
                ("you write 0, which is a value. The mask is a symbol of its own, N.",)),
        Mistake(lambda x, u, t, N: torch.where(u < t[:, None], N - 1, x),
                ("N − 1 is the last of the values. The mask is N.",)),
        Mistake(lambda x, u, t, N: torch.where(u < t.mean(), N, x),
                ("each picture has its own time, `t[:, None]`.",)),
    ),
    hints=("compare u with t, a column: `u < t[:, None]` is True where the symbol is to be hidden.",
           "`torch.where(u < t[:, None], N, x)`."),
)


def _nll(logits: Tensor, x: Tensor) -> Tensor:
    return -logits.log_softmax(2).gather(2, x[:, :, None])[:, :, 0]


def _bound_with(value: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer from −log p(x_j | z), where hidden, and t."""
    return lambda logits, x, z, t: value(_nll(logits, x), (z == logits.shape[2]).to(logits), t)


def _bound_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    cases = []
    for n, D, N in ((5, 8, 3), (7, 5, 4), (4, 9, 2)):
        x, t = torch.tensor(rng.integers(0, N, (n, D))), torch.tensor(0.2 + 0.7 * rng.random(n))
        z = torch.where(torch.tensor(rng.random((n, D))) < t[:, None], N, x)
        z[0], z[1, 0] = x[0], N  # nothing is hidden in the first picture
        cases.append((torch.tensor(rng.normal(size=(n, D, N))), x, z, t))
    return cases


_BY_NUMBER = "you weigh by D/k; here t is given and the weight is 1/t."

BOUND_AT = Exercise(
    reference=_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) / t),
    cases=_bound_cases,
    mistakes=(
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1)),
                ("the weight is missing: without 1/t the mean over t is no bound. With α_t = 1 − t the weight "
                 "−α'_t/(1 − α_t) is 1/t.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) * nll.shape[1] / hidden.sum(1)),
                (f"{_BY_NUMBER} With no symbol hidden the loss is 0, and you divide by 0.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) * nll.shape[1] / hidden.sum(1).clamp(min=1)),
                (_BY_NUMBER,)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) * t),
                ("you multiply by t; the weight is 1/t: a picture of which little is hidden counts more.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) / (1 - t)),
                ("the weight is −α'_t/(1 − α_t), and 1 − α_t is t.",)),
        Mistake(_bound_with(lambda nll, hidden, t: nll.sum(1) / t),
                ("the seen symbols are in your sum. They are not predicted: only where z is N.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * (1 - hidden)).sum(1) / t),
                ("you add up the seen symbols; the hidden ones are those where z is N.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) / hidden.sum(1).clamp(min=1) / t),
                ("a *mean* over the hidden symbols: the bound has their sum.",)),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).sum(1) / hidden.sum(1) / t),
                ("a *mean* over the hidden symbols: the bound has their sum. And where none is hidden you divide by 0.",
                 )),
        Mistake(_bound_with(lambda nll, hidden, t: (nll * hidden).mean(1) / t),
                ("a mean over all symbols: that is the bound per symbol. The bound of the picture has the sum.",)),
        Mistake(_bound_with(lambda nll, hidden, t: ((nll * hidden).sum(1) / t).mean()),
                ("one number for each picture is asked for; you took their mean.",)),
        Mistake(_bound_with(lambda nll, hidden, t: -(nll * hidden).sum(1) / t),
                ("the sign: that is a lower bound on +log p(x).",)),
    ),
    hints=("−log p(x_j | z) by `log_softmax` and `gather`; times `z == N`; their sum over symbols; divided by t.",
           "`(nll * (z == N)).sum(dim=1) / t`, with `N = logits.shape[2]`."),
)


def _back_with(shown: Callable[[float, float], float],
               stays: float = 1.0) -> Callable[..., Tensor]:
    """A step back that shows a hidden symbol with this probability; a seen one stays with probability `stays`."""
    def back(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
        N, r = p.shape[2], shown(alpha_s, alpha_t)
        hidden = torch.cat([r * p, torch.full_like(p[:, :, :1], 1 - r)], dim=2)
        seen = (z[:, :, None] == torch.arange(N + 1)).to(p)
        if stays < 1:  # hidden anew
            share = (alpha_s - alpha_t) / (1 - alpha_t)
            seen = share * seen + (1 - share) * (torch.arange(N + 1) == N).to(p)
        return torch.where((z == N)[:, :, None], hidden, seen)

    return back


def _right_share(alpha_s: float, alpha_t: float) -> float:
    return (alpha_s - alpha_t) / (1 - alpha_t)


def _without_a_mask(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
    q = BACK.reference(z, p, alpha_s, alpha_t)
    return torch.where((z == p.shape[2])[:, :, None], torch.cat([p, torch.zeros_like(p[:, :, :1])], dim=2), q)


def _everywhere(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
    return BACK.reference(torch.full_like(z, p.shape[2]), p, alpha_s, alpha_t)


def _unnormalised(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
    q = BACK.reference(z, p, alpha_s, alpha_t)
    return torch.where((z == p.shape[2])[:, :, None], q * (1 - alpha_t), q)


def _mask_in_front(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
    return BACK.reference(z, p, alpha_s, alpha_t).roll(1, dims=2)


def _back_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float, float]]:
    cases = []
    for n, D, N, alpha_s, alpha_t in ((3, 6, 3, 0.7, 0.25), (2, 8, 4, 0.35, 0.0), (4, 5, 2, 1.0, 0.6)):
        z = torch.tensor(rng.integers(0, N + 1, (n, D)))
        z[0, 0], z[0, 1] = N, 0
        cases.append((z, torch.tensor(rng.dirichlet(np.ones(N), size=(n, D))), alpha_s, alpha_t))
    return cases


BACK = Exercise(
    reference=_back_with(_right_share),
    cases=_back_cases,
    mistakes=(
        Mistake(_back_with(lambda s, t: 1 - _right_share(s, t)),
                ("exchanged: (α_s − α_t)/(1 − α_t) is the probability to be *shown*, the rest is that of staying "
                 "hidden.",)),
        Mistake(_back_with(lambda s, t: s - t),
                ("α_s − α_t is not yet conditional: that the symbol is hidden at t has probability 1 − α_t, so divide "
                 "by it.",)),
        Mistake(_back_with(lambda s, t: s),
                ("α_s is the probability to be seen at s if nothing is known of t. Here the symbol is known to be "
                 "hidden at t.",)),
        Mistake(_back_with(lambda s, t: 1 - t / s),
                ("1 − α_t/α_s is the step *forward*: what is seen at s and hidden at t. Bayes' rule turns it round.",)),
        Mistake(_back_with(_right_share, stays=0.0),
                ("you hide seen symbols anew. In the way back, what is seen stays as it is.",)),
        Mistake(_everywhere,
                ("you draw seen symbols anew: where z is not N, all the probability is on z itself.",)),
        Mistake(_without_a_mask,
                ("you show every hidden symbol at once: the mask keeps the probability (1 − α_s)/(1 − α_t).",)),
        Mistake(_unnormalised, ("of hidden symbols, your probabilities do not add up to 1: divide by 1 − α_t.",)),
        Mistake(_mask_in_front, ("right, but the mask stands first: it is number N, the last.",)),
    ),
    hints=("hidden: r p for the values and 1 − r for the mask, with r = (α_s − α_t)/(1 − α_t); seen: 1 at z.",
           "`torch.cat([r * p, torch.full_like(p[:, :, :1], 1 - r)], dim=2)` where z is N, else `z[:, :, None] == "
           "torch.arange(N + 1)`."),
)


def _decode(probabilities: Callable[[Tensor], Tensor], z: Tensor, rank: Tensor, u: Tensor, shown: Sequence[int],
            once: bool = False, greedy: bool = False, sign: int = 1, also_seen: bool = False, total: bool = False,
            again: bool = False, raw: bool = False, raw_total: bool = False, one_sort: bool = False) -> Tensor:
    start, first, done = z, None, 0
    for count in shown:
        p = probabilities(z) if first is None or not once else first
        first, done, N = p, done + count, p.shape[2]
        hidden = z == N
        drawn = p.argmax(2) if greedy else (u[:, :, None] >= p.cumsum(2)[:, :, :-1]).sum(2)
        order = sign * rank
        order = order if also_seen else order.masked_fill(~(start == N if again else hidden), torch.inf)
        place = rank if raw or raw_total else order.argsort(1) if one_sort else order.argsort(1).argsort(1)
        mine = place < (done if total or again or raw_total else count)
        z = torch.where(mine & (start == N if again else (torch.ones_like(hidden) if also_seen else hidden)), drawn, z)
    return z


def _with(**wrong: bool | int) -> Callable[..., Tensor]:
    return lambda probabilities, z, rank, u, shown: _decode(probabilities, z, rank, u, shown, **wrong)


def _all_at_once(probabilities: Callable[[Tensor], Tensor], z: Tensor, rank: Tensor, u: Tensor,
                 shown: Sequence[int]) -> Tensor:
    return _decode(probabilities, z, rank, u, [z.shape[1]])


def _answers(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Some p(x_j | z) [n, D, N] in which every symbol of z counts; weights [D, N + 1, D, N]."""
    def probabilities(z: Tensor) -> Tensor:
        one_hot = torch.nn.functional.one_hot(z, weights.shape[1]).to(weights)
        return torch.einsum("nda,dajv->njv", one_hot, weights).softmax(2)

    return probabilities


def _decode_cases(rng: np.random.Generator) -> list[tuple[Callable[[Tensor], Tensor], Tensor, Tensor, Tensor, list]]:
    cases = []
    for n, D, N, shown in ((6, 6, 3, [2, 2, 2]), (5, 7, 2, [3, 1, 1, 1]), (8, 5, 4, [1, 1, 1, 1, 1])):
        z = torch.full((n, D), N)
        z[1:3, 2], z[2, 0] = 1, 0  # some are seen from the start
        rank = torch.tensor(np.array([rng.permutation(D) for _ in range(n)], dtype=float))
        cases.append((_answers(torch.tensor(2 * rng.normal(size=(D, N + 1, D, N)))), z, rank,
                      torch.tensor(rng.random((n, D))), shown))
    return cases


_RANKED_ANEW = "seen symbols take ranks, too: count among the hidden ones anew in each step."

DECODE = Exercise(
    reference=_with(),
    cases=_decode_cases,
    mistakes=(
        Mistake(_with(once=True),
                ("you ask the network once and use its first answers in every step. After each step ask again, with "
                 "what is seen by then.",)),
        Mistake(_all_at_once, ("you show everything in one step: step i shows only `shown[i]`.",)),
        Mistake(_with(greedy=True),
                ("you take the likeliest value. Draw: the first value whose cumulated probability exceeds u.",)),
        Mistake(_with(sign=-1), ("you show those with the *largest* rank first.",)),
        Mistake(_with(also_seen=True),
                ("you overwrite symbols that are seen, or count them among those to be shown: rank the hidden ones "
                 "alone.",)),
        Mistake(_with(total=True),
                ("you show too many: `shown[i]` are the symbols of step i, not of all steps up to it; the hidden ones "
                 "are ranked anew in each step.",)),
        Mistake(_with(raw=True), (_RANKED_ANEW,)),
        Mistake(_with(raw_total=True),
                (f"{_RANKED_ANEW} A running count of what was shown does not make up for that.",)),
        Mistake(_with(one_sort=True),
                ("argsort says who is first, not what place each has: apply it twice.",)),
        Mistake(_with(again=True),
                ("symbols of earlier steps are drawn again in later ones. Once shown, a symbol stays.",)),
    ),
    hints=("for each count: ask; draw all hidden symbols with u; keep those whose rank among the hidden ones is below "
           "the count; put them into z.",
           "`place = rank.masked_fill(~hidden, torch.inf).argsort(1).argsort(1)`, and `torch.where(hidden & (place < "
           "count), drawn, z)`; drawn is `(u[:, :, None] >= p.cumsum(2)[:, :, :-1]).sum(2)`."),
)

EXERCISES = {"11f.mask": MASK, "11f.bound_at": BOUND_AT, "11f.back": BACK, "11f.decode": DECODE}
