"""Generators with and without a mapping network on a square that lacks a corner: the record that
benchmarks/mapping_network.py writes and notebook 06 shows.

Two factors of variation, x₁ and x₂, are uniform on [−1, 1]², but the quarter where both are above 0 does not occur. A
plain generator makes x of z ~ N(0, I) by one network; the other one by two, z → w → x, a mapping network and a
synthesis network. Both go down the energy distance of their samples to the data, so that no game blurs what is
compared.

References:
    T. Karras, S. Laine, T. Aila, A Style-Based Generator Architecture for Generative Adversarial Networks, CVPR 2019:
        section 4, figure 6 and table 4.
    G. J. Székely, M. L. Rizzo, Energy statistics, Journal of Statistical Planning and Inference 143 (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.comparisons.runs import read_record
from course_lib.files import require_folder
from course_lib.measure import cell_divergences, cell_shares, optimal_pairs
from course_lib.models.layers import mlp
from course_lib.seeds import seeded
from course_lib.training.step import minimize

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "mapping_network.jsonl"
PLAIN, MAPPING, SYNTHESIS = (2, 52, 52, 52, 52, 2), (2, 62, 62, 2), (2, 62, 62, 2)
BATCH, STEPS, RATES, RATE = 128, 1500, (1e-3, 3e-3, 1e-2), 3e-3
CELLS, LIMIT, MEASURED, PATHS = 24, 1.5, 20_000, 1000  # cells a side within ±1.5, samples counted, paths walked


@dataclass(frozen=True)
class Measured:
    """How well samples fit, and how straight the factors lie in a latent space.

    Attributes:
        kl: KL(data ‖ samples) in nats, counted in cells.
        z_share, w_share: share of the variance of x that the best affine function of z explains, and of w.
        z_length, w_length: length of the ways in x that straight ways between two draws of z become, relative to the
            straight ways between their ends; and between the w of the same draws. 1 is straight.
    """

    kl: float
    z_share: float
    w_share: float
    z_length: float
    w_length: float


class MappedGenerator(nn.Module):
    """z `[n, 2]` → w `[n, 2]` by `mapping`, w → x `[n, 2]` by `synthesis`. Without a mapping network w is z."""

    def __init__(self, mapped: bool, generator: torch.Generator) -> None:
        super().__init__()
        self.mapping = mlp(MAPPING, generator) if mapped else nn.Identity()
        self.synthesis = mlp(SYNTHESIS if mapped else PLAIN, generator)

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesis(self.mapping(z))


def square_without_corner(n: int, generator: torch.Generator) -> Tensor:
    """`n` points `[n, 2]`, uniform on [−1, 1]² without the quarter where both coordinates are above 0."""
    quarter = torch.tensor([[-1.0, -1.0], [-1.0, 0.0], [0.0, -1.0]])
    return quarter[torch.randint(3, (n,), generator=generator)] + torch.rand(n, 2, generator=generator)


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    """2 E‖x − y‖ − E‖x − x'‖ − E‖y − y'‖ from points `[n, D]` and `[m, D]`, at least two each, unbiased, 0-d: 0 where
    both come from one distribution (Székely and Rizzo 2013, eq. 2.1)."""
    within = (torch.cdist(a, a).sum() / (len(a) * (len(a) - 1)) for a in (x, y))
    return 2 * torch.cdist(x, y).mean() - sum(within)


def trained(mapped: bool, seed: int, learning_rate: float = RATE, steps: int = STEPS) -> MappedGenerator:
    """A generator that has gone down the energy distance to the data."""
    generator = seeded(seed)
    model = MappedGenerator(mapped, generator)

    def loss() -> Tensor:
        x = square_without_corner(BATCH, generator)
        return energy_distance(x, model(torch.randn(BATCH, 2, generator=generator)))

    minimize(model, loss, steps, learning_rate)
    return model.requires_grad_(False)


def explained(latent: Tensor, x: Tensor) -> float:
    """Share of the variance of x `[n, 2]` that the best affine function of a latent `[n, d]` explains, from 0 to 1."""
    centred, rest = (part.double() - part.double().mean(dim=0) for part in (latent, x))
    rest = rest - centred @ torch.linalg.lstsq(centred, rest).solution
    return 1 - (rest.square().sum() / (x.double() - x.double().mean(dim=0)).square().sum()).item()


def best_explained(side: int, rounds: int = 12) -> float:
    """The most that `explained` reaches for any generator whose z is N(0, I) and whose samples are distributed as the
    data: of 3 · side² points of each, x on a grid and z as even.

    The best affine function and the best pairing of z and x are sought in turn, each exactly.
    """
    axis = (torch.arange(2 * side, dtype=torch.float64) + 0.5) / side - 1
    x = torch.cartesian_prod(axis, axis)
    x = x[~(x > 0).all(dim=1)]
    z = torch.special.ndtri(torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(len(x)).double())
    x, A = x - x.mean(dim=0), torch.eye(2, dtype=torch.float64)
    for _ in range(rounds):
        paired = x[optimal_pairs((z @ A).numpy(), x.numpy())]
        A = torch.linalg.lstsq(z, paired).solution
    return explained(z, paired)


def relative_length(to_x: Callable[[Tensor], Tensor], a: Tensor, b: Tensor, parts: int = 64) -> float:
    """Length of the images of straight ways from a to b `[n, d]`, relative to the straight ways between their ends."""
    t = torch.linspace(0, 1, parts + 1)[:, None, None]
    x = to_x(((1 - t) * a + t * b).flatten(0, 1)).view(parts + 1, len(a), -1)
    return (x.diff(dim=0).norm(dim=2).sum() / (x[-1] - x[0]).norm(dim=1).sum()).item()


def measure(model: MappedGenerator) -> Measured:
    """What `Measured` has, on draws that are always the same."""
    generator = seeded(0)
    z, data = torch.randn(MEASURED, 2, generator=generator), square_without_corner(10 * MEASURED, generator)
    w, x = model.mapping(z), model(z)
    kl, _ = cell_divergences(*(cell_shares(points.numpy(), -LIMIT, LIMIT, CELLS) for points in (data, x)))
    lengths = (relative_length(f, *latent[:2 * PATHS].split(PATHS)) for f, latent in ((model, z), (model.synthesis, w)))
    return Measured(kl, explained(z, x), explained(w, x), *lengths)


def settings(seeds: int) -> list[dict[str, object]]:
    """What each run of the record is asked, as arguments of `train_and_measure`."""
    return [{"mapped": mapped, "learning_rate": rate, "seed": seed}
            for mapped in (False, True) for rate in RATES for seed in range(seeds)]


def train_and_measure(mapped: bool, learning_rate: float, seed: int) -> dict[str, float]:
    """One run of the record."""
    return {name: round(value, 4) for name, value in vars(measure(trained(mapped, seed, learning_rate))).items()}


def recorded(mapped: bool, learning_rate: float = RATE) -> dict[str, np.ndarray]:
    """Of one setting what `Measured` has, each an array `[seeds]`, seeds in order. Raises CourseFileError if the record
    is not there, and KeyError if it has no such run."""
    require_folder(RECORD.parent)
    found = {run["seed"]: result for run, result in read_record(RECORD)
             if (run["mapped"], run["learning_rate"]) == (mapped, learning_rate)}
    if not found:
        raise KeyError(f"no run with mapped={mapped}, learning_rate={learning_rate} is in the record")
    return {name: np.array([found[seed][name] for seed in sorted(found)]) for name in found[min(found)]}
