"""The lab of flow matching in the plane: one step, eight steps, the net of noise, and how straight the ways are."""

from __future__ import annotations

from course_lib.experiments.diffusion2d import EXAMPLES, EXTENT, drawing_changes
from course_lib.experiments.flow_matching2d import FlowMatching2DExperiment, FlowMatching2DHyperparameters
from course_lib.live.lab import LiveLab
from course_lib.live.pad import SketchPad
from course_lib.live.views import Arrows, Curve, HeatMap, Mesh, Scatter, View

SQUARE = (-EXTENT, EXTENT, -EXTENT, EXTENT)
AXES = {"xlim": SQUARE[:2], "ylim": SQUARE[2:], "xlabel": "x₁", "ylabel": "x₂"}


def _made(key: str, title: str) -> View:
    return (Scatter("real", title=title, labels={"real": "data"}, colors={"real": "green"}, **AXES)
            + Scatter(f"{key}_made", labels={f"{key}_made": "made"}, colors={f"{key}_made": "vermillion"}))


VIEWS = [
    _made("one_step", "One step"),
    _made("eight_steps", "Eight steps"),
    Scatter("real", title="Where the flow carries a net", labels={"real": "data"}, colors={"real": "green"}, **AXES)
    + Mesh("net_data", start="net_noise", colors={"net_data": "black"}),
    HeatMap("density", extent=SQUARE, title="Velocity half-way, towards the data", xlabel="x₁", ylabel="x₂")
    + Arrows("velocity", at="at", colors={"velocity": "vermillion"}),
    Curve("loss", "floor", title="Loss", ylabel="squared units", labels={"floor": "floor, independent pairs"}),
    Curve("straightness", "one_step", "eight_steps", title="Straight, and right?", ylabel="units", log=True,
          labels={"one_step": "off, one step", "eight_steps": "off, eight steps"}),
]


def flow_matching2d_lab(hyperparameters: FlowMatching2DHyperparameters | None = None, seed: int = 0,
                        headless_steps: int = 200, name: str | None = None) -> LiveLab:
    """The lab of `FlowMatching2DExperiment`, with a pad to draw one's own data. Arguments as for `LiveLab`."""
    experiment = FlowMatching2DExperiment(hyperparameters, seed)
    pad = SketchPad(EXAMPLES, label="Draw your own data", on_lift=True)
    knobs = [knob for knob in experiment.hyperparameters.fields() if knob not in ("drawing", "total_steps")]
    return LiveLab(experiment, VIEWS, headless_steps=headless_steps, knobs=knobs, pads=[(pad, drawing_changes)],
                   name=name)
