"""Flows in the plane in training: two moons or a circle, additive, affine or spline couplings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data.moons import CIRCLE, MOONS
from course_lib.models.flows import AdditiveCoupling, AffineCoupling, Flow, Scaling
from course_lib.models.splines import SplineCoupling
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

DATA = {"two moons": MOONS, "circle": CIRCLE}
COUPLINGS = {"additive": AdditiveCoupling, "affine": AffineCoupling, "spline": SplineCoupling}
EXTENT = 2.0  # pictures show the square [−EXTENT, EXTENT]²
PIXELS, LINES, SHOWN = 64, 15, 256  # of the density's side, of the grid's side, points
MEASURED, MEASURE_EVERY = 2000, 25  # points that KL is measured on, and steps between measurements


@dataclass(frozen=True)
class FlowHyperparameters(Hyperparameters):
    """The hyperparameters of a flow in the plane, with values for a lab without end. A run of known length does better
    with a larger rate that falls at its end: benchmarks/flows.py in the course's repository."""

    data: str = hyperparameter(
        "two moons", label="data", choices=tuple(DATA), restart=True,
        help="Where the points come from: two arcs, or a circle, each blurred.")
    kind: str = hyperparameter(
        "affine", label="couplings", choices=tuple(COUPLINGS), restart=True,
        help="How a coupling bends: it shifts (NICE), it scales and shifts (Real NVP), or it is a spline.")
    n_couplings: int = hyperparameter(
        8, label="number of couplings", low=1, high=16, restart=True,
        help="Layers of the flow, from noise to data.")
    permute: bool = hyperparameter(
        True, label="halves take turns", restart=True,
        help="Whether every second coupling bends the coordinate that the others let pass.")
    width: int = hyperparameter(
        64, label="width", low=4, high=256, unit="units", restart=True,
        help="Units of the two hidden layers of each coupling's network.")
    learning_rate: float = hyperparameter(
        2e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        256, label="batch size", low=1, high=4096, log=True, unit="points",
        help="How many new points one step sees.")
    total_steps: int = length_of_training()


def build_flow(h: FlowHyperparameters, generator: torch.Generator) -> Flow:
    """The flow that the hyperparameters name. Additive couplings get the scaling that they need at their end."""
    layers: list[nn.Module] = [COUPLINGS[h.kind](2, h.width, h.permute and i % 2 == 1, generator)
                               for i in range(h.n_couplings)]
    return Flow([*layers, Scaling(2)] if h.kind == "additive" else layers)


@register(
    "flow",
    summary="a normalizing flow in the plane",
    prints="Prints −log p(x) of a batch and KL(data ‖ flow), in nats.",
)
class FlowExperiment(LossExperiment):
    """A flow learns by maximum likelihood from points that are drawn anew for every step.

    Metrics: nll, −log p(x) of the batch's mean, in nats; kl, KL(data ‖ flow) in nats on 2,000 points of its own, which
    are always the same, measured every 25 steps.

    Attributes:
        model: the `Flow`.
        data: the distribution it learns, `data.moons.Arcs`.
    """

    Hyperparameters = FlowHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.data, self.generator = DATA[h.data], generator
        self.model = build_flow(h, generator).to(self.device)
        self.optimizer = adam(self.model)
        own = seeded(SNAPSHOT_SEED)
        self.own_x = self.data.sample(MEASURED, own)
        self.own_z = torch.randn(SHOWN, 2, generator=own)
        self.own_log_p = self.data.log_prob(self.own_x)
        axis, square = square_grid(PIXELS)
        self.axis, self.square, self.true_density = axis, square, self.data.log_prob(square).exp().numpy()
        self.kl: Tensor | None = None  # not measured yet

    def next_batch(self) -> Tensor:
        """New points, `[batch_size, 2]`."""
        return self.data.sample(self.hyperparameters.batch_size, self.generator)

    def loss(self, x: Tensor) -> tuple[Tensor, Metrics]:
        """−log p(x) in nats, mean over the points `[n, 2]`."""
        nll = -self.model.log_prob(x).mean()
        return nll, {"nll": nll}

    @torch.no_grad()
    def after_step(self) -> Metrics:
        """kl, measured now and then."""
        if self.kl is None or (self.steps + 1) % MEASURE_EVERY == 0:
            self.kl = (self.own_log_p - self.log_prob(self.own_x)).mean()
        return {"kl": self.kl}

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats `[n]` of points `[n, 2]`, both on the CPU."""
        return self.model.log_prob(x.to(self.device)).cpu()

    @torch.no_grad()
    def kl_by_sampling(self, count: int = 20_000, seed: int = SNAPSHOT_SEED + 1) -> tuple[float, float]:
        """KL(data ‖ flow) in nats on fresh points, and its standard error."""
        x = self.data.sample(count, seeded(seed))
        ratio = (self.data.log_prob(x) - self.log_prob(x)).double()
        return ratio.mean().item(), (ratio.std() / math.sqrt(count)).item()

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """density `[64, 64]` of the flow over the square; grid_z, grid_x `[15, 15, 2]`: lines of noise with equal
        probability between them, and where the flow takes them; real, made `[256, 2]`; axis `[64]` with real_x1,
        made_x1 `[64]`: the densities of the first coordinate, summed over the square."""
        density = self.log_prob(self.square).exp().numpy().reshape(PIXELS, PIXELS)
        lines = torch.special.ndtri(torch.linspace(0.01, 0.99, LINES))
        grid = torch.stack(torch.meshgrid(lines, lines, indexing="xy"), dim=-1)
        bent = self.model(grid.view(-1, 2).to(self.device))[0].cpu().view_as(grid)
        pixel = 2 * EXTENT / PIXELS
        return {"density": density, "grid_z": grid.numpy(), "grid_x": bent.numpy(), "real": self.own_x[:SHOWN].numpy(),
                "made": self.model(self.own_z.to(self.device))[0].cpu().numpy(), "axis": self.axis.numpy(),
                "real_x1": self.true_density.reshape(PIXELS, PIXELS).sum(axis=0) * pixel,
                "made_x1": density.sum(axis=0) * pixel}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """kl: KL(data ‖ flow) in nats on 20,000 fresh points."""
        return {"kl": self.kl_by_sampling()[0]}


def square_grid(side: int) -> tuple[Tensor, Tensor]:
    """The middles of side·side equal pixels of the square: one axis `[side]`, all points `[side², 2]`, rows from bottom
    to top."""
    axis = (2 * (torch.arange(side) + 0.5) / side - 1) * EXTENT
    return axis, torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
