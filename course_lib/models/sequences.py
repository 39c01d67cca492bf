"""Models of sequences, one symbol after another: a character LSTM, and WaveNet's dilated causal convolutions.

As for images, log p(x) = Σ_t log p(x_t | x_1 … x_{t−1}), each factor a softmax over N symbols; but here the length T is
free, and every symbol is predicted by the same network.

References:
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9 (1997).
    A. Graves, Generating Sequences With Recurrent Neural Networks, 2013, section 3: text, character by character.
    A. Holtzman et al., The Curious Case of Neural Text Degeneration, ICLR 2020, section 3.1: top-p (nucleus) sampling.
    A. van den Oord et al., WaveNet: A Generative Model for Raw Audio, 2016, sections 2.1 (dilated causal convolutions),
        2.3 (gates), 2.4 (residual and skip connections).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import takes_rng
from course_lib.models.layers import init_layer
from course_lib.validation import finite_result


def nucleus(p: Tensor, top_p: float) -> Tensor:
    """Probabilities `[n, N]` cut to each row's nucleus, the smallest set of likeliest symbols whose sum is at least
    `top_p`, and divided by what it holds (Holtzman et al. 2020, section 3.1).

    Args:
        p: probabilities `[n, N]`, rows that add up to 1. Of equally likely symbols at the border the first are kept.
        top_p: above 0 and at most 1; 1 keeps all symbols that are possible.

    Raises:
        ValueError: another top_p.
    """
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, not {top_p}")
    ordered, symbols = p.sort(dim=1, descending=True, stable=True)
    kept = torch.where(ordered.cumsum(1) - ordered < top_p, ordered, 0)
    return torch.zeros_like(p).scatter(1, symbols, kept / kept.sum(1, keepdim=True))


class SequenceModel(nn.Module):
    """Base of the models of sequences int64 `[n, T]` of symbols 0 … N−1. A subclass defines `states` and `steps`.

    Attributes:
        n_symbols: N.
        last: the linear map from a state to the logits of the next symbol.
    """

    def __init__(self, n_symbols: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.n_symbols = n_symbols
        self.last = init_layer(nn.Linear, channels, n_symbols, generator=generator)

    def states(self, x: Tensor) -> Tensor:
        """What the network knows after each symbol of x `[n, T]`: `[n, T, C]`, the state at t from x_1 … x_t."""
        raise NotImplementedError

    def steps(self, n: int) -> Iterator[Tensor]:
        """A coroutine that remembers: it yields logits `[n, N]` of the next symbol and is sent that symbol `[n]`."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Logits of p(x_t = k | x_1 … x_{t−1}), `[n, T, N]`. Raises ValueError for other than symbols 0 … N−1."""
        x = self._checked(x)
        nothing = self.last.weight.new_zeros(len(x), 1, self.last.in_features)  # before the first symbol
        return self.last(torch.cat([nothing, self.states(x[:, :-1])], dim=1)) if x.shape[1] > 1 else self.last(nothing)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, `[n]`, of sequences `[n, T]`: a sum over symbols. Raises ValueError for others, and
        for a network that has diverged."""
        log_p = -F.cross_entropy(self(x).transpose(1, 2), x.long(), reduction="none").sum(1)
        return finite_result(log_p, "log p(x)")

    @torch.no_grad()
    def sample(self, n: int, length: int, generator: torch.Generator, temperature: float = 1.0,
               prefix: Tensor | None = None, top_p: float = 1.0) -> tuple[Tensor, Tensor]:
        """`n` sequences `[n, length]` that all begin with `prefix` `[L]`, and their log p(x) in nats `[n]`.

        Args:
            temperature: divides the logits of what is drawn; below 1 the likely becomes likelier still. log p(x) is
                the model's own, with temperature 1.
            top_p: draws from the nucleus alone, after the temperature; 1 cuts nothing.

        Raises:
            ValueError: a temperature that is not positive, a top_p outside (0, 1], a prefix longer than `length`, a
                network that has diverged.
        """
        prefix = torch.empty(0, dtype=torch.int64) if prefix is None else self._checked(prefix[None])[0]
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, not {temperature}")
        if len(prefix) > length:
            raise ValueError(f"a prefix of {len(prefix)} does not fit into {length} symbols")
        x = torch.empty(n, length, dtype=torch.int64)
        log_p = torch.zeros(n, dtype=torch.float64)
        u = torch.rand(n, length, generator=generator, dtype=torch.float64)
        steps = self.steps(n)
        logits = next(steps).double().cpu()
        for t in range(length):
            p = (logits / temperature).softmax(1)
            cumulated = (p if top_p == 1 else nucleus(p, top_p)).cumsum(1)[:, :-1]
            x[:, t] = prefix[t] if t < len(prefix) else (u[:, t, None] > cumulated).sum(1)
            log_p += logits.log_softmax(1).gather(1, x[:, t, None])[:, 0]
            if t + 1 < length:
                logits = steps.send(x[:, t]).double().cpu()
        return x, finite_result(log_p, "log p(x)")

    def _checked(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] == 0:
            raise ValueError(f"sequences must have shape [n, T] with T of at least 1, not {list(x.shape)}")
        if x.is_floating_point() or (x.numel() and not (x.min() >= 0 and x.max() < self.n_symbols)):
            raise ValueError(f"symbols must be whole numbers from 0 to {self.n_symbols - 1}")
        return x.long()


@takes_rng
class CharLSTM(SequenceModel):
    """An LSTM over symbols, and a linear map from its state to the next one's logits.

    Args:
        n_symbols: N.
        channels: C, the length of the state.
        layers: how many LSTMs, one on top of the other.
    """

    def __init__(self, n_symbols: int, channels: int = 128, layers: int = 1, *, generator: torch.Generator) -> None:
        super().__init__(n_symbols, channels, generator)
        self.lstm = nn.LSTM(n_symbols, channels, layers, batch_first=True, device="meta").to_empty(device="cpu")
        for parameter in self.lstm.parameters():
            nn.init.uniform_(parameter, -(channels ** -0.5), channels ** -0.5, generator=generator)

    def states(self, x: Tensor) -> Tensor:
        return self.lstm(F.one_hot(x, self.n_symbols).to(self.last.weight))[0]

    def steps(self, n: int) -> Iterator[Tensor]:
        symbol, memory = (yield self.last(self.last.weight.new_zeros(n, self.last.in_features))), None
        while True:
            h, memory = self.lstm(F.one_hot(symbol[:, None], self.n_symbols).to(self.last.weight), memory)
            symbol = yield self.last(h[:, 0])


@takes_rng
class WaveNet(SequenceModel):
    """Causal convolutions of width 2 with dilations 1, 2, 4, …: the state at t sees the last 2^layers symbols.

    Layer l, with dilation d = 2^l:  z_t = tanh(a) ⊙ σ(b), [a, b] = W_l [x_{t−d}, x_t];  x_t ← x_t + R_l z_t. The state
    is the sum of all S_l z_t (skip connections), through a ReLU.

    Args:
        n_symbols: N, such as the number of μ-law classes.
        channels: C, in all layers.
        layers: how many dilated convolutions.
    """

    def __init__(self, n_symbols: int, channels: int = 32, layers: int = 8, *, generator: torch.Generator) -> None:
        super().__init__(n_symbols, channels, generator)
        self.embedding = init_layer(nn.Linear, n_symbols, channels, generator=generator)
        self.gates, self.residual, self.skip = (
            nn.ModuleList(init_layer(nn.Linear, n_in, n_out, generator=generator) for _ in range(layers))
            for n_in, n_out in ((2 * channels, 2 * channels), (channels, channels), (channels, channels)))

    @property
    def receptive_field(self) -> int:
        """How many symbols the prediction of the next one sees."""
        return 2 ** len(self.gates)

    def states(self, x: Tensor) -> Tensor:
        h = self.embedding(F.one_hot(x, self.n_symbols).to(self.last.weight))
        skipped = 0.0
        for layer in range(len(self.gates)):
            past = F.pad(h, (0, 0, 2 ** layer, 0))[:, :h.shape[1]]
            h, skip = self._layer(layer, past, h)
            skipped = skipped + skip
        return skipped.relu()

    def _layer(self, layer: int, past: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        a, b = self.gates[layer](torch.cat([past, h], dim=-1)).chunk(2, dim=-1)
        z = a.tanh() * b.sigmoid()
        return h + self.residual[layer](z), self.skip[layer](z)

    def steps(self, n: int) -> Iterator[Tensor]:
        nothing = self.last.weight.new_zeros(n, self.last.in_features)
        remembered = [[nothing] * 2 ** layer for layer in range(len(self.gates))]  # each layer's last d inputs, a ring
        symbol, t = (yield self.last(nothing)), 0
        while True:
            h, skipped = self.embedding(F.one_hot(symbol, self.n_symbols).to(self.last.weight)), 0.0
            for layer, ring in enumerate(remembered):
                place = t % len(ring)
                past, ring[place] = ring[place], h
                h, skip = self._layer(layer, past, h)
                skipped = skipped + skip
            symbol, t = (yield self.last(skipped.relu())), t + 1


class SequenceClassifier(nn.Module):
    """p(y | x_1 … x_T): the network of a model of sequences with another last layer, on the mean of its states."""

    def __init__(self, network: SequenceModel, n_labels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.network = network
        self.label = init_layer(nn.Linear, network.last.in_features, n_labels, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the labels, `[n, n_labels]`, of sequences `[n, T]`."""
        return self.label(self.network.states(x).mean(1))
