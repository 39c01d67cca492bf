"""The BiGAN on MNIST in training: the DCGAN's game, with an encoder that plays on G's side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.experiments.dcgan import together
from course_lib.models.bigan import LATENT_SIZE, BiGAN, Discriminator, pair_losses
from course_lib.models.dcgan import noise
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ImageGANExperiment, scaled
from course_lib.training.image_scores import IMAGES, classifier, scores
from course_lib.training.optim import length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import Metrics

SHOWN = 20  # test digits in a snapshot, and as many reconstructions


@dataclass(frozen=True)
class BiGANHyperparameters(Hyperparameters):
    """The hyperparameters of the BiGAN; what it shares with the DCGAN has the DCGAN's values."""

    learning_rate_d: float = hyperparameter(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminator moves at each of its steps.")
    learning_rate_g: float = hyperparameter(
        1e-3, label="learning rate of G and E", low=1e-5, high=1e-1, log=True,
        help="How far the generator and the encoder move at each of their steps.")
    regression: float = hyperparameter(
        0.0, label="latent regression", low=0.0, high=10.0,
        help="Weight of half the squared distance between z and E(G(z)), which teaches E alone.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many real and how many generated pairs one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    width: int = hyperparameter(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of all networks at 14x14.")
    judged: str = hyperparameter(
        "pairs", label="D judges", choices=("pairs", "images alone"), restart=True,
        help="Pairs of an image and a code; or images alone, a mistake made on purpose.")


@register(
    "bigan",
    summary="a GAN of MNIST with an encoder",
    prints="Prints the losses of D and of G and E in nats, half the squared distance of z and E(G(z)) if it counts, "
           "and the norm of E's gradient.",
    ships={
        "bigan": "bigan --num-steps 5000 --set precision=bfloat16 --set regression=0.3 --set total_steps=5000",
        "bigan_plain": "bigan --num-steps 5000 --set precision=bfloat16 --set total_steps=5000",
    },
)
class BiGANExperiment(ImageGANExperiment):
    """A BiGAN learns the 60,000 training images of MNIST.

    Metrics: loss_d and loss_ge, in nats; regression, half the squared distance of z and E(G(z)), if it counts;
    gradient_e, the norm of E's gradient.

    Attributes:
        model: the moving average of G and E, a `BiGAN`.
        players, D: the networks that play; `players`, also called G, holds G and E.
    """

    Hyperparameters = BiGANHyperparameters

    g_sees_real = True

    def networks(self) -> tuple[BiGAN, Discriminator]:
        h = self.hyperparameters
        return (BiGAN(width=h.width, generator=self.generator),
                Discriminator(LATENT_SIZE, h.width, h.judged == "pairs", generator=self.generator))

    @property
    def players(self) -> BiGAN:
        """G and E, who play on one side."""
        return self.G

    def real_batch(self) -> tuple[Tensor, Tensor]:
        """The next training images and their codes, pairs (x, E(x)): `[batch_size, 1, 28, 28]` and
        `[batch_size, 20]`."""
        x = scaled(self.images[self.batches.next(self.hyperparameters.batch_size)]).to(self.device)
        return x, self.players.E(x)

    def noise_batch(self) -> Tensor:
        """The next codes z, `[batch_size, 20]`."""
        return noise(self.hyperparameters.batch_size, self.generator, LATENT_SIZE)

    def fake_batch(self, noise: Tensor, real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, Tensor]:
        """Pairs (G(z), z) for codes z `[n, 20]`, shaped as the real ones."""
        return self.players.G(noise), noise

    def losses(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Of D, and of G and E, on real and on generated pairs, in nats, 0-d."""
        return pair_losses(*self.D(*together(real, fake)).chunk(2))

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        return self.losses(real, fake)[0], {}

    def g_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        loss_ge, weight, (x, z) = self.losses(real, fake)[1], self.hyperparameters.regression, fake
        regression = torch.zeros(())
        if weight:
            regression = (self.players.E(x.detach()) - z).square().sum(1).mean() / 2
        return loss_ge + weight * regression, {"loss_ge": loss_ge, "regression": regression}

    def metrics(self) -> Metrics:
        gradients = [p.grad for p in self.players.E.parameters() if p.grad is not None]
        told = {name: value for name, value in super().metrics().items() if name != "loss_g"}
        return {**told, "gradient_e": nn.utils.get_total_norm(gradients)}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        return self.model.sample(count, seeded(seed)).cpu()

    @torch.no_grad()
    def rebuilt(self, x: Tensor) -> Tensor:
        """G(E(x)) of the averages, for images `[n, 784]` in [0, 1]; shaped alike."""
        return self.model.decode(self.model.encode(x.to(self.device))).cpu()

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """rebuilt `[40, 28, 28]`: twenty test digits and, below each ten of them, G(E(x)) of the average; samples
        `[20, 28, 28]`, from fixed noise."""
        x = load_mnist("test")[:SHOWN].flat()
        pictures = torch.stack([x, self.rebuilt(x)]).view(2, SHOWN // 10, 10, 28, 28)
        return {"rebuilt": pictures.transpose(0, 1).reshape(-1, 28, 28).numpy(),
                "samples": self.samples(SHOWN).numpy()}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """`image_scores.scores` of 10,000 images of the average of G; same_digit, which part of the 10,000 test images
        the classifier gives the same digit as their reconstructions G(E(x)); rebuilt_error, their squared distance."""
        x = load_mnist("test").flat()
        rebuilt = self.rebuilt(x)
        same = torch.cat([classifier().predict(a) == classifier().predict(b)
                          for a, b in zip(x.split(1000), rebuilt.split(1000), strict=True)])
        return scores(self.samples(IMAGES)) | {"same_digit": same.to(torch.float32).mean().item(),
                                               "rebuilt_error": (rebuilt - x).square().sum(1).mean().item()}
