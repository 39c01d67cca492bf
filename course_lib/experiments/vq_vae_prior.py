"""A transformer as the prior over a VQ-VAE's codes in training: which symbols go with which.

The VQ-VAE is the shipped one, and stays as it is. What an image then costs is a code of two parts: its symbols, and its
pixels given the symbols.

References:
    A. van den Oord, O. Vinyals, K. Kavukcuoglu, Neural Discrete Representation Learning, NIPS 2017: section 3.3, an
        autoregressive prior, fitted when the codes are fixed.
    P. Esser, R. Rombach, B. Ommer, Taming Transformers for High-Resolution Image Synthesis, CVPR 2021: section 3.2, a
        transformer over codes, row by row.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.transformer import BETAS, HEAD, LONGEST_AVERAGE, WARMUP, WEIGHT_DECAY
from course_lib.experiments.vae import held_out_images
from course_lib.experiments.vq_vae import codes_of, pictures_of
from course_lib.models.sequences import SequenceModel
from course_lib.models.transformer import SequenceTransformer
from course_lib.models.vq_vae import VQVAE
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_gan import ema_keep
from course_lib.training.image_scores import IMAGES, scores
from course_lib.training.optim import adam, gradient_clip, length_of_training, weight_average
from course_lib.training.precision import arithmetic
from course_lib.training.pretrained import load_pretrained
from course_lib.training.registry import register
from course_lib.training.step import AveragedExperiment, Metrics

VQVAE_NAME = "vq_vae"
SHOWN = 20  # pictures in a snapshot


@dataclass(frozen=True)
class VQVAEPriorHyperparameters(Hyperparameters):
    """The hyperparameters of a prior over codes."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far AdamW moves at each step, once it has warmed up.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=512, unit="images",
        help="Of how many images one step sees the codes.")
    clip: float = gradient_clip("nats per symbol")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    layers: int = hyperparameter(
        4, label="layers", low=1, high=8, restart=True,
        help="Blocks of attention and MLP, one on top of the other.")
    heads: int = hyperparameter(
        4, label="heads", low=1, high=8, restart=True,
        help="Of attention in each layer; a token's vector has 32 numbers for each.")


@register(
    "vq_vae_prior",
    summary="a transformer over the codes of a trained VQ-VAE of MNIST",
    prints="Prints the rate, −log p(code) of an image in nats, as the mean over a batch.",
    ships={
        "vq_vae_prior": "vq_vae_prior --num-steps 7000 --set precision=bfloat16 --set total_steps=7000",
    },
)
class VQVAEPriorExperiment(AveragedExperiment):
    """A transformer learns the codes of the 60,000 training images, which are binarized anew at every step.

    Metric: rate, −log p(code) in nats, mean over the batch, of the network that learns.

    Attributes:
        network: the `SequenceTransformer` that learns.
        model: the moving average of its weights, which draws and is measured.
        vqvae: the trained `VQVAE`.
    """

    Hyperparameters, warmup = VQVAEPriorHyperparameters, WARMUP

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        self.vqvae = copy.deepcopy(shipped_vqvae()).to(self.device)
        self.network = SequenceTransformer(self.vqvae.quantizer.n_entries, self.vqvae.places, HEAD * h.heads, h.layers,
                                           h.heads, "learned", generator=generator).to(self.device)
        self.average = weight_average(self.network, partial(ema_keep, longest=LONGEST_AVERAGE))
        self.optimizer = adam(self.network, betas=BETAS, weight_decay=WEIGHT_DECAY, decoupled_weight_decay=True)
        self.images = load_mnist("train").images
        self.batches = EpochSampler(len(self.images), generator)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return super().components() | {"network": self.network}

    @property
    def longest_gradient(self) -> float:
        return self.hyperparameters.clip

    def next_batch(self) -> Tensor:
        """The next training images, binarized anew: float32 `[batch_size, 28, 28]`."""
        grey = self.images[self.batches.next(self.hyperparameters.batch_size)].to(torch.float32).div_(255)
        return (torch.rand(grey.shape, generator=self.generator) < grey).to(torch.float32)

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """−log p of a symbol in nats, mean over the codes of images `[n, 28, 28]`, 0-d."""
        with torch.no_grad():
            codes = self.vqvae.codes(x)
        nll = F.cross_entropy(self.network(codes).flatten(0, 1), codes.flatten())
        return nll, {"rate": nll * codes.shape[1]}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """samples `[20, 28, 28]`: probabilities of ink, of codes that are drawn."""
        return {"samples": self.samples(SHOWN).numpy()}

    def samples(self, count: int, seed: int = SNAPSHOT_SEED) -> Tensor:
        """Images `[count, 28, 28]`, probabilities of ink, of codes that are drawn."""
        return drawn_images(self.model, self.vqvae, count, seed)

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of the codes of the 10,000 test images, binarized once: rate, in nats; two_part, rate and distortion
        together. Of as many images that are drawn: the scores of `image_scores.scores`."""
        x = held_out_images("binarized").view(-1, 28, 28)
        rate, distortion = two_part_code(self.model, self.vqvae, x)
        return {"rate": rate.mean().item(), "two_part": (rate + distortion).mean().item(),
                **scores(self.samples(IMAGES))}


@functools.cache
def shipped_vqvae() -> VQVAE:
    """The trained VQ-VAE that comes with the course: shared, do not change it."""
    return load_pretrained(VQVAE_NAME)[0]


@torch.no_grad()
def two_part_code(prior: SequenceModel, vqvae: VQVAE, x: Tensor) -> tuple[Tensor, Tensor]:
    """Rate −log p(code) and distortion −log p(x | code), nats, each `[n]` and on the CPU, of many images
    `[n, 28, 28]` in black and white. Their sum is at least −log p(x), since p(x) adds up p(code) p(x | code) over all
    codes."""
    codes = codes_of(vqvae, x)
    device = next(prior.parameters()).device
    rate = torch.cat([-prior.log_prob(part.to(device)).cpu() for part in codes.split(1000)])
    distortion = torch.cat([F.binary_cross_entropy(pictures_of(vqvae, c).double(), part.double(), reduction="none")
                            .sum(dim=(1, 2)) for c, part in zip(codes.split(1000), x.split(1000), strict=True)])
    return rate.double(), distortion


@torch.no_grad()
def drawn_images(prior: SequenceModel, vqvae: VQVAE, count: int, seed: int) -> Tensor:
    """Probabilities of ink `[count, 28, 28]`, on the CPU, of codes that the prior draws from `seed`."""
    generator, places = seeded(seed), vqvae.places
    parts = [prior.sample(min(1000, count - first), places, generator)[0] for first in range(0, count, 1000)]
    return pictures_of(vqvae, torch.cat(parts))
