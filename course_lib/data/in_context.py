"""Sequences whose rule stands in the sequence itself, so that a model must find it in what it has just read.

Copies: a piece of different symbols, again and again. Chains: each from a Markov chain of its own, drawn anew. Of both
the best possible prediction is known exactly.

References:
    C. Olsson et al., In-context Learning and Induction Heads, Transformer Circuits Thread, 2022: random pieces of text,
        repeated.
    B. Edelman et al., The Evolution of Statistical Induction Heads: In-Context Learning Markov Chains, NeurIPS 2024:
        section 2, chains with a Dirichlet prior, and the Bayes-optimal predictor.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def copies(n: int, length: int, period: int, n_symbols: int, generator: torch.Generator) -> Tensor:
    """`n` sequences, int64 `[n, length]`: `period` different ones of `n_symbols` symbols, in any order, repeated.

    Raises:
        ValueError: a piece of more symbols than there are, or of none.
    """
    if not 1 <= period <= n_symbols:
        raise ValueError(f"a piece has 1 to {n_symbols} different symbols, not {period}")
    piece = torch.rand(n, n_symbols, generator=generator).argsort(1)[:, :period]
    return piece.repeat(1, -(-length // period))[:, :length]


def chains(n: int, length: int, n_symbols: int, generator: torch.Generator) -> Tensor:
    """`n` sequences, int64 `[n, length]`, each from a Markov chain of its own.

    Each row of its transition matrix is drawn evenly from all distributions over the symbols, Dirichlet(1, …, 1); the
    first symbol is any.
    """
    p = -torch.rand(n, n_symbols, n_symbols, generator=generator, dtype=torch.float64).log()  # exponential numbers
    cumulated = (p / p.sum(2, keepdim=True)).cumsum(2)[:, :, :-1]
    u = torch.rand(n, length, generator=generator, dtype=torch.float64)
    x = torch.empty(n, length, dtype=torch.int64)
    x[:, 0] = (u[:, 0] * n_symbols).long()
    for t in range(1, length):
        x[:, t] = (u[:, t, None] > cumulated[torch.arange(n), x[:, t - 1]]).sum(1)
    return x


def chain_predictor(x: Tensor, n_symbols: int) -> Tensor:
    """The best prediction of each symbol of `chains`, given those before it: p(x_t = k | x_1 … x_{t−1}), float64
    `[n, T, N]`.

    With the transition matrix integrated out, p(x_t = k | …) = (c_k + 1) / (Σ_l c_l + N), where c_k says how often k
    came after the symbol that stands at t − 1 (Bayes' rule with a Dirichlet prior). The first symbol is any.
    """
    one_hot = F.one_hot(x, n_symbols).double()
    pairs = one_hot[:, :-1, :, None] * one_hot[:, 1:, None, :]  # [n, T − 1, from, to]
    seen = F.pad(pairs.cumsum(1), (0, 0, 0, 0, 1, 0))  # at t: all pairs that have ended by then
    counts = seen.gather(2, x[:, :, None, None].expand(-1, -1, 1, n_symbols))[:, :, 0]
    told = (counts + 1) / (counts + 1).sum(2, keepdim=True)
    return torch.cat([torch.full_like(told[:, :1], 1 / n_symbols), told[:, :-1]], dim=1)


def successors(x: Tensor) -> Tensor:
    """Where the answer stands: for each place t the places s ≤ t that followed the same symbol before, with even
    weights, `[n, T, T]`; a row of zeros where the symbol is new.

    It is the attention of an exact induction head. Of copies each row has its weight where the symbol to be copied
    stands; of chains the mean of what stands there is that of the counts.
    """
    T = x.shape[1]
    same = (x[:, :, None] == F.pad(x, (1, 0), value=-1)[:, None, :-1]) & torch.ones(T, T, dtype=torch.bool).tril()
    return same / same.sum(2, keepdim=True).clamp(min=1)
