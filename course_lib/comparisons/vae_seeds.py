"""Small VAEs in many trainings, over seeds and settings: the record that benchmarks/vae_seeds.py writes and notebook 04
shows.

References:
    I. Higgins et al., beta-VAE, ICLR 2017; A. A. Alemi et al., Fixing a Broken ELBO, ICML 2018: rate and distortion
        over β.
    S. R. Bowman et al., Generating Sentences from a Continuous Space, CoNLL 2016: KL annealing. D. P. Kingma et al.,
        Improved Variational Inference with Inverse Autoregressive Flow, NIPS 2016: free bits.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from course_lib.comparisons.digits8 import flat_digits
from course_lib.comparisons.runs import read_record
from course_lib.data import load_mnist
from course_lib.experiments.vae import elbo_of, held_out_images
from course_lib.files import require_folder
from course_lib.models.vae import VAE, weighted_loss
from course_lib.models.vae_autoregressive import AutoregressiveVAE
from course_lib.models.vae_convolutional import ConvolutionalVAE
from course_lib.seeds import seeded
from course_lib.training.step import minimize

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "vae_seeds.jsonl"
LATENT_SIZE, WIDTH, BATCH = 8, 64, 128  # of both VAEs of digits of 8x8 pixels
BETAS, BETA_STEPS, BETA_RATE = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0), 1000, 3e-3
HIDDEN, READER_STEPS, READER_BATCH = 128, 1000, 64  # of the VAE whose decoder reads pixels
RATES, RATE = (3e-3, 1e-2, 3e-2), 1e-2  # learning rates of plain training, and that of what is held against it
WARMUPS, FREE_NATS = (250, 500, 1000), (0.1, 0.25, 0.5)
FEW, FEW_STEPS, FEW_HELD_OUT = 1000, 1500, 2000  # MNIST pictures, steps, held-out pictures: two binarizations
NETWORKS = {"fully connected": VAE, "convolutional": ConvolutionalVAE}
NETWORK_STEPS, NETWORK_RATES = 2000, {"fully connected": (5e-4, 1e-3, 3e-3), "convolutional": (1e-3, 3e-3, 1e-2)}
REPEATS = 2  # draws of z for each picture where terms are measured


@dataclass(frozen=True)
class Measured:
    """Means over pictures, in nats.

    Attributes:
        rate, distortion: KL(q(z | x) ‖ p(z)) and −log p(x | z) of training pictures.
        information: mutual information of training picture and code; rate less information is KL(q(z) ‖ p(z)).
        test_rate, test_distortion: of held-out pictures.
        active: dimensions whose mean KL is above .01.
    """

    rate: float
    distortion: float
    information: float
    test_rate: float
    test_distortion: float
    active: int


def beta_vae(beta: float, seed: int, steps: int = BETA_STEPS) -> VAE:
    """A VAE of the 8x8 digits, trained with its KL weighted by β."""
    generator, (train, _) = seeded(seed), flat_digits()
    vae = VAE(LATENT_SIZE, (WIDTH,), n_pixels=64, generator=generator)
    minimize(vae, lambda: weighted_loss(vae.elbo(_batch(train, BATCH, generator), generator), beta), steps, BETA_RATE)
    return vae


def reading_vae(seed: int, learning_rate: float = RATE, warmup: int = 0, free_nats: float = 0.0,
                steps: int = READER_STEPS) -> AutoregressiveVAE:
    """A VAE of the 8x8 digits whose decoder also reads the pixels before.

    Args:
        warmup: steps over which the weight of KL grows in a line to 1 (KL annealing); 0 for none.
        free_nats: of each latent dimension, see `weighted_loss`.
    """
    generator, (train, _) = seeded(seed), flat_digits()
    vae = AutoregressiveVAE((8, 8), LATENT_SIZE, WIDTH, HIDDEN, generator=generator)
    betas = (min(1.0, step / warmup) if warmup else 1.0 for step in itertools.count(1))

    def loss() -> Tensor:
        return weighted_loss(vae.elbo(_batch(train, READER_BATCH, generator), generator), next(betas), free_nats)

    minimize(vae, loss, steps, learning_rate)
    return vae


def binarized_vae(resampled: bool, seed: int, steps: int = FEW_STEPS) -> VAE:
    """A VAE of a thousand MNIST pictures, binarized once and for all or anew at every step."""
    generator, grey = seeded(seed), load_mnist("train")[:FEW].flat()
    once = (torch.rand(grey.shape, generator=generator) < grey).float()
    vae = VAE(20, (128, 64), generator=generator)

    def loss() -> Tensor:
        x = _batch(grey if resampled else once, BATCH, generator)
        x = (torch.rand(x.shape, generator=generator) < x).float()  # of zeros and ones it changes nothing
        return weighted_loss(vae.elbo(x, generator))

    minimize(vae, loss, steps, 1e-3)
    return vae


def vae_of(network: str, learning_rate: float, seed: int, steps: int = NETWORK_STEPS) -> VAE:
    """A VAE of the 60,000 MNIST pictures, binarized anew at every step; `network` is a name in `NETWORKS`."""
    generator, images = seeded(seed), load_mnist("train").images.flatten(1)
    vae = NETWORKS[network](20, generator=generator)

    def loss() -> Tensor:
        grey = _batch(images, BATCH, generator).to(torch.float32).div_(255)
        return weighted_loss(vae.elbo((torch.rand(grey.shape, generator=generator) < grey).float(), generator))

    minimize(vae, loss, steps, learning_rate)
    return vae


@torch.no_grad()
def measure(model: VAE | AutoregressiveVAE, train: Tensor, test: Tensor) -> Measured:
    """Its terms on training and test pictures, `[n, D]` each."""
    terms = [elbo_of(model, train, seed) for seed in range(REPEATS)]
    held_out = [elbo_of(model, test, REPEATS + seed) for seed in range(REPEATS)]
    means = [[torch.stack([term.mean() for term in each]).mean().item() for each in
              ([e.kl for e in part], [-e.reconstruction for e in part])] for part in (terms, held_out)]
    active = int((terms[0].kl_per_dimension.mean(dim=0) > 0.01).sum())
    return Measured(*means[0], information(terms[0].mu, terms[0].log_var), *means[1], active)


def information(mu: Tensor, log_var: Tensor, repeats: int = REPEATS) -> float:
    """Mutual information in nats of code and picture, where each of n pictures is as probable: at most log n.

    It is estimated without bias, from `repeats` draws z of each q(z | x) = N(mu, e^log_var), `[n, d]`: the mean of
    log q(z | x) − log 1/n Σ_x' q(z | x').
    """
    q, n, total = Normal(mu, (log_var / 2).exp()), len(mu), 0.0
    for seed in range(repeats):
        z = mu + q.scale * torch.randn(mu.shape, generator=seeded(seed), dtype=mu.dtype)
        log_q_z = torch.cat([q.log_prob(part[:, None]).sum(-1).logsumexp(1) for part in z.split(500)]) - math.log(n)
        total += (q.log_prob(z).sum(-1) - log_q_z).mean().item()
    return total / repeats


def settings(seeds: int) -> list[dict[str, object]]:
    """What each run of the record is asked, as arguments of `train_and_measure`."""
    studies: list[dict[str, object]] = [{"study": "beta", "beta": beta} for beta in BETAS]
    studies += [{"study": "reader", "learning_rate": rate} for rate in RATES]
    studies += [{"study": "reader", "warmup": steps} for steps in WARMUPS]
    studies += [{"study": "reader", "free_nats": nats} for nats in FREE_NATS]
    studies += [{"study": "pixels", "resampled": resampled} for resampled in (False, True)]
    studies += [{"study": "network", "network": network, "learning_rate": rate}
                for network, rates in NETWORK_RATES.items() for rate in rates]
    return [{**study, "seed": seed} for study in studies for seed in range(seeds)]


def train_and_measure(study: str, seed: int, **setting: Any) -> dict[str, float]:
    """One run of the record: train, and measure as `Measured` has it."""
    if study in ("pixels", "network"):
        few = load_mnist("train")[:FEW].binarized(seeded(seed)).flatten(1)
        if study == "pixels":
            found = measure(binarized_vae(seed=seed, **setting), few, held_out_images()[:FEW_HELD_OUT])
        else:
            found = measure(vae_of(seed=seed, **setting), few, held_out_images())
    else:
        found = measure({"beta": beta_vae, "reader": reading_vae}[study](seed=seed, **setting), *flat_digits())
    return {name: round(value, 4) for name, value in vars(found).items()}


def recorded(study: str, **setting: Any) -> dict[str, np.ndarray]:
    """Of one setting of a study what `Measured` has, each an array `[seeds]`, seeds in order.

    Raises:
        CourseFileError: the record is not there.
        KeyError: no run of this setting is in it.
    """
    require_folder(RECORD.parent)
    asked = {"study": study, **setting}
    found = {run["seed"]: result for run, result in read_record(RECORD)
             if {key: value for key, value in run.items() if key != "seed"} == asked}
    if not found:
        raise KeyError(f"no run of {asked} is in the record")
    rows = [found[seed] for seed in sorted(found)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _batch(x: Tensor, size: int, generator: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (size,), generator=generator)]
