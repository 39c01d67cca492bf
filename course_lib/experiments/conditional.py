"""The conditional GAN on MNIST in training: what is different from the DCGAN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.base import knob
from course_lib.experiments.dcgan import SNAPSHOT_SEED, DCGANExperiment, DCGANHyperparameters
from course_lib.experiments.judged import IMAGES, judge, scores
from course_lib.models.conditional import (
    CLASSES,
    CONDITIONINGS,
    ConditionalDiscriminator,
    ConditionalGenerator,
    noise,
)


def classed_as_asked(images: Tensor, y: Tensor) -> np.ndarray:
    """Of the images `[n, 28, 28]` in [0, 1] that were asked to be y `[n]`, the share that the judge sees so, `[10]`."""
    right = torch.cat([judge().predict(part) for part in images.split(500)]) == y
    return np.array([right[y == k].to(torch.float32).mean() for k in range(CLASSES)])


@dataclass(frozen=True)
class ConditionalHyperparameters(DCGANHyperparameters):
    """The knobs of the DCGAN, and how D is told the label."""

    width: int = knob(
        20, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")
    conditioning: str = knob(
        "projection", label="how D is told the label", choices=CONDITIONINGS, restart=True,
        help="By a vector of its own for each label, by ten more planes beside the image, or not at all.")


class ConditionalExperiment(DCGANExperiment):
    """A conditional GAN learns the 60,000 training images of MNIST with their labels. Metrics as of the DCGAN.

    Attributes:
        model: the moving average of G, a `ConditionalGenerator`.
    """

    Hyperparameters = ConditionalHyperparameters

    def networks(self) -> tuple[ConditionalGenerator, ConditionalDiscriminator]:
        h = self.hyperparameters
        return (ConditionalGenerator(h.preset, h.width, batch_norm=h.fault != "no batch norm", rng=self.rng),
                ConditionalDiscriminator(h.preset, h.width, h.dropout, h.spectral_norm, h.conditioning, rng=self.rng))

    def build(self, generator: torch.Generator) -> None:
        super().build(generator)
        self.labels = load_mnist("train").labels

    def genuine(self, picked: Tensor) -> tuple[Tensor, Tensor]:
        return self.scaled(self.images[picked]), self.labels[picked]

    def forged(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Labels come as often as in the data: else D could tell made pairs (x, y) from real ones by y alone."""
        y = self.labels[torch.randint(len(self.labels), (n,), generator=rng)]
        return self.G(noise(n, rng), y), y

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1], for the labels 0 to 9 in turn."""
        return self.model.sample(torch.arange(count) % CLASSES, torch.Generator().manual_seed(seed))

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of 1,000 images a digit: the scores of `judged.scores`; as_asked, the share that the judge classes as asked,
        and worst_class, the same for the digit where it is least."""
        images = self.samples(IMAGES)
        shares = classed_as_asked(images, torch.arange(IMAGES) % CLASSES)
        return {**scores(images), "as_asked": float(shares.mean()), "worst_class": float(shares.min())}
