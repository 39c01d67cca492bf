"""Pictures from pictures in training: sharp digits from coarse ones, digits from their outlines."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import MNIST, load_mnist
from course_lib.experiments.base import Hyperparameters, knob
from course_lib.experiments.dcgan import SNAPSHOT_SEED, DCGANExperiment
from course_lib.experiments.images import Batches, arithmetic, autocast, decayed, length_of_training
from course_lib.experiments.judged import judge
from course_lib.measure import sharpness
from course_lib.models.dcgan import discriminator_loss, generator_loss
from course_lib.models.translator import Discriminator, Translator, coarse, noise, outline

CONDITIONS = {"coarse": coarse, "outline": outline}
SHOWN = 10  # test images in a snapshot


@dataclass(frozen=True)
class TranslatorHyperparameters(Hyperparameters):
    """The knobs of a translator of pictures."""

    given: str = knob(
        "coarse", label="given", choices=tuple(CONDITIONS), restart=True,
        help="What G sees of a digit: means of 4x4 pixels, or the outline of its strokes.")
    adversarial: float = knob(
        0.0, label="weight of D's verdict", low=0.0, high=1.0,
        help="How much of G's loss is D's verdict; the rest is squared error. With 0 there is no D.")
    learning_rate: float = knob(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far both networks move at each step.")
    batch_size: int = knob(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many pairs one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    width: int = knob(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")


class TranslatorExperiment(DCGANExperiment):
    """A `Translator` learns from the 60,000 training images, each paired with what is given of it.

    Metrics: error, the mean squared error of a pixel in [−1, 1]; with a D also loss_d and loss_g, in nats.

    Attributes:
        model: the moving average of G.
        G, D: the networks that play.
    """

    Hyperparameters = TranslatorHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.rng = generator
        self.G, self.D = Translator(h.width, rng=generator), Discriminator(h.width, rng=generator)
        self.model = copy.deepcopy(self.G).requires_grad_(False).eval()
        self.optimizer_g, self.optimizer_d = (
            torch.optim.Adam(network.parameters(), betas=(0.5, 0.999), fused=True) for network in (self.G, self.D))
        self.images = load_mnist("train").images.unsqueeze(1)
        self.batches = Batches(len(self.images), generator)

    def apply(self, hyperparameters: Hyperparameters) -> None:
        pass

    def scaled(self, images: Tensor) -> Tensor:
        """Bytes as D gets them: float32 in [−1, 1]."""
        return images.to(torch.float32).div_(127.5).sub_(1)

    def update(self) -> dict[str, Tensor]:
        """One step of D on pairs (condition, image), if its verdict counts, then one of G."""
        h, G, D = self.hyperparameters, self.G, self.D
        for optimizer in (self.optimizer_g, self.optimizer_d):
            optimizer.param_groups[0]["lr"] = decayed(h.learning_rate, self.steps, h.total_steps)
        real = self.scaled(self.images[self.batches.next(h.batch_size)])
        c = CONDITIONS[h.given](real)
        with autocast(h.precision):
            made = G(c, noise(len(c), self.rng))
        metrics = {"error": (made - real).square().mean()}
        loss = (1 - h.adversarial) * metrics["error"]
        if h.adversarial:
            with autocast(h.precision):
                logits = D(torch.cat([c, c]), torch.cat([real, made.detach()])).chunk(2)
            metrics["loss_d"] = discriminator_loss(*logits)
            self.optimizer_d.zero_grad()
            metrics["loss_d"].backward()
            self.optimizer_d.step()
            D.requires_grad_(False)  # the gradient goes through D; D's own weights need none
            with autocast(h.precision):
                metrics["loss_g"] = generator_loss(D(c, made))
            D.requires_grad_(True)
            loss = loss + h.adversarial * metrics["loss_g"]
        self.optimizer_g.zero_grad()
        loss.backward()
        self.optimizer_g.step()
        self.average()
        return {name: value.detach() for name, value in metrics.items()}

    @torch.no_grad()
    def translated(self, x: Tensor, seed: int = SNAPSHOT_SEED) -> tuple[Tensor, Tensor]:
        """What is given of images `[n, 28, 28]` in [0, 1], and what the average of G makes of it; shaped alike."""
        c = CONDITIONS[self.hyperparameters.given](2 * x.unsqueeze(1) - 1)
        z = noise(len(x), torch.Generator().manual_seed(seed))
        made = torch.cat([self.model(*part) for part in zip(c.split(100), z.split(100), strict=True)])
        return (c.squeeze(1) + 1) / 2, (made.squeeze(1).clamp(-1, 1) + 1) / 2

    def snapshot(self) -> dict[str, np.ndarray]:
        """pictures `[30, 28, 28]`: ten test digits as they are given, made, and as they are."""
        x = load_mnist("test")[:SHOWN].floats()
        return {"pictures": torch.cat([*self.translated(x), x]).numpy()}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """`likeness` of what is made of the 10,000 test images."""
        test = load_mnist("test")
        return likeness(self.translated(test.floats())[1], test)


@torch.no_grad()
def likeness(made: Tensor, real: MNIST) -> dict[str, float]:
    """How like the real images those are that were made of them, `[n, 28, 28]` in [0, 1].

    Returns:
        error: mean squared error of a pixel.
        sharpness: `measure.sharpness`, as a share of the real images'.
        accuracy: which part the judge names right.
        disagreement: root mean squared difference of the means of 4x4 pixels.
    """
    x = real.floats()
    predicted = torch.cat([judge().predict(part) for part in made.split(1000)])
    return {"error": (made - x).square().mean().item(),
            "sharpness": float(sharpness(made.numpy()).mean() / sharpness(x.numpy()).mean()),
            "accuracy": (predicted == real.labels).to(torch.float32).mean().item(),
            "disagreement": F.avg_pool2d(made - x, 4).square().mean().sqrt().item()}
