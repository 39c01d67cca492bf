"""A critic on a line, with nobody to learn from it: how near does its value come to the Wasserstein distance?

Real numbers are N(0, σ²) and fake ones N(θ, σ²), so the exact W₁ is |θ|. The critic of `models.gan2d` is trained on
them with clipped weights or with a gradient penalty, and its value, mean D(x) − mean D(x̃), is held against that.

The penalty is a price and no wall: a critic of slope s is worth s·W₁ − λ(s − 1)², which is highest at s = 1 + W₁/(2λ).
For two narrow peaks this is exact, and the value is then W₁·(1 + W₁/(2λ)): too high, by the factor of its slope.

On a line the usual, two-sided penalty has a trap: slopes s and −s cost the same, and a critic that begins on the wrong
side must pass slope 0, which costs λ, to get to the right one. With a large λ it never does, and its value is below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.measure import normal_density, wasserstein1
from course_lib.models.gan2d import Critic, clip_weights, critic_loss
from course_lib.models.penalties import gradient_penalty, slopes
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import BETAS, adam
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics, to_device

WIDTH = 64  # units a layer
SPREAD, BATCH, MEASURED = 0.2, 128, 2000
GRID = np.linspace(-5, 5, 201)


@dataclass(frozen=True)
class Critic1DHyperparameters(Hyperparameters):
    """Where the fake numbers are, and what keeps the critic from being steep."""

    separation: float = hyperparameter(
        2.0, label="distance of the peaks (θ)", low=-4.0, high=4.0,
        help="Where the fake numbers lie; the real ones lie at 0.")
    limit: str = hyperparameter(
        "one-sided", label="limit of the slope", choices=("one-sided", "penalty", "clip"), restart=True,
        help="One-sided: a slope above 1 costs; penalty: any slope other than 1; clip: every weight stays in [−c, c].")
    penalty: float = hyperparameter(
        10.0, label="weight of the penalty (λ)", low=0.1, high=100.0, log=True,
        help="How much a slope that is not allowed costs.")
    clip: float = hyperparameter(
        0.1, label="clip the weights at (c)", low=1e-3, high=1.0, log=True,
        help="With clip, every weight of D stays between −c and c.")
    learning_rate: float = hyperparameter(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far D moves at each step.")


@register(
    "critic1d",
    summary="a critic on a line, to be held against the exact Wasserstein distance",
    prints="Prints the critic's value, the exact distance, and the loss.",
)
class Critic1DExperiment(LossExperiment):
    """A critic between N(0, .2²) and N(θ, .2²).

    Metrics, in the unit of the numbers: value, mean D(x) − mean D(x̃) of the batch; exact, W₁ = |θ|. And loss.
    """

    Hyperparameters = Critic1DHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.generator, self.D = generator, Critic(WIDTH, generator=generator, dim=1).to(self.device)
        self.optimizer = adam(self.D, lr=self.hyperparameters.learning_rate, betas=BETAS)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"D": self.D, "optimizer": self.optimizer, "rng": self.generator}

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Real and fake numbers, each `[count, 1]`."""
        real, fake = SPREAD * torch.randn(2, count, 1, generator=generator)
        return real, fake + self.hyperparameters.separation

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Real and fake numbers, each `[128, 1]`."""
        return self.draw(BATCH, self.generator)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """Minus the critic's value, and what its slope costs, 0-d, on real and fake numbers, each `[n, 1]`."""
        h, (real, fake) = self.hyperparameters, batch
        loss = plain = critic_loss(self.D(real), self.D(fake))
        if h.limit != "clip":
            extra = gradient_penalty(self.D, real, fake, self.generator, one_sided=h.limit == "one-sided")
            loss = plain + h.penalty * extra
        return loss, {"value": -plain, "exact": torch.tensor(abs(h.separation)), "loss": loss}

    def after_step(self) -> Metrics:
        """With clip, puts the weights back into their bounds."""
        if self.hyperparameters.limit == "clip":
            clip_weights(self.D, self.hyperparameters.clip)
        return {}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """On 2,000 fresh numbers of each kind: the critic's value; their exact W₁, by sorting; and the critic's mean
        slope |D′| between them."""
        real, fake = to_device(self.draw(MEASURED, seeded(SNAPSHOT_SEED)), self.device)
        between = real + torch.linspace(0, 1, MEASURED, device=self.device)[:, None] * (fake - real)
        with torch.no_grad():
            value = -critic_loss(self.D(real), self.D(fake)).item()
        return {"value": value, "exact": wasserstein1(real.cpu().numpy(), fake.cpu().numpy()),
                "slope": slopes(self.D, between).detach().abs().mean().item()}

    def snapshot(self) -> dict[str, np.ndarray]:
        """Arrays `[201]` on [−5, 5]: grid, real_density, fake_density, and critic, D(x) − mean D."""
        with torch.no_grad():
            grid = torch.as_tensor(GRID, dtype=torch.get_default_dtype(), device=self.device)
            scores = self.D(grid[:, None]).cpu().numpy()
        return {"grid": GRID, "real_density": normal_density(GRID, 0.0, SPREAD),
                "fake_density": normal_density(GRID, self.hyperparameters.separation, SPREAD),
                "critic": scores - scores.mean()}
