"""Fool the discriminator: a person moves a handful of numbers by hand, against a discriminator that learns live.

It is the game of `experiments.gan1d` with the generator taken out: the made numbers are hyperparameters, so that the
knobs of a live lab become the generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

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
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import BETAS
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

POINTS = 5
BATCH = 64
TREMBLE = 0.15  # the hand's: five exact values could be told apart by needles in D that teach nothing


def _place(default: float, number: int) -> float:
    return hyperparameter(default, low=-2.0, high=8.0, label=f"your number {number}",
                help="Where this made number lies. The arrow says which way the generator would move it.")


@dataclass(frozen=True)
class FoolHyperparameters(Hyperparameters):
    """Five numbers to place, and how fast the discriminator learns."""

    x1: float = _place(-1.0, 1)
    x2: float = _place(0.0, 2)
    x3: float = _place(1.0, 3)
    x4: float = _place(2.0, 4)
    x5: float = _place(7.0, 5)
    learning_rate: float = hyperparameter(3e-3, low=1e-4, high=3e-2, log=True, label="learning rate of D",
                                help="How far the discriminator moves at each of its steps.")


@register(
    "fool",
    summary="a discriminator against five numbers that a person places",
    prints="Prints the losses of D and of the five numbers, in nats.",
)
class FoolExperiment(LossExperiment):
    """D learns to tell N(4, 0.5²) from five given numbers, each blurred by a trembling hand.

    Metrics: loss_d, and loss_g (non-saturating) of the five numbers, in nats.
    """

    Hyperparameters = FoolHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.D = Discriminator(16, "leaky_relu", False, "pytorch", generator).to(self.device)
        self.optimizer = torch.optim.Adam(self.D.parameters(), lr=self.hyperparameters.learning_rate, betas=BETAS)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"D": self.D, "optimizer": self.optimizer, "rng": self.generator}

    def numbers(self) -> Tensor:
        """The made numbers, `[5, 1]`."""
        h = self.hyperparameters
        return torch.tensor([[getattr(h, f"x{i + 1}")] for i in range(POINTS)])

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Real numbers, and made ones as a trembling hand places them, each `[64, 1]`."""
        which = torch.randint(POINTS, (BATCH,), generator=self.generator)
        made = self.numbers()[which] + TREMBLE * torch.randn(BATCH, 1, generator=self.generator)
        return real_data(BATCH, self.generator), made

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """D's loss on real and made numbers, each `[n, 1]`, in nats, mean over the batch, 0-d."""
        real, made = batch
        loss_d = discriminator_loss(self.D(real), self.D(made))
        return loss_d, {"loss_d": loss_d}

    @torch.no_grad()
    def after_step(self) -> Metrics:
        """loss_g of the five numbers, before D as it is now."""
        return {"loss_g": generator_loss(self.D(self.numbers().to(self.device)), "non-saturating")}

    def snapshot(self) -> dict[str, np.ndarray]:
        """grid, real_density, decision `[321]`; numbers `[5, 2]`, each at the height of D there; pull `[5, 2]`: minus
        the gradient of loss_g by each number, along x."""
        x = self.numbers().to(self.device).requires_grad_()
        logits = self.D(x)
        (gradient,) = torch.autograd.grad(generator_loss(logits, "non-saturating"), x)
        with torch.no_grad():
            decision = torch.sigmoid(self.D(torch.as_tensor(GRID, dtype=x.dtype)[:, None].to(x.device))).cpu().numpy()
        heights = torch.sigmoid(logits).detach().cpu().numpy()
        return {"grid": GRID, "real_density": normal_density(GRID, REAL_MEAN, REAL_STD), "decision": decision,
                "numbers": np.stack([x.detach().cpu().numpy()[:, 0], heights], axis=1),
                "pull": np.stack([-gradient.cpu().numpy()[:, 0], np.zeros(POINTS)], axis=1)}
