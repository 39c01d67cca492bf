"""Coupled GANs on MNIST in training: digits, and other digits with ink and paper exchanged."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.base import Hyperparameters, knob
from course_lib.experiments.dcgan import SNAPSHOT_SEED, DCGANExperiment
from course_lib.experiments.images import PRECISIONS, Batches, autocast, decayed
from course_lib.experiments.judged import IMAGES, judge, scores
from course_lib.models.coupled import CoupledDiscriminator, CoupledGenerator
from course_lib.models.dcgan import discriminator_loss, generator_loss, noise

SHOWN, COUNTED = 10, 500  # pairs in a snapshot: drawn, and judged


@dataclass(frozen=True)
class CoupledHyperparameters(Hyperparameters):
    """The knobs of the coupled GANs; what they share with the DCGAN has the DCGAN's values."""

    learning_rate_d: float = knob(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminators move at each of their steps.")
    learning_rate_g: float = knob(
        1e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far the generators move at each of their steps.")
    shared: int = knob(
        2, label="shared layers of G", low=0, high=2, restart=True,
        help="How many of G's three layers the two kinds of images have in common; with none, D shares none either.")
    batch_size: int = knob(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many real and how many generated images of each kind one step sees.")
    total_steps: int = knob(
        0, label="length of training", low=0, high=10_000_000, unit="steps",
        help="The learning rates fall to 0 over the second half of so many steps; 0 where the end is open.")
    precision: str = knob(
        "float32", label="arithmetic", choices=PRECISIONS,
        help="In bfloat16 some processors train twice as fast. Parameters and losses stay float32.")
    width: int = knob(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of all networks at 14x14.")


class CoupledExperiment(DCGANExperiment):
    """Two DCGANs in training, one on the first 30,000 training images, one on the others, inverted: no pair is given.

    Metrics: loss_d and loss_g, in nats, sums over both kinds.

    Attributes:
        model: the moving average of G, a `CoupledGenerator`.
        G, D: the networks that play.
    """

    Hyperparameters = CoupledHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.rng = generator
        self.G = CoupledGenerator(h.shared, h.width, rng=generator)
        self.D = CoupledDiscriminator(h.shared > 0, h.width, rng=generator)
        self.model = copy.deepcopy(self.G).requires_grad_(False).eval()
        self.optimizer_g, self.optimizer_d = (
            torch.optim.Adam(network.parameters(), betas=(0.5, 0.999), fused=True) for network in (self.G, self.D))
        self.first, self.second = load_mnist("train").images.unsqueeze(1).chunk(2)
        self.batches, self.other_batches = (Batches(len(kind), generator) for kind in (self.first, self.second))

    def apply(self, hyperparameters: Hyperparameters) -> None:
        pass

    def parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer | torch.Generator]:
        return super().parts() | {"other_batches": self.other_batches}

    def scaled(self, images: Tensor) -> Tensor:
        """Bytes as D gets them: float32 in [−1, 1]."""
        return images.to(torch.float32).div_(127.5).sub_(1)

    def update(self) -> dict[str, Tensor]:
        """One step of both discriminators, then one of both generators, on pairs that are made from one z each."""
        h, G, D = self.hyperparameters, self.G, self.D
        for optimizer, rate in ((self.optimizer_g, h.learning_rate_g), (self.optimizer_d, h.learning_rate_d)):
            optimizer.param_groups[0]["lr"] = decayed(rate, self.steps, h.total_steps)

        with autocast(h.precision):
            fake = G(noise(h.batch_size, self.rng))
            real = (self.scaled(self.first[self.batches.next(h.batch_size)]),
                    -self.scaled(self.second[self.other_batches.next(h.batch_size)]))
            both = (torch.cat([x, made.detach()]) for x, made in zip(real, fake, strict=True))
            logits = [kind.chunk(2) for kind in D(*both)]
        loss_d = sum(discriminator_loss(*kind) for kind in logits)
        self.optimizer_d.zero_grad()
        loss_d.backward()
        self.optimizer_d.step()

        D.requires_grad_(False)  # the gradient goes through D; D's own weights need none
        with autocast(h.precision):
            loss_g = sum(generator_loss(kind) for kind in D(*fake))
        D.requires_grad_(True)
        self.optimizer_g.zero_grad()
        loss_g.backward()
        self.optimizer_g.step()
        self.average()
        return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}

    def pairs(self, count: int, seed: int = SNAPSHOT_SEED) -> tuple[Tensor, Tensor]:
        """Pairs of the average of G, each `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        return self.model.sample(count, torch.Generator().manual_seed(seed))

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]`: ten images and, below them, their partners; same `[1]`: which part of 500 pairs
        shows the same digit."""
        first, second = self.pairs(COUNTED)
        return {"samples": torch.cat([first[:SHOWN], second[:SHOWN]]).numpy(),
                "same": np.array([same_digit(first, second)])}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """same_digit of 10,000 pairs; `judged.scores` of the first images, and frechet_inverted of the second."""
        first, second = self.pairs(IMAGES)
        return scores(first) | {"frechet_inverted": scores(1 - second)["frechet"],
                                "same_digit": same_digit(first, second)}


@torch.no_grad()
def same_digit(first: Tensor, inverted: Tensor) -> float:
    """Which part of pairs, each `[n, 28, 28]` in [0, 1], the judge gives one digit; it sees the second turned back."""
    same = [judge().predict(a) == judge().predict(1 - b)
            for a, b in zip(first.split(1000), inverted.split(1000), strict=True)]
    return torch.cat(same).to(torch.float32).mean().item()
