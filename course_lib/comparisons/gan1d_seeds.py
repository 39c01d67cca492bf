"""Many seeds of the 1-D GAN, trained at once and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.measure import normal_quantiles, recovered, wasserstein1
from course_lib.models.gan1d import REAL_MEAN, REAL_STD, stack
from course_lib.training.loop import run
from course_lib.training.optim import adam


@dataclass(frozen=True)
class Scores:
    """What each seed's generator makes at the last step. All `[seeds]`, but `samples` `[seeds, count]`."""

    seeds: tuple[int, ...]
    samples: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    w1: np.ndarray
    recovered: np.ndarray


def score(experiments: Sequence[GAN1DExperiment], count: int = 10_000, as_trained: bool = False) -> Scores:
    """Mean, std and W₁ to N(4, 0.5²) of what each experiment generates, and whether it recovered that."""
    samples = np.stack([e.samples(count, as_trained=as_trained) for e in experiments]).astype(np.float64)
    target = normal_quantiles(count, REAL_MEAN, REAL_STD)
    finite = np.isfinite(samples).all(axis=1)
    w1 = np.array([wasserstein1(s, target) if ok else np.inf for s, ok in zip(samples, finite, strict=True)])
    return Scores(tuple(e.seed for e in experiments), samples, samples.mean(axis=1), samples.std(axis=1), w1,
                  np.array([recovered(s) for s in samples]))


class GAN1DSeeds(GAN1DExperiment):
    """One GAN per seed, trained all at once: parameters, batches and losses have a leading dimension `[seeds]`.

    Each seed has its own initial weights and draws its own data, as it would alone, so the result is the one that
    `run` gives seed by seed, up to rounding, in a fraction of the time.

    Attributes:
        members: the experiments, one a seed, in the order of the seeds.
    """

    def __init__(self, hyperparameters: GAN1DHyperparameters, seeds: Sequence[int]) -> None:
        self.seeds = tuple(seeds)
        super().__init__(hyperparameters)

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.members = [GAN1DExperiment(self.hyperparameters, seed, self.device) for seed in self.seeds]
        self.G, self.D = stack([m.G for m in self.members]), stack([m.D for m in self.members])
        self.optimizer_g, self.optimizer_d = adam(self.G), adam(self.D)

    def real_batch(self) -> Tensor:
        """The next real numbers, `[seeds, batch_size, 1]`."""
        return torch.stack([member.real_batch() for member in self.members])

    def noise_batch(self) -> Tensor:
        """The next noise, `[seeds, batch_size, 1]`."""
        return torch.stack([member.noise_batch() for member in self.members])

    def hand_out(self) -> list[GAN1DExperiment]:
        """The members with what they have learned, to be scored and drawn; their optimisers are fresh."""
        for i, member in enumerate(self.members):
            for network, stacked in ((member.G, self.G), (member.D, self.D)):
                network.load_state_dict({name: value[i] for name, value in stacked.state_dict().items()})
            member.steps = self.steps
        return self.members


def train_many(hyperparameters: GAN1DHyperparameters, seeds: Sequence[int], steps: int,
               progress: bool = False) -> list[GAN1DExperiment]:
    """One trained GAN per seed, after so many steps of `GAN1DSeeds`."""
    many = GAN1DSeeds(hyperparameters, seeds)
    for _ in run(many, steps, progress):
        pass
    return many.hand_out()
