"""Sliders that recompute at once: `explore(function, n=(20, 500, 20), …)`."""

from __future__ import annotations

import inspect
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets
from IPython.display import display
from matplotlib.figure import Figure

from course_lib.live import static_figure
from course_lib.live.picture import Picture
from course_lib.mode import headless
from course_lib.plots import show
from course_lib.plots.style import compact, output, quick_png

Control = tuple[float, float, float] | list[str] | bool

# Two controls' events may arrive on two threads of the kernel. They draw one after the other, each with the values that
# stand when its turn comes: else an old picture that is slow replaces a newer one.
_drawing = threading.RLock()


def explore(function: Callable[..., Figure], *, alt: str | Callable[..., str], labels: dict[str, str] | None = None,
            **controls: Control) -> None:
    """Show the figure that `function` returns, with a control for each argument, redrawn whenever one is moved.

    Headless it shows the figure of the defaults, after running the minimum and the maximum of every control, so that
    a position which fails is found by CI and not by a student.

    Args:
        function: takes the controls by name and returns a Figure. Its defaults are the first positions.
        alt: a sentence for someone who cannot see the picture, or a function that says it, which takes the controls as
            `function` does; their values are added to it.
        labels: words to show in place of an argument's name.
        controls: for each argument a slider (low, high, step), a list of choices, or True/False for a checkbox.

    Raises:
        ValueError: a control that `function` does not take, that has no default there, or whose default is outside.
    """
    defaults = {name: start(function, name, control) for name, control in controls.items()}
    if headless():
        for name, control in controls.items():
            for value in extremes(control):
                if value != defaults[name]:  # those are drawn below
                    there = defaults | {name: value}
                    quick_png(function(**there)), described(alt, there)  # drawn and told, since both can fail too
        show(function(**defaults), alt=described(alt, defaults))
        return

    boxes = {name: control_widget(control, defaults[name], (labels or {}).get(name, name))
             for name, control in controls.items()}
    picture = Picture()

    def redraw(_change: object = None) -> None:
        with _drawing:
            values = {name: box.value for name, box in boxes.items()}
            try:
                picture.draw(function(**values), described(alt, values))
            except Exception:  # shown under the last good picture: a callback's exception would otherwise be lost
                picture.error = traceback.format_exc(limit=-3)

    for box in boxes.values():
        box.observe(redraw, names="value")
    redraw()
    page = widgets.VBox([*boxes.values(), picture])
    page.add_class("course-explore")
    display(page._repr_mimebundle_() | {"text/plain": f"{picture.alt}: run the notebook to use it"}, raw=True)
    # An output of its own, hidden while the widget is there: what a reader of the saved notebook sees.
    if picture.png:  # else it failed, and the widget shows how
        data, metadata = static_figure.behind_widget(output(compact(picture.png), picture.alt, picture.width))
        display(data, metadata=metadata, raw=True)


def start(function: Callable[..., Any], name: str, control: Control) -> Any:
    """Where a control stands at first: the default of the function's argument. Raises ValueError as `explore` does."""
    parameters = inspect.signature(function).parameters
    if name not in parameters:
        raise ValueError(f"{function.__name__} has no argument {name!r}: it has {', '.join(parameters)}")
    value = parameters[name].default
    if value is inspect.Parameter.empty:
        raise ValueError(f"give {function.__name__}'s argument {name!r} a default: the control starts there")
    inside = control[0] <= value <= control[1] if isinstance(control, tuple) else value in extremes(control)
    if not inside:
        raise ValueError(f"the default {name}={value!r} lies outside its control {control!r}")
    return value


def extremes(control: Control) -> Iterator[Any]:
    """The ends of a slider, or all choices."""
    if isinstance(control, bool):
        return iter((False, True))
    return iter(control[:2] if isinstance(control, tuple) else control)


def control_widget(control: Control, value: Any, label: str) -> widgets.Widget:
    """The slider, dropdown or checkbox of a control, standing at `value`."""
    # Without a tooltip of its own ipywidgets writes "null" there.
    wide = {"description": label, "tooltip": "", "style": {"description_width": "11em"}, "layout": {"width": "32em"}}
    if isinstance(control, bool):
        return widgets.Checkbox(value=value, indent=True, **wide)
    if isinstance(control, tuple):
        whole = all(isinstance(part, int) for part in control)
        slider = widgets.IntSlider if whole else widgets.FloatSlider
        return slider(value=value, min=control[0], max=control[1], step=control[2], **wide)
    return widgets.Dropdown(options=control, value=value, **wide)


def described(alt: str | Callable[..., str], values: dict[str, Any]) -> str:
    """`alt`, or what it says of these values, and the values; sliders count in steps, so 0.8 may be sent as
    0.7999999999999999."""
    tidy = {name: round(value, 9) if isinstance(value, float) else value for name, value in values.items()}
    words = alt(**values) if callable(alt) else alt
    return f"{words} ({', '.join(f'{name} = {value}' for name, value in tidy.items())})" if tidy else words
