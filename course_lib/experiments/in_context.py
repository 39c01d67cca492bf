"""Models that learn to find a sequence's rule in the sequence itself: a transformer, or an LSTM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data.in_context import chain_predictor, chains, copies, successors
from course_lib.models.layers import device_of
from course_lib.models.sequences import CharLSTM, SequenceModel
from course_lib.models.transformer import POSITIONS, SequenceTransformer
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

DATA = ("copies", "chains")
MODELS = ("transformer", "lstm")
SYMBOLS = {"copies": 24, "chains": 3}
LENGTH = 40
PERIODS = (3, 14)  # of the copies that are trained on
SHOWN_PERIOD = 10
HELD_OUT = 200  # sequences


@dataclass(frozen=True)
class InContextHyperparameters(Hyperparameters):
    """The hyperparameters of learning in context."""

    learning_rate: float = hyperparameter(
        5e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=1024, unit="sequences",
        help="How many sequences one step sees.")
    clip: float = hyperparameter(
        1.0, label="longest gradient", low=1e-3, high=1000.0, log=True,
        help="A longer gradient is cut to this length.")
    total_steps: int = length_of_training()
    data: str = hyperparameter(
        "copies", label="data", choices=DATA, restart=True,
        help="Copies: a piece of different symbols, repeated; chains: each sequence from a Markov chain of its own.")
    model: str = hyperparameter(
        "transformer", label="model", choices=MODELS, restart=True,
        help="A transformer, which looks back, or an LSTM, which remembers.")
    channels: int = hyperparameter(
        32, label="channels", low=4, high=128, restart=True,
        help="Numbers that a token's vector, or the LSTM's state, has.")
    layers: int = hyperparameter(
        2, label="layers", low=1, high=4, restart=True,
        help="Blocks of the transformer, or LSTMs, one on top of the other.")
    positions: str = hyperparameter(
        "rotary", label="positions", choices=POSITIONS, restart=True,
        help="How a transformer's token knows where it is: not at all, a learned vector, a rotation, or a number for "
             "each distance.")


@register(
    "in_context",
    summary="a transformer or an LSTM to find a sequence's rule in the sequence itself",
    prints="Prints the mean −log p of a symbol in nats, that of the best possible prediction, and the share of symbols "
           "that are guessed right.",
)
class InContextExperiment(LossExperiment):
    """A model of sequences learns to copy, or to estimate a Markov chain, from what it reads.

    Metrics, means over the symbols that can be known, of copies those from the second of the second piece on: nll, in
    nats; floor, the same of the best possible prediction; accuracy, the share whose likeliest value is right.

    Attributes:
        model: the `SequenceTransformer`, with one head a layer, or the `CharLSTM`.
    """

    Hyperparameters = InContextHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        N = SYMBOLS[h.data]
        self.model: SequenceModel = (
            CharLSTM(N, h.channels, h.layers, generator=generator) if h.model == "lstm" else
            SequenceTransformer(N, LENGTH, h.channels, h.layers, 1, h.positions, generator=generator)).to(self.device)
        self.optimizer = adam(self.model)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Sequences, int64 `[batch_size, LENGTH]`, and the best prediction's log p of each symbol, `[batch_size,
        LENGTH]`, NaN where the symbol cannot be known."""
        h, period = self.hyperparameters, SHOWN_PERIOD
        if h.data == "copies":
            period = int(torch.randint(PERIODS[0], PERIODS[1] + 1, (1,), generator=self.generator))
        return sequences(h.data, h.batch_size, period, self.generator)

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        x, best = batch
        scored = ~best[0].isnan()
        logits = self.model(x)[:, scored]
        nll = F.cross_entropy(logits.transpose(1, 2), x[:, scored])
        accuracy = (logits.argmax(2) == x[:, scored]).float().mean()
        return nll, {"nll": nll, "floor": -best[:, scored].mean(), "accuracy": accuracy}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """place `[LENGTH − 1]`, and nll of the symbol there over 100 sequences, and floor that of the best prediction;
        patterns `[3, LENGTH, LENGTH]`: where each symbol of one sequence looks in the first and in the last layer, and
        where an exact head would. An LSTM looks nowhere."""
        h = self.hyperparameters
        x, best = (part.to(device_of(self.model))
                   for part in sequences(h.data, 100, SHOWN_PERIOD, snapshot_generator()))
        nll = F.cross_entropy(self.model(x).transpose(1, 2), x, reduction="none").mean(0)
        floor = -best.mean(0)
        if h.data == "copies":  # before, any of the symbols that are still unused is as likely as the others
            floor = torch.where(floor.isnan(), torch.full_like(floor, np.nan), floor)
        pattern = successors(x[:1].cpu())
        looks = ([layer[0].cpu() for layer in self.model.weights(x[:1])] if h.model == "transformer"
                 else [torch.zeros_like(pattern)])
        return {"place": np.arange(1, LENGTH), "nll": nll[1:].cpu().numpy(), "floor": floor[1:].cpu().numpy(),
                "patterns": torch.cat([looks[0], looks[-1], pattern]).numpy()}
