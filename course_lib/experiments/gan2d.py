"""GANs in the plane in training: the models of `models.gan2d` on data that can be chosen, or drawn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import Blobs, Drawing
from course_lib.data.plane import EXTENT, PLANE, SPIRAL, WAVE
from course_lib.experiments.base import Hyperparameters, knob, run
from course_lib.experiments.gan1d import adam, set_optimizer
from course_lib.experiments.phases import Phase, PhasedExperiment
from course_lib.measure import Modes, cell_divergences, cell_shares, count_modes
from course_lib.models.gan2d import (
    NOISES,
    VARIANTS,
    Critic,
    Generator,
    clip_weights,
    d_loss,
    g_loss,
    is_wasserstein,
    noise,
    penalty,
)

WIDTH = 64
BETA1 = 0.5
CELLS, MEASURED = 24, 2000  # cells a side for KL and JS, and points counted
AVERAGE = 0.995  # of G's averaged weights that each step keeps
MEASURE_EVERY = 25  # steps: what is measured in between is what was measured last
SHOWN, SURFACE, LINES = 256, 48, 13  # points, pixels a side of D's surface, lines a side of G's grid
SNAPSHOT_SEED = 2**32  # seeds of runs are smaller, so a picture never uses a run's own random numbers
EXAMPLES = np.stack([Drawing(ink).pixels.numpy() for ink in (WAVE, SPIRAL)])
PHASES = ("noise", "fakes", "verdict", "loss", "gradient", "update")


@dataclass(frozen=True)
class GAN2DHyperparameters(Hyperparameters):
    """The knobs of the 2-D GANs, with values that let WGAN-GP find every mode of the ring (benchmarks/gan2d_seeds.py).
    """

    variant: str = knob(
        "vanilla", label="variant", choices=VARIANTS, restart=True,
        help="What D is: vanilla and R1 tell real from fake; WGAN and WGAN-GP are critics whose slope is bounded.")
    data: str = knob(
        "ring", label="data", choices=(*PLANE, "drawn"), restart=True,
        help="Where the real points come from; 'drawn' is what you drew.")
    drawing: str = knob(
        WAVE, label="your drawing", restart=True,
        help="The pixels of your drawing, as text.")
    noise: str = knob(
        "normal", label="noise", choices=NOISES, restart=True,
        help="What G makes its fakes from: z ~ N(0, I), or uniform in a square.")
    learning_rate_d: float = knob(
        4e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far D moves at each of its steps.")
    learning_rate_g: float = knob(
        4e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far G moves at each of its steps.")
    d_steps: int = knob(
        2, label="steps of D per step of G (K)", low=1, high=10,
        help="How many times D learns before G answers once.")
    penalty: float = knob(
        0.1, label="weight of the penalty (λ)", low=1e-3, high=100.0, log=True,
        help="How much D's loss counts its slope: WGAN-GP asks for a slope of 1, R1 for a slope of 0 at the data.")
    clip: float = knob(
        0.1, label="clip the weights at (c)", low=1e-3, high=1.0, log=True,
        help="WGAN keeps every weight of D between −c and c.")
    batch_size: int = knob(
        64, label="batch size", low=2, high=512, log=True, unit="points",
        help="How many real and how many fake points one step sees.")


def drawn(pixels: np.ndarray) -> dict[str, str]:
    """The changes of hyperparameters that make a drawing [side, side] the data; none where nothing was drawn."""
    inked = bool((pixels > 0.1).any())
    return {"data": "drawn", "drawing": Drawing.of(torch.from_numpy(pixels)).ink} if inked else {}


def real_points(h: GAN2DHyperparameters) -> Blobs | Drawing:
    """The distribution of the real points that the hyperparameters name."""
    return Drawing(h.drawing) if h.data == "drawn" else PLANE[h.data]


class GAN2DExperiment(PhasedExperiment):
    """One GAN in the plane in training, and the average of G's weights over the last hundreds of steps, which swings
    less than G does (Y. Yazıcı et al., The Unusual Effectiveness of Averaging in GAN Training, ICLR 2019).

    Metrics: loss_d (penalty included) and loss_g, in nats for vanilla, in the critic's units else; gap, mean D(x) −
    mean D(x̃) of the last batch of D; kl and js between real and fake points by cells, in nats; modes covered and the
    share near a mode, NaN where the data have none. The last four are measured every 25 steps, on
    points of their own.
    """

    Hyperparameters = GAN2DHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.data, self.rng = real_points(h), generator
        self.G, self.D = Generator(WIDTH, generator), Critic(WIDTH, generator)
        self.average = copy.deepcopy(self.G).requires_grad_(False)
        self.optimizer_g, self.optimizer_d = adam(self.G), adam(self.D)
        self.batch: dict[str, Tensor] = {}  # what the phases of the update under way hand on
        own = torch.Generator().manual_seed(SNAPSHOT_SEED)
        self.own_noise, self.own_real = noise(h.noise, MEASURED, own), self.data.sample(MEASURED, own)
        self.own_shares = cell_shares(self.data.sample(10 * MEASURED, own), -EXTENT, EXTENT, CELLS)
        self.measured: dict[str, Tensor] = {}

    def apply(self, hyperparameters: Hyperparameters) -> None:
        set_optimizer(self.optimizer_g, hyperparameters.learning_rate_g, BETA1)
        set_optimizer(self.optimizer_d, hyperparameters.learning_rate_d, BETA1)

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"G": self.G, "D": self.D, "model": self.average, "optimizer_g": self.optimizer_g,
                "optimizer_d": self.optimizer_d, "rng": self.rng}

    # One update, in phases: each leaves in `batch` what the next one needs, and what can be drawn.

    def phases(self) -> list[Phase]:
        K = self.hyperparameters.d_steps
        turns = [("D", f"{k + 1} of {K}") for k in range(K)] + [("G", "1 of 1")]
        return [Phase(network, turn, name, partial(getattr(self, f"_{name}"), network))
                for network, turn in turns for name in PHASES]

    def _noise(self, network: str) -> Callable[[], str]:
        h = self.hyperparameters
        self.batch = {"z": noise(h.noise, h.batch_size, self.rng)}
        if network == "D":
            self.batch["x"] = self.data.sample(h.batch_size, self.rng)
            return lambda: f"Draw {h.batch_size} points of noise z, and {h.batch_size} real points x."
        return lambda: f"Draw {h.batch_size} new points of noise z. G never sees the real points."

    def _fakes(self, network: str) -> Callable[[], str]:
        fake = self.G(self.batch["z"])
        self.batch["fake"] = fake.detach() if network == "D" else fake  # detached: D's turn teaches G nothing
        return lambda: "G turns each z into a fake G(z)."

    def _verdict(self, network: str) -> Callable[[], str]:
        batch = self.batch
        if network == "D":
            batch["real_scores"] = self.D(batch["x"])
        else:  # kept for its gradient by each fake, which the pictures draw
            batch["fake"].retain_grad()
        batch["fake_scores"] = self.D(batch["fake"])
        return lambda: "D judges " + " and ".join(
            f"the {name} points: mean {self.verdict(batch[key]).mean():.3f}"
            for key, name in (("real_scores", "real"), ("fake_scores", "fake")) if key in batch) + "."

    def _loss(self, network: str) -> Callable[[], str]:
        h, batch = self.hyperparameters, self.batch
        if network == "G":
            batch["loss"] = loss_g = g_loss(h.variant, batch["fake_scores"])
            self.loss_g = loss_g.detach()
            return lambda: f"The loss of G is {loss_g:.4f}."
        plain = loss_d = d_loss(h.variant, batch["real_scores"], batch["fake_scores"])
        extra = penalty(h.variant, self.D, batch["x"], batch["fake"], self.rng)
        if extra is not None:
            loss_d = loss_d + h.penalty * extra
        batch["loss"], self.loss_d = loss_d, loss_d.detach()
        self.gap = (batch["real_scores"].mean() - batch["fake_scores"].mean()).detach()
        if extra is None:
            return lambda: f"The loss of D is {loss_d:.4f}."
        return lambda: f"The loss of D is {plain:.4f}, and λ · {extra:.4f} for its slope: {loss_d:.4f}."

    def _gradient(self, network: str) -> Callable[[], str]:
        trained, optimizer = (self.D, self.optimizer_d) if network == "D" else (self.G, self.optimizer_g)
        optimizer.zero_grad()
        own = list(trained.parameters())  # the gradient of G's loss goes through D, and stays in G
        self.batch["loss"].backward(inputs=own if network == "D" else [*own, self.batch["fake"]])
        norm = torch.cat([p.grad.ravel() for p in own]).norm
        if network == "D":
            return lambda: f"The loss is differentiated by D's weights; the gradient has length {norm():.3g}."
        return lambda: ("D says to each fake where to go: the arrows. Through G they become a gradient by G's "
                        f"weights, of length {norm():.3g}.")

    def _update(self, network: str) -> Callable[[], str]:
        h = self.hyperparameters
        if network == "G":
            self.optimizer_g.step()
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.G.parameters()), 1 - AVERAGE)
            return lambda: "G moves against the gradient: its fakes stand elsewhere now."
        self.optimizer_d.step()
        if h.variant == "WGAN":
            clip_weights(self.D, h.clip)
            return lambda: f"D moves against the gradient; then its weights are cut to [−{h.clip:.3g}, {h.clip:.3g}]."
        return lambda: "D moves against the gradient: its surface has changed."

    def metrics(self) -> dict[str, Tensor]:
        if not self.measured or (self.steps + 1) % MEASURE_EVERY == 0:
            self.measured = {name: torch.tensor(value) for name, value in self.quality().items()}
        return {"loss_d": self.loss_d, "loss_g": self.loss_g, "gap": self.gap, **self.measured}

    # What is drawn and measured.

    @torch.no_grad()
    def samples(self, count: int, seed: int = SNAPSHOT_SEED + 1, averaged: bool = False) -> np.ndarray:
        """`count` fakes, shape (count, 2), of G as it is or of G with its averaged weights."""
        z = noise(self.hyperparameters.noise, count, torch.Generator().manual_seed(seed))
        return (self.average if averaged else self.G)(z).numpy()

    def modes(self, samples: np.ndarray) -> Modes | None:
        """The modes that samples (n, 2) cover, or None for data that have none."""
        return count_modes(samples, self.data.centres, self.data.std) if isinstance(self.data, Blobs) else None

    @torch.no_grad()
    def quality(self, averaged: bool = False) -> dict[str, float]:
        """kl and js in nats, modes covered, and the share near a mode, on noise that is always the same."""
        fake = (self.average if averaged else self.G)(self.own_noise).numpy()
        if not np.isfinite(fake).all():
            return dict.fromkeys(("kl", "js", "modes", "near"), float("nan"))
        kl, js = cell_divergences(self.own_shares, cell_shares(fake, -EXTENT, EXTENT, CELLS))
        modes = self.modes(fake)
        return {"kl": kl, "js": js, "modes": float(modes.covered) if modes else float("nan"),
                "near": modes.near if modes else float("nan")}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """`quality` of G with its averaged weights, as far as the data have it."""
        return {name: value for name, value in self.quality(averaged=True).items() if np.isfinite(value)}

    def verdict(self, scores: Tensor) -> Tensor:
        """What D means by its scores: the probability that a point is real, or the critic's score as it is."""
        return scores if is_wasserstein(self.hyperparameters.variant) else torch.sigmoid(scores)

    def push(self, x: Tensor) -> Tensor:
        """Where each fake x (n, 2) should go to lower its loss of G: −∂loss/∂x, shape (n, 2)."""
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(g_loss(self.hyperparameters.variant, self.D(x)), x)
        return -gradient

    def snapshot(self) -> dict[str, np.ndarray]:
        """Arrays for the pictures.

        real, fake (points, 2): of the batch in the middle of an update, else of the snapshot's own; noise (points, 2)
        only before the phase that makes fakes of it. push (points, 2): −∂loss/∂x at push_at. surface (48, 48): D's
        verdict over the square, and its surface_limits (2,). grid_noise, grid_data (13, 13, 2): a grid of noise, and
        where G takes it. verdict_axis, verdict_real, verdict_fake (40,): histograms of D's verdicts as densities.
        """
        with torch.no_grad():
            surface = self.verdict(self.D(_square(SURFACE))).reshape(SURFACE, SURFACE).numpy()
            lines = torch.linspace(0.02, 0.98, LINES)
            axis = torch.special.ndtri(lines) if self.hyperparameters.noise == "normal" else 2 * lines - 1
            grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
            bent = self.G(grid)
        if self.done and self.phases()[self.done - 1].name == "noise":
            bent = grid  # G has not yet taken it anywhere
        points = self._points_under_way() if self.done else self._points_between()
        limits = (0.0, 1.0)
        if is_wasserstein(self.hyperparameters.variant):
            limits = (np.nanmin(surface), np.nanmax(surface)) if np.isfinite(surface).all() else (0.0, 1.0)
        return {"surface": surface, "surface_limits": np.array(limits), "grid_noise": grid.numpy(),
                "grid_data": bent.numpy(), **points, **self._verdicts(points, limits)}

    def _points_between(self) -> dict[str, np.ndarray]:
        with torch.no_grad():
            fake = self.G(self.own_noise[:SHOWN])
        return {"real": self.own_real[:SHOWN].numpy(), "fake": fake.numpy(), "noise": NOTHING,
                "push_at": fake.numpy(), "push": self.push(fake).numpy()}

    def _points_under_way(self) -> dict[str, np.ndarray]:
        last, batch = self.phases()[self.done - 1], self.batch
        drawn = {name: batch[key].detach().numpy() if key in batch else NOTHING
                 for name, key in (("real", "x"), ("fake", "fake"))}
        drawn["noise"] = batch["z"].numpy() if last.name == "noise" else NOTHING
        arrows = last.network == "G" and last.name in ("gradient", "update")
        drawn["push_at"] = drawn["fake"] if arrows else NOTHING
        drawn["push"] = -batch["fake"].grad.numpy() if arrows else NOTHING
        return drawn

    @torch.no_grad()
    def _verdicts(self, points: dict[str, np.ndarray], limits: tuple[float, float]) -> dict[str, np.ndarray]:
        low, high = limits
        edges = np.linspace(low, high if high > low else low + 1, 41)
        made = {"verdict_axis": (edges[:-1] + edges[1:]) / 2}
        judged = not self.done or self.phases()[self.done - 1].name not in ("noise", "fakes")
        for name in ("real", "fake"):
            values = self.verdict(self.D(torch.from_numpy(points[name] if judged else NOTHING))).numpy()
            counts, _ = np.histogram(np.clip(values[np.isfinite(values)], edges[0], edges[-1]), edges)
            made[f"verdict_{name}"] = counts / max(len(values), 1) / (edges[1] - edges[0])
        return made


def run_with_decay(experiment: GAN2DExperiment, steps: int, progress: bool = False) -> Iterator[dict[str, Tensor]]:
    """The metrics of `steps` updates, whose learning rates fall over the second half, in ten stages, to a tenth.

    Constant rates keep G's points trembling about the data; in a lab the same is done by hand, with two sliders.
    """
    begun, rates = experiment.hyperparameters, ("learning_rate_d", "learning_rate_g")
    yield from run(experiment, steps // 2, progress)
    for stage in range(1, 11):
        experiment.set(**{rate: getattr(begun, rate) * (1 - 0.09 * stage) for rate in rates})
        yield from run(experiment, steps // 20, progress)


NOTHING = np.empty((0, 2), np.float32)


def _square(side: int) -> Tensor:
    """The middles of side·side equal pixels of the square, rows from bottom to top, shape (side², 2)."""
    axis = (2 * (torch.arange(side) + 0.5) / side - 1) * EXTENT
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
