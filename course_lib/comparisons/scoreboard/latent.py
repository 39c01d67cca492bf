"""Families with latent variables: VAE, VQ-VAE with a prior, flow, restricted Boltzmann machine, denoising chain."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.comparisons import digits8
from course_lib.comparisons.scoreboard.family import FAST, ExperimentFamily, Family, Fitted, in_parts
from course_lib.comparisons.scoreboard.pictures import Stream
from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters
from course_lib.experiments.vq_vae import VQVAEExperiment, VQVAEHyperparameters, pictures_of
from course_lib.experiments.vq_vae_prior import (
    VQVAEPriorExperiment,
    VQVAEPriorHyperparameters,
    two_part_code,
)
from course_lib.measure import iw_bound
from course_lib.models.flows import AffineCoupling, Flow
from course_lib.models.gsn import Denoiser, walk
from course_lib.models.layers import mlp
from course_lib.models.rbm import RBM, ais, bernoulli, log_mean_exp
from course_lib.models.sequences import SequenceModel
from course_lib.models.transformer import SequenceTransformer
from course_lib.models.vae import VAE, weighted_loss
from course_lib.models.vae_convolutional import ConvolutionalVAE
from course_lib.models.vq_vae import VQVAE, Codebook
from course_lib.seeds import seeded
from course_lib.training import Experiment, run
from course_lib.training.step import minimize

IMPORTANCE, ROUNDS = 50, 50  # of a VAE: draws of z for its bound, and rounds of its completion
SMALL_VAE = {"sprites": (20, (256, 128)), "digits8": (8, (64,))}  # latent size and widths
CONVOLUTIONAL = {"mnist": 20, "digits8": 8}  # latent size
SMALL_VQ = {"sprites": (16, 128), "digits8": (4, 64)}  # places, and units of the hidden layers
ENTRIES, SIZE, AVERAGE = 64, 8, 0.99  # of a small codebook, as in notebook 11e
LAYERS, WIDTH, DEQUANTIZED = 8, 128, 16  # of a flow: couplings, units, draws of the noise in its bound
TEMPERATURES, CHAINS = 1000, 100  # of annealed importance sampling, where log Z of an RBM is no sum
RBM_ROUNDS, WALK = 200, 50  # steps of a chain before it counts as a draw, as in notebook 10c


class VAEFamily(Family):
    """What all have in common whose network is a `VAE` of bits."""

    density, completes = "bound", "approximate"
    network: VAE

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.pictures.from_bits(torch.cat([self.network.sample(part, generator)[0] for part in in_parts(n)]))

    @torch.no_grad()
    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        parts = self.pictures.bits(x).split(2000 // IMPORTANCE)
        return torch.cat([self.network.iw_bound(part, IMPORTANCE, generator) for part in parts]).double()

    @torch.no_grad()
    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        wanted, observed = self.pictures.bits(self.repeated(x, count)), self.pictures.seen_bits
        start = torch.where(observed, wanted, bernoulli(torch.full_like(wanted, 0.5), generator))
        drawn, _ = self.network.inpaint(start, observed, ROUNDS, generator)
        return self.pictures.from_bits(drawn).view(count, *x.shape)


class MNISTVAE(VAEFamily, ExperimentFamily):
    """The VAE of `experiments.vae`, on MNIST."""

    def make(self) -> Experiment:
        return VAEExperiment(VAEHyperparameters(total_steps=self.steps, precision=FAST), self.seed, "cpu")


class SmallVAE(VAEFamily):
    """A VAE of the bits of sprites or of the 8x8 digits, by `minimize`."""

    def build(self, generator: torch.Generator) -> None:
        latent_size, widths = SMALL_VAE[self.pictures.name]
        self.network = VAE(latent_size, widths, n_pixels=self.pictures.D, generator=generator)

    def fit(self) -> None:
        source, generator = Stream(self.pictures), self.generator
        minimize(self.network, lambda: weighted_loss(self.network.elbo(source(128, generator), generator)), self.steps,
                 3e-3)


class ConvolutionalVAEFamily(SmallVAE):
    """A VAE of convolutions, of MNIST or of the 8x8 digits, by `minimize`."""

    def build(self, generator: torch.Generator) -> None:
        self.network = ConvolutionalVAE(CONVOLUTIONAL[self.pictures.name], size=self.pictures.size, generator=generator)


class CodesAndPrior(nn.Module):
    """A VQ-VAE and the prior over its codes, as one network."""

    def __init__(self, vqvae: VQVAE, prior: SequenceModel) -> None:
        super().__init__()
        self.vqvae, self.prior = vqvae, prior


class VQ(Family):
    """What both have in common: codes, a prior over them, and a code of two parts as the bound.

    Half of the steps train the VQ-VAE, the other half the prior, when the codes are fixed.
    """

    density = "bound"
    network: CodesAndPrior

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        vqvae, drawn = self.network.vqvae, []
        for part in in_parts(n):
            codes, _ = self.network.prior.sample(part, vqvae.places, generator)
            drawn.append(bernoulli(pictures_of(vqvae, codes), generator).flatten(1))
        return self.pictures.from_bits(torch.cat(drawn))

    @torch.no_grad()
    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        height = self.pictures.size[0]
        rate, distortion = two_part_code(self.network.prior, self.network.vqvae,
                                         self.pictures.bits(x).view(len(x), height, -1))
        return -(rate + distortion)

    @property
    def passes(self) -> int:
        return self.network.vqvae.places + 1


class MNISTVQ(VQ):
    """`experiments.vq_vae`, and then `experiments.vq_vae_prior` on its codes."""

    def build(self, generator: torch.Generator) -> None:
        self.first_steps = self.steps // 2
        self.codes = VQVAEExperiment(VQVAEHyperparameters(total_steps=self.first_steps, precision=FAST), self.seed,
                                     "cpu")
        self.prior = VQVAEPriorExperiment(
            VQVAEPriorHyperparameters(total_steps=self.steps - self.first_steps, precision=FAST), self.seed, "cpu")
        self.prior.vqvae = self.codes.model
        self.network = CodesAndPrior(self.codes.model, self.prior.model)

    def fit(self) -> None:
        for experiment, steps in ((self.codes, self.first_steps), (self.prior, self.steps - self.first_steps)):
            for _ in run(experiment, steps, progress=False):
                pass


class SmallVQ(VQ):
    """A VQ-VAE of the bits of sprites or of the 8x8 digits with one hidden layer, and a small transformer."""

    def build(self, generator: torch.Generator) -> None:
        places, width = SMALL_VQ[self.pictures.name]
        shape = self.pictures.size[0], self.pictures.D // self.pictures.size[0]
        quantizer = Codebook(ENTRIES, SIZE, True, generator=generator)
        encoder = nn.Sequential(nn.Flatten(), mlp([self.pictures.D, width, places * SIZE], generator),
                                nn.Unflatten(1, (places, SIZE)))
        decoder = nn.Sequential(nn.Flatten(), mlp([places * SIZE, width, self.pictures.D], generator),
                                nn.Unflatten(1, shape))
        prior = SequenceTransformer(ENTRIES, places, 64, 2, 2, "learned", generator=generator)
        self.network = CodesAndPrior(VQVAE(encoder, quantizer, decoder, places), prior)

    def fit(self) -> None:
        generator, (vqvae, prior) = self.generator, (self.network.vqvae, self.network.prior)
        height = self.pictures.size[0]

        def batch() -> Tensor:
            return Stream(self.pictures)(64, generator).view(64, height, -1)

        def loss_of_codes() -> Tensor:
            distortion, q, z = vqvae(batch())
            vqvae.quantizer.follow(z, q.codes, AVERAGE, True, generator)
            return (distortion + q.codebook_loss + 0.25 * q.commitment).mean()

        def loss_of_prior() -> Tensor:
            with torch.no_grad():
                codes = vqvae.codes(batch())
            return F.cross_entropy(prior(codes).flatten(0, 1), codes.flatten())

        minimize(vqvae, loss_of_codes, self.steps // 2, 5e-3)
        minimize(prior, loss_of_prior, self.steps - self.steps // 2, 2e-3)


class FlowFamily(Family):
    """Real NVP on dequantized bits, which are scaled to [−2, 2]: its log p is a bound on that of the bits."""

    density = "bound"
    network: Flow

    def build(self, generator: torch.Generator) -> None:
        D = self.pictures.D
        self.network = Flow([AffineCoupling(D, WIDTH, bool(i % 2), generator) for i in range(LAYERS)], D)

    def fit(self) -> None:
        source, generator = Stream(self.pictures), self.generator
        minimize(self.network, lambda: -self._log_density(source(100, generator), generator).mean() / self.pictures.D,
                 self.steps, 2e-3)

    def _log_density(self, bits: Tensor, generator: torch.Generator) -> Tensor:
        """log p(bits + u) at one u, `[n]`, of bits `[n, D]`."""
        y = 2 * (bits + torch.rand(bits.shape, generator=generator)) - 2
        return self.network.log_prob(y) + self.pictures.D * math.log(2)

    @torch.no_grad()
    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        bits = self.pictures.bits(x)
        return iw_bound(torch.stack([self._log_density(bits, generator).double() for _ in range(DEQUANTIZED)]),
                        DEQUANTIZED)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        y = self.network.sample(n, generator)
        return self.pictures.from_bits((y > 0).float())


class MarkovChain(Fitted):
    """What both have in common whose draws are the ends of chains that begin at independent bits, and whose completions
    are those of chains whose seen bits are put back after every step.

    Attributes:
        rounds: steps of a chain before it counts as a draw.
        ink: how often each bit is one, `[D]`.
    """

    completes = "approximate"
    rounds: ClassVar[int]

    def build(self, generator: torch.Generator) -> None:
        super().build(generator)
        self.ink = digits8.frequencies(self.pictures.bits(self.pictures.train[0]))

    @abstractmethod
    def walked(self, bits: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Bits `[n, D]` so many steps later."""

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        start = bernoulli(self.ink.expand(n, -1), generator)
        return self.pictures.from_bits(self.walked(start, self.rounds, generator))

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        wanted, observed = self.pictures.bits(self.repeated(x, count)), self.pictures.seen_bits
        bits = torch.where(observed, wanted, bernoulli(self.ink.expand_as(wanted), generator))
        for _ in range(self.rounds):
            bits = torch.where(observed, wanted, self.walked(bits, 1, generator))
        return self.pictures.from_bits(bits).view(count, *x.shape)


class Machine(MarkovChain):
    """A restricted Boltzmann machine by persistent contrastive divergence, with so few hidden units that log Z is a
    sum.

    Attributes:
        hidden: units.
    """

    density, rounds, passes = "exact", RBM_ROUNDS, 2 * RBM_ROUNDS
    hidden: ClassVar[int] = 16
    network: RBM

    def fitted(self, steps: int) -> RBM:
        return digits8.train_rbm(Stream(self.pictures), self.hidden, steps, seeded(self.seed))

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.network.log_prob(self.pictures.bits(x)).double()

    def walked(self, bits: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        return self.network.gibbs(bits, steps, generator)


class LargeMachine(Machine):
    """The same with more hidden units: log Z is an estimate."""

    density, hidden = "estimate", 128

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        betas = torch.linspace(0, 1, TEMPERATURES + 1)
        log_z = log_mean_exp(ais(self.network, torch.logit(self.ink), betas, CHAINS, generator))
        return -self.network.free_energy(self.pictures.bits(x)).double() - log_z


class Chain(MarkovChain):
    """A denoising chain: corrupt, denoise by a draw, and again."""

    why_no_density = "only a chain's steps have probabilities, not where it comes to rest"
    rounds = passes = WALK
    network: Denoiser

    def fitted(self, steps: int) -> Denoiser:
        return digits8.train_denoiser(Stream(self.pictures), steps, seeded(self.seed))

    def walked(self, bits: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        return walk(self.network, bits, steps, generator)
