"""What is measured of every family, on what, and on how much of it: written once, here.

All that is random in a measure comes from one seed, the same for all. So log p is of the same test pictures, and
completions are of the same ones.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib.comparisons.scoreboard.family import Family
from course_lib.comparisons.scoreboard.pictures import PICTURES, Pictures
from course_lib.measure import (
    bits_per_dimension,
    energy_score,
    frechet_bias,
    frechet_distance,
    kid,
    nearest_neighbours,
    precision_recall,
)
from course_lib.memory import resident
from course_lib.seeds import seeded

SEED = 1000  # of all measures


@dataclass(frozen=True)
class Sizes:
    """On how much is measured.

    Attributes:
        draws: pictures that are drawn and compared with the reference.
        scored: test pictures whose log p is asked for, if there are as many, and as many chimeras.
        neighbours: draws whose nearest training pictures are sought.
        completed, completions: test pictures that are completed, and how often each.
    """

    draws: int = 2000
    scored: int = 2000
    neighbours: int = 500
    completed: int = 200
    completions: int = 4


class Measure(NamedTuple):
    """A column of the record.

    Attributes:
        what: it is, with its unit.
        best: 'low' or 'high', which is better, for ranks; '' for neither.
    """

    what: str
    best: str = ""

    @property
    def sign(self) -> int:
        """What a number is multiplied by so that less is better."""
        return -1 if self.best == "high" else 1


MEASURES = {
    "nll": Measure("−log p(x) of a test picture, nats: exact, at most this (bound), or estimated", "low"),
    "nll_error": Measure("standard error of nll over test pictures, nats"),
    "bits": Measure("nll in bits per pixel", "low"),
    "kl": Measure("KL(truth ‖ model), nats; of a bound, at most this", "low"),
    "kl_error": Measure("standard error of kl over test pictures, nats"),
    "kl_back": Measure("KL(model ‖ truth), nats, where log p is exact", "low"),
    "surprise": Measure("what a draw costs under the truth above what a real picture does, nats: 0 for the truth, "
                        "below it for a model that plays safe"),
    "frechet": Measure("Fréchet distance of the draws' features to the reference's", "low"),
    "frechet_bias": Measure("what the number of draws adds to frechet on average, to first order"),
    "kid": Measure("kernel distance of the same features, without bias", "low"),
    "precision": Measure("share of draws within the reference", "high"),
    "recall": Measure("share of the reference within the draws", "high"),
    "nearest": Measure("distance of a draw to its nearest training picture, over that of a test picture"),
    "copied": Measure("share of draws that are a training picture"),
    "anomaly": Measure("share of pairs of a test picture and a chimera in which log p tells which is which", "high"),
    "completion": Measure("energy score of completions of the lower half, in roots of pixels", "low"),
    "completion_error": Measure("standard error of completion over test pictures"),
    "completion_surprise": Measure("what a completion costs under the exact conditional above what a draw of it costs, "
                                   "nats"),
    "parameters": Measure("numbers that were learned", "low"),
    "train_seconds": Measure("processor seconds of training", "low"),
    "draw_seconds": Measure("processor seconds for 100 draws", "low"),
    "passes": Measure("passes through the network for one draw, one after the other", "low"),
    "memory": Measure("MiB that training and drawing added to the process at their peak", "low"),
}
OF_DENSITIES = ("nll", "nll_error", "bits", "anomaly")
OF_TRUTH = ("kl", "kl_error", "kl_back", "surprise", "completion_surprise")


def why_empty(kind: type[Family], data: str, measure: str) -> str:
    """Why a family of this kind has no number for a measure on a data set; '' if it should have one."""
    if measure in OF_TRUTH and PICTURES[data].truth is None:
        return "the distribution of these pictures is not known"
    if measure in (*OF_DENSITIES, "kl", "kl_error", "kl_back") and not kind.density:
        return kind.why_no_density
    if measure == "kl_back" and kind.density != "exact":
        return "it needs the exact log p of draws"
    return "this system does not say" if measure == "memory" and not _STATUS.exists() else ""


@torch.no_grad()
def measured(family: Family, sizes: Sizes) -> dict[str, float | None]:
    """All `MEASURES` of a trained family but `train_seconds` and `memory`; None where there is none.

    Raises:
        ValueError: a measure is no finite number, as of a family that has diverged.
    """
    pictures, found = family.pictures, dict.fromkeys(MEASURES)
    start = time.process_time()
    drawn = family.draw(sizes.draws, seeded(SEED))
    found["draw_seconds"] = 100 * (time.process_time() - start) / sizes.draws
    found |= {"parameters": family.parameters, "passes": family.passes}
    found |= of_draws(pictures, drawn, sizes) | of_completions(family, sizes)
    if family.density:
        found |= of_log_prob(family, sizes)
    if pictures.truth is not None:
        cost = -pictures.truth.log_prob(drawn)
        found["surprise"] = float(cost.mean() + pictures.truth.log_prob(pictures.held_out[1]).mean())
        if family.density == "exact":
            found["kl_back"] = float((cost + family.log_prob(drawn, seeded(SEED + 2))).mean())
    wrong = [name for name, value in found.items() if value is not None and not math.isfinite(value)]
    if wrong:
        raise ValueError(f"no finite number: {', '.join(wrong)}")
    return found


def of_draws(pictures: Pictures, drawn: Tensor, sizes: Sizes) -> dict[str, float]:
    """Draws int64 `[n, H, W]` against the reference, in features; and against the training set, in pixels."""
    features, reference = pictures.features(drawn), pictures.reference_features
    n = min(len(features), len(reference))
    some = reference[:n], features[:n]  # as many on both sides: else balls would differ in size for that alone
    precision, recall = precision_recall(*some)
    distance = _to_nearest(pictures, drawn[:sizes.neighbours])
    return {
        "frechet": frechet_distance(features, reference),
        "frechet_bias": frechet_bias(np.cov(features, rowvar=False), np.cov(reference, rowvar=False), len(features)),
        "kid": float(kid(*(torch.from_numpy(part).double() for part in some))), "precision": precision,
        "recall": recall, "nearest": float(distance.mean()) / _usual(pictures.name, sizes.neighbours),
        "copied": float((distance == 0).mean())}


def of_log_prob(family: Family, sizes: Sizes) -> dict[str, float]:
    """Of a family with log p: what test pictures cost, and whether chimeras cost more."""
    pictures = family.pictures
    x = pictures.test[:sizes.scored]
    log_p, of_chimeras = (family.log_prob(part, seeded(SEED + 1)).double() for part in (x, chimeras(x)))
    nll, error = -log_p.mean().item(), _error(log_p)
    found = {"nll": nll, "nll_error": error, "bits": float(bits_per_dimension(nll, pictures.pixels)),
             "anomaly": area_under_curve(-of_chimeras, -log_p)}
    if pictures.truth is not None:
        excess = pictures.truth.log_prob(x) - log_p
        found |= {"kl": excess.mean().item(), "kl_error": _error(excess)}
    return found


def of_completions(family: Family, sizes: Sizes) -> dict[str, float]:
    """How well the lower part of test pictures is predicted from the upper one."""
    pictures = family.pictures
    x = pictures.test[:sizes.completed]
    completed = family.complete(x, sizes.completions, seeded(SEED + 3))
    score = energy_score(np.stack([pictures.one_hot(part).numpy() for part in completed]), pictures.one_hot(x).numpy())
    found = {"completion": float(score.mean()), "completion_error": _error(torch.from_numpy(score))}
    if pictures.truth is not None:
        given = pictures.truth.log_prob_seen(torch.where(pictures.seen, x, pictures.n_classes))
        real = -(pictures.truth.log_prob(x) - given).mean()
        cost = -(pictures.truth.log_prob(completed.flatten(0, 1)) - given.repeat(sizes.completions)).mean()
        found["completion_surprise"] = float(cost - real)
    return found


def chimeras(x: Tensor) -> Tensor:
    """Pictures `[n, H, W]` each with the upper half of one of x `[n, H, W]` and the lower half of the one before it:
    pixel by pixel as real ones, and wrong as a whole."""
    middle = x.shape[1] // 2
    return torch.cat([x[:, :middle], x.roll(1, dims=0)[:, middle:]], dim=1)


def area_under_curve(odd: Tensor, usual: Tensor) -> float:
    """Share of pairs in which the odd one has the higher score, ties counting half, of scores `[n]` and `[m]`."""
    from sklearn.metrics import roc_auc_score  # here, since the import takes most of a second and few need it

    truth = torch.cat([torch.ones(len(odd)), torch.zeros(len(usual))])
    return float(roc_auc_score(truth, torch.cat([odd, usual])))


class Peak:
    """MiB that were added to the process at the peak; None where the system does not say."""

    mib: float | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Watch how much memory what is within it adds to this process at its peak; it is Linux that says."""
    peak, before = Peak(), resident()
    try:
        _CLEAR.write_text("5", encoding="ascii")  # the peak is from now on
    except OSError:
        before = None
    yield peak
    if before is not None:
        line = next(line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        peak.mib = max(0.0, int(line.split()[1]) / 1024 - before / 2**20)


_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@functools.cache
def _usual(data: str, n: int) -> float:
    """Mean distance of so many test pictures to their nearest training picture."""
    return float(_to_nearest(PICTURES[data], PICTURES[data].test[:n]).mean())


def _to_nearest(pictures: Pictures, x: Tensor) -> np.ndarray:
    """Root of the number of pixels that differ between each picture and the training picture nearest to it, `[n]`."""
    if pictures.n_classes == 2:
        return nearest_neighbours(x.byte().numpy(), pictures.train[0].byte().numpy())[0]
    ones = ((2**0.5 * pictures.one_hot(part)).round().byte().numpy() for part in (x, pictures.train[0]))
    return nearest_neighbours(*ones)[0] / 2**0.5


def _error(values: Tensor) -> float:
    return values.std().item() / math.sqrt(len(values))
