"""A GAN small enough for tests: two MLPs on 1-D data, with one hyperparameter of each kind and a picture of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_lib.training import Experiment, Hyperparameters, hyperparameter, run

GRID = np.linspace(-2.0, 8.0, 121, dtype=np.float32)


@dataclass(frozen=True)
class TinyHyperparameters(Hyperparameters):
    lr_d: float = hyperparameter(2e-3, low=1e-5, high=1e-1, log=True, label="learning rate of D",
                                 help="Step size of D's Adam.")
    lr_g: float = hyperparameter(1e-3, low=1e-5, high=1e-1, log=True, label="learning rate of G",
                                 help="Step size of G's Adam.")
    d_steps: int = hyperparameter(1, low=1, high=5, label="steps of D", help="Updates of D for each update of G.")
    smooth: float = hyperparameter(0.0, low=0.0, high=0.3, label="label smoothing",
                                   help="How far real labels stay below 1.")
    saturating: bool = hyperparameter(False, label="saturating loss",
                                      help="Let G minimise log(1 − D) instead of −log D.")
    noise: str = hyperparameter("normal", choices=("normal", "uniform"), label="noise", help="What G is fed with.")
    hidden: int = hyperparameter(16, low=4, high=64, label="hidden units", help="Width of both networks.", restart=True)


class Tiny(Experiment):
    """Learns N(4, 0.5) from batches of 32."""

    Hyperparameters = TinyHyperparameters

    def build(self, generator: torch.Generator) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            width = self.hyperparameters.hidden
            self.g = nn.Sequential(nn.Linear(1, width), nn.Softplus(), nn.Linear(width, 1))
            self.d = nn.Sequential(nn.Linear(1, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))
        self.opt_g = torch.optim.Adam(self.g.parameters(), betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.d.parameters(), betas=(0.5, 0.999))
        self.draws = generator
        self.views_noise = torch.randn(1000, 1, generator=torch.Generator().manual_seed(self.seed + 1))

    def components(self):
        return {"g": self.g, "d": self.d, "opt_g": self.opt_g, "opt_d": self.opt_d, "draws": self.draws}

    def apply(self, hyperparameters: TinyHyperparameters) -> None:
        self.opt_d.param_groups[0]["lr"] = hyperparameters.lr_d
        self.opt_g.param_groups[0]["lr"] = hyperparameters.lr_g

    def _noise(self) -> Tensor:
        if self.hyperparameters.noise == "uniform":
            return torch.rand(32, 1, generator=self.draws) * 4 - 2
        return torch.randn(32, 1, generator=self.draws)

    def training_step(self) -> dict[str, Tensor]:
        h = self.hyperparameters
        for _ in range(h.d_steps):
            real = 4 + 0.5 * torch.randn(32, 1, generator=self.draws)
            on_real, on_fake = self.d(real), self.d(self.g(self._noise()).detach())
            loss_d = (softplus(-on_real) + h.smooth * on_real + softplus(on_fake)).mean()
            self.opt_d.zero_grad()
            loss_d.backward()
            self.opt_d.step()
        on_fake = self.d(self.g(self._noise()))
        loss_g = -softplus(on_fake).mean() if h.saturating else softplus(-on_fake).mean()
        self.opt_g.zero_grad()
        loss_g.backward()
        self.opt_g.step()
        return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}

    @torch.no_grad()
    def snapshot(self) -> dict[str, np.ndarray]:
        grid = torch.from_numpy(GRID)
        fake = self.g(self.views_noise)
        width = 0.15
        kernel = torch.exp(-0.5 * ((grid - fake) / width) ** 2) / (width * (2 * torch.pi) ** 0.5)
        return {
            "x": GRID,
            "real": np.exp(-0.5 * ((GRID - 4) / 0.5) ** 2) / (0.5 * np.sqrt(2 * np.pi)),
            "generated": kernel.mean(0).numpy(),
            "decision": torch.sigmoid(self.d(grid[:, None]))[:, 0].numpy(),
        }


class Everything(Tiny):
    """Has arrays for every kind of view, with numbers missing here and there as after a divergence."""

    def snapshot(self) -> dict[str, np.ndarray]:
        rng, axis = np.random.default_rng(self.steps), np.linspace(-2, 2, 24)
        x, y = np.meshgrid(axis, axis)
        at = np.stack([x[::3, ::3], y[::3, ::3]], axis=-1).reshape(-1, 2)
        points = rng.normal(size=(200, 2))
        points[3] = np.nan
        heat = np.tanh(x * y)
        heat[0, 0] = np.inf
        return super().snapshot() | {
            "points": points, "heat": heat, "at": at, "toward": -at, "images": rng.random((10, 8, 8)),
            "colored": rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8), "counts": np.array([3.0, np.nan, -1.0]),
            "flat": np.stack([x, y], axis=-1), "bent": np.stack([x + y, y], axis=-1), "limits": np.array([-0.5, 0.5]),
        }


class Exploding(Tiny):
    """Fails in its 30th update."""

    def training_step(self) -> dict[str, Tensor]:
        if self.steps == 29:
            raise RuntimeError("the fuse was 29 steps long")
        return super().training_step()


def trained(steps: int, **hyperparameters: Any) -> Tiny:
    """A Tiny after so many steps from seed 0."""
    experiment = Tiny(TinyHyperparameters(**hyperparameters))
    for _ in run(experiment, steps, progress=False):
        pass
    return experiment
