"""Families that only draw: GANs, with and without labels, and a generator that makes the MMD small."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.comparisons import digits8
from course_lib.comparisons.scoreboard.family import FAST, ExperimentFamily, Fitted, in_parts
from course_lib.comparisons.scoreboard.pictures import Pictures, Stream
from course_lib.experiments.conditional import ConditionalExperiment, ConditionalHyperparameters
from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters
from course_lib.models.dcgan import LATENT_SIZE, noise
from course_lib.models.layers import mlp
from course_lib.models.rbm import bernoulli
from course_lib.seeds import seeded
from course_lib.training import Experiment
from course_lib.training.batches import EpochSampler
from course_lib.training.image_gan import ema_keep
from course_lib.training.optim import BETAS, adam, weight_average

WIDTH = 256  # of the small games' hidden layers
NO_DENSITY = "its network draws pictures from noise, and nothing says how likely one is"


class BitsGenerator(nn.Module):
    """G(z), or G(z, y): noise `[n, 100]` and labels `[n]` to bits `[n, D]` between −1 and 1."""

    def __init__(self, D: int, n_labels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.layers = mlp([LATENT_SIZE + n_labels, WIDTH, WIDTH, D], generator)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        told = [] if y is None else [F.one_hot(y, self.n_labels).to(z)]
        return torch.tanh(self.layers(torch.cat([z, *told], dim=1)))


class BitsDiscriminator(nn.Module):
    """The logit `[n]` of bits `[n, D]`; with labels `[n]`, v_y·φ(x) is added (projection)."""

    def __init__(self, D: int, n_labels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.features = nn.Sequential(mlp([D, WIDTH, WIDTH], generator, nn.SiLU), nn.SiLU())
        self.logit = mlp([WIDTH, 1], generator)
        self.v = nn.Parameter(0.02 * torch.randn(n_labels, WIDTH, generator=generator))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        phi = self.features(x)
        projected = 0 if y is None else (self.v[y] * phi).sum(1)
        return (self.logit(phi)[:, 0] + projected).to(x.dtype)


class BitsGAN(DCGANExperiment):
    """The game of `experiments.dcgan` on bits of −1 and 1, with MLPs in place of convolutions.

    Args:
        pictures: the data set.
        labelled: whether both players are told labels.
    """

    def __init__(self, pictures: Pictures, labelled: bool, hyperparameters: DCGANHyperparameters, seed: int) -> None:
        self.pictures, self.labelled = pictures, labelled
        super().__init__(hyperparameters, seed, "cpu")

    def networks(self) -> tuple[nn.Module, nn.Module]:
        D, n_labels = self.pictures.D, self.pictures.n_labels if self.labelled else 0
        return BitsGenerator(D, n_labels, self.generator), BitsDiscriminator(D, n_labels, self.generator)

    def build(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.G, self.D = (network.to(self.device) for network in self.networks())
        self.average = weight_average(self.G, ema_keep)
        self.optimizer_g, self.optimizer_d = adam(self.G, betas=BETAS), adam(self.D, betas=BETAS)
        self.batches = EpochSampler(1, generator)  # batches are drawn, not gone through

    def real_batch(self, picked: Tensor | None = None) -> tuple[Tensor, ...]:
        x, y = self.pictures.batch(self.hyperparameters.batch_size, self.generator)
        bits = 2 * self.pictures.bits(x) - 1
        return (bits, y) if self.labelled else (bits,)

    def noise_batch(self, n: int | None = None, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        n, generator = self.size_and_generator(n, generator)
        z = noise(n, generator)
        return (z, self.pictures.draw_labels(n, generator)) if self.labelled else (z,)

    def fake_batch(self, noise: tuple[Tensor, ...], real: tuple[Tensor, ...] | None = None) -> tuple[Tensor, ...]:
        return (self.G(*noise), *noise[1:])


class Game(ExperimentFamily):
    """What all GANs have in common; grey pixels become ink with their probability, as those of MNIST do."""

    why_no_density = NO_DENSITY
    labelled = False

    def make(self) -> Experiment:
        options = {"total_steps": self.steps, "precision": FAST, "r1": 1.0}
        if self.pictures.name != "mnist":
            return BitsGAN(self.pictures, self.labelled, DCGANHyperparameters(**options | {"precision": "float32"}),
                           self.seed)
        if self.labelled:
            return ConditionalExperiment(ConditionalHyperparameters(preset="deep", **options), self.seed, "cpu")
        return DCGANExperiment(DCGANHyperparameters(preset="deep", **options), self.seed, "cpu")

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        parts = []
        for part in in_parts(n):
            z = self.experiment.noise_batch(part, generator)
            grey = (self.network(*z).flatten(1) + 1) / 2
            parts.append(bernoulli(grey, generator))
        return self.pictures.from_bits(torch.cat(parts))

    @property
    def parameters(self) -> int:
        return sum(p.numel() for network in (self.experiment.G, self.experiment.D) for p in network.parameters())


class GAN(Game):
    """A game without labels: a DCGAN on MNIST, MLPs on bits."""


class ConditionalGAN(Game):
    """A game with labels; a draw's label is drawn first, as often as in the data."""

    labelled = True


class MMD(Fitted):
    """A generator that makes the maximum mean discrepancy small, as in notebook 10c: it gives bits probabilities."""

    why_no_density = NO_DENSITY

    def fitted(self, steps: int) -> nn.Module:
        scale = (self.pictures.D / 64) ** 0.5  # distances grow with the number of bits
        return digits8.train_generator(Stream(self.pictures), steps, seeded(self.seed),
                                       [scale * width for width in digits8.WIDTHS])

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        z = torch.randn(n, digits8.NOISE_SIZE, generator=generator)
        return self.pictures.from_bits(bernoulli(self.network(z), generator))
