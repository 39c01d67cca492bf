"""Flow matching on MNIST, with labels, in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.experiments.conditional import classed_as_asked
from course_lib.models.flow_matching import PATH, drop_labels, even_times, flow_matching_loss, in_turn, sample
from course_lib.models.unet import UNet
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ema_keep, scaled
from course_lib.training.image_scores import IMAGES, scores
from course_lib.training.optim import adam, gradient_clip, length_of_training, weight_average
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import AveragedExperiment, Metrics

SHOWN = 20
JUDGED_STEPS = 20  # Heun's, of the samples that are judged: with ten the Fréchet distance is about .25 more
BETAS = (0.9, 0.99)
WARMUP = 100


@dataclass(frozen=True)
class FlowMatchingHyperparameters(Hyperparameters):
    """The hyperparameters of flow matching on MNIST."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        64, label="batch size", low=1, high=1024, unit="images",
        help="How many images one step sees.")
    unlabelled: float = hyperparameter(
        0.1, label="share without a label", low=0.0, high=1.0,
        help="So many images are learned without their label; guidance needs a network that knows both.")
    clip: float = gradient_clip()
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    width: int = hyperparameter(
        32, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of the network at 14x14.")


@register(
    "flow_matching",
    summary="flow matching on MNIST, which draws the digit that it is asked for",
    prints="Prints the squared error of the velocity per pixel, which has a floor above 0, and the length of the "
           "gradient.",
    ships={
        "flow_matching": "flow_matching --num-steps 27000 --set precision=bfloat16 --set total_steps=27000",
    },
)
class FlowMatchingExperiment(AveragedExperiment):
    """A U-Net learns the velocity that carries noise to the 60,000 training images of MNIST, given their labels.

    Metrics: loss, the squared error of the velocity per pixel, mean over the batch; gradient_norm, before it is cut.

    Attributes:
        network: the `UNet` that learns.
        model: the moving average of its weights, which draws.
    """

    Hyperparameters, warmup = FlowMatchingHyperparameters, WARMUP

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        network = UNet(self.hyperparameters.width, generator=generator)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.average = weight_average(self.network, ema_keep)
        self.optimizer = adam(self.network, betas=BETAS)
        train = load_mnist("train")
        self.images, self.labels = train.images.unsqueeze(1), train.labels
        self.batches = EpochSampler(len(self.images), generator)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.model, "network": self.network, "optimizer": self.optimizer, "batches": self.batches,
                "rng": self.generator}

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images `[n, 1, 28, 28]` in [−1, 1], noise like them, times `[n]`, and labels `[n]`, some of them left out."""
        h, generator = self.hyperparameters, self.generator
        picked = self.batches.next(h.batch_size)
        x = scaled(self.images[picked])
        return (x, torch.randn(x.shape, generator=generator), even_times(len(x), generator),
                drop_labels(self.labels[picked], h.unlabelled, generator))

    def loss(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        x, eps, t, y = batch
        loss = flow_matching_loss(self.network(PATH.noised(x, t, eps), t, y), x, eps)
        return loss, {"loss": loss}

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]` in [0, 1]: the digits 0 to 9 twice, in five steps, always from the same noise."""
        return {"samples": sample(self.model, in_turn(SHOWN), snapshot_generator(), steps=5).numpy()}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images `[count, 28, 28]` in [0, 1] for the labels 0 to 9 in turn, without guidance."""
        return sample(self.model, in_turn(count), seeded(seed), steps=JUDGED_STEPS)

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of 1,000 images a digit: the scores of `image_scores.scores`; as_asked, the share that the classifier sees
        as asked, and worst_class, the same for the digit where it is least. It takes five minutes."""
        images = self.samples(IMAGES)
        shares = classed_as_asked(images, in_turn(IMAGES))
        return {**scores(images), "as_asked": float(shares.mean()), "worst_class": float(shares.min())}
