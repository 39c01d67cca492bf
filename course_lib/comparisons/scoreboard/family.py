"""What the scoreboard asks of a family, whatever it is: train so many steps, draw, score, complete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from course_lib.comparisons.scoreboard.pictures import Pictures
from course_lib.seeds import seeded
from course_lib.training import run
from course_lib.training.experiment import Experiment

FAST = "bfloat16"  # the precision of what the course ships
SEARCHED = 1000  # own draws, among which a family without conditionals seeks the nearest ones
PART = 500  # pictures at a time


class Family(ABC):
    """One family on one data set.

    Args:
        pictures: the data set.
        steps: of training; its learning rate falls to 0 at their end, so that another number is another run.
        seed: of first weights and of batches.

    Attributes:
        density: how log p is told: 'exact'; 'bound', `log_prob` is too low; 'estimate'; or '', not at all.
        why_no_density: if not at all, why.
        completes: how half a picture is completed: 'exact', by draws of the model's own conditional; 'approximate'; or
            'search', by its own draws whose seen half is nearest.
        passes: through the network for one draw, how often one has to wait for the other.
        network: all that was trained, or None for what is counted or copied.
        generator: of first weights and of batches.
    """

    density: ClassVar[str] = ""
    why_no_density: ClassVar[str] = ""
    completes: ClassVar[str] = "search"
    passes: int = 1
    network: nn.Module | None = None

    def __init__(self, pictures: Pictures, steps: int, seed: int) -> None:
        self.pictures, self.steps, self.seed, self.generator = pictures, steps, seed, seeded(seed)
        self.build(self.generator)

    @abstractmethod
    def build(self, generator: torch.Generator) -> None:
        """Make what is to be trained; all its randomness comes from `generator`."""

    @abstractmethod
    def fit(self) -> None:
        """All the steps of training."""

    def train(self) -> None:
        """All the steps of training, after which the network is only asked."""
        self.fit()
        if self.network is not None:
            self.network.requires_grad_(False).eval()

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Pictures int64 `[n, H, W]`."""

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """log p(x) in nats, float64 `[n]`, of pictures `[n, H, W]`, or what `density` says."""
        raise NotImplementedError(f"no log p(x): {self.why_no_density}")

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """So many completions of the upper part of pictures x `[n, H, W]`, int64 `[count, n, H, W]`.

        What stands in the hidden pixels of x must not matter. This is the search that needs nothing but draws.
        """
        return nearest_of(self.pictures, self.draw(max(SEARCHED, count), generator), x, count)

    @property
    def parameters(self) -> int:
        """Numbers that were learned."""
        return 0 if self.network is None else sum(p.numel() for p in self.network.parameters())

    def repeated(self, x: Tensor, count: int) -> Tensor:
        """Pictures x `[n, H, W]` so many times, `[count · n, H, W]`, with zeros in the hidden pixels."""
        return torch.where(self.pictures.seen, x, 0).repeat(count, 1, 1)


class ExperimentFamily(Family):
    """A family that one of the course's experiments trains, on the processor, whose seconds are counted.

    Attributes:
        experiment: what trains.
    """

    experiment: Experiment

    @abstractmethod
    def make(self) -> Experiment:
        """The experiment, at its beginning."""

    def build(self, generator: torch.Generator) -> None:
        self.experiment = self.make()
        self.network = self.experiment.components()["model"]

    def fit(self) -> None:
        for _ in run(self.experiment, self.steps, progress=False):
            pass


class Fitted(Family):
    """A family whose network comes, at its beginning and at its end, from one function of the number of steps."""

    @abstractmethod
    def fitted(self, steps: int) -> nn.Module:
        """The network after so many steps, from the family's seed."""

    def build(self, generator: torch.Generator) -> None:
        self.network = self.fitted(0)

    def fit(self) -> None:
        self.network = self.fitted(self.steps)


def nearest_of(pictures: Pictures, drawn: Tensor, x: Tensor, count: int) -> Tensor:
    """Completions `[count, n, H, W]` of pictures x `[n, H, W]`: the lower parts of those of the `drawn` ones
    `[m, H, W]` whose upper parts are nearest."""
    agreeing = _seen_part(pictures, x) @ _seen_part(pictures, drawn).T
    return torch.where(pictures.seen, x, drawn[agreeing.topk(count, dim=1).indices.T])


def in_parts(n: int, part: int = PART) -> list[int]:
    """n as a sum of numbers up to `part`."""
    return [min(part, n - first) for first in range(0, n, part)]


def _seen_part(pictures: Pictures, x: Tensor) -> Tensor:
    return pictures.one_hot(x).view(len(x), pictures.pixels, -1)[:, pictures.seen.flatten()].flatten(1)
