"""A generator in the plane that has no opponent: it makes the kernel MMD to the ring small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import Ring
from course_lib.measure import count_modes, mmd2
from course_lib.models.gan2d import Generator, noise
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

WIDTH = 64  # units a layer
SHOWN = 400  # points in a snapshot


@dataclass(frozen=True)
class MMDHyperparameters(Hyperparameters):
    """The hyperparameters of the moment matching generator."""

    width: float = hyperparameter(
        0.3, label="width of the kernel", low=0.01, high=10.0, log=True,
        help="Over what distance two points count as alike; the modes are 0.05 wide, and about 1.5 apart.")
    learning_rate: float = hyperparameter(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        256, label="batch size", low=2, high=1024, log=True, unit="points",
        help="How many real and how many made points one step compares.")
    total_steps: int = length_of_training()


@register(
    "mmd2d",
    summary="a generator in the plane without an opponent, by kernel MMD",
    prints="Prints the squared MMD of a batch.",
)
class MMDExperiment(LossExperiment):
    """G learns the ring of eight narrow Gaussians. Metric: mmd2, the batch's unbiased estimate.

    Attributes:
        model: the generator G, from z ~ N(0, I) `[n, 2]` to points `[n, 2]`.
    """

    Hyperparameters = MMDHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.generator, self.data = generator, Ring()
        self.model = Generator(WIDTH, generator=generator).to(self.device)
        self.optimizer = adam(self.model)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Noise z and real points, each `[batch_size, 2]`."""
        n = self.hyperparameters.batch_size
        return noise("normal", n, self.generator), self.data.sample(n, self.generator)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """The squared MMD, 0-d, between real points and those that G makes of z, each `[n, 2]`."""
        z, real = batch
        loss = mmd2(real, self.model(z), (self.hyperparameters.width,))
        return loss, {"mmd2": loss}

    @torch.no_grad()
    def samples(self, count: int) -> Tensor:
        """So many made points, `[count, 2]`, always from the same noise."""
        z = noise("normal", count, seeded(SNAPSHOT_SEED))
        return self.model(z.to(self.device)).cpu()

    def snapshot(self) -> dict[str, np.ndarray]:
        """Points `[400, 2]`: real and made."""
        real = self.data.sample(SHOWN, seeded(SNAPSHOT_SEED))
        return {"real": real.numpy(), "made": self.samples(SHOWN).numpy()}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """modes covered, of 8, and near, the share of made points within 3σ of a mode."""
        modes = count_modes(self.samples(4000).numpy(), np.array(self.data.centres), self.data.std)
        return {"modes": modes.covered, "near": modes.near}
