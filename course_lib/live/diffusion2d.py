"""The lab of denoising in the plane: exact fields at two noise levels, and what a network has learned of them."""

from __future__ import annotations

from course_lib.experiments.diffusion2d import (
    EXAMPLES,
    EXTENT,
    PANELS,
    Diffusion2DExperiment,
    Diffusion2DHyperparameters,
    drawing_changes,
)
from course_lib.live.lab import LiveLab
from course_lib.live.pad import SketchPad
from course_lib.live.views import Arrows, Curve, Density, HeatMap, View

SQUARE = (-EXTENT, EXTENT, -EXTENT, EXTENT)
FAR = 1.0  # a distance of σ times the score that is shown as bright as any: ε itself has deviation 1


def _field(level: str, arrows: str, shade: str, title: str, limits: tuple[float, float] | None) -> View:
    """Arrows over a map: the exact field over its density, or the learned one over its distance from the exact one."""
    return (HeatMap(f"{level}_{shade}", extent=SQUARE, limits=limits, title=title, xlabel="x₁", ylabel="x₂")
            + Arrows(f"{level}_{arrows}", at=f"{level}_at", switch="arrows",
                     colors={f"{level}_{arrows}": "vermillion"}))


VIEWS = [
    *(_field(level, "exact", "density", f"Exact field, {level} noise", None) for level in PANELS),
    *(_field(level, "learned", "off", f"Learned, {level} noise; shade: error", (0, FAR)) for level in PANELS),
    Curve("loss", "floor", title="Loss, and its floor", ylabel="squared units"),
    Density("off_noise", grid="level_t", lines=("off_data",), title="Error over time", xlabel="t", ylabel="rms",
            labels={"off_noise": "of the noise", "off_data": "of the data"}, ylim=(0, 1.5)),
]


def diffusion2d_lab(hyperparameters: Diffusion2DHyperparameters | None = None, seed: int = 0, headless_steps: int = 200,
                    name: str | None = None) -> LiveLab:
    """The lab of `Diffusion2DExperiment`, with a pad to draw one's own data. Arguments as for `LiveLab`."""
    experiment = Diffusion2DExperiment(hyperparameters, seed)
    pad = SketchPad(EXAMPLES, label="Draw your own data", on_lift=True)
    knobs = [knob for knob in experiment.hyperparameters.fields() if knob not in ("drawing", "total_steps")]
    return LiveLab(experiment, VIEWS, headless_steps=headless_steps, knobs=knobs, pads=[(pad, drawing_changes)],
                   name=name)
