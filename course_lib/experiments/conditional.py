"""The conditional GAN on MNIST in training: what is different from the DCGAN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters
from course_lib.models.conditional import (
    CLASSES,
    CONDITIONINGS,
    ConditionalDiscriminator,
    ConditionalGenerator,
    noise,
)
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import hyperparameter
from course_lib.training.image_scores import IMAGES, classifier, scores
from course_lib.training.registry import register


def classed_as_asked(images: Tensor, y: Tensor) -> np.ndarray:
    """Of the images `[n, 28, 28]` in [0, 1] that were asked to be y `[n]`, the share `[10]` that the classifier sees
    so, for each digit."""
    right = torch.cat([classifier().predict(part) for part in images.split(500)]) == y
    return np.array([right[y == k].to(torch.float32).mean() for k in range(CLASSES)])


@dataclass(frozen=True)
class ConditionalHyperparameters(DCGANHyperparameters):
    """The hyperparameters of the DCGAN, and how D is told the label."""

    width: int = hyperparameter(
        20, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")
    conditioning: str = hyperparameter(
        "projection", label="how D is told the label", choices=CONDITIONINGS, restart=True,
        help="By a vector of its own for each label, by ten more planes beside the image, or not at all.")


@register(
    "conditional",
    summary="a conditional GAN on MNIST, which draws the digit that it is asked for",
    prints="Prints what dcgan prints.",
    ships={
        "conditional": "conditional --num-steps 12000 --set precision=bfloat16 --set preset=deep --set r1=1.0 --set "
                       "total_steps=12000",
    },
)
class ConditionalExperiment(DCGANExperiment):
    """A conditional GAN learns the 60,000 training images of MNIST with their labels. Metrics as of the DCGAN.

    Attributes:
        model: the moving average of G, a `ConditionalGenerator`.
    """

    Hyperparameters = ConditionalHyperparameters

    def networks(self) -> tuple[ConditionalGenerator, ConditionalDiscriminator]:
        h = self.hyperparameters
        return (ConditionalGenerator(h.preset, h.width, batch_norm=h.fault != "no batch norm",
                                     generator=self.generator),
                ConditionalDiscriminator(h.preset, h.width, h.dropout, h.spectral_norm, h.conditioning,
                                         generator=self.generator))

    def build(self, generator: torch.Generator) -> None:
        super().build(generator)
        self.labels = load_mnist("train").labels

    def real_batch(self, picked: Tensor | None = None) -> tuple[Tensor, Tensor]:
        picked = self.picked(picked)
        return self.scaled(self.images[picked]), self.labels[picked]

    def noise_batch(self, n: int | None = None, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Noise `[n, 90]`, and labels `[n]`, which come as often as in the data: else D could tell made pairs (x, y)
        from real ones by y alone."""
        n, generator = self.size_and_generator(n, generator)
        y = self.labels[torch.randint(len(self.labels), (n,), generator=generator)]
        return noise(n, generator), y

    def fake_batch(self, noise: tuple[Tensor, Tensor], real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, Tensor]:
        z, y = noise
        return self.G(z, y), y

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1], for the labels 0 to 9 in turn."""
        return self.model.sample(torch.arange(count) % CLASSES, seeded(seed)).cpu()

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of 1,000 images a digit: the scores of `image_scores.scores`; as_asked, the share that the classifier sees
        as asked, and worst_class, the same for the digit where it is least."""
        images = self.samples(IMAGES)
        shares = classed_as_asked(images, torch.arange(IMAGES) % CLASSES)
        return {**scores(images), "as_asked": float(shares.mean()), "worst_class": float(shares.min())}
