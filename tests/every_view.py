"""Every kind of view with an array for each, and what its look says, one value at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from tiny_experiment import Everything

from course_lib.live import Arrows, Bars, Curve, Density, HeatMap, ImageGrid, Mesh, Scatter, View, views
from course_lib.live.history import History
from course_lib.live.views import gather

KINDS = {kind.kind: kind for kind in vars(views).values()
         if isinstance(kind, type) and issubclass(kind, View) and kind is not View}

ALL = {
    "curve": Curve("loss_d", "loss_g", title="Losses"),
    "curve and level": Curve("loss_d", levels={"log 2": 0.69}),
    "log curve": Curve("loss_d", log=True),
    "density": Density("real", "generated", grid="x", lines=("decision",), ylim=(0, 1)),
    "scatter": Scatter("points", equal=True, xlim=(-3, 3)),
    "signs": Scatter("points", marks="7"),
    "heat map": HeatMap("heat", extent=(-2, 2, -2, 2), limits=(-1, 1)),
    "arrows": Arrows("toward", at="at"),
    "mesh": Mesh("bent", start="flat", switch="grid"),
    "outlined": Scatter("points", outline=True),
    "limits that follow": HeatMap("heat", extent=(-2, 2, -2, 2), limits="limits"),
    "images": ImageGrid("images"),
    "coloured images": ImageGrid("colored", columns=3),
    "bars": Bars("counts", names=["a", "b", "c"]),
    "layers": HeatMap("heat", extent=(-2, 2, -2, 2)) + Scatter("points") + Arrows("toward", at="at"),
}


def arrays(view: View, steps: int) -> dict[str, np.ndarray]:
    """What a view draws after so many steps."""
    experiment, history = Everything(), History()
    for step in range(steps):
        history.append(step + 1, experiment.step())
    return gather([view], experiment.snapshot(), history.arrays())


def _changed(value: Any) -> Any:
    if isinstance(value, str):
        return "#00000080"  # of a colour
    if isinstance(value, list):
        return [_changed(part) for part in value]
    return value / 2


def changed_looks(kind: type[View]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The look of a kind with one value changed, for each of its values, and the value's name."""
    for name, value in kind.look.items():
        for within in value if isinstance(value, dict) else [None]:
            look = copy.deepcopy(dict(kind.look))
            if within is None:
                look[name] = _changed(value)
            else:
                look[name][within] = _changed(value[within])
            yield f"{name} {within or ''}".strip(), look


LOOKS = {f"{kind.kind} {name}": (kind, look) for kind in KINDS.values() for name, look in changed_looks(kind)}
