"""GANs in the plane in training: the models of `models.gan2d` on data that can be chosen, or drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import Blobs, Drawing
from course_lib.data.plane import EXTENT, PLANE, SPIRAL, WAVE
from course_lib.measure import Modes, cell_divergences, cell_shares, count_modes
from course_lib.models.gan2d import (
    NOISES,
    VARIANTS,
    Critic,
    Generator,
    clip_weights,
    d_loss,
    g_loss,
    is_paired,
    is_wasserstein,
    noise,
    penalty,
)
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.loop import run
from course_lib.training.optim import BETAS, adam, weight_average
from course_lib.training.phases import Phase
from course_lib.training.registry import register
from course_lib.training.step import AdversarialExperiment, Metrics

WIDTH = 64
CELLS, MEASURED = 24, 2000  # cells a side for KL and JS, and points counted
AVERAGE = 0.995  # of G's averaged weights that each step keeps
MEASURE_EVERY = 25  # steps: what is measured in between is what was measured last
SHOWN, SURFACE, LINES = 256, 48, 13  # points, pixels a side of D's surface, lines a side of G's grid
EXAMPLES = np.stack([Drawing(ink).pixels.numpy() for ink in (WAVE, SPIRAL)])


@dataclass(frozen=True)
class GAN2DHyperparameters(Hyperparameters):
    """The hyperparameters of the 2-D GANs, with values that let WGAN-GP find every mode of the ring
    (benchmarks/gan2d_seeds.py)."""

    variant: str = hyperparameter(
        "vanilla", label="variant", choices=VARIANTS, restart=True,
        help="What D is: vanilla, R1 and R1+R2 tell real from fake; R3GAN says of a pair which is real; WGAN and "
             "WGAN-GP are critics whose slope is bounded.")
    data: str = hyperparameter(
        "ring", label="data", choices=(*PLANE, "drawn"), restart=True,
        help="Where the real points come from; 'drawn' is what you drew.")
    drawing: str = hyperparameter(
        WAVE, label="your drawing", restart=True,
        help="The pixels of your drawing, as text.")
    noise: str = hyperparameter(
        "normal", label="noise", choices=NOISES, restart=True,
        help="What G makes its fakes from: z ~ N(0, I), or uniform in a square.")
    learning_rate_d: float = hyperparameter(
        4e-3, label="learning rate of D", low=1e-5, high=1e-1, log=True,
        help="How far D moves at each of its steps.")
    learning_rate_g: float = hyperparameter(
        4e-3, label="learning rate of G", low=1e-5, high=1e-1, log=True,
        help="How far G moves at each of its steps.")
    d_steps: int = hyperparameter(
        2, label="steps of D per step of G (K)", low=1, high=10,
        help="How many times D learns before G answers once.")
    penalty: float = hyperparameter(
        0.1, label="weight of the penalty (λ)", low=1e-3, high=100.0, log=True,
        help="How much D's loss counts its slope: WGAN-GP asks for a slope of 1, R1 for a slope of 0 at the data, "
             "R1+R2 and R3GAN also at the fakes.")
    clip: float = hyperparameter(
        0.1, label="clip the weights at (c)", low=1e-3, high=1.0, log=True,
        help="WGAN keeps every weight of D between −c and c.")
    batch_size: int = hyperparameter(
        64, label="batch size", low=2, high=512, log=True, unit="points",
        help="How many real and how many fake points one step sees.")


def drawing_changes(pixels: np.ndarray) -> dict[str, str]:
    """The changes of hyperparameters that make a drawing `[side, side]` the data; none where nothing was drawn."""
    inked = bool((pixels > 0.1).any())
    return {"data": "drawn", "drawing": Drawing.of(torch.from_numpy(pixels)).ink} if inked else {}


def real_points(h: GAN2DHyperparameters) -> Blobs | Drawing:
    """The distribution of the real points that the hyperparameters name."""
    return Drawing(h.drawing) if h.data == "drawn" else PLANE[h.data]


@register(
    "gan2d",
    summary="a GAN in the plane: vanilla, with R1 and R2, R3GAN, WGAN or WGAN-GP",
    prints="Prints both losses, the gap between D's scores, KL and JS by cells (nats), modes covered and the share of "
           "points near one.",
)
class GAN2DExperiment(AdversarialExperiment):
    """One GAN in the plane in training, and the average of G's weights over the last hundreds of steps, which swings
    less than G does (Y. Yazıcı et al., The Unusual Effectiveness of Averaging in GAN Training, ICLR 2019).

    Metrics: loss_d (penalty included) and loss_g, in nats for vanilla, in the critic's units else; gap, mean D(x) −
    mean D(x̃) of the last batch of D; kl and js between real and fake points by cells, in nats; modes covered and the
    share near a mode, NaN where the data have none. The last four are measured every 25 steps, on
    points of their own.
    """

    Hyperparameters = GAN2DHyperparameters

    walkable = True
    PHASES = ("noise", "fakes", "verdict", "loss", "gradient", "update")

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.data, self.generator = real_points(h), generator
        self.G = Generator(WIDTH, generator=generator).to(self.device)
        self.D = Critic(WIDTH, generator=generator).to(self.device)
        self.average = weight_average(self.G, lambda n: AVERAGE)
        self.optimizer_g = adam(self.G, lr=h.learning_rate_g, betas=BETAS)
        self.optimizer_d = adam(self.D, lr=h.learning_rate_d, betas=BETAS)
        own = seeded(SNAPSHOT_SEED)
        self.own_noise, self.own_real = noise(h.noise, MEASURED, own).to(self.device), self.data.sample(MEASURED, own)
        self.own_shares = cell_shares(self.data.sample(10 * MEASURED, own), -EXTENT, EXTENT, CELLS)
        self.measured: dict[str, Tensor] = {}

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {"G": self.G, "D": self.D, "model": self.average.module, "optimizer_g": self.optimizer_g,
                "optimizer_d": self.optimizer_d, "rng": self.generator}

    # The game.

    @property
    def g_sees_real(self) -> bool:
        return is_paired(self.hyperparameters.variant)

    def real_batch(self) -> Tensor:
        """The next real points, `[batch_size, 2]`."""
        return self.data.sample(self.hyperparameters.batch_size, self.generator)

    def noise_batch(self) -> Tensor:
        """The next noise z, `[batch_size, 2]`."""
        return noise(self.hyperparameters.noise, self.hyperparameters.batch_size, self.generator)

    def fake_batch(self, noise: Tensor, real: Tensor | None = None) -> Tensor:
        """G(z), `[batch_size, 2]`."""
        return self.G(noise)

    def _verdict(self, player: str, turn: int) -> None:
        """D's scores, in a phase of their own so that they can be seen before they become a loss."""
        fake = self.turn["fake"]
        if self.turn["real"] is not None:
            self.turn["real_scores"] = self.D(self.turn["real"])
        if player == "G":
            fake.retain_grad()  # kept for its gradient by each fake, which the pictures draw
        self.turn["fake_scores"] = self.D(fake)

    def d_loss(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Metrics]:
        """The loss of D with its penalty, 0-d, of the scores of the phase before, on points `[n, 2]`."""
        h, real_scores, fake_scores = self.hyperparameters, self.turn["real_scores"], self.turn["fake_scores"]
        loss = self.turn["plain"] = d_loss(h.variant, real_scores, fake_scores)
        extra = self.turn["extra"] = penalty(h.variant, self.D, real, fake, self.generator)
        if extra is not None:
            loss = loss + h.penalty * extra
        return loss, {"gap": real_scores.mean() - fake_scores.mean()}

    def g_loss(self, real: Tensor | None, fake: Tensor) -> tuple[Tensor, Metrics]:
        """The loss of G, 0-d, of the scores of the phase before."""
        return g_loss(self.hyperparameters.variant, self.turn["fake_scores"], self.turn.get("real_scores")), {}

    def inputs_of_g_loss(self) -> list[Tensor]:
        return [*super().inputs_of_g_loss(), self.turn["fake"]]

    def after_d_update(self) -> None:
        if self.hyperparameters.variant == "WGAN":
            clip_weights(self.D, self.hyperparameters.clip)

    def metrics(self) -> Metrics:
        if not self.measured or (self.steps + 1) % MEASURE_EVERY == 0:
            self.measured = {name: torch.tensor(value) for name, value in self.quality().items()}
        return {**super().metrics(), **self.measured}

    # What slow motion says.

    def says(self, phase: Phase) -> str:
        h, for_d = self.hyperparameters, phase.player == "D"
        if phase.name == "noise" and for_d:
            return f"Draw {h.batch_size} points of noise z, and {h.batch_size} real points x."
        if phase.name == "noise":
            beside = "Each fake is paired with a real point." if self.g_sees_real else "G never sees the real points."
            return f"Draw {h.batch_size} new points of noise z. {beside}"
        if phase.name == "fakes":
            return "G turns each z into a fake G(z)."
        if phase.name == "verdict":
            means = (f"the {kind} points: mean {self.verdict(self.turn[f'{kind}_scores']).mean():.3f}"
                     for kind in ("real", "fake") if f"{kind}_scores" in self.turn)
            return f"D judges {' and '.join(means)}."
        if phase.name == "loss" and for_d and self.turn["extra"] is not None:
            return (f"The loss of D is {self.turn['plain']:.4f}, and λ · {self.turn['extra']:.4f} for its slope: "
                    f"{self.turn['loss']:.4f}.")
        if phase.name == "loss":
            return f"The loss of {phase.player} is {self.turn['loss']:.4f}."
        if phase.name == "gradient":
            norm = nn.utils.get_total_norm([p.grad for p in (self.D if for_d else self.G).parameters()])
            if for_d:
                return f"The loss is differentiated by D's weights; the gradient has length {norm:.3g}."
            return ("D says to each fake where to go: the arrows. Through G they become a gradient by G's weights, "
                    f"of length {norm:.3g}.")
        if not for_d:
            return "G moves against the gradient: its fakes stand elsewhere now."
        if h.variant == "WGAN":
            return f"D moves against the gradient; then its weights are cut to [−{h.clip:.3g}, {h.clip:.3g}]."
        return "D moves against the gradient: its surface has changed."

    # What is drawn and measured.

    @torch.no_grad()
    def samples(self, count: int, seed: int = SNAPSHOT_SEED + 1, averaged: bool = False) -> np.ndarray:
        """Fakes, `[count, 2]`, of G as it is or of G with its averaged weights."""
        z = noise(self.hyperparameters.noise, count, seeded(seed))
        return (self.average if averaged else self.G)(z.to(self.device)).cpu().numpy()

    def modes(self, samples: np.ndarray) -> Modes | None:
        """The modes that samples `[n, 2]` cover, or None for data that have none."""
        return count_modes(samples, self.data.centres, self.data.std) if isinstance(self.data, Blobs) else None

    @torch.no_grad()
    def quality(self, averaged: bool = False) -> dict[str, float]:
        """kl and js in nats, modes covered, and the share near a mode, on noise that is always the same."""
        fake = (self.average if averaged else self.G)(self.own_noise).cpu().numpy()
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
        """What D means by its scores `[…]`, of the same shape: the probability that a point is real, or the critic's
        score as it is."""
        return scores if is_wasserstein(self.hyperparameters.variant) else torch.sigmoid(scores)

    def push(self, x: Tensor) -> Tensor:
        """Where each fake x `[n, 2]` should go to lower its loss of G: −∂loss/∂x, `[n, 2]`. Where the loss is of pairs,
        their real points are the snapshot's own."""
        x = x.detach().requires_grad_()
        pairs = self.own_real[torch.arange(len(x)) % MEASURED].to(x) if self.g_sees_real else None
        real_scores = None if pairs is None else self.D(pairs)
        (gradient,) = torch.autograd.grad(g_loss(self.hyperparameters.variant, self.D(x), real_scores), x)
        return -gradient

    def snapshot(self) -> dict[str, np.ndarray]:
        """Arrays for the pictures.

        real, fake `[points, 2]`: of the batch in the middle of an update, else of the snapshot's own; noise
        `[points, 2]` only before the phase that makes fakes of it. push `[points, 2]`: −∂loss/∂x at push_at. surface
        `[48, 48]`: D's verdict over the square, and its surface_limits `[2]`. grid_noise, grid_data `[13, 13, 2]`: a
        grid of noise, and where G takes it. verdict_axis, verdict_real, verdict_fake `[40]`: histograms of D's
        verdicts as densities.
        """
        with torch.no_grad():
            surface = self.verdict(self.D(_square(SURFACE).to(self.device))).reshape(SURFACE, SURFACE).cpu().numpy()
            lines = torch.linspace(0.02, 0.98, LINES)
            axis = torch.special.ndtri(lines) if self.hyperparameters.noise == "normal" else 2 * lines - 1
            grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
            bent = self.G(grid.to(self.device)).cpu()
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
        return {"real": self.own_real[:SHOWN].numpy(), "fake": fake.cpu().numpy(), "noise": NOTHING,
                "push_at": fake.cpu().numpy(), "push": self.push(fake).cpu().numpy()}

    def _points_under_way(self) -> dict[str, np.ndarray]:
        last, turn = self.phases()[self.done - 1], self.turn
        drawn = {name: NOTHING if turn.get(name) is None else turn[name].detach().cpu().numpy()
                 for name in ("real", "fake")}
        drawn["noise"] = turn["noise"].cpu().numpy() if last.name == "noise" else NOTHING
        arrows = last.player == "G" and last.name in ("gradient", "update")
        drawn["push_at"] = drawn["fake"] if arrows else NOTHING
        drawn["push"] = -turn["fake"].grad.cpu().numpy() if arrows else NOTHING
        return drawn

    @torch.no_grad()
    def _verdicts(self, points: dict[str, np.ndarray], limits: tuple[float, float]) -> dict[str, np.ndarray]:
        low, high = limits
        edges = np.linspace(low, high if high > low else low + 1, 41)
        made = {"verdict_axis": (edges[:-1] + edges[1:]) / 2}
        judged = not self.done or self.phases()[self.done - 1].name not in ("noise", "fakes")
        for name in ("real", "fake"):
            judging = torch.from_numpy(points[name] if judged else NOTHING).to(self.device)
            values = self.verdict(self.D(judging)).cpu().numpy()
            counts, _ = np.histogram(np.clip(values[np.isfinite(values)], edges[0], edges[-1]), edges)
            made[f"verdict_{name}"] = counts / max(len(values), 1) / (edges[1] - edges[0])
        return made


def run_with_decay(experiment: GAN2DExperiment, steps: int, progress: bool = False) -> Iterator[dict[str, Tensor]]:
    """The 0-d metrics of `steps` updates, whose learning rates fall over the second half, in ten stages, to a tenth.

    Constant rates keep G's points trembling about the data; in a lab the same is done by hand, with two sliders.
    """
    begun, rates = experiment.hyperparameters, ("learning_rate_d", "learning_rate_g")
    yield from run(experiment, steps // 2, progress)
    for stage in range(1, 11):
        experiment.set(**{rate: getattr(begun, rate) * (1 - 0.09 * stage) for rate in rates})
        yield from run(experiment, steps // 20, progress)


NOTHING = np.empty((0, 2), np.float32)


def _square(side: int) -> Tensor:
    """The middles of side·side equal pixels of the square, rows from bottom to top, `[side², 2]`."""
    axis = (2 * (torch.arange(side) + 0.5) / side - 1) * EXTENT
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
