"""What the measures are to be measured by: real pictures, the truth itself, and cheats, which no measure should praise.

Each is a family that learns nothing. What they copy is the fixed training set.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.comparisons.scoreboard.family import Family, in_parts, nearest_of
from course_lib.models.masked_diffusion import unmask
from course_lib.models.noised import NoisedMixture
from course_lib.models.samplers import ancestral
from course_lib.models.schedules import SCHEDULES

COPIED = 1000  # training pictures that the exact denoiser knows
STEPS = 20  # in which it comes from noise to one of them
COPIES = "it copies, and a copy says nothing of the probability of other pictures"


class Control(Family):
    """What all have in common: there is nothing to train."""

    passes = 0

    def build(self, generator: torch.Generator) -> None:
        """Nothing is drawn."""

    def fit(self) -> None:
        """Nothing is learned."""


class Truth(Control):
    """The distribution that the pictures come from, where it is known: no model can be better."""

    density, completes = "exact", "exact"

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.pictures.truth.sample(n, generator)

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.pictures.truth.log_prob(x)

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Draws of the exact conditional, one pixel after the other, `[count, n, H, W]`."""
        data, done = self.pictures, []
        one_by_one = [1] * int((~data.seen).sum())
        for part in torch.where(data.seen, x, data.n_classes).repeat(count, 1, 1).split(500):
            states = unmask(lambda z: data.truth.conditionals(z).log(), part, data.n_classes, one_by_one, generator)
            done.append(states[-1])
        return torch.cat(done).view(count, *x.shape)


class HeldOut(Control):
    """Real pictures that are neither trained on nor the reference: what a perfect model would score."""

    why_no_density = "nobody knows the distribution of real digits"

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        x = self.pictures.test
        return x[torch.randperm(len(x), generator=generator).repeat(-(-n // len(x)))[:n]]

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """By pictures of the reference, `[count, n, H, W]`: among its own draws is the very picture that is sought."""
        return nearest_of(self.pictures, self.pictures.reference, x, count)


class Copier(Control):
    """Draws training pictures."""

    why_no_density = COPIES

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        x, _ = self.pictures.train
        return x[torch.randint(len(x), (n,), generator=generator)].long()


class ShiftedCopier(Copier):
    """Draws training pictures moved down by a row; what falls out comes in at the top."""

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return super().draw(n, generator).roll(1, dims=1)


class MeanPicture(Control):
    """Draws one picture again and again: of each pixel the value that it has most often."""

    why_no_density = "it draws one picture, and gives all others the probability 0"

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.pictures.train[0].mode(dim=0).values.long().repeat(n, 1, 1)


class ExactDenoiser(Control):
    """Diffusion with the best denoiser of a thousand training pictures, in closed form: what a network of diffusion
    would end at if it could, and it copies."""

    why_no_density = COPIES
    passes = STEPS

    def build(self, generator: torch.Generator) -> None:
        self.mixture = NoisedMixture(2 * self.pictures.bits(self.pictures.train[0][:COPIED]) - 1, 0.0)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        schedule, times = SCHEDULES["cosine"], torch.linspace(0.99, 0, STEPS + 1, dtype=torch.float64)

        def denoiser(x: Tensor, t: Tensor) -> Tensor:
            return self.mixture.denoiser(x, schedule.alpha(t), schedule.sigma(t))

        drawn = []
        for part in in_parts(n):
            noise = torch.randn(part, self.pictures.D, generator=generator, dtype=torch.float64)
            v = ancestral(denoiser, noise, times, schedule, generator)[-1]
            drawn.append(self.pictures.from_bits((v > 0).float()))
        return torch.cat(drawn)
