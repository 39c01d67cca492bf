"""The runs of the scoreboard, their record, and what is read off it: tables, and ranks with their standard errors."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_lib.comparisons.runs import Setting, read_record
from course_lib.comparisons.scoreboard.measures import MEASURES, Sizes, measured, peak_memory
from course_lib.comparisons.scoreboard.pictures import PICTURES
from course_lib.comparisons.scoreboard.registry import ALL, BUDGETS, FAMILIES, cell, made, steps_of
from course_lib.comparisons.scoreboard.weights import is_kept, keep
from course_lib.files import require_folder
from course_lib.memory import tidy

RECORD = Path(__file__).resolve().parents[3] / "data" / "records" / "scoreboard.jsonl"
SEEDS = 3
DIGITS = 5  # of numbers in the record that count

Result = dict[str, float | None]


def settings(data: Iterable[str] = PICTURES, families: Iterable[str] = ALL, budgets: Iterable[str] = BUDGETS,
             seeds: int = SEEDS) -> list[Setting]:
    """What each run is asked, as arguments of `run`: all short ones first, seed by seed, so that a study that is broken
    off has all families.

    Raises:
        KeyError: no such family or data set.
        ValueError: no such budget.
    """
    asked = []
    for budget in budgets:
        for seed in range(seeds):
            for name in data:
                for family in families:
                    if isinstance(cell(family, name), str):
                        continue
                    steps = steps_of(family, name, budget)
                    if steps is not None:
                        asked.append({"data": name, "family": family, "budget": budget, "steps": steps, "seed": seed})
    return asked


def run(data: str, family: str, budget: str, steps: int, seed: int, sizes: Sizes = Sizes(),  # noqa: B008
        folder: Path | None = None) -> Result:
    """One run: train, and measure. The budget is but a name for the steps. Raises as `made` and `measured`.

    Args:
        folder: where weights of the runs go of which they are kept; None for nowhere.
    """
    pictures = PICTURES[data]
    _ = pictures.train, pictures.held_out, pictures.reference_features  # they count neither as time nor as memory
    tidy()
    with peak_memory() as peak:
        start = time.process_time()
        trained = made(family, data, steps, seed)
        trained.train()
        seconds = time.process_time() - start
        trained.draw(min(500, sizes.draws), trained.generator)
    setting = {"data": data, "family": family, "budget": budget, "steps": steps, "seed": seed}
    if folder is not None and is_kept(setting):
        keep(trained, setting, folder)
    result = measured(trained, sizes) | {"train_seconds": seconds, "memory": peak.mib}
    return {name: None if value is None else float(f"{value:.{DIGITS}g}") for name, value in result.items()}


def seconds_of_a_step(data: str, family: str, few: int = 10) -> float:
    """Processor seconds of a step of training: the difference of two short trainings. Raises as `made`."""

    def taken(steps: int) -> float:
        one, start = made(family, data, steps, 0), time.process_time()
        one.train()
        return time.process_time() - start

    taken(2)  # what is done once in a process
    return max(0.0, taken(3 * few) - taken(few)) / (2 * few)


class Row(NamedTuple):
    """A family on one data set with one budget: its results, seed by seed."""

    data: str
    family: str
    budget: str
    results: list[Result]

    def values(self, measure: str) -> list[float]:
        """Of all seeds that have a number."""
        return [result[measure] for result in self.results if result[measure] is not None]


def _first(setting: Setting) -> Setting:
    """The same of the first seed, in the order of `settings`."""
    return {name: setting[name] for name in ("data", "family", "budget", "steps")} | {"seed": 0}


class Mean(NamedTuple):
    """A mean over seeds, and its standard error: NaN of one seed."""

    value: float
    error: float


def mean(values: Sequence[float]) -> Mean:
    """Mean and standard error of some numbers."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Mean(statistics.fmean(values), error)


def column(some: Sequence[Row], measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Means over seeds and their standard errors, each `[n_rows]`: NaN where a row has no number, or one seed."""
    told = [mean(values) if (values := row.values(measure)) else Mean(math.nan, math.nan) for row in some]
    return np.array([one.value for one in told]), np.array([one.error for one in told])


def rows(record: Path = RECORD) -> list[Row]:
    """All that is recorded of the steps that the registry has now, in its order.

    Raises CourseFileError if the record is not there or cannot be read.
    """
    require_folder(record.parent)
    asked = {tuple(setting.items()) for setting in settings(seeds=1)}
    found = {tuple(setting[name] for name in ("data", "family", "budget", "seed")): result
             for setting, result in read_record(record) if tuple(_first(setting).items()) in asked}
    all_rows = [Row(data, family, budget, [found[key] for key in sorted(found) if key[:3] == (data, family, budget)])
                for data in PICTURES for family in ALL for budget in BUDGETS]
    return [row for row in all_rows if row.results]


def of_data(all_rows: Sequence[Row], data: str, budget: str) -> list[Row]:
    """The rows of one data set with this budget; of what has no long one, the short one."""
    own = [row for row in all_rows if row.data == data]
    asked = {row.family for row in own if row.budget == budget}
    return [row for row in own if row.budget == budget
            or (row.family not in asked and steps_of(row.family, data, budget) is None)]


def ranks(some: Sequence[Row], measure: str) -> dict[str, Mean]:
    """The rank of each family among those that have this measure, 1 for the best, as mean over seeds and its standard
    error. Controls have none; equal numbers share the mean of their ranks.

    Raises:
        ValueError: a measure of which neither more nor less is better.
    """
    if not MEASURES[measure].best:
        raise ValueError(f"neither much nor little is good of {measure}: {MEASURES[measure].what}")
    taking_part = {row.family: row.values(measure) for row in some if row.family in FAMILIES and row.values(measure)}
    seeds = min((len(values) for values in taking_part.values()), default=0)
    sign = MEASURES[measure].sign
    by_seed: dict[str, list[float]] = {family: [] for family in taking_part}
    for seed in range(seeds):
        for family, values in taking_part.items():
            own = sign * values[seed]
            others = [sign * other[seed] for other in taking_part.values()]
            by_seed[family].append(sum(o < own for o in others) + (sum(o == own for o in others) + 1) / 2)
    return {family: mean(values) for family, values in by_seed.items()}


def table(some: Sequence[Row], measures: Sequence[str]) -> str:
    """One line for each row: means over seeds ± standard errors, and in brackets the rank; a dash where there is no
    number."""
    places = {measure: ranks(some, measure) for measure in measures if MEASURES[measure].best}
    lines = [f"{'':17}{'budget':8}" + "".join(f"{measure:>24}" for measure in measures)]
    for row in some:
        cells = [_cell(row, measure, places.get(measure, {}).get(row.family)) for measure in measures]
        lines.append(f"{row.family:17}{row.budget:8}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def _cell(row: Row, measure: str, place: Mean | None) -> str:
    values = row.values(measure)
    if not values:
        return "–"
    value, error = mean(values)
    spread = "" if math.isnan(error) else f" ± {error:.2g}"
    return f"{value:.4g}{spread}" + ("" if place is None else f" ({place.value:.1f})")


def missing(record: Path = RECORD, seeds: int = SEEDS) -> list[Setting]:
    """Settings of which there is no result yet. Raises CourseFileError if the record cannot be read."""
    done = {tuple((_first(setting) | {"seed": setting["seed"]}).items()) for setting, _ in read_record(record)}
    return [setting for setting in settings(seeds=seeds) if tuple(setting.items()) not in done]
