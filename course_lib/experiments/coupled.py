"""Coupled GANs on MNIST in training: digits, and other digits with ink and paper exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters, beliefs, together
from course_lib.models.coupled import CoupledDiscriminator, CoupledGenerator
from course_lib.models.dcgan import discriminator_loss, generator_loss
from course_lib.models.penalties import r1_penalty
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import hyperparameter
from course_lib.training.image_scores import IMAGES, classifier, scores
from course_lib.training.registry import register
from course_lib.training.step import Metrics

SHOWN, COUNTED = 10, 500  # pairs in a snapshot: drawn, and judged


@dataclass(frozen=True)
class CoupledHyperparameters(DCGANHyperparameters):
    """The hyperparameters of the DCGAN, and how much the two of them share."""

    shared: int = hyperparameter(
        2, label="shared blocks of G", low=0, high=2, restart=True,
        help="How many of G's three blocks the two kinds of images have in common; with none, D shares none either.")
    width: int = hyperparameter(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of all networks at 14x14.")


@register(
    "coupled",
    summary="two GANs on two kinds of images of MNIST, with shared layers",
    prints="Prints the losses of D and G in nats, sums over both kinds.",
    ships={
        "coupled": "coupled --num-steps 8000 --set precision=bfloat16 --set preset=deep --set r1=1.0 --set "
                   "total_steps=8000",
        "coupled_0": "coupled --num-steps 8000 --set precision=bfloat16 --set preset=deep --set r1=1.0 --set shared=0 "
                     "--set total_steps=8000",
        "coupled_1": "coupled --num-steps 8000 --set precision=bfloat16 --set preset=deep --set r1=1.0 --set shared=1 "
                     "--set total_steps=8000",
    },
)
class CoupledExperiment(DCGANExperiment):
    """Two DCGANs in training, one on the first 30,000 training images, one on the others, inverted: no pair is given.

    Metrics as of the DCGAN. loss_d and loss_g are sums over both kinds, 4·log 2 and 2·log 2 where D can tell nothing;
    d_real and d_fake are means over both.

    Attributes:
        model: the moving average of G, a `CoupledGenerator`.
    """

    Hyperparameters = CoupledHyperparameters

    def networks(self) -> tuple[CoupledGenerator, CoupledDiscriminator]:
        h = self.hyperparameters
        return (CoupledGenerator(h.shared, h.preset, h.width, batch_norm=h.fault != "no batch norm",
                                 generator=self.generator),
                CoupledDiscriminator(h.shared > 0, h.preset, h.width, h.dropout, h.spectral_norm,
                                     generator=self.generator))

    def real_batch(self, picked: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Images i of the first half, and inverted ones of the other half at the same i, each `[n, 1, 28, 28]`:
        unrelated pictures, and D judges each by itself."""
        first, other = self.images.chunk(2)
        picked = self.picked(picked) % len(first)
        ends = self.scaled(torch.tensor([0, 255]))  # of what D gets; x → low + high − x exchanges them
        return self.scaled(first[picked]), ends.sum() - self.scaled(other[picked])

    def fake_batch(self, noise: tuple[Tensor, ...], real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, Tensor]:
        return self.G(*noise)

    def logits(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """D's logits for the real and for the generated images, each `[2n]`: of both kinds, one after the other."""
        kinds = [logits.chunk(2) for logits in self.D(*together(real, fake))]
        return tuple(torch.cat(logits) for logits in zip(*kinds, strict=True))

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        logits = self.logits(real, fake)
        kinds = zip(*(part.chunk(2) for part in logits), strict=True)
        loss = sum(discriminator_loss(*kind, self.hyperparameters.label_smoothing) for kind in kinds)
        return loss, beliefs(*logits)

    def r1_term(self, real: tuple[Tensor, ...]) -> Tensor:
        x, y = real
        return r1_penalty(lambda x: self.D(x, y)[0], x) + r1_penalty(lambda y: self.D(x, y)[1], y)

    def g_loss(self, real: tuple[Tensor, ...] | None, fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        return sum(generator_loss(logits) for logits in self.D(*fake)), {}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> tuple[Tensor, Tensor]:
        """Pairs of the average of G, each `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        first, second = self.model.sample(count, seeded(seed))
        return first.cpu(), second.cpu()

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]`: ten images and, below them, their partners; same `[1]`: which part of 500 pairs
        shows the same digit."""
        first, second = self.samples(COUNTED)
        return {"samples": torch.cat([first[:SHOWN], second[:SHOWN]]).numpy(),
                "same": np.array([same_digit(first, second)])}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """same_digit of 10,000 pairs; `image_scores.scores` of the first images, and frechet_inverted of the second."""
        first, second = self.samples(IMAGES)
        return scores(first) | {"frechet_inverted": scores(1 - second)["frechet"],
                                "same_digit": same_digit(first, second)}


@torch.no_grad()
def same_digit(first: Tensor, inverted: Tensor) -> float:
    """Which part of pairs, each `[n, 28, 28]` in [0, 1], the classifier gives one digit; it sees the second
    turned back."""
    same = [classifier().predict(a) == classifier().predict(1 - b)
            for a, b in zip(first.split(1000), inverted.split(1000), strict=True)]
    return torch.cat(same).to(torch.float32).mean().item()
