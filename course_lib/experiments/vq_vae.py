"""A VQ-VAE of MNIST in black and white in training: images as a few symbols, with the use of the alphabet in sight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.vae import REBUILT, held_out_images
from course_lib.models.layers import device_of, joined
from course_lib.models.vq_vae import BOOKS, VQVAE, Codebook, FiniteScalar, code_perplexity, image_vqvae, shares
from course_lib.training.batches import EpochSampler
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.image_scores import scores
from course_lib.training.optim import adam, length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

SIZE = 8  # D, numbers in an entry of a codebook
DECAY = 0.99  # of the moving averages
GRIDS = ("4x4", "7x7")
PART = 1000  # images at a time
COUNTED = 300  # images whose symbols are counted in a snapshot


@dataclass(frozen=True)
class VQVAEHyperparameters(Hyperparameters):
    """The hyperparameters of a VQ-VAE."""

    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        32, label="batch size", low=1, high=1024, unit="images",
        help="How many images one step sees.")
    commitment: float = hyperparameter(
        0.25, label="commitment β", low=0.0, high=100.0,
        help="How strongly the encoder's vectors are drawn to the entries that they chose.")
    restarts: bool = hyperparameter(
        True, label="restarts",
        help="Of moving averages: entries that hardly any vector chooses begin anew at a vector of the batch.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    codebook: str = hyperparameter(
        "averages", label="codebook", choices=BOOKS, restart=True,
        help="Entries that learn by the gradient, or are moving averages of the vectors that chose them; or none: each "
             "number is rounded to two levels.")
    bits: int = hyperparameter(
        7, label="alphabet", low=1, high=10, unit="bits", restart=True,
        help="A symbol is one of two to the power of so many entries.")
    grid: str = hyperparameter(
        "4x4", label="grid", choices=GRIDS, restart=True,
        help="How many symbols an image is, and where they stand.")
    width: int = hyperparameter(
        64, label="width", low=4, high=128, unit="channels", restart=True,
        help="Channels of the convolutions; of those next to the image half of them.")


@register(
    "vq_vae",
    summary="a VQ-VAE of MNIST, images as a few symbols",
    prints="Prints, as means over a batch, what an image costs given its symbols, in nats, and how far vectors are "
           "from their entries; and how many entries are in use, as a perplexity.",
    ships={
        "vq_vae": "vq_vae --num-steps 6000 --set precision=bfloat16 --set total_steps=6000",
    },
)
class VQVAEExperiment(LossExperiment):
    """A VQ-VAE learns the 60,000 training images of MNIST, binarized anew at every step.

    Metrics: distortion, −log p(x | code) of an image in nats, and commitment, Σ ‖z − e‖² of its places, means over the
    batch; perplexity, that of the use of entries in the batch.

    Attributes:
        model: the `VQVAE`.
    """

    Hyperparameters = VQVAEHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        scalar = h.codebook == "finite scalar"
        quantizer = (FiniteScalar([2] * h.bits) if scalar else
                     Codebook(2 ** h.bits, SIZE, h.codebook == "averages", generator=generator))
        self.model: VQVAE = image_vqvae(quantizer, h.bits if scalar else SIZE, h.width, h.grid == "4x4",
                                        generator=generator).to(self.device)
        self.optimizer = adam(self.model)
        self.images = load_mnist("train").images
        self.batches = EpochSampler(len(self.images), generator)

    def next_batch(self) -> Tensor:
        """The next training images, binarized anew: float32 `[batch_size, 28, 28]`."""
        grey = self.images[self.batches.next(self.hyperparameters.batch_size)].to(torch.float32).div_(255)
        return (torch.rand(grey.shape, generator=self.generator) < grey).to(torch.float32)

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """The loss of van den Oord et al. (2017, eq. 3) for images `[n, 28, 28]`, mean over the batch, in nats."""
        distortion, self.quantized, self.vectors = self.model(x)
        commitment = self.quantized.commitment.mean()
        loss = distortion.mean() + self.quantized.codebook_loss.mean() + self.hyperparameters.commitment * commitment
        return loss, {"distortion": distortion.mean(), "commitment": commitment,
                      "perplexity": code_perplexity(self.quantized.codes, self.model.quantizer.n_entries)}

    def after_step(self) -> Metrics:
        """Moving averages take in the batch that the encoder has just learned from."""
        if self.model.quantizer.averages:
            self.model.quantizer.follow(self.vectors, self.quantized.codes, DECAY, self.hyperparameters.restarts,
                                        self.generator)
        del self.quantized, self.vectors
        return {}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """rebuilt `[20, 28, 28]`: ten test images, then the probabilities of ink that their codes give; use `[K]`: the
        share of each entry among the codes of 300 test images, largest first."""
        x = held_out_images("binarized")[:COUNTED].view(-1, 28, 28).to(self.device)
        codes = self.model.codes(x)
        rebuilt = torch.cat([x[:REBUILT], self.model.images(codes[:REBUILT])])
        use = shares(codes, self.model.quantizer.n_entries).sort(descending=True).values
        return {"rebuilt": rebuilt.cpu().numpy(), "use": use.cpu().numpy()}

    @torch.no_grad()
    def evaluate(self, thorough: bool) -> dict[str, float]:
        """Of the 10,000 test images, binarized once: distortion, −log p(x | code) in nats; perplexity of the use of
        entries; and the Fréchet distance of the rebuilt images."""
        x = held_out_images("binarized").view(-1, 28, 28)
        codes = codes_of(self.model, x)
        rebuilt = pictures_of(self.model, codes)
        distortion = F.binary_cross_entropy(rebuilt.double(), x.double(), reduction="none").sum(dim=(1, 2))
        return {"distortion": distortion.mean().item(),
                "perplexity": code_perplexity(codes, self.model.quantizer.n_entries).item(),
                "frechet": scores(rebuilt)["frechet"]}


@torch.no_grad()
def codes_of(model: VQVAE, x: Tensor) -> Tensor:
    """Codes `[n, T]`, on the CPU, of many images `[n, 28, 28]`, in batches."""
    return joined((model.codes(part.to(device_of(model))).cpu() for part in x.split(PART)), len(x))


@torch.no_grad()
def pictures_of(model: VQVAE, codes: Tensor) -> Tensor:
    """Probabilities of ink `[n, 28, 28]`, on the CPU, of many codes `[n, T]`, in batches."""
    return joined((model.images(part.to(device_of(model))).cpu() for part in codes.split(PART)), len(codes))
