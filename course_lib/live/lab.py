"""Watch a model in training and turn its knobs while it learns."""

from __future__ import annotations

import atexit
import math
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython import get_ipython
from IPython.display import display, update_display

from course_lib.live import static_figure
from course_lib.live.canvas import Canvas
from course_lib.live.controls import control, show
from course_lib.live.history import History
from course_lib.live.pad import SketchPad
from course_lib.live.recording import Recording
from course_lib.live.trainer import Trainer
from course_lib.live.views import View, gather
from course_lib.mode import headless, max_rate, recording_labs
from course_lib.plots import bundle
from course_lib.plots.style import Bundle, stand_in
from course_lib.training.experiment import Experiment
from course_lib.training.loop import run

DRIVERS = ("course_lib.live.mailbox", "course_lib.live.trainer")  # left out of tracebacks: they end where training is
SLOW = (100, 30, 10, 3)  # updates a second of slow motion

PadChanges = tuple[SketchPad, Callable[[np.ndarray], dict[str, Any]]]

_open: dict[str, LiveLab] = {}  # the lab of each cell, so that running the cell again closes it


class LiveLab:
    """Buttons, knobs and pictures for one experiment, which trains in a thread of its own.

    Cells after a lab must not depend on what was done in it: give it an experiment of its own.

    With `COURSE_HEADLESS=1` in the environment, and in Colab, where a thread's pictures do not appear, the same
    experiment trains here and now for `headless_steps` updates and the last picture is shown. With
    `COURSE_RECORD_LABS=1`, too, a player of that session takes its place on a page; see `course_lib.live.recording`.
    `COURSE_MAX_RATE=30` holds a live lab to 30 updates a second, so that a class fits on a server; its results are the
    same.

    Args:
        experiment: belongs to the lab from now on.
        views: what to draw; see `course_lib.live.views`.
        headless_steps: updates to do where there is no live display.
        steps: training is done after so many updates; None for no end.
        knobs: the hyperparameters that get a control; None for all.
        pads: sheets to draw on, each with the hyperparameters that a drawing sets: `(pad, lambda drawing: {…})`. An
            empty dict leaves everything as it is.
        name: tells two labs of one experiment class in one cell apart. Making a lab closes the one of the same name.

    Raises:
        KeyError: a view names an array that the snapshot does not have, or `knobs` a hyperparameter that is not there.
        ValueError: `COURSE_MAX_RATE` is no number above 0, unless headless.
        Exception: whatever training raises, when headless.

    Attributes:
        trainer: start, pause, step, reset, set, replay, run, wait and ask from code; None when headless.
    """

    def __init__(
        self,
        experiment: Experiment,
        views: Sequence[View],
        *,
        headless_steps: int = 200,
        steps: int | None = None,
        knobs: Sequence[str] | None = None,
        pads: Sequence[PadChanges] = (),
        name: str | None = None,
    ) -> None:
        self._name = name or f"{_cell()}/{type(experiment).__name__}"
        if self._name in _open:
            _open.pop(self._name).close()
        self._experiment, self._views = experiment, list(views)
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        self._still_at = 0.0
        self.trainer: Trainer | None = None
        self._recording: Recording | None = None
        if headless() or "google.colab" in sys.modules:
            history = History()
            if recording_labs():
                self._recording = Recording(experiment, self._views, headless_steps)
            for metrics in run(experiment, headless_steps, progress=not headless()):
                history.append(experiment.steps, metrics)
                if self._recording is not None:
                    self._recording.look(history)
            self._arrays = gather(self._views, experiment.snapshot(), history.arrays())
            return
        self._arrays = gather(self._views, experiment.snapshot(), History().arrays())
        self._max_rate = max_rate()
        self.trainer = Trainer(experiment, limit=steps, observe=self._observe, rest=self._renew_still,
                               max_rate=self._max_rate)
        declared = experiment.hyperparameters.fields()
        self._knobs = {
            key: control(declared[key], getattr(experiment.hyperparameters, key))
            for key in (declared if knobs is None else knobs)
        }
        self._canvas = Canvas(self._views, on_ready=self.trainer.refresh,
                              help={knob.description: knob.tooltip for knob in self._knobs.values()})
        for key, knob in self._knobs.items():
            knob.observe(lambda change, key=key: self._turned(key, change["new"]), "value")
        self._pads = [pad for pad, _ in pads]
        for pad, changes in pads:
            pad.observe(lambda _, pad=pad, changes=changes: self.trainer.set(**changes(pad.drawing)), "pixels")
        self._widget = self._build()
        _open[self._name] = self

    def digest(self) -> str:
        """The experiment's digest, between two updates."""
        return self._experiment.digest() if self.trainer is None else self.trainer.ask(lambda e: e.digest())

    def close(self) -> None:
        """Stop for good: ends the thread and takes the controls off the page; the last picture stays."""
        if self.trainer is None or self.trainer.state == "closed":
            return
        self.trainer.close()
        controls = (*self._knobs.values(), *self._pads, *self._buttons.values())
        for widget in (*controls, self._canvas, *self._boxes, self._widget):
            widget.close()
        if _open.get(self._name) is self:
            del _open[self._name]

    # What the page shows.

    def _build(self) -> widgets.Widget:
        def button(text: str, icon: str, tooltip: str, action: Any) -> widgets.Button:
            made = widgets.Button(description=text, icon=icon, tooltip=tooltip)
            made.on_click(lambda _: action())
            return made

        trainer = self.trainer
        self._buttons = {
            "start": button("Start", "play", "Train until you press Pause", self._start_or_pause),
            "step": button("Step", "step-forward", "Do one update, then pause", trainer.step),
            "phase": button("Phase", "angle-right", "Slow motion: do one phase of an update", trainer.phase),
            "reset": button("Reset", "undo", "Begin anew from the same seed with these knobs", trainer.reset),
            "replay": button("Replay", "history", "Run the session since the last reset again, knob changes included",
                             trainer.replay),
        }
        if not self._experiment.walkable:
            self._buttons.pop("phase").close()
        self._buttons["start"].button_style = "primary"
        speed = widgets.Dropdown(options=speeds(self._max_rate), value=math.inf, description="Speed",
                                 tooltip=speed_tooltip(self._max_rate))
        speed.observe(lambda change: trainer.pace(change["new"]), "value")
        columns = widgets.Layout(grid_template_columns="repeat(auto-fill, minmax(min(390px, 100%), 1fr))",
                                 grid_gap="2px 28px")
        toolbar = widgets.HBox([*self._buttons.values(), speed])
        knobs = widgets.GridBox([*self._knobs.values()], layout=columns)
        toolbar.add_class("course-toolbar")
        knobs.add_class("course-knobs")
        below = widgets.HBox([*self._pads, knobs])
        below.add_class("course-below")
        self._boxes = (speed, toolbar, knobs, below)
        lab = widgets.VBox([toolbar, self._canvas, below])
        lab.add_class("course-lab")
        return lab

    def _ipython_display_(self) -> None:
        if self.trainer is not None:
            page = self._widget._repr_mimebundle_() | {"text/plain": f"{self!r}: run the notebook to use it"}
            display(page, raw=True)
        # An output of its own: it can be renewed without building the controls anew, and shows where they cannot run.
        data, metadata = self._still()
        display(data, metadata=metadata, raw=True, display_id=self._display_id)
        self._displayed = True

    def __repr__(self) -> str:
        return f"LiveLab({type(self._experiment).__name__})"

    def _still(self) -> Bundle:
        caption = f"After {self._experiment.steps:,} steps"
        if self.trainer is not None and self.trainer.error is not None:
            caption += f", stopped by {self.trainer.error!r}"
        fig = static_figure.draw(self._views, self._arrays)
        fig.suptitle(caption, ha="left", x=0.01)
        shown = bundle(fig, f"{caption}. {static_figure.alt(self._views, self._arrays)}")
        if self._recording is not None:
            data, metadata = shown
            return data | {"text/html": self._recording.page(stand_in(shown))}, metadata
        return shown if self.trainer is None else static_figure.behind_widget(shown)

    # What the reader does: called on any of the kernel's threads, so these only post commands.

    def _start_or_pause(self) -> None:
        if self.trainer.state == "running":
            self.trainer.pause()
        else:
            self.trainer.start()

    def _turned(self, name: str, value: Any) -> None:
        if not self.trainer.owns_this_thread():  # else the control only follows what is in force, as in a replay
            self.trainer.set(**{name: value})

    # What the trainer's thread does between two updates.

    def _observe(self, urgent: bool) -> None:
        trainer, canvas = self.trainer, self._canvas
        if urgent:
            self._follow()
        elif canvas.abandoned():
            trainer.pause("paused, because no page was watching")
        elif not canvas.has_room():
            return
        try:
            self._arrays = gather(self._views, self._experiment.snapshot(), trainer.history.arrays())
        except Exception:
            if trainer.error is None:  # else the pictures stay as they were: what broke training broke them, too
                raise
        status = {"state": trainer.state, "steps": trainer.steps, "rate": trainer.rate, "changed": trainer.changed,
                  "error": _traceback(trainer.error), "walk": self._walk()}
        canvas.push(status, self._arrays, urgent)
        if not canvas.ready and time.monotonic() - self._still_at > 2:
            self._renew_still()

    def _walk(self) -> dict[str, Any] | None:
        """Where in an update slow motion is; None for an experiment that cannot be walked through."""
        return self._experiment.walk() if self._experiment.walkable else None

    def _follow(self) -> None:
        """Let buttons and knobs show what is in force."""
        running = self.trainer.state == "running"
        start = self._buttons["start"]
        start.description, start.icon = ("Pause", "pause") if running else ("Start", "play")
        start.tooltip = "Stop after the update under way" if running else "Train until you press Pause"
        stopped = self.trainer.state in ("done", "error")
        start.disabled = self._buttons["step"].disabled = stopped
        if "phase" in self._buttons:
            self._buttons["phase"].disabled = stopped
        if self.trainer.has_commands():
            return  # a knob is being turned: what it shows will be in force in a moment
        for name, knob in self._knobs.items():
            value = getattr(self._experiment.hyperparameters, name)
            if knob.value != value:
                show(knob, value)

    def _renew_still(self) -> None:
        if self._displayed:
            data, metadata = self._still()
            update_display(data, metadata=metadata, raw=True, display_id=self._display_id)
        self._still_at = time.monotonic()


def speeds(max_rate: float) -> list[tuple[str, float]]:
    """What the speed control offers, as (words, updates a second): full speed, and what is slower than that."""
    full = "full" if math.isinf(max_rate) else f"full: {max_rate:g} steps/s"
    return [(full, math.inf), *((f"{rate} steps/s", rate) for rate in SLOW if rate < max_rate)]


def speed_tooltip(max_rate: float) -> str:
    """What the speed control says of itself."""
    limited = "" if math.isinf(max_rate) else (
        f"Full speed is {max_rate:g} updates a second at most here, because others use this machine, too. ")
    return f"{limited}Slow motion: fewer updates a second, the same results"


def _traceback(error: BaseException | None) -> str:
    """The traceback from where the experiment's own code begins."""
    if error is None:
        return ""
    where = error.__traceback__
    while where is not None and where.tb_frame.f_globals["__name__"] in DRIVERS:
        where = where.tb_next
    return "".join(traceback.format_exception(type(error), error, where))


def _cell() -> str:
    """The id of the cell that is running, where the front end tells it."""
    kernel = getattr(get_ipython(), "kernel", None)
    return "" if kernel is None else kernel.get_parent().get("metadata", {}).get("cellId", "")


@atexit.register
def _close_all() -> None:
    """A thread that is inside torch when the interpreter shuts down can crash it."""
    for lab in [*_open.values()]:
        lab.trainer.close()
