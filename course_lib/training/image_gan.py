"""What all GANs on MNIST share: images in memory, two optimisers, and the average of G that is judged and drawn."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.training.batches import EpochSampler
from course_lib.training.optim import BETAS, adam, weight_average
from course_lib.training.step import AdversarialExperiment

LONGEST_AVERAGE = 0.999


def scaled(images: Tensor) -> Tensor:
    """Bytes of any shape as a D takes them: float32 in [−1, 1]."""
    return images.to(torch.float32).div_(127.5).sub_(1)


def ema_keep(n: int, longest: float = LONGEST_AVERAGE) -> float:
    """Which part of an average of weights update number n keeps: at first little, as the start must be forgotten fast.
    """
    return min(longest, n / (9 + n))


class ImageGANExperiment(AdversarialExperiment):
    """A game on the 60,000 training images of MNIST, in which G's turn meets the fakes of D's last one.

    Subclasses make the two players in `networks`.

    Attributes:
        model: the moving average of G, which makes better images than G at any one moment. It spans about the last
            tenth of the steps, and never more than a thousand.
        images: the training images, bytes `[60000, 1, 28, 28]`.
    """

    reuses_fakes = True

    @abstractmethod
    def networks(self) -> tuple[nn.Module, nn.Module]:
        """G and D with their first weights, all random numbers from `generator`."""

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.G, self.D = (network.to(self.device) for network in self.networks())
        self.average = weight_average(self.G, ema_keep)
        self.optimizer_g, self.optimizer_d = adam(self.G, betas=BETAS), adam(self.D, betas=BETAS)
        self.images = load_mnist("train").images.unsqueeze(1)
        self.batches = EpochSampler(len(self.images), generator)

    @property
    def model(self) -> nn.Module:
        return self.average.module

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.model, "G": self.G, "D": self.D, "optimizer_g": self.optimizer_g,
                "optimizer_d": self.optimizer_d, "batches": self.batches, "rng": self.generator}
