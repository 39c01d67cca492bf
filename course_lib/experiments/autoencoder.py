"""The plain autoencoder on MNIST in training, to be held against the VAE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.experiments.base import Experiment, Hyperparameters, knob
from course_lib.experiments.images import Batches, arithmetic, autocast, decayed, length_of_training
from course_lib.experiments.vae import MAPPED_PER_DIGIT, held_out_images, mapped_images
from course_lib.models.autoencoder import Autoencoder


@dataclass(frozen=True)
class AutoencoderHyperparameters(Hyperparameters):
    """The knobs of the autoencoder; where the VAE has them too, they mean the same."""

    learning_rate: float = knob(
        1e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = knob(
        128, label="batch size", low=1, high=4096, unit="images",
        help="How many images one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    latent_size: int = knob(
        2, label="latent size", low=2, high=64, unit="dimensions", restart=True,
        help="How many numbers describe an image.")
    width: int = knob(
        512, label="width", low=16, high=1024, unit="units", restart=True,
        help="Units of the encoder's first hidden layer; the second has half of them, the decoder is the mirror.")


class AutoencoderExperiment(Experiment):
    """An autoencoder learns the 60,000 training images of MNIST, grey. Metric: error, the squared error of an image
    summed over its pixels, mean over the batch.

    Attributes:
        model: the `Autoencoder`.
    """

    Hyperparameters = AutoencoderHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.model = Autoencoder(h.latent_size, (h.width, h.width // 2), rng=generator)
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        self.images = load_mnist("train").images.flatten(1)
        self.batches, self.rng = Batches(len(self.images), generator), generator

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.model, "optimizer": self.optimizer, "batches": self.batches, "rng": self.rng}

    def update(self) -> dict[str, Tensor]:
        h = self.hyperparameters
        x = self.images[self.batches.next(h.batch_size)].to(torch.float32).div_(255)
        with autocast(h.precision):
            error = self.model.error(x).mean()
        self.optimizer.param_groups[0]["lr"] = decayed(h.learning_rate, self.steps, h.total_steps)
        self.optimizer.zero_grad()
        error.backward()
        self.optimizer.step()
        return {"error": error.detach()}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """rebuilt `[20, 28, 28]`: ten test images, 0 to 9, then how they are rebuilt; digit_0 … digit_9 `[50, 2]`:
        the first two numbers of the codes of 50 test images a digit."""
        x = held_out_images("grey")[mapped_images()]
        z = self.model.encode(x)
        shown = slice(0, None, MAPPED_PER_DIGIT)
        rebuilt = torch.cat([x[shown], self.model.decode(z[shown])]).view(-1, 28, 28).numpy()
        codes = z[:, :2].view(10, MAPPED_PER_DIGIT, 2).numpy()
        return {"rebuilt": rebuilt, **{f"digit_{k}": codes[k] for k in range(10)}}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_error: squared error summed over pixels, mean over the 10,000 test images."""
        return {"test_error": self.model.error(held_out_images("grey")).mean().item()}
