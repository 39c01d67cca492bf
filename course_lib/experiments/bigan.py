"""The BiGAN on MNIST in training: the DCGAN's game, with an encoder that plays on G's side."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.experiments.base import Hyperparameters, knob
from course_lib.experiments.dcgan import SNAPSHOT_SEED, DCGANExperiment
from course_lib.experiments.images import Batches, arithmetic, autocast, decayed, length_of_training
from course_lib.experiments.judged import IMAGES, judge, scores
from course_lib.models.bigan import LATENT_SIZE, BiGAN, Discriminator, pair_losses
from course_lib.models.dcgan import noise

SHOWN = 20  # test digits in a snapshot, and as many reconstructions


@dataclass(frozen=True)
class BiGANHyperparameters(Hyperparameters):
    """The knobs of the BiGAN; what it shares with the DCGAN has the DCGAN's values."""

    learning_rate_d: float = knob(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminator moves at each of its steps.")
    learning_rate_g: float = knob(
        1e-3, label="learning rate of G and E", low=1e-5, high=1e-1, log=True,
        help="How far the generator and the encoder move at each of their steps.")
    regression: float = knob(
        0.0, label="latent regression", low=0.0, high=10.0,
        help="Weight of half the squared distance between z and E(G(z)), which teaches E alone.")
    batch_size: int = knob(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many real and how many generated pairs one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    width: int = knob(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of all networks at 14x14.")
    judged: str = knob(
        "pairs", label="D judges", choices=("pairs", "images alone"), restart=True,
        help="Pairs of an image and a code; or images alone, a mistake made on purpose.")


class BiGANExperiment(DCGANExperiment):
    """A BiGAN learns the 60,000 training images of MNIST.

    Metrics: loss_d and loss_ge, in nats; regression, half the squared distance of z and E(G(z)), if it counts;
    gradient_e, the norm of E's gradient.

    Attributes:
        model: the moving average of G and E, a `BiGAN`.
        players, D: the networks that play; `players` holds G and E.
    """

    Hyperparameters = BiGANHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.rng = generator
        self.players = BiGAN(width=h.width, rng=generator)
        self.D = Discriminator(LATENT_SIZE, h.width, h.judged == "pairs", rng=generator)
        self.G, self.model = self.players, copy.deepcopy(self.players).requires_grad_(False).eval()
        self.optimizer_g, self.optimizer_d = (
            torch.optim.Adam(network.parameters(), betas=(0.5, 0.999), fused=True)
            for network in (self.players, self.D))
        self.images = load_mnist("train").images.unsqueeze(1)
        self.batches = Batches(len(self.images), generator)

    def apply(self, hyperparameters: Hyperparameters) -> None:
        pass

    def scaled(self, images: Tensor) -> Tensor:
        """Bytes as E and D get them: float32 in [−1, 1]."""
        return images.to(torch.float32).div_(127.5).sub_(1)

    def update(self) -> dict[str, Tensor]:
        """One step of D on pairs, then one of G and E on the same pairs."""
        h, G, E, D = self.hyperparameters, self.players.G, self.players.E, self.D
        for optimizer, rate in ((self.optimizer_g, h.learning_rate_g), (self.optimizer_d, h.learning_rate_d)):
            optimizer.param_groups[0]["lr"] = decayed(rate, self.steps, h.total_steps)

        with autocast(h.precision):
            z, x = noise(h.batch_size, self.rng, LATENT_SIZE), self.scaled(self.images[self.batches.next(h.batch_size)])
            pairs = torch.cat([x, G(z)]), torch.cat([E(x), z])
            real_logits, fake_logits = D(pairs[0].detach(), pairs[1].detach()).chunk(2)
        loss_d, _ = pair_losses(real_logits, fake_logits)
        self.optimizer_d.zero_grad()
        loss_d.backward()
        self.optimizer_d.step()

        D.requires_grad_(False)  # the gradient goes through D; D's own weights need none
        with autocast(h.precision):
            _, loss_ge = pair_losses(*D(*pairs).chunk(2))
            regression = torch.zeros(())
            if h.regression:
                regression = (E(pairs[0][h.batch_size:].detach()) - z).square().sum(1).mean() / 2
        D.requires_grad_(True)
        self.optimizer_g.zero_grad()
        (loss_ge + h.regression * regression).backward()
        self.optimizer_g.step()
        self.average()
        return {"loss_d": loss_d.detach(), "loss_ge": loss_ge.detach(), "regression": regression.detach(),
                "gradient_e": nn.utils.get_total_norm([p.grad for p in E.parameters() if p.grad is not None])}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """rebuilt `[40, 28, 28]`: twenty test digits and, below each ten of them, G(E(x)) of the average; samples
        `[20, 28, 28]`, from fixed noise."""
        x = load_mnist("test")[:SHOWN].flat()
        pictures = torch.stack([x, self.model.decode(self.model.encode(x))]).view(2, SHOWN // 10, 10, 28, 28)
        return {"rebuilt": pictures.transpose(0, 1).reshape(-1, 28, 28).numpy(),
                "samples": self.samples(SHOWN, SNAPSHOT_SEED).numpy()}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """`judged.scores` of 10,000 images of the average of G; same_digit, which part of the 10,000 test images the
        judge gives the same digit as their reconstructions G(E(x)); rebuilt_error, their squared distance."""
        x = load_mnist("test").flat()
        rebuilt = self.model.decode(self.model.encode(x))
        same = torch.cat([judge().predict(a) == judge().predict(b)
                          for a, b in zip(x.split(1000), rebuilt.split(1000), strict=True)])
        return scores(self.samples(IMAGES)) | {"same_digit": same.to(torch.float32).mean().item(),
                                               "rebuilt_error": (rebuilt - x).square().sum(1).mean().item()}
