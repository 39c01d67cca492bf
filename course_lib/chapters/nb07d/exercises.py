"""Exercises of notebook 07d: weights under a mask, a step with a cache, top-p."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.models.sequences import nucleus
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


def _before(p: Tensor) -> Tensor:
    """Of each value the probability of all likelier ones, `[n, N]`."""
    order = p.argsort(dim=1, descending=True)
    ahead = p.gather(1, order).cumsum(dim=1) - p.gather(1, order)
    return torch.zeros_like(p).scatter(1, order, ahead)


def _kept(p: Tensor, keep: Tensor) -> Tensor:
    cut = p * keep
    return cut / cut.sum(dim=1, keepdim=True)


def _in_order_of_rank(p: Tensor, least: float) -> Tensor:
    likely = p.sort(dim=1, descending=True).values
    return _kept(likely, likely.cumsum(dim=1) - likely < least)


def _top_p_cases(rng: np.random.Generator) -> list[tuple[Tensor, float]]:
    return [(torch.tensor(rng.dirichlet(np.full(N, 0.6), size=n)), least) for n, N, least in
            ((20, 6, 0.8), (15, 9, 0.5), (10, 4, 0.95), (5, 3, 0.1))]


TOP_P = Exercise(
    reference=nucleus,
    cases=_top_p_cases,
    mistakes=(
        Mistake(lambda p, least: p * (_before(p) < least),
                ("the right values are kept, but what is left does not add up to 1: divide by its sum.",)),
        Mistake(lambda p, least: _kept(p, (_before(p) + p <= least) | (_before(p) == 0)),
                ("the value that takes the sum *across* the limit belongs to the set: without it the probabilities do "
                 "not reach it.", "keep a value if the sum of all likelier ones is still below the limit.")),
        Mistake(lambda p, least: _kept(p, _before(p) + p <= least).nan_to_num(0.0),
                ("where the likeliest value alone exceeds the limit you keep nothing; the value that takes the sum "
                 "across belongs to the set.",)),
        Mistake(lambda p, least: _kept(p, p > 1 - least).nan_to_num(0.0),
                ("you cut by each value's own probability. The set is chosen by the *sum* of the likeliest ones.",)),
        Mistake(lambda p, least: _kept(p, p.cumsum(dim=1) - p < least),
                ("you add up in the order of the values: sort them first, the likeliest in front.",)),
        Mistake(_in_order_of_rank,
                ("the numbers are right, but they stand in the order of rank: bring each back to its value's place, "
                 "with `scatter` or a second `argsort`.",)),
        Mistake(lambda p, least: _kept(p, _before(-p) * -1 < least),
                ("you keep the *least* likely ones: sort descending.",)),
        Mistake(lambda p, least: _kept(p, p >= least * p.amax(dim=1, keepdim=True)),
                ("you keep what is within a factor of the likeliest: that is another rule (min-p). Here the sum "
                 "decides.",)),
        Mistake(lambda p, least: torch.where(_before(p) < least, p, 0) + (1 - (p * (_before(p) < least)).sum(
            dim=1, keepdim=True)) * (_before(p) == 0),
                ("you give all that was cut to the likeliest value. Divide by the sum, so that ratios stay as they "
                 "were.",)),
    ),
    hints=("sort each row, the likeliest first; keep a value if the probabilities *before* it add up to less than the "
           "limit; back into place; divide by the sum.",
           "`order = p.argsort(dim=1, descending=True)`; `before = sorted.cumsum(1) - sorted`; `torch.zeros_like(p)"
           ".scatter(1, order, kept)`."),
)

EXERCISES = {"07d.causal_weights": CAUSAL_WEIGHTS, "07d.cached_step": CACHED_STEP, "07d.top_p": TOP_P}
