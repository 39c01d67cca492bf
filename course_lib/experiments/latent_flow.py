"""Flow matching among the codes of a trained VAE: the flow learns where codes lie, the decoder makes them pictures.

Reference: R. Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, CVPR 2022.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.conditional import classed_as_asked
from course_lib.models.flow_matching import (
    PATH,
    LabelledMLP,
    draw,
    drop_labels,
    even_times,
    flow_matching_loss,
    in_turn,
)
from course_lib.models.vae import VAE
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import SNAPSHOT_SEED, snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ema_keep
from course_lib.training.image_scores import IMAGES, scores
from course_lib.training.optim import adam, length_of_training, weight_average
from course_lib.training.pretrained import load_pretrained
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

VAE_NAME = "vae_z20"
SHOWN, PLANE = 20, 500  # pictures, and codes, in a snapshot


@dataclass(frozen=True)
class LatentFlowHyperparameters(Hyperparameters):
    """The hyperparameters of flow matching among codes."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        512, label="batch size", low=1, high=4096, log=True, unit="codes",
        help="How many codes one step sees.")
    unlabelled: float = hyperparameter(
        0.1, label="share without a label", low=0.0, high=1.0,
        help="So many codes are learned without their label; guidance needs a network that knows both.")
    width: int = hyperparameter(
        384, label="width", low=4, high=1024, unit="units", restart=True,
        help="Units of each of the network's three hidden layers.")
    w: float = hyperparameter(
        1.0, label="guidance w", low=0.0, high=8.0,
        help="Of the pictures alone: 0 forgets the label, 1 follows it, more exaggerates it.")
    sampling_steps: int = hyperparameter(
        10, label="steps of a sample", low=1, high=50, unit="Heun steps",
        help="Of the pictures alone: in how many steps noise is carried to a code.")
    total_steps: int = length_of_training()


@register(
    "latent_flow",
    summary="flow matching among the codes of a trained VAE of MNIST",
    prints="Prints the squared error of the velocity per number of a code, which has a floor above 0.",
)
class LatentFlowExperiment(LossExperiment):
    """A network of layers learns the velocity that carries noise to the codes of 60,000 training images.

    A code is the mean of q(z | x) of the shipped VAE. Metrics: loss, the squared error of the velocity per number,
    mean over the batch.

    Attributes:
        model: the `LabelledMLP` that learns.
        average: the moving average of its weights, which draws.
        vae: the trained VAE; it stays as it is.
        codes, labels: of the training images, `[60000, 20]` and `[60000]`.
    """

    Hyperparameters = LatentFlowHyperparameters

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.vae, self.codes, self.labels = training_codes()
        self.model = LabelledMLP(self.vae.latent_size, self.hyperparameters.width, generator=generator).to(self.device)
        self.average = weight_average(self.model, ema_keep)
        self.optimizer = adam(self.model)
        self.batches = EpochSampler(len(self.codes), generator)

    def components(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {**super().components(), "average": self.average}

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Codes and noise `[n, 20]`, times `[n]`, and labels `[n]`, some of them left out."""
        h, generator = self.hyperparameters, self.generator
        picked = self.batches.next(h.batch_size)
        z = self.codes[picked]
        return (z, torch.randn(z.shape, generator=generator), even_times(len(z), generator),
                drop_labels(self.labels[picked], h.unlabelled, generator))

    def loss(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        z, eps, t, y = batch
        loss = flow_matching_loss(self.model(PATH.noised(z, t, eps), t, y), z, eps)
        return loss, {"loss": loss}

    def after_step(self) -> Metrics:
        self.average.update_parameters(self.model)
        return {}

    def drawn(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """A code `[n, 20]` for each label of y `[n]`."""
        h = self.hyperparameters
        return draw(self.average.module, y, (self.vae.latent_size,), generator, h.sampling_steps, w=h.w)

    @torch.no_grad()
    def decoded(self, z: Tensor) -> Tensor:
        """The pictures E[x | z] `[n, 28, 28]` of codes `[n, 20]`."""
        return torch.cat([self.vae.decode(part) for part in z.split(1000)]).view(-1, 28, 28)

    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]`: the digits 0 to 9 twice, from the same noise each time; prior `[20, 28, 28]`: what
        the decoder makes of that noise itself. real, made `[500, 2]`: the first two numbers of codes of training
        images, and of drawn ones."""
        z, noise = self.drawn(in_turn(PLANE), snapshot_generator()), snapshot_generator()
        prior = torch.randn(PLANE, self.vae.latent_size, generator=noise)[:SHOWN]
        return {"samples": self.decoded(z[:SHOWN]).numpy(), "prior": self.decoded(prior).numpy(),
                "real": self.codes[:PLANE, :2].numpy(), "made": z[:, :2].numpy()}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images `[count, 28, 28]` in [0, 1] for the labels 0 to 9 in turn."""
        return self.decoded(self.drawn(in_turn(count), seeded(seed)))

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of 1,000 images a digit: the scores of `image_scores.scores`, and as_asked, the share that the classifier
        sees as asked."""
        images = self.samples(IMAGES)
        return {**scores(images), "as_asked": float(classed_as_asked(images, in_turn(IMAGES)).mean())}


@functools.cache
def training_codes() -> tuple[VAE, Tensor, Tensor]:
    """The shipped VAE, and the codes `[60000, 20]` and labels `[60000]` of the training images: encoded once a process,
    which takes seconds, and shared, so do not change them in place."""
    vae, _ = load_pretrained(VAE_NAME)
    train = load_mnist("train")
    return vae, codes_of(vae, train.images), train.labels


@torch.no_grad()
def codes_of(vae: VAE, images: Tensor) -> Tensor:
    """The means of q(z | x), `[n, latent_size]`, of grey images as bytes `[n, 28, 28]`."""
    return torch.cat([vae.encode(part.flatten(1).float() / 255)[0] for part in images.split(5000)])
