"""Many games on the ring, scored at the last step: the record that benchmarks/gan2d_seeds.py writes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.experiments.gan2d import GAN2DExperiment
from course_lib.measure import Modes

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "gan2d_seeds.json"
STEPS, SAMPLES = 4000, 10_000


@dataclass(frozen=True)
class Row:
    """One variant: its hyperparameters by name; and for each seed the modes covered and the share near a mode.

    seconds: that one thread of a processor took for a game.
    """

    hyperparameters: dict[str, Any]
    seeds: list[int]
    covered: list[int]
    near: list[float]
    seconds: float


def score(experiment: GAN2DExperiment) -> Modes:
    """The modes of 10,000 fakes of G with its averaged weights."""
    return experiment.modes(experiment.samples(SAMPLES, averaged=True))


def recorded() -> dict[str, Row]:
    """What the benchmark found, by variant; each game had 4,000 updates by `run_with_decay`."""
    return {name: Row(**row) for name, row in json.loads(RECORD.read_text(encoding="utf-8")).items()}


def record(name: str, row: Row) -> None:
    """Put a variant's row into the record, in the place of an older one."""
    rows = (recorded() if RECORD.exists() else {}) | {name: row}
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps({name: dataclasses.asdict(rows[name]) for name in sorted(rows)}, indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")
