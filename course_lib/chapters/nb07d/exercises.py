"""Exercises of notebook 07d: weights under a mask, a step with a cache, the best prediction in context."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data.in_context import chain_predictor
from course_lib.models.transformer import attend
from course_lib.teach.exercises import Exercise, Mistake


def _mask(real: Tensor, ahead: int = 0) -> Tensor:
    """True where a token may look: causally, by `ahead` places too far, and at real tokens only, `[n, T, T]`."""
    T = real.shape[1]
    return torch.ones(T, T, dtype=torch.bool).tril(ahead) & real[:, None, :]


def _scores(q: Tensor, k: Tensor, divisor: float | None = None) -> Tensor:
    return q @ k.mT / (math.sqrt(q.shape[-1]) if divisor is None else divisor)


def _softmax(scores: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Weights that are 0 where the mask is False, and in rows without a True."""
    return scores.masked_fill(~mask, -torch.inf).softmax(dim).nan_to_num(0.0)


def _mask_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = []
    for n, T, d in ((3, 5, 4), (2, 7, 9), (4, 4, 2)):
        real = torch.tensor(rng.random((n, T)) < 0.75)
        real[0] = True
        real[1, 0] = False  # its first token may look nowhere
        q, k = (torch.tensor(2 * rng.normal(size=(n, T, d))) for _ in range(2))
        cases.append((q, k, real))
    return cases


CAUSAL_WEIGHTS = Exercise(
    reference=lambda q, k, real: _softmax(_scores(q, k), _mask(real)),
    cases=_mask_cases,
    mistakes=(
        Mistake(lambda q, k, real: _scores(q, k).softmax(-1) * _mask(real),
                ("you mask after the softmax: the later tokens have taken their part of the weights already, and the "
                 "rows no longer add up to 1.", "put −∞ in the place of their scores, before the softmax.")),
        Mistake(lambda q, k, real: _scores(q, k).masked_fill(~_mask(real), -torch.inf).softmax(-1),
                ("right, but for tokens that may look nowhere: a row of −∞ alone gives NaN, and NaN spreads through "
                 "the whole network. Make these rows 0.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(real, 1)),
                ("off by one: each token sees the next one, which is the answer. `tril()` without an offset.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(real, -1)),
                ("off by one: a token may look at itself, too.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(real), -2),
                ("the softmax runs over the queries. For each query the weights of the *keys* add up to 1: the last "
                 "dimension.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k, 1.0), _mask(real)),
                ("the scale is missing: divide the scores by the root of d.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k, q.shape[-1]), _mask(real)),
                ("you divide by d. The variance of a score is d, so its standard deviation is the root.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k, math.sqrt(q.shape[1])), _mask(real)),
                ("you divide by the root of T, the number of tokens; the variance comes from d, the length of a "
                 "query.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(real).mT),
                ("turned round: rows are the tokens that look, columns those looked at. `tril`, and `real` along the "
                 "columns.",)),
        Mistake(lambda q, k, real: _scores(q, k).masked_fill(~_mask(real), 0.0).softmax(-1),
                ("a score of 0 is no ban: it gets the weight e⁰ = 1 before normalising. Put −∞ there.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(real) & real[:, :, None]),
                ("you also forbid padded tokens to *look*. Nobody may look at them; they themselves still look at real "
                 "tokens before them (what they get nobody reads).",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(torch.ones_like(real)) & real[:, :, None]),
                ("`real` stands along the rows: that forbids padded tokens to look, and lets all others look *at* "
                 "them. It belongs to the keys, along the columns: `real[:, None, :]`.",)),
        Mistake(lambda q, k, real: _scores(q, k).masked_fill(~_mask(real), -1e9).softmax(-1),
                ("a large negative number is not −∞: in a row that may look nowhere all scores are the same number, "
                 "and the softmax spreads its weight evenly, over later tokens, too. Make these rows 0.",)),
        Mistake(lambda q, k, real: (_scores(q, k) - 1e9 * ~_mask(real)).softmax(-1),
                ("you subtract a large number: in a row that may look nowhere it falls away again, and the token looks "
                 "everywhere. Put −∞ there, and make these rows 0.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), _mask(torch.ones_like(real))),
                ("you forgot `real`: padding must not be looked at.",)),
        Mistake(lambda q, k, real: _softmax(_scores(q, k), real[:, None, :].expand(*q.shape[:2], -1)),
                ("you forgot causality: each token sees all later ones.",)),
    ),
    hints=("scores `q @ k.mT / sqrt(d)`; may look: `tril` of ones and `real[:, None, :]`; −∞ elsewhere; softmax over "
           "the last dimension.",
           "`scores.masked_fill(~may, -torch.inf).softmax(dim=-1)`, and then `.nan_to_num(0)` for rows that may look "
           "nowhere."),
)


def _step(q: Tensor, k: Tensor, v: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    K, V = torch.cat([K, k[:, None]], dim=1), torch.cat([V, v[:, None]], dim=1)
    return attend(q[:, None], K, V)[0][:, 0], K, V


def _step_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    return [(*(torch.tensor(rng.normal(size=(n, d))) for _ in range(3)),
             *(torch.tensor(rng.normal(size=(n, T, d))) for _ in range(2))) for n, T, d in
            ((3, 6, 4), (2, 1, 7), (4, 9, 2))]


def _looked(q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    return attend(q[:, None], K, V)[0][:, 0]


def _at_the_front(q: Tensor, k: Tensor, v: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    K, V = torch.cat([k[:, None], K], dim=1), torch.cat([v[:, None], V], dim=1)
    return _looked(q, K, V), K, V


def _unscaled(q: Tensor, k: Tensor, v: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return (_step(q * math.sqrt(q.shape[1]), k, v, K, V)[0], *_step(q, k, v, K, V)[1:])


CACHED_STEP = Exercise(
    reference=_step,
    cases=_step_cases,
    mistakes=(
        Mistake(lambda q, k, v, K, V: (_looked(q, K, V), *_step(q, k, v, K, V)[1:]),
                ("the new token does not look at itself: put its key and value into the cache *before* you look.",)),
        Mistake(lambda q, k, v, K, V: (_step(q, k, v, K, V)[0], K, V),
                ("what you get is right, but the cache that you return lacks the new key and value: the next step "
                 "would not see this token.",)),
        Mistake(lambda q, k, v, K, V: (_looked(q, K, V), K, V),
                ("the new key and value are used nowhere: append them to the cache.",)),
        Mistake(_at_the_front,
                ("what you get is right, but the new key stands at the front: with a mask or positions the next steps "
                 "would take it for the oldest. Append it at the end.",)),
        Mistake(_unscaled, ("the scale is missing: the scores are divided by the root of d.",)),
        Mistake(lambda q, k, v, K, V: (_step(k, k, v, K, V)[0], *_step(q, k, v, K, V)[1:]),
                ("you look with the key: the new token's *query* asks.",)),
        Mistake(lambda q, k, v, K, V: (_step(q, k, v, K, V)[0], torch.cat([K, q[:, None]], dim=1),
                                       torch.cat([V, v[:, None]], dim=1)),
                ("you keep the query. Nobody will need it again: keep the key.",)),
        Mistake(lambda q, k, v, K, V: (_looked(q, *_step(q, v, k, K, V)[1:]), *_step(q, v, k, K, V)[1:]),
                ("key and value are exchanged in the cache.",)),
        Mistake(lambda q, k, v, K, V: (v, *_step(q, k, v, K, V)[1:]),
                ("you return the new token's own value: it should be the mean of all values, by weight.",)),
        Mistake(lambda q, k, v, K, V: (_step(q, k, v, K, V)[2].mean(dim=1), *_step(q, k, v, K, V)[1:]),
                ("a plain mean of the values: weight them by the softmax of the scores.",)),
    ),
    hints=("append first, `torch.cat([K, k[:, None]], dim=1)`, V likewise; then one query looks at all keys.",
           "weights: `(K @ q[:, :, None])[:, :, 0] / sqrt(d)`, softmax over dimension 1; the result is the weighted "
           "sum of V over dimension 1. No mask is needed: nothing later is there."),
)


def _counts(x: Tensor, n_symbols: int, late: int = 1) -> Tensor:
    """How often `to` came right after `from`, of pairs that have ended `late` − 1 places before place t or at it:
    `[n, T, from, to]`; with `late` 0 the next symbol is counted, too."""
    one_hot = F.one_hot(x, n_symbols).double()
    pairs = one_hot[:, :-1, :, None] * one_hot[:, 1:, None, :]
    return F.pad(pairs, (0, 0, 0, 0, late, 1))[:, :x.shape[1]].cumsum(1)


def _present(table: Tensor, x: Tensor) -> Tensor:
    """The row of each place's symbol, `[n, T, to]`, of tables `[n, T, from, to]`."""
    return table[torch.arange(len(x))[:, None], torch.arange(x.shape[1]), x]


def _shares(counts: Tensor, pseudo: float = 1.0, dim: int = -1) -> Tensor:
    return (counts + pseudo) / (counts + pseudo).sum(dim, keepdim=True)


def _from_counts(x: Tensor, n_symbols: int, late: int = 1) -> Tensor:
    return _shares(_present(_counts(x, n_symbols, late), x))


def _seen(x: Tensor, n_symbols: int) -> Tensor:
    """What followed the present symbol so far, `[n, T, to]`."""
    return _present(_counts(x, n_symbols), x)


def _alone(x: Tensor, n_symbols: int) -> Tensor:
    """How often each symbol came so far, `[n, T, N]`."""
    return F.one_hot(x, n_symbols).double().cumsum(1)


def _context_cases(rng: np.random.Generator) -> list[tuple[Tensor, int]]:
    return [(torch.tensor(rng.integers(N, size=(n, T))), N) for n, T, N in ((4, 12, 3), (3, 20, 2), (5, 9, 4))]


FROM_COUNTS = Exercise(
    reference=lambda x, n_symbols: chain_predictor(F.pad(x, (0, 1)), n_symbols)[:, 1:],
    cases=_context_cases,
    mistakes=(
        *(Mistake(lambda x, n_symbols, made_of=made_of: made_of(_shares(_seen(x, n_symbols), 0)),
                  ("the prior is missing: where the present symbol was not followed by anything yet, your answer "
                   f"{is_}. Count each symbol once more than it was seen.",))
          for made_of, is_ in ((lambda p: p, "is NaN"), (lambda p: p.nan_to_num(0), "is 0, no distribution"),
                               (lambda p: p.nan_to_num(1 / p.shape[2]), "is even, but one observation later it is sure "
                                "of what it saw"))),
        Mistake(lambda x, n_symbols: _from_counts(x, n_symbols, 0),
                ("the next symbol is in the counts already: it is the answer. At place t only pairs that have ended by "
                 "t are known.",)),
        Mistake(lambda x, n_symbols: _shares(_present(_counts(x, n_symbols)[:, -1:].expand(
            -1, x.shape[1], -1, -1), x)),
                ("you count the pairs of the whole sequence at each place, what comes later included: cumulate over "
                 "places.",)),
        Mistake(lambda x, n_symbols: _from_counts(x, n_symbols, 2),
                ("one pair too late: that from the symbol before to the present one has ended, and counts.",)),
        Mistake(lambda x, n_symbols: _shares(_alone(x, n_symbols)),
                ("how often each symbol came, no matter when: that is \"frequencies alone\". Count only what came "
                 "right after the *present* symbol.",)),
        Mistake(lambda x, n_symbols: _shares(_seen(x, n_symbols), dim=1),
                ("you normalise over the places. At each place the probabilities of the N symbols add up to 1: the "
                 "last dimension.",)),
        Mistake(lambda x, n_symbols: _present(_shares(_counts(x, n_symbols), dim=2), x),
                ("you normalise over the symbols *from* which it goes: columns of the table. Given the present symbol, "
                 "the probabilities of what follows add up to 1.",)),
        Mistake(lambda x, n_symbols: _shares(_present(_counts(x, n_symbols).mT, x)),
                ("from and to are exchanged: you count what came *before* the present symbol.",)),
        Mistake(lambda x, n_symbols: (_seen(x, n_symbols) + 1) / (_seen(x, n_symbols).sum(2, keepdim=True) + 1),
                ("each of the N symbols is counted once more, so the sum grows by N, not by 1.",)),
        Mistake(lambda x, n_symbols: _shares(_seen(x, n_symbols), 1 / n_symbols),
                ("you share *one* more count among all symbols. With rows drawn evenly from all distributions each "
                 "symbol gets one.",)),
        Mistake(lambda x, n_symbols: _shares(_present(_counts(x, n_symbols).sum(0, keepdim=True).expand(
            len(x), -1, -1, -1), x)),
                ("you add up the counts of all sequences: each comes from a chain of its own.",)),
        Mistake(chain_predictor,
                ("one place late: these are the predictions of x_t, and at place t that of the *next* symbol is asked "
                 "for, which may use x_t.",)),
    ),
    hints=("at place t: of the places s < t with x_s = x_t, count which symbol stands at s + 1; add one to each count; "
           "divide by the sum.",
           "a product of one-hot rows, `[n, T − 1, from, to]`, cumulated over places and moved one place on; of its "
           "rows take that of x_t. A loop over places does as well."),
)

EXERCISES = {"07d.causal_weights": CAUSAL_WEIGHTS, "07d.cached_step": CACHED_STEP, "07d.from_counts": FROM_COUNTS}
