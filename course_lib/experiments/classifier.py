"""The classifier that measures other models, in training: a small convolutional network on MNIST."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.vae import held_out_images
from course_lib.models.classifier import Classifier
from course_lib.training.batches import EpochSampler
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics


@dataclass(frozen=True)
class ClassifierHyperparameters(Hyperparameters):
    """The hyperparameters of the classifier."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        128, label="batch size", low=2, high=1024, unit="images",
        help="How many images one step sees; half of them are binarized.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()


@register(
    "classifier",
    summary="the classifier that measures other models: a small convolutional network on MNIST",
    prints="Prints the cross-entropy in nats.",
    ships={
        "classifier": "classifier --num-steps 4680 --set precision=bfloat16 --set total_steps=4680",
    },
    trained_first=True,
)
class ClassifierExperiment(LossExperiment):
    """A classifier learns the 60,000 training images of MNIST. Metric: loss, the cross-entropy in nats.

    Half of each batch is binarized, each pixel being ink with the probability of its grey value: so it knows
    both kinds of images that the course's models make.

    Attributes:
        model: the `Classifier`.
    """

    Hyperparameters = ClassifierHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.model = Classifier(generator=generator).to(self.device)
        self.optimizer = adam(self.model)
        train = load_mnist("train")
        self.images, self.labels = train.images.flatten(1), train.labels
        self.batches = EpochSampler(len(self.labels), generator)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """The next training images, float32 `[batch_size, 784]`, half of them binarized; and their labels."""
        picked = self.batches.next(self.hyperparameters.batch_size)
        x = self.images[picked].to(torch.float32).div_(255)
        half = x[:len(x) // 2]
        half.copy_(torch.rand(half.shape, generator=self.generator) < half)
        return x, self.labels[picked]

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """Cross-entropy of images `[n, 784]` and labels `[n]` in nats, mean over the batch, 0-d."""
        x, labels = batch
        loss = F.cross_entropy(self.model(x), labels)
        return loss, {"loss": loss}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """right `[10]`: which part of each digit's test images, the first 1,000 of all, is classed right."""
        test = load_mnist("test")[:1000]
        right = (self.model.predict(test.flat().to(self.device)).cpu() == test.labels).to(torch.float32)
        return {"right": np.array([right[test.labels == k].mean() for k in range(10)])}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_accuracy on the 10,000 grey test images, test_accuracy_binarized on the same, binarized."""
        labels = load_mnist("test").labels

        def accuracy(pixels: str) -> float:
            predicted = torch.cat([self.model.predict(x.to(self.device)).cpu()
                                   for x in held_out_images(pixels).split(1000)])
            return (predicted == labels).to(torch.float32).mean().item()

        return {"test_accuracy": accuracy("grey"), "test_accuracy_binarized": accuracy("binarized")}
