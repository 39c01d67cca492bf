"""Several families on the same black and white digits of 8x8 pixels, and one table that measures any of them alike.

What trains them takes pictures of any number of pixels: all of them, `[n, D]`, or a `Source` that makes ever new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import load_digits8
from course_lib.measure import frechet_distance, mmd2
from course_lib.models.diffusion import DiffusionMLP, denoising_loss
from course_lib.models.gsn import PixelDenoiser, walkback_loss
from course_lib.models.layers import mlp
from course_lib.models.made import MADE
from course_lib.models.rbm import RBM, bernoulli
from course_lib.models.schedules import SCHEDULES
from course_lib.training.optim import linear_decay
from course_lib.training.step import minimize

BATCH, COMPARED = 100, 250  # pictures a step; for the generator, whose loss compares them in pairs
MADE_BATCH, DECAY = 64, 0.1  # of MADE, as in notebook 10
NOISE_SIZE, WIDTHS = 16, (1.0, 2.0, 4.0)  # of the generator: numbers in z; of its kernel: widths, in pixels
EARLIEST = 0.01  # of the diffusion model: no time nearer to data or to noise is trained
COUNTED = 10_000  # pictures of a source, in which the ink of each pixel is counted
SETS = 4  # sets of samples, each as large as the test set, whose Fréchet distances are averaged


class Source(Protocol):
    """Where batches come from that are drawn anew: called with a number n and a generator it makes pictures `[n, D]`.

    Attributes:
        D: pixels of a picture.
    """

    D: int

    def __call__(self, n: int, generator: torch.Generator) -> Tensor: ...


def flat_digits() -> tuple[Tensor, Tensor]:
    """Training and test pictures, float32 `[1437, 64]` and `[360, 64]`, 0 and 1."""
    digits = load_digits8()
    return digits.train.flatten(1).float(), digits.test.flatten(1).float()


def frequencies(x: Tensor) -> Tensor:
    """How often each pixel of `[n, D]` is ink, with one picture of each colour added, so that none is 0 or 1."""
    return (x.sum(0) + 1) / (len(x) + 2)


def train_rbm(x: Tensor | Source, H: int, steps: int, generator: torch.Generator, rate: float = 0.1) -> RBM:
    """Gradient ascent by hand, as in `experiments.rbm`: an RBM after so many steps of persistent contrastive divergence
    with 100 chains on pictures `[n, D]`."""
    rbm, ink = RBM(_dimensions(x), H, generator), frequencies(x if isinstance(x, Tensor) else x(COUNTED, generator))
    rbm.b.data.copy_(torch.logit(ink))
    chains = bernoulli(ink.expand(BATCH, -1), generator)
    for step in range(steps):
        chains = rbm.gibbs(chains, 1, generator)
        rbm.gradient_step(rbm.moments(_batch(x, generator)), rbm.moments(chains), linear_decay(rate, step, steps))
    return rbm


def train_denoiser(x: Tensor | Source, steps: int, generator: torch.Generator, noise: float = 0.3, rate: float = 2e-3,
                   ) -> PixelDenoiser:
    """A denoiser of pictures `[n, D]`, trained without walkback, which did harm here: its independent pixels return
    from far away to an average of several digits."""
    denoiser = PixelDenoiser(_dimensions(x), 256, noise, generator)
    minimize(denoiser, lambda: walkback_loss(denoiser, _batch(x, generator), 1, generator), steps, rate)
    return denoiser


def train_made(x: Tensor | Source, steps: int, generator: torch.Generator, rate: float = 5e-3,
               size: tuple[int, int] = (8, 8), weight_decay: float = DECAY) -> MADE:
    """An autoregressive network with 256 hidden units, trained on pictures `[n, D]` of this height and width; its
    weights decay, since the digits are few."""
    network = MADE(size, [256], generator)
    minimize(network, lambda: -network.log_prob(_batch(x, generator, MADE_BATCH).view(-1, *size).long()).mean(), steps,
             rate, weight_decay=weight_decay)
    return network


def train_generator(x: Tensor | Source, steps: int, generator: torch.Generator, widths: Sequence[float] = WIDTHS,
                    rate: float = 2e-3) -> nn.Module:
    """A generator from z `[n, 16]` to pixels in (0, 1) that makes the kernel MMD to pictures `[n, D]` small."""
    G = nn.Sequential(mlp([NOISE_SIZE, 256, 256, _dimensions(x)], generator), nn.Sigmoid())

    def loss() -> Tensor:
        return mmd2(_batch(x, generator, COMPARED), G(torch.randn(COMPARED, NOISE_SIZE, generator=generator)), widths)

    minimize(G, loss, steps, rate)
    return G


def train_diffusion(x: Tensor | Source, steps: int, generator: torch.Generator, rate: float = 2e-3) -> DiffusionMLP:
    """A denoiser of pictures `[n, D]` of −1 and 1 at every noise level of the cosine schedule: it predicts x_0."""
    network = DiffusionMLP(_dimensions(x), 256, generator)

    def loss() -> Tensor:
        x_0 = _batch(x, generator)
        t = EARLIEST + (1 - 2 * EARLIEST) * torch.rand(len(x_0), generator=generator)
        eps = torch.randn(x_0.shape, generator=generator)
        return denoising_loss(network, x_0, t, eps, SCHEDULES["cosine"], "data").mean()

    minimize(network, loss, steps, rate)
    return network


def _dimensions(x: Tensor | Source) -> int:
    return x.shape[1] if isinstance(x, Tensor) else x.D


def _batch(x: Tensor | Source, generator: torch.Generator, size: int = BATCH) -> Tensor:
    if not isinstance(x, Tensor):
        return x(size, generator)
    return x[torch.randint(len(x), (size,), generator=generator)]


@dataclass(frozen=True)
class TableRow:
    """One model for the table: what is known about its family, and how to use it.

    Attributes:
        name: of the model.
        density: exact, a bound, or none.
        consistent: whether with ever more data, units and training it would end at the data's distribution.
        steps: passes through the network for one sample.
        parallel: whether the pixels of one picture are made at once.
        network: what the family asks of its network.
        draw: so many pictures, `[count, 64]`, from a generator of random numbers.
        log_prob: log p(x) in nats `[n]` of pictures `[n, 64]`; None where there is no density.
    """

    name: str
    density: str
    consistent: str
    steps: str
    parallel: str
    network: str
    draw: Callable[[int, torch.Generator], Tensor]
    log_prob: Callable[[Tensor], Tensor] | None = None


class Measured(NamedTuple):
    """nll: −log p in nats per test picture, NaN without a density; frechet: distance to the training pictures, on raw
    pixels; seconds: of processor time for 1,000 samples; samples: `[1440, 64]`."""

    nll: float
    frechet: float
    seconds: float
    samples: np.ndarray


@torch.no_grad()
def measure(row: TableRow, train: Tensor, test: Tensor, generator: torch.Generator) -> Measured:
    """Measure one model on training and test pictures, each `[n, 64]`.

    Its Fréchet distance is the mean over four sets of samples, each as large as the test set, so that it compares with
    the distance of the test pictures themselves (small sets score worse).
    """
    start = time.process_time()
    samples = row.draw(SETS * len(test), generator)
    seconds = (time.process_time() - start) * 1000 / len(samples)
    distances = [frechet_distance(part.numpy(), train.numpy()) for part in samples.split(len(test))]
    nll = float("nan") if row.log_prob is None else -row.log_prob(test).mean().item()
    return Measured(nll, float(np.mean(distances)), seconds, samples.numpy())


def table(rows: Sequence[TableRow], measured: Sequence[Measured]) -> str:
    """The rows as a table in Markdown; a dash where a number is NaN."""

    def number(value: float, digits: str) -> str:
        return "–" if np.isnan(value) else format(value, digits)

    head = ("model", "density", "consistent", "steps a sample", "pixels at once", "network",
            "test NLL (nats)", "Fréchet (pixels)", "seconds per 1,000 samples")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row, m in zip(rows, measured, strict=True):
        cells = (row.name, row.density, row.consistent, row.steps, row.parallel, row.network, number(m.nll, ".2f"),
                 number(m.frechet, ".2f"), number(m.seconds, ".2g"))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
