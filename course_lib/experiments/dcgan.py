"""The DCGAN on MNIST in training, and what can be done wrong with it on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.models.dcgan import (
    PRESETS,
    Discriminator,
    Dropout,
    Generator,
    discriminator_loss,
    generator_loss,
    noise,
)
from course_lib.models.penalties import r1_penalty
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ImageGANExperiment, scaled
from course_lib.training.image_scores import IMAGES, scores
from course_lib.training.optim import length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import Metrics, to_device

SHOWN, JUDGED = 40, 128  # images in a snapshot's grid, and in each of its histograms
LOGIT_BINS = np.linspace(-8, 8, 33)
FAULTS = ("none", "data in [0, 1]", "G in inference mode", "no batch norm")
R1_EVERY = 8  # steps: the penalty moves slowly, and is dear (T. Karras et al., StyleGAN2, CVPR 2020, section 3.1)


@dataclass(frozen=True)
class DCGANHyperparameters(Hyperparameters):
    """The hyperparameters of the DCGAN, with values that make the most of a few minutes.

    D learns twice as fast as G (two time scales: Heusel et al. 2017), which spectral normalisation makes safe. Networks
    of half the usual width make fewer mistakes in the same time, as they take twice as many steps.
    """

    learning_rate_d: float = hyperparameter(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminator moves at each of its steps.")
    learning_rate_g: float = hyperparameter(
        1e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far the generator moves at each of its steps.")
    d_steps: int = hyperparameter(
        1, label="steps of D per step of G (K)", low=1, high=10,
        help="How many times the discriminator learns before the generator answers once.")
    label_smoothing: float = hyperparameter(
        0.0, label="label smoothing", low=0.0, high=0.5,
        help="D's target for real images is 1 minus this, so that it does not pay to be ever surer.")
    dropout: float = hyperparameter(
        0.0, label="dropout in D", low=0.0, high=0.9,
        help="Which part of D's activations is left out, drawn anew at every step.")
    r1: float = hyperparameter(
        0.0, label="weight of R1 (γ)", low=0.0, high=100.0,
        help="How much D's loss counts its slope at real images; a D that may not be steep cannot win.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many real and how many generated images one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    spectral_norm: bool = hyperparameter(
        True, label="spectral normalisation in D", restart=True,
        help="Divide the weights of D's convolutions by their largest singular value, so that D stays smooth.")
    preset: str = hyperparameter(
        "course", label="networks", choices=tuple(PRESETS), restart=True,
        help="Course: 4x4 kernels, first weights from N(0, 0.02²). Deep: one convolution more in each network. "
             "Tutorial: 5x5 kernels, first weights after Glorot.")
    width: int = hyperparameter(
        32, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")
    fault: str = hyperparameter(
        "none", label="fault", choices=FAULTS, restart=True,
        help="A mistake made on purpose, to see what it does.")


TUTORIAL = DCGANHyperparameters(learning_rate_d=1e-4, learning_rate_g=1e-4, dropout=0.3, batch_size=256, width=64,
                                spectral_norm=False, preset="tutorial")


def together(real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Two batches as one, the real one first: `[n, …]` and `[m, …]` become `[n + m, …]`, part by part."""
    return tuple(torch.cat(parts) for parts in zip(real, fake, strict=True))


def beliefs(real_logits: Tensor, fake_logits: Tensor) -> Metrics:
    """d_real and d_fake, 0-d: the means of D's probabilities, from logits `[n]`."""
    return {"d_real": real_logits.sigmoid().mean(), "d_fake": fake_logits.sigmoid().mean()}


@register(
    "dcgan",
    summary="a generative adversarial network of convolutions on MNIST",
    prints="Prints the losses of D and G in nats, D's mean probabilities for real and generated images, and the norm "
           "of G's gradient.",
    ships={
        "dcgan": "dcgan --num-steps 20000 --set precision=bfloat16 --set preset=deep --set r1=1.0 --set "
                 "total_steps=20000",
    },
)
class DCGANExperiment(ImageGANExperiment):
    """A DCGAN learns the 60,000 training images of MNIST.

    Metrics: loss_d, without its penalty, and loss_g, in nats (2·log 2 and log 2 where D can tell nothing); d_real and
    d_fake, the mean of D's probabilities for the real and the generated images of its last step; gradient_g, the norm
    of G's gradient.

    Attributes:
        model: the moving average of G.
        G, D: the networks that play.
    """

    Hyperparameters = DCGANHyperparameters

    def networks(self) -> tuple[nn.Module, nn.Module]:
        h = self.hyperparameters
        return (Generator(h.preset, h.width, batch_norm=h.fault != "no batch norm", generator=self.generator),
                Discriminator(h.preset, h.width, h.dropout, h.spectral_norm, generator=self.generator))

    def build(self, generator: torch.Generator) -> None:
        super().build(generator)
        self.G.train(self.hyperparameters.fault != "G in inference mode")

    def apply(self, hyperparameters: Hyperparameters) -> None:
        for layer in self.D.modules():
            if isinstance(layer, Dropout):
                layer.p = hyperparameters.dropout

    # The game in small pieces, so that a variant need only say what is different. A batch is a tuple of what D is
    # called with: the images, and in some variants what belongs to each, as its label, or the images of a second kind.

    def scaled(self, images: Tensor) -> Tensor:
        """Bytes of any shape as D gets them: float32 in [−1, 1], or in [0, 1] if that is the fault."""
        if self.hyperparameters.fault == "data in [0, 1]":
            return images.to(torch.float32).div_(255)
        return scaled(images)

    def real_batch(self, picked: Tensor | None = None) -> tuple[Tensor, ...]:
        """The next training images, `[batch_size, 1, 28, 28]`; or those with these indices `[n]`."""
        return (self.scaled(self.images[self.picked(picked)]),)

    def noise_batch(self, n: int | None = None, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        """What G makes the next fakes from, `[batch_size, 100]`; or n of them, from another generator."""
        return (noise(*self.size_and_generator(n, generator)),)

    def picked(self, picked: Tensor | None) -> Tensor:
        """Indices `[batch_size]` of the next training images, if none are given."""
        return self.batches.next(self.hyperparameters.batch_size) if picked is None else picked

    def size_and_generator(self, n: int | None, generator: torch.Generator | None) -> tuple[int, torch.Generator]:
        """How much noise is drawn, and from what: the batch size and the run's own generator, if not given."""
        return n or self.hyperparameters.batch_size, generator or self.generator

    def fake_batch(self, noise: tuple[Tensor, ...], real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, ...]:
        """Images `[n, 1, 28, 28]` that G makes of noise, as D is called with them."""
        return (self.G(*noise),)

    def logits(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """D's logits, each `[n]`, for real and for generated images, as many, each `[n, 1, 28, 28]`, in one batch."""
        return self.D(*together(real, fake)).chunk(2)

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        """Loss of D on as many real as generated images `[n, 1, 28, 28]`, without its penalty, in nats, 0-d."""
        logits = self.logits(real, fake)
        return discriminator_loss(*logits, self.hyperparameters.label_smoothing), beliefs(*logits)

    def d_penalty(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> Tensor | None:
        """R1, 0-d, in every eighth step and then eight times as heavy, in D's first turn; else None."""
        r1 = self.hyperparameters.r1
        due = r1 and self.turn["number"] == 0 and self.steps % R1_EVERY == 0
        return R1_EVERY * r1 * self.r1_term(real) if due else None

    def r1_term(self, real: tuple[Tensor, ...]) -> Tensor:
        """R1, 0-d: how steep D is at a real batch, by its pixels."""
        images, *beside = real
        return r1_penalty(lambda x: self.D(x, *beside), images)

    def g_loss(self, real: tuple[Tensor, ...] | None, fake: tuple[Tensor, ...]) -> tuple[Tensor, Metrics]:
        """Loss of G on a batch of its images `[n, 1, 28, 28]`, in nats, 0-d."""
        return generator_loss(self.D(*fake)), {}

    def metrics(self) -> Metrics:
        return {**super().metrics(), "gradient_g": nn.utils.get_total_norm([p.grad for p in self.G.parameters()])}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        return self.model.sample(count, seeded(seed)).cpu()

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[40, 28, 28]`: images of the average of G from fixed noise; logits `[32]`: D's logit; real, fake
        `[32]`: which part of 128 training images, and of 128 that G makes, D gives such a logit."""
        G, D = self.G, self.D
        modes = G.training, D.training
        G.eval(), D.eval()
        real, noise = self.real_batch(torch.arange(JUDGED)), self.noise_batch(JUDGED, snapshot_generator())
        fake = self.fake_batch(to_device(noise, self.device))
        real_logits, fake_logits = (logits.cpu() for logits in self.logits(to_device(real, self.device), fake))
        G.train(modes[0]), D.train(modes[1])
        edges = LOGIT_BINS
        parts = {name: np.histogram(logits.clamp(edges[0], edges[-1]), edges)[0] / JUDGED
                 for name, logits in (("real", real_logits), ("fake", fake_logits))}
        return {"samples": self.samples(SHOWN).numpy(), "logits": (edges[1:] + edges[:-1]) / 2, **parts}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """frechet, classifier_score and coverage_kl of 10,000 images of the average of G: see `image_scores.scores`."""
        return scores(self.samples(IMAGES))
