"""Families that go from noise to data: diffusion on the cosine schedule, and flow matching.

Of bits x of −1 and 1 a network that says x̂ from noised ones has a bound on log p(x), whatever it was trained for:

    −log p(x) ≤ KL(q(z_1 | x) ‖ N(0, I)) + E −log p(x | z_0) + ½ ∫ SNR E ‖x − x̂(z)‖² dλ,    λ = log SNR

between the least and the greatest λ, with p(x | z_0) bit by bit. Each greatest λ gives a bound, and the tightest is
taken: a network that is sure of what is wrong pays least where the bits decide early. It is tight for the exact
denoiser, and speaks of the chain in ever more steps, not of the few steps that draw.

Reference: D. Kingma, T. Salimans, B. Poole, J. Ho, Variational Diffusion Models, NeurIPS 2021: equations 6, 11 and 17.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.comparisons import digits8
from course_lib.comparisons.scoreboard.family import FAST, ExperimentFamily, Family, Fitted, in_parts
from course_lib.comparisons.scoreboard.pictures import Stream
from course_lib.experiments.flow_matching import FlowMatchingExperiment, FlowMatchingHyperparameters
from course_lib.models.diffusion import DiffusionMLP
from course_lib.models.flow_matching import PATH, even_times, flow_matching_loss, follow
from course_lib.models.inpainting import inpaint
from course_lib.models.rbm import bernoulli
from course_lib.models.samplers import Denoiser, ancestral
from course_lib.models.schedules import SCHEDULES, Schedule, convert, target
from course_lib.models.unet import NO_LABEL
from course_lib.seeds import seeded
from course_lib.training import Experiment
from course_lib.training.step import Metrics, minimize

COSINE = SCHEDULES["cosine"]
LOWEST, MIDDLE, HIGHEST = -8.0, 0.0, 4.0  # λ: a bound is summed from the first, where nothing is left of x, to an end
# between the others, at the last of which no doubt is left
LEVELS = 32  # noise levels at which each picture's bound is measured
ANCESTRAL, HEUN, INPAINTED = 50, 20, 50  # steps of a draw by diffusion, by flow matching, of a completion
EARLIEST = digits8.EARLIEST  # networks know times from here to 1 less this


@torch.no_grad()
def bits_bound(denoiser: Denoiser, schedule: Schedule, x: Tensor, generator: torch.Generator,
               levels: int = LEVELS) -> Tensor:
    """The bound above as a lower one on log p(x) in nats, float64 `[n]`, of bits x of −1 and 1, `[n, D]`.

    Args:
        denoiser: x̂ `[n, D]` of noised bits `[n, D]` at times `[n]`; it is cut to [−1, 1].
        levels: noise levels for each picture, spread evenly over λ. The sum ends where the bound is tightest, on
            average over x.
    """
    def noise() -> Tensor:
        return torch.randn(x.shape, generator=generator)

    span, total, tightest = HIGHEST - LOWEST, torch.zeros(len(x), dtype=torch.float64), None
    for i in range(levels):
        log_snr = LOWEST + span * (i + torch.rand(len(x), generator=generator)) / levels
        t = schedule.time(log_snr)
        guess = denoiser(schedule.noised(x, t, noise()), t).clamp(-1, 1)
        total += (0.5 * span / levels * log_snr.exp() * (x - guess).square().sum(1)).double()
        end = LOWEST + span * (i + 1) / levels
        if end >= MIDDLE:
            snr = torch.tensor(end).exp()
            z = x + noise() / snr.sqrt()  # with as much noise as at this λ
            found = total + F.softplus(-2 * snr * x * z).sum(1)
            tightest = found if tightest is None or found.mean() < tightest.mean() else tightest
    prior = 0.5 * x.shape[1] * torch.tensor(LOWEST).exp().log1p()  # of |x| = 1, on a schedule that keeps the variance
    return -(tightest + prior)


def straightened(denoiser: Denoiser, schedule: Schedule) -> Callable[[Tensor, Tensor], Tensor]:
    """The velocity on the straight path, of x `[n, D]` at times `[n]`, of a denoiser on another schedule: what is asked
    is the noised picture with the same ratio of signal and noise."""

    def field(x: Tensor, t: Tensor) -> Tensor:
        inner = t.clamp(EARLIEST, 1 - EARLIEST)
        s = schedule.time(PATH.log_snr(inner))
        shrink = (schedule.alpha(s) / PATH.alpha(inner))[:, None]
        return (x - denoiser(shrink * x, s)) / t[:, None]

    return field


class Noised(Family):
    """What all have in common: a denoiser on a schedule, for flat x `[n, D]` of −1 and 1, or between."""

    density, completes = "bound", "approximate"
    schedule: Schedule = COSINE

    @abstractmethod
    def denoise(self, x: Tensor, t: Tensor) -> Tensor:
        """x̂ `[n, D]`, of x's type, of noised x `[n, D]` at times `[n]`."""

    def field(self, x: Tensor, t: Tensor) -> Tensor:
        """The velocity `[n, D]` on the straight path, of x `[n, D]` at times `[n]`."""
        return straightened(self.denoise, self.schedule)(x, t)

    def drawn(self, n: int, generator: torch.Generator) -> Tensor:
        """Draws `[n, D]` of numbers, mostly between −1 and 1."""
        times = torch.linspace(1 - EARLIEST, 0, ANCESTRAL + 1, dtype=torch.float64)
        noise = torch.randn(n, self.pictures.D, generator=generator, dtype=torch.float64)
        return ancestral(self.denoise, noise, times, self.schedule, generator)[-1]

    @property
    def passes(self) -> int:
        return ANCESTRAL

    def to_pictures(self, v: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures `[n, H, W]` of numbers `[n, D]`: bits by their sign."""
        return self.pictures.from_bits((v > 0).float())

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.cat([self.to_pictures(self.drawn(part, generator), generator) for part in in_parts(n)])

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        parts = (2 * self.pictures.bits(x) - 1).split(500)
        return torch.cat([bits_bound(self.denoise, self.schedule, part, generator) for part in parts])

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        known, seen = 2 * self.pictures.bits(self.repeated(x, count)) - 1, self.pictures.seen_bits
        done = torch.cat([inpaint(self.field, part, seen, INPAINTED, generator) for part in known.split(500)])
        return torch.where(self.pictures.seen, x, self.to_pictures(done, generator).view(count, *x.shape))


class BitsDiffusion(Noised, Fitted):
    """Diffusion of bits by an MLP that says the data, as in notebook 11b."""

    network: DiffusionMLP

    def fitted(self, steps: int) -> DiffusionMLP:
        return digits8.train_diffusion(Stream(self.pictures, low=-1.0), steps, seeded(self.seed))

    def denoise(self, x: Tensor, t: Tensor) -> Tensor:
        return self.network(x.float(), t.float()).clamp(-1, 1).to(x)


class Straight(Noised):
    """What both have in common whose network says the velocity on the straight path: `field`."""

    schedule = PATH

    def denoise(self, x: Tensor, t: Tensor) -> Tensor:
        return x - t[:, None] * self.field(x, t)

    def drawn(self, n: int, generator: torch.Generator) -> Tensor:
        return follow(self.field, torch.randn(n, self.pictures.D, generator=generator), HEUN, "heun", last="euler")

    @property
    def passes(self) -> int:
        return 2 * HEUN - 1


class BitsFlowMatching(Straight):
    """Flow matching of bits by an MLP."""

    network: DiffusionMLP

    def build(self, generator: torch.Generator) -> None:
        self.network = DiffusionMLP(self.pictures.D, 256, generator)

    def fit(self) -> None:
        source, generator = Stream(self.pictures, low=-1.0), self.generator

        def loss() -> Tensor:
            x, t = source(digits8.BATCH, generator), even_times(digits8.BATCH, generator)
            eps = torch.randn(x.shape, generator=generator)
            return flow_matching_loss(self.network(PATH.noised(x, t, eps), t), x, eps)

        minimize(self.network, loss, self.steps, 2e-3)

    def field(self, x: Tensor, t: Tensor) -> Tensor:
        return self.network(x, t)


class GreyDigits(Noised, ExperimentFamily):
    """What both have in common that draw MNIST in grey, by a U-Net that is told labels: a draw's label is drawn first,
    a completion is told none; ink is drawn with the probability of its grey, as in the data."""

    density = ""
    why_no_density = "it draws grey pictures, and black and white ones of these: p(x) would add up all grey ones"
    network: nn.Module

    def make(self) -> Experiment:
        return self.kind(FlowMatchingHyperparameters(total_steps=self.steps, precision=FAST), self.seed, "cpu")

    kind: type[FlowMatchingExperiment] = FlowMatchingExperiment
    labels: Tensor | None = None  # of the draws that are under way

    def said(self, x: Tensor, t: Tensor) -> Tensor:
        """What the network says, `[n, 784]` of x's type, of x `[n, 784]` at times `[n]`."""
        y = torch.full((len(x),), NO_LABEL) if self.labels is None else self.labels
        return self.network(x.float().view(-1, 1, 28, 28), t.float(), y).flatten(1).to(x)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        parts = []
        for part in in_parts(n):
            self.labels = self.pictures.draw_labels(part, generator)
            parts.append(self.to_pictures(self.drawn(part, generator), generator))
        self.labels = None
        return torch.cat(parts)

    def to_pictures(self, v: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures `[n, H, W]` of grey levels `[n, 784]` from −1 to 1."""
        return self.pictures.from_bits(bernoulli((v.float().clamp(-1, 1) + 1) / 2, generator))


class DiffusionExperiment(FlowMatchingExperiment):
    """Diffusion with the network and the batches of flow matching: the cosine schedule, and v = α ε − σ x as what is
    learned. Metrics as of flow matching."""

    def loss(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        x, eps, t, y = batch
        t = EARLIEST + (1 - 2 * EARLIEST) * t
        said = self.network(COSINE.noised(x, t, eps), t, y).flatten(1)
        loss = (said - target("v", COSINE, t, x.flatten(1), eps.flatten(1))).square().mean()
        return loss, {"loss": loss}


class MNISTDiffusion(GreyDigits):
    """Diffusion of MNIST, by ancestral steps."""

    kind = DiffusionExperiment

    def denoise(self, x: Tensor, t: Tensor) -> Tensor:
        return convert(self.said(x, t), x, t, COSINE, given="v", wanted="data").clamp(-1, 1)


class MNISTFlowMatching(GreyDigits, Straight):
    """Flow matching of MNIST, by `experiments.flow_matching`."""

    def field(self, x: Tensor, t: Tensor) -> Tensor:
        return self.said(x, t)
