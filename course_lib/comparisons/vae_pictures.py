"""Pictures drawn and pictures completed with the shipped autoencoder and VAE, over many draws and with long chains: the
record that benchmarks/vae_pictures.py writes and notebook 04 shows.

References:
    P. Ghosh, M. S. M. Sajjadi, A. Vergari, M. Black, B. Schölkopf, From Variational to Deterministic Autoencoders, ICLR
        2020: draws from a density fitted afterwards to the codes of an autoencoder, or of a VAE.
    D. J. Rezende, S. Mohamed, D. Wierstra, Stochastic Backpropagation, ICML 2014: pseudo-Gibbs sampling.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.experiments.vae import held_out_images
from course_lib.files import atomic_write, require_folder
from course_lib.measure import nearest_neighbours
from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_em import fit, start
from course_lib.models.gmm_subspace import Subspace
from course_lib.models.vae import VAE
from course_lib.seeds import seeded
from course_lib.training import load_pretrained

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "vae_pictures.json"
DRAWN = 500  # pictures a seed
CODES = 10_000  # training pictures to whose codes a mixture is fitted
K, REG = 10, 0.01  # components; added to the variances of every mixture
SET, SETS = 100, 6  # test pictures to complete: so many sets of so many
SEEN = torch.arange(784) < 392  # the upper half


@dataclass(frozen=True)
class DrawnRow:
    """Pictures drawn in one way, for each seed: percentage that leaves the judge in doubt (no digit above .9), and mean
    squared distance to the nearest training picture."""

    seeds: list[int]
    doubt: list[float]
    distance: list[float]


@dataclass(frozen=True)
class CompletedRow:
    """Lower halves completed in one way, for each set of test pictures: squared error on the hidden pixels, mean over
    the pictures, and the share that the judge names right."""

    error: list[float]
    right: list[float]


def mixture_of(points: Tensor, K: int, steps: int, seed: int = 0) -> GaussianMixture:
    """`K` Gaussians after so many rounds of EM on points `[n, d]`."""
    points = points.double()
    return fit(points, start(points, K, seeded(seed), reg=REG), steps=steps, reg=REG)[0]


@torch.no_grad()
def draw(seeds: Sequence[int]) -> dict[str, DrawnRow]:
    """500 pictures a seed drawn in each way, judged by the classifier and by the nearest training picture."""
    judge, autoencoder, vae = (load_pretrained(name)[0] for name in ("classifier", "autoencoder_z20", "vae_z20"))
    train, test = load_mnist("train"), load_mnist("test").flat()
    greys = train.images.flatten(1).numpy()
    codes, some = autoencoder.encode(test), train[:CODES].flat()
    own, (mu, log_var) = autoencoder.encode(some), vae.encode(some)
    rows: dict[str, list[tuple[float, float]]] = {}
    for seed in seeds:
        noise, z = torch.randn(DRAWN, 20, generator=seeded(seed)), vae.reparameterize(mu, log_var, seeded(seed))
        ways = {"autoencoder, one Gaussian": autoencoder.decode(codes.mean(dim=0) + codes.std(dim=0) * noise),
                "autoencoder, twice as far": autoencoder.decode(codes.mean(dim=0) + 2 * codes.std(dim=0) * noise),
                "VAE": vae.decode(noise)}
        for name, model, points in (("autoencoder", autoencoder, own), ("VAE", vae, z)):
            drawn = mixture_of(points, K, 20, seed).sample(DRAWN, seeded(seed))[0].float()
            ways[f"{name}, mixture"] = model.decode(drawn)
        for way, x in ways.items():
            doubt = (judge.log_posterior(x).exp().amax(dim=1) < 0.9).float().mean().item()
            distance, _ = nearest_neighbours(255 * x.numpy(), greys)
            rows.setdefault(way, []).append((round(100 * doubt, 2), round(float(((distance / 255) ** 2).mean()), 3)))
    return {way: DrawnRow(list(seeds), *map(list, zip(*found, strict=True))) for way, found in rows.items()}


@torch.no_grad()
def walks_of(vae: VAE, begin: Tensor, rounds: Sequence[int], walks: Sequence[int]) -> dict[tuple[int, int], Tensor]:
    """Averages of E[x | z] `[n, 784]` over pseudo-Gibbs chains from pictures `begin`, without their first third.

    Returns:
        the average for every length of `rounds` and every number of `walks`, all from one run of the longest.
    """
    most = max(walks)
    x, rng, means = begin.repeat(most, 1), seeded(), []
    for _ in range(max(rounds)):
        x, mean = vae.inpaint(x, SEEN, 1, rng)
        mean = mean.view(most, *begin.shape)
        means.append(torch.stack([mean[:w].mean(dim=0) for w in walks]))
    averages = {r: torch.stack(means[r // 3:r]).mean(dim=0) for r in rounds}
    return {(r, w): averages[r][i] for r in rounds for i, w in enumerate(walks)}


@torch.no_grad()
def complete(rounds: Sequence[int], walks: Sequence[int],
             mixtures: Sequence[tuple[int, int, int]]) -> dict[str, CompletedRow]:
    """The lower halves of six sets of 100 test pictures, completed by mixtures and by pseudo-Gibbs chains of the VAE.

    Args:
        rounds, walks: see `walks_of`; all begin at the average picture.
        mixtures: components, dimensions of the subspace and training pictures of each.
    """
    judge, vae = (load_pretrained(name)[0] for name in ("classifier", "vae_z20"))
    train, test, labels = load_mnist("train"), held_out_images(), load_mnist("test").labels
    rows: dict[str, list[tuple[float, float]]] = {}

    def keep(way: str, filled: Tensor, x: Tensor, named: Tensor) -> None:
        error = ((filled - x) ** 2)[:, ~SEEN].sum(dim=1).mean().item()
        rows.setdefault(way, []).append((round(error, 3), (judge.predict(filled) == named).float().mean().item()))

    fitted = []
    for k, d, n in mixtures:
        ink = train[:n].binarized(seeded()).flatten(1)
        space = Subspace.of(ink, d)
        fitted.append((f"mixture of {k}, {d} dimensions, {n} pictures", space, mixture_of(space.project(ink), k, 10)))
    average = train[:6_000].binarized(seeded()).flatten(1).mean(dim=0)
    for first in range(0, SET * SETS, SET):
        x, named = test[first:first + SET], labels[first:first + SET]
        for way, space, mixture in fitted:
            keep(way, space.inpaint(mixture, x, SEEN).float().clamp(0, 1), x, named)
        for (r, w), filled in walks_of(vae, torch.where(SEEN, x, average), rounds, walks).items():
            keep(f"{w} chains of {r} rounds", filled, x, named)
    return {way: CompletedRow(*map(list, zip(*found, strict=True))) for way, found in rows.items()}


def recorded() -> tuple[dict[str, DrawnRow], dict[str, CompletedRow]]:
    """What the benchmark found, by the way that was taken. Raises CourseFileError if it is not there."""
    require_folder(RECORD.parent)
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    return ({way: DrawnRow(**row) for way, row in found["drawn"].items()},
            {way: CompletedRow(**row) for way, row in found["completed"].items()})


def record(command: str, drawn: dict[str, DrawnRow], completed: dict[str, CompletedRow]) -> None:
    """Write the record, with the command that made it."""
    parts = {"command": command, "drawn": {way: dataclasses.asdict(row) for way, row in drawn.items()},
             "completed": {way: dataclasses.asdict(row) for way, row in completed.items()}}
    RECORD.parent.mkdir(exist_ok=True)
    atomic_write(RECORD, json.dumps(parts).replace("}, ", "},\n") + "\n")
