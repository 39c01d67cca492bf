"""A generator in the plane that has no opponent: it makes the kernel MMD to the ring small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import Ring
from course_lib.experiments.base import Experiment, Hyperparameters, knob
from course_lib.experiments.images import decayed, length_of_training
from course_lib.measure import count_modes, mmd2
from course_lib.models.gan2d import Generator, noise

WIDTH = 64  # units a layer
SHOWN = 400  # points in a snapshot
SNAPSHOT_SEED = 2**32  # seeds of runs are smaller, so a picture never uses a run's own random numbers


@dataclass(frozen=True)
class MMDHyperparameters(Hyperparameters):
    """The knobs of the moment matching generator."""

    width: float = knob(
        0.3, label="width of the kernel", low=0.01, high=10.0, log=True,
        help="Over what distance two points count as alike; the modes are 0.05 wide, and about 1.5 apart.")
    learning_rate: float = knob(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = knob(
        256, label="batch size", low=2, high=1024, log=True, unit="points",
        help="How many real and how many made points one step compares.")
    total_steps: int = length_of_training()


class MMDExperiment(Experiment):
    """G learns the ring of eight narrow Gaussians. Metric: mmd2, the batch's unbiased estimate.

    Attributes:
        G: the generator, from z ~ N(0, I) `[n, 2]` to points `[n, 2]`.
    """

    Hyperparameters = MMDHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.rng, self.data = generator, Ring()
        self.G = Generator(WIDTH, generator)
        self.optimizer = torch.optim.Adam(self.G.parameters(), fused=True)

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.G, "optimizer": self.optimizer, "rng": self.rng}

    def update(self) -> dict[str, Tensor]:
        h = self.hyperparameters
        made = self.G(noise("normal", h.batch_size, self.rng))
        loss = mmd2(self.data.sample(h.batch_size, self.rng), made, (h.width,))
        self.optimizer.param_groups[0]["lr"] = decayed(h.learning_rate, self.steps, h.total_steps)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"mmd2": loss.detach()}

    @torch.no_grad()
    def samples(self, count: int) -> Tensor:
        """So many made points, `[count, 2]`, always from the same noise."""
        return self.G(noise("normal", count, torch.Generator().manual_seed(SNAPSHOT_SEED)))

    def snapshot(self) -> dict[str, np.ndarray]:
        """Points `[400, 2]`: real and made."""
        real = self.data.sample(SHOWN, torch.Generator().manual_seed(SNAPSHOT_SEED))
        return {"real": real.numpy(), "made": self.samples(SHOWN).numpy()}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """modes covered, of 8, and near, the share of made points within 3σ of a mode."""
        modes = count_modes(self.samples(4000).numpy(), np.array(self.data.centres), self.data.std)
        return {"modes": modes.covered, "near": modes.near}
