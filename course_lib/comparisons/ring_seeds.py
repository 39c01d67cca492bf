"""Many games on the ring, watched to the last step: the record that benchmarks/gan2d_seeds.py writes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from course_lib.deprecated import old_members
from course_lib.experiments.gan2d import MEASURE_EVERY, GAN2DExperiment, GAN2DHyperparameters, run_with_decay
from course_lib.files import atomic_write, require_folder
from course_lib.measure import Modes, frechet_distance

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "gan2d_seeds.json"
STEPS, SAMPLES = 4000, 10_000


@old_members(told="neg_loss_d")
class TrainingCurve(NamedTuple):
    """A game, every 25 steps: steps `[times]`; neg_loss_d `[times]`, minus the loss of D, its mean since the last time;
    js `[times]` in nats between real points and fakes by cells; frechet `[times]`, their Fréchet distance, of the
    points themselves; shares `[times, modes]` of the fakes near each mode."""

    steps: np.ndarray
    neg_loss_d: np.ndarray
    js: np.ndarray
    frechet: np.ndarray
    shares: np.ndarray

    def tracks(self, quality: str = "js", *, begin: float = 0.0) -> float:
        """Spearman's rank correlation of `neg_loss_d` and "js" or "frechet", from the share `begin` of the training on.

        NaN where one of them never changes. Raises ValueError for another name.
        """
        from scipy.stats import spearmanr  # here, since the import takes long and few need it

        if quality not in ("js", "frechet"):
            raise ValueError(f"quality must be js or frechet, not {quality!r}")
        a, b = (values[int(begin * len(values)):] for values in (self.neg_loss_d, getattr(self, quality)))
        return float(spearmanr(a, b).statistic) if np.ptp(a) * np.ptp(b) > 0 else float("nan")


@dataclass(frozen=True)
class RecordRow:
    """One variant: its hyperparameters by name; and for each seed the modes covered, the share near a mode, and
    `TrainingCurve.tracks` of JS, of the whole training and of its second half, and of the Fréchet distance, None where
    that is NaN.

    seconds: that one thread of a processor took for a game.
    """

    hyperparameters: dict[str, Any]
    seeds: list[int]
    covered: list[int]
    near: list[float]
    tracks: list[float | None]
    tracks_late: list[float | None]
    tracks_frechet: list[float | None]
    seconds: float


def train_and_record(hyperparameters: GAN2DHyperparameters, seed: int, steps: int = STEPS,
                     ) -> tuple[GAN2DExperiment, TrainingCurve]:
    """A game on data with modes, after `run_with_decay`, and its course."""
    experiment, losses, course = GAN2DExperiment(hyperparameters, seed), [], []
    for metrics in run_with_decay(experiment, steps):
        losses.append(float(metrics["loss_d"]))
        if experiment.steps % MEASURE_EVERY == 0:
            fake = experiment.samples(2000)
            course.append((experiment.steps, -np.mean(losses), float(metrics["js"]),
                           frechet_distance(fake, experiment.own_real.numpy()), experiment.modes(fake).shares))
            losses.clear()
    return experiment, TrainingCurve(*map(np.array, zip(*course, strict=True)))


def score(experiment: GAN2DExperiment) -> Modes:
    """The modes of 10,000 fakes of G with its averaged weights."""
    return experiment.modes(experiment.samples(SAMPLES, averaged=True))


def recorded() -> dict[str, RecordRow]:
    """What the benchmark found, by variant; each game had 4,000 updates. Raises CourseFileError if it is not there."""
    require_folder(RECORD.parent)
    return {name: RecordRow(**row) for name, row in json.loads(RECORD.read_text(encoding="utf-8")).items()}


def record(name: str, row: RecordRow) -> None:
    """Put a variant's row into the record, in the place of an older one."""
    rows = (recorded() if RECORD.exists() else {}) | {name: row}
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps({name: dataclasses.asdict(rows[name]) for name in sorted(rows)})
    atomic_write(RECORD, text.replace("}, ", "},\n") + "\n")
