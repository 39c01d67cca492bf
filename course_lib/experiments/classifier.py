"""The judge in training: a small convolutional network on MNIST."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.base import Experiment, Hyperparameters, knob
from course_lib.experiments.images import Batches, arithmetic, autocast, decayed, length_of_training
from course_lib.experiments.vae import held_out_images
from course_lib.models.classifier import Classifier


@dataclass(frozen=True)
class ClassifierHyperparameters(Hyperparameters):
    """The knobs of the judge."""

    learning_rate: float = knob(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = knob(
        128, label="batch size", low=2, high=1024, unit="images",
        help="How many images one step sees; half of them are binarized.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()


class ClassifierExperiment(Experiment):
    """A classifier learns the 60,000 training images of MNIST. Metric: loss, the cross-entropy in nats.

    Half of each batch is binarized, each pixel being ink with the probability of its grey value: so the judge knows
    both kinds of images that the course's models make.

    Attributes:
        model: the `Classifier`.
    """

    Hyperparameters = ClassifierHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.rng = generator
        self.model = Classifier(rng=generator)
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        train = load_mnist("train")
        self.images, self.labels = train.images.flatten(1), train.labels
        self.batches = Batches(len(self.labels), generator)

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.model, "optimizer": self.optimizer, "batches": self.batches, "rng": self.rng}

    def update(self) -> dict[str, Tensor]:
        h = self.hyperparameters
        picked = self.batches.next(h.batch_size)
        x = self.images[picked].to(torch.float32).div_(255)
        half = x[:h.batch_size // 2]
        half.copy_(torch.rand(half.shape, generator=self.rng) < half)
        with autocast(h.precision):
            logits = self.model(x)
        loss = F.cross_entropy(logits, self.labels[picked])
        self.optimizer.param_groups[0]["lr"] = decayed(h.learning_rate, self.steps, h.total_steps)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """right `[10]`: which part of each digit's test images, the first 1,000 of all, is classed right."""
        test = load_mnist("test")[:1000]
        right = (self.model.predict(test.flat()) == test.labels).to(torch.float32)
        return {"right": np.array([right[test.labels == k].mean() for k in range(10)])}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_accuracy on the 10,000 grey test images, test_accuracy_binarized on the same, binarized."""
        labels = load_mnist("test").labels

        def accuracy(pixels: str) -> float:
            predicted = torch.cat([self.model.predict(x) for x in held_out_images(pixels).split(1000)])
            return (predicted == labels).to(torch.float32).mean().item()

        return {"test_accuracy": accuracy("grey"), "test_accuracy_binarized": accuracy("binarized")}
