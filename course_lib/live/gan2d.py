"""The 2-D lab: a GAN in the plane, its two networks to be watched, slowed down, and changed while they train."""

from __future__ import annotations

from course_lib.experiments.gan2d import EXAMPLES, EXTENT, GAN2DExperiment, GAN2DHyperparameters, drawing_changes
from course_lib.live.lab import LiveLab
from course_lib.live.pad import SketchPad
from course_lib.live.views import Arrows, Curve, Density, HeatMap, Mesh, Scatter

SQUARE = (-EXTENT, EXTENT, -EXTENT, EXTENT)
PLANE = (HeatMap("surface", extent=SQUARE, limits="surface_limits", title="The plane", xlabel="x₁", ylabel="x₂",
                 switch="D’s verdict", wide=True)
         + Mesh("grid_data", start="grid_noise", switch="G’s grid", colors={"grid_data": "black"}, on=False)
         + Scatter("real", switch="real points", colors={"real": "green"}, outline=True)
         + Scatter("fake", switch="fakes", colors={"fake": "vermillion"}, outline=True)
         + Scatter("noise", switch="noise", colors={"noise": "orange"}, outline=True)
         + Arrows("push", at="push_at", switch="arrows", colors={"push": "purple"}))
VIEWS = [
    PLANE,
    Density("verdict_real", "verdict_fake", grid="verdict_axis", title="D’s verdicts",
            labels={"verdict_real": "real", "verdict_fake": "fake"},
            colors={"verdict_real": "green", "verdict_fake": "vermillion"}),
    Curve("kl", "js", title="Real against fake (nats)", labels={"kl": "KL", "js": "JS"}),
    Curve("loss_d", "loss_g", title="Losses", labels={"loss_d": "D", "loss_g": "G"}),
    Curve("modes", title="Modes", labels={"modes": "covered"}, ylim=(0, 8.2)),
    Curve("near", title="Fakes near a mode", labels={"near": "share"}, ylim=(0, 1)),
]


def gan2d_lab(hyperparameters: GAN2DHyperparameters | None = None, seed: int = 0, headless_steps: int = 200,
              name: str | None = None) -> LiveLab:
    """The lab of `GAN2DExperiment`, every variant, every data set, with a pad to draw one's own.

    Layers switch on and off at the picture; 'Phase' walks through one update, a phase a click. Arguments as for
    `LiveLab`.
    """
    experiment = GAN2DExperiment(hyperparameters, seed)
    pad = SketchPad(EXAMPLES, label="Draw your own data", on_lift=True)
    knobs = [knob for knob in experiment.hyperparameters.fields() if knob != "drawing"]
    return LiveLab(experiment, VIEWS, headless_steps=headless_steps, knobs=knobs, pads=[(pad, drawing_changes)],
                   name=name)
