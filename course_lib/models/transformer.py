"""Transformers: attention, the block around it, and models of sequences that look back instead of remembering.

A token asks (its query), every token before it answers (its key), and what it gets is the mean of what they have to say
(their values), weighted by how well the answers fit:
    attention(Q, K, V) = softmax(Q Kᵀ / √d) V,
with −∞ in place of the scores of tokens that come later. A block adds to each token's vector, the residual stream, what
attention brings from other tokens, and then what a small network makes of the token by itself.

References:
    A. Vaswani et al., Attention Is All You Need, NIPS 2017: eq. 1 and sections 3.2.1 to 3.2.3 (scale, heads, mask).
    R. Xiong et al., On Layer Normalization in the Transformer Architecture, ICML 2020: normalisation first in a block.
    J. Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021: section 3.2.2, eq. 13 to 15.
    P. Shaw, J. Uszkoreit, A. Vaswani, Self-Attention with Relative Position Representations, NAACL 2018; here, as in
        C. Raffel et al., JMLR 21 (2020), section 2.1, a number for each distance, added to the scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from course_lib.models.layers import init_layer
from course_lib.models.sequences import SequenceModel

POSITIONS = ("none", "learned", "rotary", "relative")


def causal_mask(queries: int, keys: int, look_ahead: int = 0) -> Tensor:
    """True where a query may look, bool `[queries, keys]`: the last query at all keys, the one before at one less, ….

    Args:
        look_ahead: so many tokens further each may look. Only 0 is right; 1 is the classic mistake.
    """
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries + look_ahead)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None,
           ) -> tuple[Tensor, Tensor]:
    """What each query gets, `[…, T, d_v]`, and the weights of that mean, `[…, T, S]` (Vaswani et al. 2017, eq. 1).

    Written out: on a CPU, with few tokens, training so is many times as fast as by torch's fused function in 16 bits.

    Args:
        q: queries `[…, T, d]`.
        k, v: keys `[…, S, d]` and values `[…, S, d_v]`.
        mask: True where a query may look, `[T, S]`; None for everywhere.
        bias: is added to the scores, `[…, T, S]`; None for nothing.
    """
    scores = q / math.sqrt(q.shape[-1]) @ k.mT  # the queries are divided: they are fewer numbers than the scores
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights.to(v.dtype) @ v, weights


def rotary(x: Tensor, first: int = 0, base: float = 10_000.0) -> Tensor:
    """Queries or keys `[…, T, d]`, d even, turned by their places `first`, `first` + 1, … (Su et al. 2021, eq. 15).

    The pair (x_i, x_{i + d/2}) is turned by the place times base^(−2i/d), so that the product of a query and a key
    depends on how far apart they are, and not on where.
    """
    half = x.shape[-1] // 2
    speed = base ** (-torch.arange(half, device=x.device, dtype=torch.float64) / half)
    angle = torch.arange(first, first + x.shape[-2], device=x.device)[:, None] * speed
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    one, two = x[..., :half], x[..., half:]
    return torch.cat([one * cos - two * sin, one * sin + two * cos], dim=-1)


class KeysAndValues:
    """The keys and values of all tokens so far, of one layer: what drawing the next one needs of them, and no more."""

    def __init__(self) -> None:
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.shape[-2]

    def add(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values `[n, heads, S, d]`, those of new tokens `[n, heads, T, d]` at the end."""
        self.k, self.v = (k, v) if self.k is None else (torch.cat([self.k, k], 2), torch.cat([self.v, v], 2))
        return self.k, self.v


class SelfAttention(nn.Module):
    """Attention among the tokens of one sequence, by several heads that each look in their own way.

    Args:
        channels: C, length of a token's vector; each head has C / heads of them.
        heads: how many.
        length: of the longest sequence; with relative positions each distance up to it has its number.
        positions: 'rotary' turns queries and keys, 'relative' adds a number for each distance, others do nothing here.
        look_ahead: of the causal mask; None for no mask.

    Raises:
        ValueError: channels that cannot be shared out evenly, or not in pairs where these are turned.
    """

    def __init__(self, channels: int, heads: int, length: int, positions: str, look_ahead: int | None,
                 generator: torch.Generator) -> None:
        super().__init__()
        if channels % heads or (positions == "rotary" and channels // heads % 2):
            raise ValueError(f"{channels} channels cannot be shared out among {heads} heads"
                             + (" in pairs" if positions == "rotary" else ""))
        self.heads, self.turned, self.look_ahead = heads, positions == "rotary", look_ahead
        self.qkv = init_layer(nn.Linear, channels, 3 * channels, generator=generator)
        self.out = init_layer(nn.Linear, channels, channels, generator=generator)
        self.by_distance = nn.Parameter(torch.zeros(heads, length)) if positions == "relative" else None

    def forward(self, x: Tensor, cache: KeysAndValues | None = None) -> tuple[Tensor, Tensor]:
        """What each token gets, `[n, T, C]`, and the heads' weights `[n, heads, T, S]`, for tokens x `[n, T, C]`.

        With a cache, x are the next tokens only; S counts those before them, too.
        """
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=2))
        if self.turned:
            before = 0 if cache is None else len(cache)
            q, k = rotary(q, before), rotary(k, before)
        if cache is not None:
            k, v = cache.add(k, v)
        T, S = q.shape[2], k.shape[2]
        mask = None if self.look_ahead is None else causal_mask(T, S, self.look_ahead).to(x.device)
        got, weights = attend(q, k, v, mask, self._bias(T, S))
        return self.out(got.transpose(1, 2).flatten(2)), weights

    def _bias(self, T: int, S: int) -> Tensor | None:
        if self.by_distance is None:
            return None
        places = torch.arange(S, device=self.by_distance.device)
        return self.by_distance[:, (places[-T:, None] - places).abs()]


class Block(nn.Module):
    """x ← x + attention(norm(x)); x ← x + MLP(norm(x)). The MLP has one hidden layer of 4C ReLUs, and can be left out.

    Arguments as those of `SelfAttention`.
    """

    def __init__(self, channels: int, heads: int, length: int, positions: str, look_ahead: int | None,
                 generator: torch.Generator, mlp: bool = True) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(channels)
        self.attention = SelfAttention(channels, heads, length, positions, look_ahead, generator)
        self.mlp = nn.Sequential(nn.LayerNorm(channels),
                                 init_layer(nn.Linear, channels, 4 * channels, generator=generator), nn.ReLU(),
                                 init_layer(nn.Linear, 4 * channels, channels, generator=generator)) if mlp else None

    def forward(self, x: Tensor, cache: KeysAndValues | None = None) -> tuple[Tensor, Tensor]:
        """The residual stream after the block, `[n, T, C]`, and its heads' weights, from x `[n, T, C]`."""
        got, weights = self.attention(self.norm_attention(x), cache)
        x = x + got
        return (x if self.mlp is None else x + self.mlp(x)), weights


class Blocks(nn.Module):
    """Blocks one after the other, with learned positions before them if asked for, and a normalisation at the end.

    Args:
        channels, heads, look_ahead, mlp: as in `Block`.
        layers: how many blocks.
        length: of the longest sequence.
        positions: one of `POSITIONS`; 'learned' adds a vector for each place to the tokens.

    Raises:
        ValueError: other positions.
    """

    def __init__(self, channels: int, layers: int, heads: int, length: int, positions: str,
                 generator: torch.Generator, look_ahead: int | None = 0, mlp: bool = True) -> None:
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(f"positions must be one of {', '.join(POSITIONS)}, not {positions!r}")
        self.length = length
        self.places = (nn.Parameter(0.02 * torch.randn(length, channels, generator=generator))
                       if positions == "learned" else None)
        self.layers = nn.ModuleList(Block(channels, heads, length, positions, look_ahead, generator, mlp)
                                    for _ in range(layers))
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, cache: list[KeysAndValues] | None = None, weights: list[Tensor] | None = None,
                ) -> Tensor:
        """The residual stream at the end, `[n, T, C]`, from tokens `[n, T, C]`.

        Args:
            cache: of each layer, from `new_cache`; x are then the next tokens only.
            weights: an empty list, to which each layer appends its heads' weights `[n, heads, T, S]`.

        Raises:
            ValueError: more tokens than `length`.
        """
        before = 0 if cache is None else len(cache[0])
        if before + x.shape[1] > self.length:
            raise ValueError(f"{before + x.shape[1]} tokens are more than the {self.length} that it was made for")
        if self.places is not None:
            x = x + self.places[before:before + x.shape[1]]
        for layer, kept in zip(self.layers, cache or [None] * len(self.layers), strict=True):
            x, of_heads = layer(x, kept)
            if weights is not None:
                weights.append(of_heads)
        return self.norm(x)

    def new_cache(self) -> list[KeysAndValues]:
        """An empty cache for each layer."""
        return [KeysAndValues() for _ in self.layers]


class SequenceTransformer(SequenceModel):
    """A transformer over symbols; the state at t looks back at x_1 … x_t.

    Args:
        n_symbols: N.
        length: of the longest sequence.
        channels, layers, heads, positions, look_ahead, mlp: as in `Blocks`.
    """

    def __init__(self, n_symbols: int, length: int, channels: int = 64, layers: int = 2, heads: int = 1,
                 positions: str = "relative", *, generator: torch.Generator, look_ahead: int = 0,
                 mlp: bool = True) -> None:
        super().__init__(n_symbols, channels, generator)
        self.embedding = nn.Parameter(torch.randn(n_symbols, channels, generator=generator) / math.sqrt(channels))
        self.blocks = Blocks(channels, layers, heads, length, positions, generator, look_ahead, mlp)

    def states(self, x: Tensor, cache: list[KeysAndValues] | None = None, weights: list[Tensor] | None = None,
               ) -> Tensor:
        return self.blocks(self.embedding[x], cache, weights)

    def weights(self, x: Tensor) -> list[Tensor]:
        """Of each layer, how much each symbol of x `[n, T]` looks at each: `[n, heads, T, T]`."""
        found: list[Tensor] = []
        self.states(self._checked(x), weights=found)
        return found

    def steps(self, n: int) -> Iterator[Tensor]:
        cache = self.blocks.new_cache()
        symbol = yield self.last(self.last.weight.new_zeros(n, self.last.in_features))
        while True:
            symbol = yield self.last(self.states(symbol[:, None], cache)[:, 0])
