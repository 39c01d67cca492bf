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
from course_lib.training.optim import adam, gradient_clip, length_of_training
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

DATA = ("copies", "chains")
MODELS = ("transformer", "lstm")
SYMBOLS = {"copies": 16, "chains": 3}
LENGTH = 32
PERIODS = (3, 14)  # of the copies that are trained on
SHOWN_PERIOD = 8
HELD_OUT = 2000  # sequences


@dataclass(frozen=True)
class InContextHyperparameters(Hyperparameters):
    """The hyperparameters of learning in context."""

    learning_rate: float = hyperparameter(
        5e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=1024, unit="sequences",
        help="How many sequences one step sees.")
    clip: float = gradient_clip()
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
        "relative", label="positions", choices=POSITIONS, restart=True,
        help="How a transformer's token knows where it is: not at all, a learned vector, a rotation, or a number for "
             "each distance.")


@register(
    "in_context",
    summary="a transformer or an LSTM to find a sequence's rule in the sequence itself",
    prints="Prints the mean −log p of a symbol in nats, that of the best possible prediction, and the share of symbols "
           "that are guessed right.",
    ships={
        "chains": "in_context --num-steps 3000 --set data=chains --set learning_rate=0.01 --set total_steps=3000",
    },
)
class InContextExperiment(LossExperiment):
    """A model of sequences learns to copy, or to estimate a Markov chain, from what it reads.

    The loss counts the symbols of which all is known that can be: of copies from the second of the second piece on, of
    chains all but the first. Metrics, means over these: nll, −log p in nats; floor, the same of the best possible
    prediction; accuracy, the share whose likeliest value is right.

    Attributes:
        model: the `SequenceTransformer`, of attention alone and with one head a layer, or the `CharLSTM`.
    """

    Hyperparameters = InContextHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        N = SYMBOLS[h.data]
        model: SequenceModel = (
            CharLSTM(N, h.channels, h.layers, generator=generator) if h.model == "lstm" else
            SequenceTransformer(N, LENGTH, h.channels, h.layers, 1, h.positions, generator=generator, mlp=False))
        self.model = model.to(self.device)
        self.optimizer = adam(self.model)

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """What `sequences` gives, the first `[n, T]`: copies of a period that is drawn, or chains."""
        h = self.hyperparameters
        period = int(torch.randint(PERIODS[0], PERIODS[1] + 1, (1,), generator=self.generator))
        return sequences(h.data, h.batch_size, period, self.generator)

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        x, best, known = batch
        share = known / known.sum()  # no indexing by a mask: on a GPU its result would have to be waited for
        logits = self.model(x)
        nll = F.cross_entropy(logits.transpose(1, 2), x, reduction="none").mean(0) @ share
        right = (logits.argmax(2) == x).to(share.dtype)
        return nll, {"nll": nll, "floor": -best.mean(0).to(share.dtype) @ share, "accuracy": right.mean(0) @ share}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """patterns `[3, LENGTH, LENGTH]`: where each symbol of one sequence looks in the first and in the last layer,
        and where an exact induction head would. An LSTM looks nowhere."""
        h = self.hyperparameters
        x = sequences(h.data, 1, SHOWN_PERIOD, snapshot_generator())[0]
        exact = successors(x)
        if h.model == "lstm":
            return {"patterns": torch.cat([0 * exact, 0 * exact, exact]).numpy()}
        looks = [layer[:, 0].cpu() for layer in self.model.weights(x.to(device_of(self.model)))]
        return {"patterns": torch.cat([looks[0], looks[-1], exact]).numpy()}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """excess over the best prediction in nats a symbol, and accuracy, on 2,000 held-out sequences; it takes a
        moment, so `thorough` changes nothing."""
        batch = sequences(self.hyperparameters.data, HELD_OUT, SHOWN_PERIOD, seeded(SNAPSHOT_SEED + 2))
        metrics = self.loss(tuple(part.to(device_of(self.model)) for part in batch))[1]
        return {"excess": float(metrics["nll"] - metrics["floor"]), "accuracy": float(metrics["accuracy"])}


def sequences(data: str, n: int, period: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """`n` sequences, int64 `[n, LENGTH]`; log p of each symbol by the best possible prediction, `[n, LENGTH]`; and
    where all is known that can be, bool `[LENGTH]`. Only copies have a period; where they are known they are certain.
    """
    if data == "copies":
        x = copies(n, LENGTH, period, SYMBOLS[data], generator)
        return x, torch.zeros(n, LENGTH), torch.arange(LENGTH) > period
    x = chains(n, LENGTH, SYMBOLS[data], generator)
    best = chain_predictor(x, SYMBOLS[data]).gather(2, x[:, :, None])[:, :, 0].log()
    return x, best, torch.arange(LENGTH) > 0
