"""Denoising score matching in the plane, on mixtures whose noised densities, scores and best denoisers are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.data import Drawing
from course_lib.data.moons import MOONS
from course_lib.data.plane import CLUSTERS, EXTENT, SPIRAL, WAVE
from course_lib.data.toy import Blobs, Ring
from course_lib.models.diffusion import DiffusionMLP, denoising_loss, mean_floor
from course_lib.models.noised import NoisedMixture
from course_lib.models.schedules import KINDS, SCHEDULES, convert
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training, weight_average
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

MEASURED, MEASURE_EVERY = 1000, 25  # points of its own that the field is held against the exact one at, steps between
LEVELS, PER_LEVEL = 24, 100  # times, and points at each, of the error over t
PANELS = {"little": 3.0, "much": -1.0}  # log signal-to-noise ratios of the pictures
PIXELS, LINES = 48, 11  # of a density's side, and arrows a side
MOON_NODES = 40  # an arc; KL from the smooth moons is 1e-5 nats
EXAMPLES = np.stack([Drawing(ink).pixels.numpy() for ink in (WAVE, SPIRAL)])


@dataclass(frozen=True)
class Diffusion2DHyperparameters(Hyperparameters):
    """The hyperparameters of denoising score matching in the plane."""

    data: str = hyperparameter(
        "moons", label="data", choices=("moons", "clusters", "ring", "drawn"), restart=True,
        help="Where the points come from; 'drawn' is what you drew.")
    drawing: str = hyperparameter(
        WAVE, label="your drawing", restart=True,
        help="The pixels of your drawing, as text.")
    schedule: str = hyperparameter(
        "cosine", label="schedule", choices=tuple(SCHEDULES), restart=True,
        help="How data fade and noise grows with t: x_t = α x_0 + σ ε.")
    kind: str = hyperparameter(
        "noise", label="parametrisation", choices=KINDS, restart=True,
        help="What the network predicts: x_0 (data), ε (noise), v, the score, or the velocity dx_t/dt.")
    told_time: bool = hyperparameter(
        True, label="told the time", restart=True,
        help="Whether the network is shown t beside x_t.")
    width: int = hyperparameter(
        64, label="width", low=4, high=256, unit="units", restart=True,
        help="Units of each of the network's three hidden layers.")
    t_low: float = hyperparameter(
        0.01, label="least noise, from t =", low=0.001, high=0.4,
        help="Times are drawn evenly from here on; below it the network is never asked.")
    t_high: float = hyperparameter(
        0.99, label="most noise, up to t =", low=0.6, high=0.999,
        help="Times are drawn evenly up to here.")
    learning_rate: float = hyperparameter(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        256, label="batch size", low=1, high=4096, log=True, unit="points",
        help="How many new points, noises and times one step sees.")
    total_steps: int = length_of_training()


def drawing_changes(pixels: np.ndarray) -> dict[str, str]:
    """The changes of hyperparameters that make a drawing `[side, side]` the data; none where nothing was drawn."""
    inked = bool((pixels > 0.1).any())
    return {"data": "drawn", "drawing": Drawing.of(torch.from_numpy(pixels)).ink} if inked else {}


def mixture_of(data: Blobs | Drawing | str) -> NoisedMixture:
    """The data as a mixture of round Gaussians: blobs as they are, 'moons' with a Gaussian at every node of its arcs,
    and a drawing with one at each inked pixel, half as wide as the pixel."""
    if isinstance(data, Drawing):
        inked = data.shares > 0
        row, column = torch.meshgrid(*2 * [torch.arange(data.side, dtype=torch.float64)], indexing="ij")
        place = torch.stack([column + 0.5, data.side - 0.5 - row], dim=-1).reshape(-1, 2)
        return NoisedMixture(((2 * place / data.side - 1) * EXTENT)[inked], EXTENT / data.side, data.shares[inked])
    if isinstance(data, Blobs):
        return NoisedMixture(torch.tensor(data.centres, dtype=torch.float64), data.std)
    if data != "moons":
        raise ValueError(f"data must be Blobs, a Drawing or 'moons', not {data!r}")
    return NoisedMixture(MOONS.nodes(MOON_NODES), MOONS.std)


def mixture_named(data: str, drawing: str) -> NoisedMixture:
    """The mixture that hyperparameters name; `drawing` counts where data is 'drawn'."""
    named = {"moons": "moons", "clusters": CLUSTERS, "ring": Ring()}
    return mixture_of(Drawing(drawing) if data == "drawn" else named[data])


@register(
    "diffusion2d",
    summary="a denoiser of points in the plane at every noise level: denoising score matching",
    prints="Prints the loss of a batch, its floor, and the field's squared distance from the exact one.",
)
class Diffusion2DExperiment(LossExperiment):
    """A network learns from noised points what the noise was, or the data, v, score or velocity.

    Metrics, squared units of what it predicts: loss, the batch's mean; floor, the least mean loss of any network, by
    quadrature; excess, the mean squared distance of the averaged network from the exact conditional mean, on 1,000
    noised points of its own, measured every 25 steps. The expected loss is floor + excess.

    Attributes:
        model: the network, from x_t and t to its prediction.
        average: the moving average of its weights, which is what is measured and drawn.
        mixture: the data, a `NoisedMixture`.
        schedule: α and σ.
    """

    Hyperparameters = Diffusion2DHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator, self.schedule, self.mixture = generator, SCHEDULES[h.schedule], mixture_named(h.data, h.drawing)
        self.model = DiffusionMLP(2, h.width, generator, h.told_time).to(self.device)
        self.average = weight_average(self.model, lambda n: min(0.998, n / (10 + n)))
        self.optimizer = adam(self.model)
        self.excess: Tensor | None = None  # not measured yet
        own = seeded(SNAPSHOT_SEED)
        times = self.schedule.time(torch.tensor([*PANELS.values()], dtype=torch.float64))
        self.panels = {name: self._panel(t) for name, t in zip(PANELS, times, strict=True)}
        self.own_0, self.own_eps = self.mixture.sample(MEASURED, own), torch.randn(MEASURED, 2, generator=own)
        self.level_t = torch.linspace(0.02, 0.98, LEVELS, dtype=torch.float64)
        self.level_x, self.level_at = self._noised(self.level_t.repeat_interleave(PER_LEVEL), own)
        self.level_best = self.mixture.field("data", self.level_x, self.level_at, self.schedule)

    def apply(self, hyperparameters: Diffusion2DHyperparameters) -> None:
        """Measure, from now on, at the times that are trained."""
        h = hyperparameters
        self.own_t = h.t_low + (h.t_high - h.t_low) * (torch.arange(MEASURED) + 0.5) / MEASURED
        self.own_x = self.schedule.noised(self.own_0, self.own_t, self.own_eps)
        self.own_field = self.mixture.field(h.kind, self.own_x, self.own_t, self.schedule).float()
        floor = mean_floor(self.mixture, self.schedule, h.kind, h.t_low, h.t_high)
        self.floor = torch.tensor(floor, device=self.device)

    def _noised(self, t: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Noised points float64 `[n, 2]` at times `[n]`, and the times."""
        x_0, eps = self.mixture.sample(len(t), generator), torch.randn(len(t), 2, generator=generator)
        return self.schedule.noised(x_0.double(), t, eps.double()), t

    def _panel(self, t: Tensor) -> dict[str, Tensor]:
        """What the pictures of one noise level show and training does not change: points of the square, and σ times the
        score there."""
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        pixels, places = square(PIXELS), square(LINES)
        return {"t": t, "pixels": pixels, "density": self.mixture.log_prob(pixels, alpha, sigma).exp(),
                "pixels_exact": sigma * self.mixture.score(pixels, alpha, sigma), "at": places,
                "exact": sigma * self.mixture.score(places, alpha, sigma)}

    def components(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {**super().components(), "average": self.average}

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """New points x_0 `[n, 2]`, times t `[n]` and noise ε `[n, 2]`."""
        h, n = self.hyperparameters, self.hyperparameters.batch_size
        x_0 = self.mixture.sample(n, self.generator)
        t = h.t_low + (h.t_high - h.t_low) * torch.rand(n, generator=self.generator)
        return x_0, t, torch.randn(n, 2, generator=self.generator)

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """Mean squared error of the prediction, 0-d, of a batch of points, times and noise."""
        x_0, t, eps = batch
        loss = denoising_loss(self.model, x_0, t, eps, self.schedule, self.hyperparameters.kind).mean()
        return loss, {"loss": loss, "floor": self.floor}

    @torch.no_grad()
    def after_step(self) -> Metrics:
        """excess, measured now and then."""
        self.average.update_parameters(self.model)
        if self.excess is None or (self.steps + 1) % MEASURE_EVERY == 0:
            said = self.average(self.own_x.to(self.device), self.own_t.to(self.device))
            self.excess = (said - self.own_field.to(self.device)).square().sum(dim=1).mean()
        return {"excess": self.excess}

    @torch.no_grad()
    def learned(self, kind: str, x: Tensor, t: Tensor) -> Tensor:
        """What the averaged network says, as any of `KINDS`: float64 `[n, 2]`, at points `[n, 2]` and times `[n]`."""
        said = self.average(x.float().to(self.device), t.float().to(self.device)).cpu().double()
        return convert(said, x.double(), t.double(), self.schedule, given=self.hyperparameters.kind, wanted=kind)

    def error_over_t(self, kind: str = "noise") -> tuple[np.ndarray, np.ndarray]:
        """24 times `[24]`, and at each the mean squared distance of the learned field from the exact one, `[24]`, over
        100 noised points of its own."""
        x, t = self.level_x, self.level_at
        exact = convert(self.level_best, x, t, self.schedule, given="data", wanted=kind)
        off = (self.learned(kind, x, t) - exact).square().sum(dim=1)
        return self.level_t.numpy(), off.reshape(LEVELS, PER_LEVEL).mean(dim=1).numpy()

    def snapshot(self) -> dict[str, np.ndarray]:
        """For each of two noise levels, "little" and "much": its density `[48, 48]`; places at `[121, 2]`, with arrows
        exact and learned `[121, 2]` there, σ times the score; and off `[48, 48]`, how far the two fields are apart.
        level_t, off_noise, off_data `[24]`: times, and root mean squared distances from the exact ε and x_0."""
        made = {}
        for name, panel in self.panels.items():
            learned, everywhere = (-self.learned("noise", x, panel["t"].expand(len(x)))
                                   for x in (panel["at"], panel["pixels"]))
            off = (everywhere - panel["pixels_exact"]).norm(dim=1)
            made |= {f"{name}_density": panel["density"].reshape(PIXELS, PIXELS).numpy(),
                     f"{name}_at": panel["at"].numpy(), f"{name}_exact": panel["exact"].numpy(),
                     f"{name}_learned": learned.numpy(), f"{name}_off": off.reshape(PIXELS, PIXELS).numpy()}
        level_t, off_noise = self.error_over_t("noise")
        return {**made, "level_t": level_t, "off_noise": np.sqrt(off_noise),
                "off_data": np.sqrt(self.error_over_t("data")[1])}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """excess, as the metric, and floor."""
        off = self.learned(self.hyperparameters.kind, self.own_x, self.own_t) - self.own_field.double()
        return {"excess": off.square().sum(dim=1).mean().item(), "floor": self.floor.item()}


def square(side: int, reach: float = EXTENT) -> Tensor:
    """The middles of side·side equal pixels of the square [−reach, reach]², rows from bottom to top, float64
    `[side², 2]`."""
    axis = (2 * (torch.arange(side, dtype=torch.float64) + 0.5) / side - 1) * reach
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
