"""Sliders whose pictures follow the hand: `explore_canvas(function, views, …)` recomputes arrays, the browser draws."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from course_lib.live import static_figure
from course_lib.live.canvas import Canvas
from course_lib.live.explore import Control, control_widget, described, extremes, start
from course_lib.live.pad import SketchPad
from course_lib.live.views import View, gather
from course_lib.mode import headless
from course_lib.plots import bundle
from course_lib.plots.style import Bundle

Arrays = dict[str, np.ndarray]


def explore_canvas(function: Callable[..., Arrays], views: Sequence[View], *, alt: str,
                   labels: Mapping[str, str] | None = None, **controls: Control | SketchPad) -> None:
    """Show views of the arrays that `function` returns, recomputed and drawn anew whenever a control is moved.

    As `explore`, but no PNG is made on the way: what the kernel sends is numbers, and the browser draws them. So the
    picture follows a slider within a few hundredths of a second, if the function is as fast. The PNG of the first
    positions stands in the saved notebook. Headless it shows that PNG, after running the minimum and the maximum of
    every control.

    Args:
        function: takes the controls by name and returns the arrays that the views name. Its defaults are the first
            positions; a pad needs none.
        views: what to draw; see `course_lib.live.views`.
        alt: a sentence for someone who cannot see the picture; the controls' values are added to it.
        labels: words to show in place of an argument's name.
        controls: for each argument a slider (low, high, step), a list of choices, True/False for a checkbox, or a
            `SketchPad`, whose drawing `[height, width]` the function is given.

    Raises:
        ValueError: a control that `function` does not take, that has no default there, or whose default is outside.
        KeyError: a view names an array that `function` does not return.
    """
    pads = {name: control for name, control in controls.items() if isinstance(control, SketchPad)}
    moved = {name: control for name, control in controls.items() if name not in pads}
    defaults = {name: start(function, name, control) for name, control in moved.items()}

    def arrays(values: Mapping[str, Any]) -> Arrays:
        return gather(views, function(**values, **{name: pad.drawing for name, pad in pads.items()}), {})

    def still(shown: Arrays) -> Bundle:
        words = f"{described(alt, defaults)}. {static_figure.alt(views, shown)}"
        return bundle(static_figure.draw(views, shown), words)

    if headless():
        for name, control in moved.items():
            for value in extremes(control):
                static_figure.draw(views, arrays(defaults | {name: value})).draw_without_rendering()
        data, metadata = still(arrays(defaults))
        display(data, metadata=metadata, raw=True)
        return

    boxes = {name: control_widget(control, defaults[name], (labels or {}).get(name, name))
             for name, control in moved.items()}
    lock, count, shown = threading.Lock(), 0, arrays(defaults)

    def redraw(_change: object = None) -> None:
        nonlocal count, shown
        with lock:  # events may arrive on several threads of the kernel
            values, error = {name: box.value for name, box in boxes.items()}, ""
            try:
                shown = arrays(values)
            except Exception:  # shown over the last good picture: a callback's exception would otherwise be lost
                error = traceback.format_exc(limit=-3)
            count += 1
            status = {"state": "exploring", "steps": count, "rate": 0, "changed": described(alt, values),
                      "error": error}
            canvas.push(status, shown, urgent=False)

    canvas = Canvas(views, on_ready=redraw)
    for box in boxes.values():
        box.observe(redraw, names="value")
    for pad in pads.values():
        pad.observe(redraw, names="pixels")
    page = widgets.VBox([*boxes.values(), canvas])
    if pads:
        page = widgets.HBox([widgets.VBox([*pads.values()]), page])
    page.add_class("course-lab")
    display({**page._repr_mimebundle_(), "text/plain": f"{alt}: run the notebook to use it"}, raw=True)
    # An output of its own, hidden while the canvas is there: what a reader of the saved notebook sees.
    data, metadata = static_figure.behind_widget(still(shown))
    display(data, metadata=metadata, raw=True)
