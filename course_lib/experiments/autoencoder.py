"""The plain autoencoder on MNIST in training, to be held against the VAE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.vae import MAPPED_PER_DIGIT, held_out_images, mapped_images
from course_lib.models.autoencoder import Autoencoder
from course_lib.training.batches import EpochSampler
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics


@dataclass(frozen=True)
class AutoencoderHyperparameters(Hyperparameters):
    """The hyperparameters of the autoencoder; where the VAE has them too, they mean the same."""

    learning_rate: float = hyperparameter(
        1e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        128, label="batch size", low=1, high=4096, unit="images",
        help="How many images one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    latent_size: int = hyperparameter(
        2, label="latent size", low=2, high=64, unit="dimensions", restart=True,
        help="How many numbers describe an image.")
    width: int = hyperparameter(
        512, label="width", low=16, high=1024, unit="units", restart=True,
        help="Units of the encoder's first hidden layer; the second has half of them, the decoder is the mirror.")


@register(
    "autoencoder",
    summary="a plain autoencoder of MNIST",
    prints="Prints the squared error of an image, mean over a batch.",
    ships={
        "autoencoder_z2": "autoencoder --num-steps 4680 --set precision=bfloat16 --set total_steps=4680",
        "autoencoder_z20": "autoencoder --num-steps 4680 --set latent_size=20 --set precision=bfloat16 --set "
                           "total_steps=4680",
    },
)
class AutoencoderExperiment(LossExperiment):
    """An autoencoder learns the 60,000 training images of MNIST, grey. Metric: error, the squared error of an image
    summed over its pixels, mean over the batch.

    Attributes:
        model: the `Autoencoder`.
    """

    Hyperparameters = AutoencoderHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        self.model = Autoencoder(h.latent_size, (h.width, h.width // 2), generator=generator).to(self.device)
        self.optimizer = adam(self.model)
        self.images = load_mnist("train").images.flatten(1)
        self.batches = EpochSampler(len(self.images), generator)

    def next_batch(self) -> Tensor:
        """The next training images, float32 `[batch_size, 784]`."""
        return self.images[self.batches.next(self.hyperparameters.batch_size)].to(torch.float32).div_(255)

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """Squared error of images `[n, 784]`, summed over pixels, mean over the batch, 0-d."""
        error = self.model.error(x).mean()
        return error, {"error": error}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """rebuilt `[20, 28, 28]`: ten test images, 0 to 9, then how they are rebuilt; digit_0 … digit_9 `[50, 2]`:
        the first two numbers of the codes of 50 test images a digit."""
        x = held_out_images("grey")[mapped_images()].to(self.device)
        z = self.model.encode(x)
        shown = slice(0, None, MAPPED_PER_DIGIT)
        rebuilt = torch.cat([x[shown], self.model.decode(z[shown])]).view(-1, 28, 28).cpu().numpy()
        codes = z[:, :2].view(10, MAPPED_PER_DIGIT, 2).cpu().numpy()
        return {"rebuilt": rebuilt, **{f"digit_{k}": codes[k] for k in range(10)}}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_error: squared error summed over pixels, mean over the 10,000 test images."""
        return {"test_error": self.model.error(held_out_images("grey").to(self.device)).mean().item()}
