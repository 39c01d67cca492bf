"""A control for each hyperparameter, made from what it declares about itself."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as widgets
import numpy as np

from course_lib.live.trainer import shown
from course_lib.training.hyperparameters import Field

MANTISSAS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def control(field: Field, value: Any) -> widgets.ValueWidget:
    """Checkbox, dropdown, slider or log slider for a hyperparameter whose value is `value`.

    A change that needs a restart is sent when the slider is let go, any other while it moves.
    """
    words = {
        "description": f"{field.label} ({field.unit})" if field.unit else field.label,
        "tooltip": field.help + (" Changing it begins anew." if field.restart else ""),
        "style": {"description_width": "190px"},
        "layout": widgets.Layout(width="auto"),
    }
    if isinstance(value, bool):
        return widgets.Checkbox(value, indent=True, **words)
    if field.choices is not None:
        return widgets.Dropdown(value=value, options=field.choices, **words)
    if field.low is None or field.high is None:
        whole = isinstance(value, int)
        box, end = (widgets.BoundedIntText, 2**53) if whole else (widgets.BoundedFloatText, math.inf)
        bounds = {"min": -end if field.low is None else field.low, "max": end if field.high is None else field.high}
        return box(value, **bounds, **words)
    if isinstance(value, int) and not field.log:
        return widgets.IntSlider(value, field.low, field.high, continuous_update=not field.restart, **words)
    # A float slider would round its value to its own steps, and so change the run by being shown. This one has stops.
    options = _options({*_stops(field, isinstance(value, int)), value})
    # To a screen reader its ends are the numbers of its stops, so they are said in words.
    words["tooltip"] += f" From {shown(field.low)} to {shown(field.high)}."
    return widgets.SelectionSlider(options=options, value=value, continuous_update=not field.restart, **words)


def show(widget: widgets.ValueWidget, value: Any) -> None:
    """Let a control show a value, which may lie between a slider's stops."""
    if isinstance(widget, widgets.SelectionSlider) and value not in dict(widget.options).values():
        widget.options = _options({*dict(widget.options).values(), value})
    widget.value = value


def _options(values: set[float]) -> list[tuple[str, float]]:
    return [(shown(value), value) for value in sorted(values)]


def _stops(field: Field, whole: bool) -> list[float]:
    """Round numbers from bound to bound: powers of two, ten a decade, or a hundred equal steps."""
    if whole:
        between = [2**k for k in range(1, int(field.high).bit_length())]
    elif field.log:
        decades = range(math.floor(math.log10(field.low)), math.ceil(math.log10(field.high)) + 1)
        between = [float(f"{m}e{k}") for k in decades for m in MANTISSAS]
    else:
        between = [float(f"{value:.6g}") for value in np.linspace(field.low, field.high, 101)]
    return [field.low, *(value for value in between if field.low < value < field.high), field.high]
