"""The DCGAN on MNIST in training, and what can be done wrong with it on purpose."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_mnist
from course_lib.experiments.base import Experiment, Hyperparameters, knob
from course_lib.experiments.images import Batches, arithmetic, autocast, decayed, length_of_training
from course_lib.experiments.judged import IMAGES, scores
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

SNAPSHOT_SEED = 2**32  # of pictures: seeds of runs are smaller
SHOWN, JUDGED = 40, 128  # images in a snapshot's grid, and in each of its histograms
LOGIT_BINS = np.linspace(-8, 8, 33)
FAULTS = ("none", "data in [0, 1]", "G in inference mode", "no batch norm")
LONGEST_AVERAGE = 0.999
R1_EVERY = 8  # steps: the penalty moves slowly, and is dear (T. Karras et al., StyleGAN2, CVPR 2020, section 3.1)


@dataclass(frozen=True)
class DCGANHyperparameters(Hyperparameters):
    """The knobs of the DCGAN, with values that make the most of a few minutes.

    D learns twice as fast as G (two time scales: Heusel et al. 2017), which spectral normalisation makes safe. Networks
    of half the usual width make fewer mistakes in the same time, as they take twice as many steps.
    """

    learning_rate_d: float = knob(
        2e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far the discriminator moves at each of its steps.")
    learning_rate_g: float = knob(
        1e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far the generator moves at each of its steps.")
    d_steps: int = knob(
        1, label="steps of D per step of G (K)", low=1, high=10,
        help="How many times the discriminator learns before the generator answers once.")
    label_smoothing: float = knob(
        0.0, label="label smoothing", low=0.0, high=0.5,
        help="D's target for real images is 1 minus this, so that it does not pay to be ever surer.")
    dropout: float = knob(
        0.0, label="dropout in D", low=0.0, high=0.9,
        help="Which part of D's activations is left out, drawn anew at every step.")
    r1: float = knob(
        0.0, label="weight of R1 (γ)", low=0.0, high=100.0,
        help="How much D's loss counts its slope at real images; a D that may not be steep cannot win.")
    batch_size: int = knob(
        32, label="batch size", low=2, high=512, unit="images",
        help="How many real and how many generated images one step sees.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    spectral_norm: bool = knob(
        True, label="spectral normalisation in D", restart=True,
        help="Divide the weights of D's convolutions by their largest singular value, so that D stays smooth.")
    preset: str = knob(
        "course", label="networks", choices=tuple(PRESETS), restart=True,
        help="Course: 4x4 kernels, first weights from N(0, 0.02²). Deep: one convolution more in each network. "
             "Tutorial: 5x5 kernels, first weights after Glorot.")
    width: int = knob(
        32, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of both networks at 14x14.")
    fault: str = knob(
        "none", label="fault", choices=FAULTS, restart=True,
        help="A mistake made on purpose, to see what it does.")


TUTORIAL = DCGANHyperparameters(learning_rate_d=1e-4, learning_rate_g=1e-4, dropout=0.3, batch_size=256, width=64,
                                spectral_norm=False, preset="tutorial")


class DCGANExperiment(Experiment):
    """A DCGAN learns the 60,000 training images of MNIST.

    Metrics: loss_d, without its penalty, and loss_g, in nats (2·log 2 and log 2 where D can tell nothing); d_real and
    d_fake, the mean of D's probabilities for the real and the generated images of its last step; gradient_g, the norm
    of G's gradient.

    Attributes:
        model: the moving average of G, which makes better images than G at any one moment. It spans about the last
            tenth of the steps, and never more than a thousand.
        G, D: the networks that play.
    """

    Hyperparameters = DCGANHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.rng = generator
        self.G, self.D = self.networks()
        self.model = copy.deepcopy(self.G).requires_grad_(False).eval()
        self.optimizer_g, self.optimizer_d = (
            torch.optim.Adam(network.parameters(), betas=(0.5, 0.999), fused=True) for network in (self.G, self.D))
        self.images = load_mnist("train").images.unsqueeze(1)
        self.batches = Batches(len(self.images), generator)

    def apply(self, hyperparameters: Hyperparameters) -> None:
        for layer in self.D.modules():
            if isinstance(layer, Dropout):
                layer.p = hyperparameters.dropout

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"model": self.model, "G": self.G, "D": self.D, "optimizer_g": self.optimizer_g,
                "optimizer_d": self.optimizer_d, "batches": self.batches, "rng": self.rng}

    def scaled(self, images: Tensor) -> Tensor:
        """Bytes as D gets them: float32 in [−1, 1], or in [0, 1] if that is the fault."""
        if self.hyperparameters.fault == "data in [0, 1]":
            return images.to(torch.float32).div_(255)
        return images.to(torch.float32).div_(127.5).sub_(1)

    def update(self) -> dict[str, Tensor]:
        """K steps of D, then one of G, which meets D with the images of D's last step: they need not be made again."""
        h, G, D = self.hyperparameters, self.G, self.D
        G.train(h.fault != "G in inference mode")
        for optimizer, rate in ((self.optimizer_g, h.learning_rate_g), (self.optimizer_d, h.learning_rate_d)):
            optimizer.param_groups[0]["lr"] = decayed(rate, self.steps, h.total_steps)

        for step in range(h.d_steps):
            with autocast(h.precision):
                with torch.set_grad_enabled(step == h.d_steps - 1):
                    fake = self.forged(h.batch_size, self.rng)
                real = self.genuine(self.batches.next(h.batch_size))
                loss_d, real_logits, fake_logits = self.d_loss(real, tuple(part.detach() for part in fake))
            flat = h.r1 and step == 0 and self.steps % R1_EVERY == 0
            penalised = loss_d + R1_EVERY * h.r1 * self.slope(real) if flat else loss_d
            self.optimizer_d.zero_grad()
            penalised.backward()
            self.optimizer_d.step()

        D.requires_grad_(False)  # the gradient goes through D; D's own weights need none
        with autocast(h.precision):
            loss_g = self.g_loss(fake)
        D.requires_grad_(True)
        self.optimizer_g.zero_grad()
        loss_g.backward()
        self.optimizer_g.step()
        self.average()
        return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach(),
                "d_real": real_logits.detach().sigmoid().mean(), "d_fake": fake_logits.detach().sigmoid().mean(),
                "gradient_g": nn.utils.get_total_norm([p.grad for p in G.parameters()])}

    # The rest of the game in small pieces, so that a variant need only say what is different. A batch for D is a
    # tuple of what D is called with: the images, and in some variants what belongs to each, as its label, or the images
    # of a second kind.

    def networks(self) -> tuple[nn.Module, nn.Module]:
        """G and D with their first weights."""
        h = self.hyperparameters
        return (Generator(h.preset, h.width, batch_norm=h.fault != "no batch norm", rng=self.rng),
                Discriminator(h.preset, h.width, h.dropout, h.spectral_norm, rng=self.rng))

    def genuine(self, picked: Tensor) -> tuple[Tensor, ...]:
        """What D is shown of the training images with these indices `[n]`."""
        return (self.scaled(self.images[picked]),)

    def forged(self, n: int, rng: torch.Generator) -> tuple[Tensor, ...]:
        """What D is shown of n images that G makes now."""
        return (self.G(noise(n, rng)),)

    def d_loss(self, real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of D on as many real as generated images, and D's logits for the real and for the generated ones."""
        logits = self.D(*(torch.cat(parts) for parts in zip(real, fake, strict=True))).chunk(2)
        return discriminator_loss(*logits, self.hyperparameters.label_smoothing), *logits

    def slope(self, real: tuple[Tensor, ...]) -> Tensor:
        """R1: how steep D is at a real batch, by its pixels."""
        images, *beside = real
        return r1_penalty(lambda x: self.D(x, *beside), images)

    def g_loss(self, fake: tuple[Tensor, ...]) -> Tensor:
        """Loss of G on a batch of its images."""
        return generator_loss(self.D(*fake))

    @torch.no_grad()
    def average(self) -> None:
        """Move the average a little towards G as it is, batch norm's statistics too."""
        keep = min(LONGEST_AVERAGE, (1 + self.steps) / (10 + self.steps))  # at first the start must be forgotten fast
        for mean, now in zip(self.model.state_dict().values(), self.G.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images of the average of G, `[count, 28, 28]` in [0, 1]; the seed decides the noise."""
        return self.model.sample(count, torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[40, 28, 28]`: images of the average of G from fixed noise; logits `[32]`: D's logit; real, fake
        `[32]`: which part of 128 training images, and of 128 that G makes, D gives such a logit."""
        G, D = self.G, self.D
        modes = G.training, D.training
        G.eval(), D.eval()
        fake = self.forged(JUDGED, torch.Generator().manual_seed(SNAPSHOT_SEED))
        _, real_logits, fake_logits = self.d_loss(self.genuine(torch.arange(JUDGED)), fake)
        G.train(modes[0]), D.train(modes[1])
        edges = LOGIT_BINS
        parts = {name: np.histogram(logits.clamp(edges[0], edges[-1]), edges)[0] / JUDGED
                 for name, logits in (("real", real_logits), ("fake", fake_logits))}
        return {"samples": self.samples(SHOWN).numpy(), "logits": (edges[1:] + edges[:-1]) / 2, **parts}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """frechet, classifier_score and coverage_kl of 10,000 images of the average of G: see `judged.scores`."""
        return scores(self.samples(IMAGES))
