"""Fool the discriminator: a person moves a handful of numbers by hand, against a discriminator that learns live.

It is the game of `experiments.gan1d` with the generator taken out: the made numbers are hyperparameters, so that the
knobs of a live lab become the generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.experiments.base import Experiment, Hyperparameters, knob
from course_lib.experiments.gan1d import GRID
from course_lib.measure import normal_density
from course_lib.models.gan1d import (
    REAL_MEAN,
    REAL_STD,
    Discriminator,
    discriminator_loss,
    generator_loss,
    real_data,
)

POINTS = 5
BATCH = 64
TREMBLE = 0.15  # the hand's: five exact values could be told apart by needles in D that teach nothing


def _place(default: float, number: int) -> float:
    return knob(default, low=-2.0, high=8.0, label=f"your number {number}",
                help="Where this made number lies. The arrow says which way the generator would move it.")


@dataclass(frozen=True)
class FoolHyperparameters(Hyperparameters):
    """Five numbers to place, and how fast the discriminator learns."""

    x1: float = _place(-1.0, 1)
    x2: float = _place(0.0, 2)
    x3: float = _place(1.0, 3)
    x4: float = _place(2.0, 4)
    x5: float = _place(7.0, 5)
    learning_rate: float = knob(3e-3, low=1e-4, high=3e-2, log=True, label="learning rate of D",
                                help="How far the discriminator moves at each of its steps.")


class FoolExperiment(Experiment):
    """D learns to tell N(4, 0.5²) from five given numbers, each blurred by a trembling hand.

    Metrics: loss_d, and loss_g (non-saturating) of the five numbers, in nats.
    """

    Hyperparameters = FoolHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.rng = generator
        self.D = Discriminator(16, "leaky_relu", False, "pytorch", generator)
        self.optimizer = torch.optim.Adam(self.D.parameters(), betas=(0.5, 0.999))

    def apply(self, hyperparameters: Hyperparameters) -> None:
        self.optimizer.param_groups[0]["lr"] = hyperparameters.learning_rate

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"D": self.D, "optimizer": self.optimizer, "rng": self.rng}

    def numbers(self) -> Tensor:
        """The made numbers, shape (5, 1)."""
        h = self.hyperparameters
        return torch.tensor([[getattr(h, f"x{i + 1}")] for i in range(POINTS)])

    def update(self) -> dict[str, Tensor]:
        which = torch.randint(POINTS, (BATCH,), generator=self.rng)
        made = self.numbers()[which] + TREMBLE * torch.randn(BATCH, 1, generator=self.rng)
        real_logits, made_logits = self.D(real_data(BATCH, self.rng)), self.D(made)
        loss_d = discriminator_loss(real_logits, made_logits)
        self.optimizer.zero_grad()
        loss_d.backward()
        self.optimizer.step()
        with torch.no_grad():
            loss_g = generator_loss(self.D(self.numbers()), "non-saturating")
        return {"loss_d": loss_d.detach(), "loss_g": loss_g}

    def snapshot(self) -> dict[str, np.ndarray]:
        """grid, real_density, decision of shape (321,); numbers (5, 2), each at the height of D there; pull (5, 2):
        minus the gradient of loss_g by each number, along x."""
        x = self.numbers().requires_grad_()
        logits = self.D(x)
        (gradient,) = torch.autograd.grad(generator_loss(logits, "non-saturating"), x)
        with torch.no_grad():
            decision = torch.sigmoid(self.D(torch.as_tensor(GRID, dtype=x.dtype)[:, None])).numpy()
        heights = torch.sigmoid(logits).detach().numpy()
        return {"grid": GRID, "real_density": normal_density(GRID, REAL_MEAN, REAL_STD), "decision": decision,
                "numbers": np.stack([x.detach().numpy()[:, 0], heights], axis=1),
                "pull": np.stack([-gradient.numpy()[:, 0], np.zeros(POINTS)], axis=1)}
