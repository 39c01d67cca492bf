"""What a flow puts into the empty middle of a circle, by the length of its training: the record that
benchmarks/flow_hole.py writes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.data.moons import CIRCLE
from course_lib.experiments.flow import FlowExperiment, FlowHyperparameters, square_grid
from course_lib.files import atomic_write, require_folder
from course_lib.training.loop import run

RECORD = Path(__file__).resolve().parents[2] / "data" / "records" / "flow_hole.json"
RADIUS = 0.6  # of the disc in the middle of the circle, whose radius is 1 and whose blur is .1
SETTING = FlowHyperparameters(data="circle", kind="spline", n_couplings=6, width=32, learning_rate=3e-3)


@dataclass(frozen=True)
class RecordRow:
    """Trainings of one length: the flow's hyperparameters by name; and for each seed how many times the true
    probability the flow gives to the disc in the middle, and KL(circle ‖ flow) in nats.

    seconds: that one thread of a processor took for a training.
    """

    hyperparameters: dict[str, Any]
    steps: int
    seeds: list[int]
    ratio: list[float]
    kl: list[float]
    seconds: float


def train_and_measure(steps: int, seed: int) -> tuple[float, float]:
    """The ratio and the KL of `RecordRow`, of one flow, by sums over a grid of the square."""
    experiment = FlowExperiment(SETTING.replace(total_steps=steps), seed)
    for _ in run(experiment, steps, progress=False):
        pass
    axis, square = square_grid(200)
    cell, middle = (axis[1] - axis[0]).item() ** 2, square.norm(dim=1) < RADIUS
    log_p, log_q = CIRCLE.log_prob(square), experiment.log_prob(square)
    return ((log_q[middle].exp().sum() / log_p[middle].exp().sum()).item(),
            ((log_p.exp() * (log_p - log_q)).sum() * cell).item())


def recorded() -> list[RecordRow]:
    """What the benchmark found, shortest training first. Raises CourseFileError if it is not there."""
    require_folder(RECORD.parent)
    return [RecordRow(**row) for row in json.loads(RECORD.read_text(encoding="utf-8"))]


def record(rows: list[RecordRow]) -> None:
    """Write the record anew."""
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps([dataclasses.asdict(row) for row in sorted(rows, key=lambda row: row.steps)])
    atomic_write(RECORD, text.replace("}, ", "},\n") + "\n")
