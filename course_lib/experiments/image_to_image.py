"""Image-to-image translation in training: sharp digits from coarse ones, digits from their outlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import MNIST, load_mnist
from course_lib.experiments.dcgan import together
from course_lib.measure import sharpness
from course_lib.models.dcgan import discriminator_loss, generator_loss
from course_lib.models.image_to_image import Discriminator, UNetGenerator, coarse, noise, outline
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ImageGANExperiment, scaled
from course_lib.training.image_scores import classifier
from course_lib.training.optim import length_of_training, linear_decay
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import Metrics, to_device

CONDITIONS = {"coarse": coarse, "outline": outline}
SHOWN = 10  # test images in a snapshot


@dataclass(frozen=True)
class ImageToImageHyperparameters(Hyperparameters):
    """The hyperparameters of image-to-image translation."""

    given: str = hyperparameter(
        "coarse", label="given", choices=tuple(CONDITIONS), restart=True,
        help="What G sees of a digit: means of 4x4 pixels, or the outline of its strokes.")
    adversarial: float = hyperparameter(
        0.0, label="weight of D's verdict", low=0.0, high=1.0,
        help="How much of G's loss is D's verdict; the rest is squared error. With 0 there is no D.")
    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far both networks move at each step.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many pairs one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    width: int = hyperparameter(
        16, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")


@register(
    "image_to_image",
    summary="a network that makes MNIST's images of coarse ones, or of outlines",
    prints="Prints the squared error of a pixel and, if D's verdict counts, both losses in nats.",
    formerly="translator",
)
class ImageToImageExperiment(ImageGANExperiment):
    """A `UNetGenerator` learns from the 60,000 training images, each paired with what is given of it.

    Metrics: error, the mean squared error of a pixel in [−1, 1]; with a D also loss_d and loss_g, in nats.

    Attributes:
        model: the moving average of G.
        G, D: the networks that play.
    """

    Hyperparameters = ImageToImageHyperparameters
    saved_as = "TranslatorExperiment"

    noise_first, g_sees_real = False, True

    def networks(self) -> tuple[UNetGenerator, Discriminator]:
        width = self.hyperparameters.width
        return UNetGenerator(width, generator=self.generator), Discriminator(width, generator=self.generator)

    def d_turns(self) -> int:
        """D learns only if its verdict counts."""
        return 1 if self.hyperparameters.adversarial else 0

    def learning_rates(self) -> dict[str, float]:
        h = self.hyperparameters
        return dict.fromkeys("DG", linear_decay(h.learning_rate, self.steps, h.total_steps))

    def real_batch(self) -> tuple[Tensor, Tensor]:
        """What is given of the next training images, and these, pairs (c, x), each `[batch_size, 1, 28, 28]`."""
        x = scaled(self.images[self.batches.next(self.hyperparameters.batch_size)])
        return CONDITIONS[self.hyperparameters.given](x), x

    def noise_batch(self) -> Tensor:
        return noise(self.hyperparameters.batch_size, self.generator)

    def fake_batch(self, noise: Tensor, real: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Pairs (c, G(c, z)), each `[n, 1, 28, 28]`, of what the real pairs are given."""
        c, _ = real
        return c, self.G(c, noise)

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        return discriminator_loss(*self.D(*together(real, fake)).chunk(2)), {}

    def g_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        weight = self.hyperparameters.adversarial
        error = (fake[1] - real[1]).square().mean()
        loss = (1 - weight) * error
        if not weight:
            return loss, {"error": error}
        loss_g = generator_loss(self.D(*fake))
        return loss + weight * loss_g, {"error": error, "loss_g": loss_g}

    def metrics(self) -> Metrics:
        """error; with a D also its loss, and G's without the error."""
        told = {name: value.detach() for name, value in self.g_metrics.items()}
        if not self.d_turns():
            return told
        return {"error": told["error"], "loss_d": self.loss_d, "loss_g": told["loss_g"]}

    @torch.no_grad()
    def translated(self, x: Tensor, seed: int = SNAPSHOT_SEED) -> tuple[Tensor, Tensor]:
        """What is given of images `[n, 28, 28]` in [0, 1], and what the average of G makes of it; shaped alike."""
        c = CONDITIONS[self.hyperparameters.given](2 * x.unsqueeze(1) - 1)
        z = noise(len(x), seeded(seed))
        made = torch.cat([self.model(*to_device(part, self.device)).cpu()
                          for part in zip(c.split(100), z.split(100), strict=True)])
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
        accuracy: which part the classifier names right.
        disagreement: root mean squared difference of the means of 4x4 pixels.
    """
    x = real.floats()
    predicted = torch.cat([classifier().predict(part) for part in made.split(1000)])
    return {"error": (made - x).square().mean().item(),
            "sharpness": float(sharpness(made.numpy()).mean() / sharpness(x.numpy()).mean()),
            "accuracy": (predicted == real.labels).to(torch.float32).mean().item(),
            "disagreement": F.avg_pool2d(made - x, 4).square().mean().sqrt().item()}
