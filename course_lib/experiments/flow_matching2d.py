"""Flow matching in the plane: which noise is paired with which point decides how straight the ways become.

Reference: A. Tong et al., Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport,
TMLR 2024: pairs by an optimal assignment within a batch. X. Liu, C. Gong, Q. Liu, Flow Straight and Fast, ICLR 2023:
reflow, pairs made by the flow itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data.plane import WAVE
from course_lib.experiments.diffusion2d import mixture_named, square
from course_lib.measure import optimal_pairs, sliced_wasserstein2, straightness
from course_lib.models.diffusion import DiffusionMLP, mean_floor
from course_lib.models.flow_matching import PATH, even_times, flow_matching_loss, follow
from course_lib.models.velocity import trajectory
from course_lib.seeds import seeded
from course_lib.training.experiment import SNAPSHOT_SEED
from course_lib.training.hyperparameters import Hyperparameters, hyperparameter
from course_lib.training.optim import adam, length_of_training, weight_average
from course_lib.training.registry import register
from course_lib.training.step import LossExperiment, Metrics

COUPLINGS = ("independent", "optimal transport", "reflow")
GROUP = 64  # points and noises that one assignment pairs: its time grows with the cube
POOL, POOL_STEPS = 8192, 20  # pairs that a flow makes for its successor, and Heun steps for each
MEASURED, MEASURE_EVERY, FINE = 500, 25, 20  # noises of its own, steps between measurements, steps of a fine flow
PIXELS, LINES = 48, 11  # of a density's side, and arrows a side
NET = 2.0  # the net of noise spans [−NET, NET]²


@dataclass(frozen=True)
class FlowMatching2DHyperparameters(Hyperparameters):
    """The hyperparameters of flow matching in the plane."""

    data: str = hyperparameter(
        "moons", label="data", choices=("moons", "clusters", "ring", "drawn"), restart=True,
        help="Where the points come from; 'drawn' is what you drew.")
    drawing: str = hyperparameter(
        WAVE, label="your drawing", restart=True,
        help="The pixels of your drawing, as text.")
    coupling: str = hyperparameter(
        "independent", label="coupling", choices=COUPLINGS,
        help="Which noise goes with which point: any, the nearest as a whole in groups of 64, or, with reflow, the one "
             "that the flow learned so far carries there: train with another first.")
    width: int = hyperparameter(
        64, label="width", low=4, high=256, unit="units", restart=True,
        help="Units of each of the network's three hidden layers.")
    t_low: float = hyperparameter(
        0.001, label="from t =", low=0.001, high=0.4,
        help="Times are drawn evenly from here on, close to the data.")
    t_high: float = hyperparameter(
        0.999, label="up to t =", low=0.6, high=0.999,
        help="Times are drawn evenly up to here, close to the noise, where every way back begins.")
    learning_rate: float = hyperparameter(
        3e-3, label="learning rate", low=1e-5, high=1e-1, log=True,
        help="How far Adam moves at each step.")
    batch_size: int = hyperparameter(
        256, label="batch size", low=1, high=4096, log=True, unit="points",
        help="How many new points, noises and times one step sees.")
    total_steps: int = length_of_training()


class Pairs(nn.Module):
    """Noises and the points that a flow carried them to, kept for its successor.

    Attributes:
        taken: whether they are there, 0-d bool.
        eps, x: noises and points, `[8192, 2]`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taken", torch.tensor(False))
        self.register_buffer("eps", torch.zeros(POOL, 2))
        self.register_buffer("x", torch.zeros(POOL, 2))


@register(
    "flow_matching2d",
    summary="flow matching of points in the plane, with a choice of what is paired with what",
    prints="Prints the loss of a batch, the floor of independent pairs, straightness, and how far samples are off.",
)
class FlowMatching2DExperiment(LossExperiment):
    """A network learns the velocity ε − x on straight ways between points and noises that a coupling pairs.

    Metrics: loss, squared units per point, mean over the batch; floor, the least that it can be with independent pairs,
    by quadrature; straightness of the averaged network's ways, squared units; one_step, eight_steps, sliced W₂ between
    samples by so many Euler steps and data. The last three are of 500 noises of its own, measured every 25 steps.

    Attributes:
        model: the network, from x_t and t to a velocity.
        average: the moving average of its weights, which is what is measured and drawn.
        mixture: the data, a `NoisedMixture`.
        pairs: what reflow learns from.
    """

    Hyperparameters = FlowMatching2DHyperparameters

    def build(self, generator: torch.Generator) -> None:
        h = self.hyperparameters
        self.generator, self.mixture, self.pairs = generator, mixture_named(h.data, h.drawing), Pairs()
        self.model = DiffusionMLP(2, h.width, generator).to(self.device)
        self.average = weight_average(self.model, lambda n: min(0.998, n / (10 + n)))
        self.optimizer = adam(self.model)
        self.measured: Metrics = {}  # not yet
        own = seeded(SNAPSHOT_SEED)
        self.own_x, self.own_eps = self.mixture.sample(MEASURED, own), torch.randn(MEASURED, 2, generator=own)
        middle = torch.tensor(0.5, dtype=torch.float64)
        density = self.mixture.log_prob(square(PIXELS), PATH.alpha(middle), PATH.sigma(middle)).exp()
        self.middle_density = density.reshape(PIXELS, PIXELS).numpy()

    def apply(self, hyperparameters: FlowMatching2DHyperparameters) -> None:
        """The floor at the times that are trained; and whoever leaves reflow will take new pairs next time."""
        h = hyperparameters
        self.floor = torch.tensor(mean_floor(self.mixture, PATH, "velocity", h.t_low, h.t_high), device=self.device)
        if h.coupling != "reflow":
            self.pairs.taken.fill_(False)

    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        return {**super().components(), "average": self.average, "pairs": self.pairs}

    def next_batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Points x `[n, 2]`, times t `[n]` and noises ε `[n, 2]`, paired by the coupling."""
        h, n, generator = self.hyperparameters, self.hyperparameters.batch_size, self.generator
        if h.coupling == "reflow":
            if not self.pairs.taken:
                self._take_pairs()
            picked = torch.randint(POOL, (n,), generator=generator)
            x, eps = self.pairs.x[picked], self.pairs.eps[picked]
        else:
            x, eps = self.mixture.sample(n, generator), torch.randn(n, 2, generator=generator)
            if h.coupling == "optimal transport":
                eps = paired(x, eps)
        return x, h.t_low + (h.t_high - h.t_low) * even_times(n, generator), eps

    @torch.no_grad()
    def _take_pairs(self) -> None:
        self.pairs.eps = torch.randn(POOL, 2, generator=self.generator)
        self.pairs.x = follow(self.velocity, self.pairs.eps, POOL_STEPS)
        self.pairs.taken.fill_(True)

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """The averaged network's velocities `[n, 2]`, of the type of x, at points `[n, 2]` and times `[n]`."""
        return self.average(x.float().to(self.device), t.float().to(self.device)).cpu().to(x.dtype)

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Metrics]:
        """Squared error of the velocity, 0-d, summed over both coordinates, mean over points, times and noises."""
        x, t, eps = batch
        loss = 2 * flow_matching_loss(self.model(PATH.noised(x, t, eps), t), x, eps)
        return loss, {"loss": loss, "floor": self.floor}

    def after_step(self) -> Metrics:
        """straightness, one_step, eight_steps, measured now and then."""
        self.average.update_parameters(self.model)
        if not self.measured or (self.steps + 1) % MEASURE_EVERY == 0:
            self.measured = {name: torch.tensor(value, device=self.device) for name, value in self._measures().items()}
        return self.measured

    def _measures(self) -> dict[str, float]:
        track = trajectory(self.velocity, self.own_eps, FINE, "euler").numpy()
        return {"straightness": straightness(track), "one_step": self.off(1), "eight_steps": self.off(8)}

    @torch.no_grad()
    def samples(self, eps: Tensor, steps: int, method: str = "euler") -> Tensor:
        """What noises `[n, 2]` become in so many steps, `[n, 2]`."""
        return follow(self.velocity, eps, steps, method)

    def off(self, steps: int) -> float:
        """Sliced W₂ between 500 samples by so many Euler steps and as many points of the data."""
        return sliced_wasserstein2(self.samples(self.own_eps, steps).numpy(), self.own_x.numpy())

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        """real, one_step, eight_steps `[500, 2]`: data, and the same noises by one and by eight Euler steps. net_noise,
        net_data `[21, 21, 2]`: a net over the noise, and where the flow carries it. density `[48, 48]` of noised points
        half-way, independent pairs; at, velocity `[121, 2]`: places, and the learned velocity half-way, turned round:
        towards the data."""
        net = square(21, NET * 21 / 20)
        at = square(LINES)
        return {"real": self.own_x.numpy(), "one_step_made": self.samples(self.own_eps, 1).numpy(),
                "eight_steps_made": self.samples(self.own_eps, 8).numpy(),
                "net_noise": net.reshape(21, 21, 2).numpy(),
                "net_data": self.samples(net, FINE).reshape(21, 21, 2).numpy(), "density": self.middle_density,
                "at": at.numpy(), "velocity": -self.velocity(at, torch.full((len(at),), 0.5)).numpy()}

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """straightness, one_step and eight_steps, as the metrics."""
        return self._measures()


def paired(x: Tensor, eps: Tensor) -> Tensor:
    """The noises `[n, D]` in the order that pairs each with its point of x `[n, D]`: by the optimal assignment within
    each group of 64."""
    parts = zip(x.split(GROUP), eps.split(GROUP), strict=True)
    return torch.cat([part[optimal_pairs(points.numpy(), part.numpy())] for points, part in parts])
