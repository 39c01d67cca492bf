"""Which family to take: an answer from the record, with the rows that it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from course_lib.comparisons.scoreboard.measures import MEASURES
from course_lib.comparisons.scoreboard.record import Mean, Row, mean
from course_lib.comparisons.scoreboard.registry import FAMILIES

TASKS = {"tell how likely": "nll", "find anomalies": "anomaly", "draw well": "frechet", "draw fast": "draw_seconds",
         "cover all": "recall", "complete": "completion"}  # and the measure that decides


class Choice(NamedTuple):
    """A family that would do.

    Attributes:
        row: what the record has of it.
        value: its mean in the measure that decides.
        draw_seconds: its mean processor seconds for 100 draws.
        behind: by how much it is worse than the best, in standard errors of the difference; NaN of one seed. Below 2
            the record cannot tell the two apart.
    """

    row: Row
    value: Mean
    draw_seconds: Mean
    behind: float


def choices(some: Sequence[Row], task: str, draw_seconds: float = math.inf) -> list[Choice]:
    """Families for a task, the best first, of rows of one data set and budget; controls are none.

    Args:
        task: of `TASKS`.
        draw_seconds: at most so many processor seconds for 100 draws.

    Raises:
        ValueError: another task.
    """
    if task not in TASKS:
        raise ValueError(f"a task is one of {', '.join(TASKS)}, not {task!r}")
    measure = TASKS[task]
    sign = MEASURES[measure].sign
    able = [(row, mean(row.values(measure)), mean(row.values("draw_seconds"))) for row in some
            if row.family in FAMILIES and row.values(measure)]
    able = sorted((one for one in able if one[2].value <= draw_seconds), key=lambda one: sign * one[1].value)
    return [Choice(*one, _behind(one[1], able[0][1], sign)) for one in able]


def _behind(value: Mean, best: Mean, sign: int) -> float:
    gap, error = sign * (value.value - best.value), math.hypot(value.error, best.error)
    if gap == 0 or math.isnan(error):
        return 0.0 if gap == 0 else math.nan
    return gap / error if error else math.inf
