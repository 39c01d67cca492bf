"""Coupled GANs on MNIST in training: digits, and other digits with ink and paper exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.experiments.base import knob
from course_lib.experiments.dcgan import SNAPSHOT_SEED, DCGANExperiment, DCGANHyperparameters
from course_lib.experiments.judged import IMAGES, judge, scores
from course_lib.models.coupled import CoupledDiscriminator, CoupledGenerator
from course_lib.models.dcgan import discriminator_loss, generator_loss, noise
from course_lib.models.penalties import r1_penalty

SHOWN, COUNTED = 10, 500  # pairs in a snapshot: drawn, and judged


@dataclass(frozen=True)
class CoupledHyperparameters(DCGANHyperparameters):
    """The knobs of the DCGAN, and how much the two of them share."""

    shared: int = knob(
        2, label="shared blocks of G", low=0, high=2, restart=True,
        help="How many of G's three blocks the two kinds of images have in common; with none, D shares none either.")
    width: int = knob(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of all networks at 14x14.")


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
        return (CoupledGenerator(h.shared, h.preset, h.width, batch_norm=h.fault != "no batch norm", rng=self.rng),
                CoupledDiscriminator(h.shared > 0, h.preset, h.width, h.dropout, h.spectral_norm, rng=self.rng))

    def genuine(self, picked: Tensor) -> tuple[Tensor, Tensor]:
        """Images i of the first half, and inverted ones of the other half at the same i: unrelated pictures, and D
        judges each by itself."""
        first, other = self.images.chunk(2)
        picked = picked % len(first)
        ends = self.scaled(torch.tensor([0, 255]))  # of what D gets; x → low + high − x exchanges them
        return self.scaled(first[picked]), ends.sum() - self.scaled(other[picked])

    def forged(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return self.G(noise(n, rng))

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        kinds = [logits.chunk(2) for logits in self.D(*(torch.cat(kind) for kind in zip(real, fake, strict=True)))]
        loss = sum(discriminator_loss(*kind, self.hyperparameters.label_smoothing) for kind in kinds)
        return loss, *(torch.cat(logits) for logits in zip(*kinds, strict=True))

    def slope(self, real: tuple[Tensor, ...]) -> Tensor:
        x, y = real
        return r1_penalty(lambda x: self.D(x, y)[0], x) + r1_penalty(lambda y: self.D(x, y)[1], y)

    def g_loss(self, fake: tuple[Tensor, ...]) -> Tensor:
        return sum(generator_loss(logits) for logits in self.D(*fake))

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> tuple[Tensor, Tensor]:
        """Pairs of the average of G, each `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        return self.model.sample(count, torch.Generator().manual_seed(seed))

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]`: ten images and, below them, their partners; same `[1]`: which part of 500 pairs
        shows the same digit."""
        first, second = self.samples(COUNTED)
        return {"samples": torch.cat([first[:SHOWN], second[:SHOWN]]).numpy(),
                "same": np.array([same_digit(first, second)])}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """same_digit of 10,000 pairs; `judged.scores` of the first images, and frechet_inverted of the second."""
        first, second = self.samples(IMAGES)
        return scores(first) | {"frechet_inverted": scores(1 - second)["frechet"],
                                "same_digit": same_digit(first, second)}


@torch.no_grad()
def same_digit(first: Tensor, inverted: Tensor) -> float:
    """Which part of pairs, each `[n, 28, 28]` in [0, 1], the judge gives one digit; it sees the second turned back."""
    same = [judge().predict(a) == judge().predict(1 - b)
            for a, b in zip(first.split(1000), inverted.split(1000), strict=True)]
    return torch.cat(same).to(torch.float32).mean().item()
