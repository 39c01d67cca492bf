"""The variational autoencoder on MNIST in training, and its bounds on the test images."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.models.layers import device_of
from course_lib.models.vae import LIKELIHOODS, VAE, Elbo
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import snapshot_generator
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.precision import arithmetic
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

REBUILT, SAMPLES, MAPPED_PER_DIGIT = 10, 30, 50  # images in a snapshot


@dataclass(frozen=True)
class VAEHyperparameters(Hyperparameters):
    """The hyperparameters of the VAE."""

    learning_rate: float = hyperparameter(
        1e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    beta: float = hyperparameter(
        1.0, label="weight of KL (β)", low=0.0, high=100.0,
        help="1 is the ELBO; above it the codes are pressed towards the prior, at 0 nothing holds them.")
    warmup_steps: int = hyperparameter(
        0, label="warm-up of β", low=0, high=100_000, unit="steps",
        help="β grows in a line from 0 to its value over these first steps; 0 for no warm-up.")
    batch_size: int = hyperparameter(
        128, label="batch size", low=1, high=4096, unit="images",
        help="How many images one step sees.")
    pixels: str = hyperparameter(
        "binarized", label="pixels", choices=("binarized", "grey"),
        help="Binarized: each pixel is ink with the probability of its grey value, drawn anew at every step.")
    reduction: str = hyperparameter(
        "sum", label="over pixels", choices=("sum", "mean"),
        help="The reconstruction term sums over pixels. A mean makes it 784 times smaller beside the KL.")
    total_steps: int = length_of_training()
    precision: str = arithmetic()
    latent_size: int = hyperparameter(
        20, label="latent size", low=2, high=64, unit="dimensions", restart=True,
        help="How many numbers describe an image.")
    width: int = hyperparameter(
        512, label="width", low=16, high=1024, unit="units", restart=True,
        help="Units of the encoder's first hidden layer; the second has half of them, the decoder is the mirror.")
    likelihood: str = hyperparameter(
        "bernoulli", label="likelihood", choices=LIKELIHOODS, restart=True,
        help="Bernoulli, for pixels of 0 and 1, or Gaussian with one learned variance, for grey ones.")


@register(
    "vae",
    summary="a variational autoencoder of MNIST",
    prints="Prints the means over a batch of the ELBO, its two terms (nats), and how loud the noise in the code is.",
    ships={
        "vae_z2": "vae --num-steps 14040 --set latent_size=2 --set precision=bfloat16 --set total_steps=14040",
        "vae_z20": "vae --num-steps 98280 --set precision=bfloat16 --set total_steps=98280",
    },
)
class VAEExperiment(LossExperiment):
    """A VAE learns the 60,000 training images of MNIST.

    Metrics, means over the batch: elbo, reconstruction and kl, in nats (always sums over pixels, and without β);
    noise_ratio, the mean of the encoder's s² divided by the mean over dimensions of the variance of μ: where it is near
    0, the code is as good as without noise.

    Attributes:
        model: the `VAE`.
    """

    Hyperparameters = VAEHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator = generator
        self.model = VAE(h.latent_size, (h.width, h.width // 2), h.likelihood, generator=generator).to(self.device)
        self.optimizer = adam(self.model)
        self.images = load_mnist("train").images.flatten(1)
        self.batches = EpochSampler(len(self.images), generator)

    def next_batch(self) -> Tensor:
        """The next training images, float32 `[batch_size, 784]`, binarized anew or grey."""
        h = self.hyperparameters
        grey = self.images[self.batches.next(h.batch_size)].to(torch.float32).div_(255)
        if h.pixels == "grey":
            return grey
        u = torch.rand(grey.shape, generator=self.generator)  # torch.bernoulli(grey) would be three times slower
        return (u < grey).to(torch.float32)

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """−ELBO of images `[n, 784]`, mean over the batch, with its KL weighted by β."""
        h = self.hyperparameters
        beta = h.beta * min(1.0, (self.steps + 1) / h.warmup_steps) if h.warmup_steps else h.beta
        terms = self.model.elbo(x, self.generator)
        reconstruction, kl = terms.reconstruction.mean(), terms.kl.mean()
        loss = beta * kl - (reconstruction if h.reduction == "sum" else reconstruction / x.shape[1])
        with torch.no_grad():
            noise_ratio = terms.log_var.exp().mean() / terms.mu.var(0, correction=0).mean()
        return loss, {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl,
                      "noise_ratio": noise_ratio}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """Pictures of 500 test images, 50 a digit, and of 30 fixed draws from the prior.

        rebuilt `[20, 28, 28]`: ten images, 0 to 9, then E[x | z] at their μ; samples `[30, 28, 28]`: E[x | z];
        digit_0 … digit_9 `[50, 2]`: μ in the two dimensions of largest KL (all there are, if latent_size is 2);
        kl_per_dimension `[latent_size]`: mean over the images, nats.
        """
        generator = snapshot_generator()
        x = held_out_images(self.hyperparameters.pixels)[mapped_images()].to(self.device)
        terms = self.model.elbo(x, generator)
        kl = terms.kl_per_dimension.mean(0)
        plane = kl.topk(2).indices.sort().values
        shown = slice(0, None, MAPPED_PER_DIGIT)
        rebuilt = torch.cat([x[shown], self.model.decode(terms.mu[shown])])
        _, samples = self.model.sample(SAMPLES, generator)
        digits = terms.mu[:, plane].view(10, MAPPED_PER_DIGIT, 2).cpu().numpy()
        return {"rebuilt": rebuilt.view(-1, 28, 28).cpu().numpy(), "samples": samples.view(-1, 28, 28).cpu().numpy(),
                "kl_per_dimension": kl.cpu().numpy(), **{f"digit_{k}": digits[k] for k in range(10)}}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """test_elbo, and if `thorough` test_iw_200: bounds on log p(x) in nats, means over the 10,000 test images."""
        x = held_out_images(self.hyperparameters.pixels)
        metrics = {"test_elbo": elbo_of(self.model, x).value.mean().item()}
        if thorough:
            metrics["test_iw_200"] = iw_bound_of(self.model, x, 200).mean().item()
        return metrics


@functools.cache
def held_out_images(pixels: str = "binarized", seed: int = 0) -> Tensor:
    """The 10,000 test images, float32 `[10000, 784]`, in the order of MNIST: grey, or binarized once, each pixel being
    ink with the probability of its grey value, drawn from `seed`. They are shared: do not change them in place."""
    test = load_mnist("test")
    if pixels == "grey":
        return test.flat()
    return test.binarized(seeded(seed)).flatten(1)


@functools.cache
def mapped_images() -> Tensor:
    """Where in the test set the images of the latent map are: the first 50 of each digit, `[500]`, sorted by digit."""
    labels = load_mnist("test").labels
    return torch.cat([(labels == k).nonzero().flatten()[:MAPPED_PER_DIGIT] for k in range(10)])


@torch.no_grad()
def elbo_of(model: VAE, x: Tensor, seed: int = 0) -> Elbo:
    """The terms of the ELBO of many images `[n, D]`, in float32 and in batches; one z an image, from `seed`."""
    generator = seeded(seed)
    parts = [model.elbo(batch.to(device_of(model)), generator) for batch in x.split(1000)]
    return Elbo(*(torch.cat(terms) for terms in zip(*parts, strict=True)))


@torch.no_grad()
def iw_bound_of(model: VAE, x: Tensor, k: int, seed: int = 0) -> Tensor:
    """The importance-weighted bound of many images `[n, D]`, `[n]` nats, in float32 and in batches; draws from `seed`.

    With k = 200 it takes about 6 ms an image on one core for a network of width 512.
    """
    generator = seeded(seed)
    return torch.cat([model.iw_bound(batch.to(device_of(model)), k, generator) for batch in x.split(max(1, 2000 // k))])
