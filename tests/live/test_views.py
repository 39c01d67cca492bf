"""Views: what they read, how they are said to the browser, and that each draws whatever it gets."""

import json

import numpy as np
import pytest
from tiny_experiment import Everything

from course_lib.live import Arrows, Bars, Curve, Density, HeatMap, ImageGrid, Mesh, Scatter, static_figure
from course_lib.live.history import History
from course_lib.live.views import COLORS, gather
from course_lib.plots import png

ALL = {
    "curve": Curve("loss_d", "loss_g", title="Losses"),
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


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("view", ALL.values(), ids=ALL.keys())
def test_every_view_draws_before_the_first_update_and_after(view, steps):
    experiment, history = Everything(), History()
    for step in range(steps):
        history.append(step + 1, experiment.step())
    arrays = gather([view], experiment.snapshot(), history.arrays())
    assert png(static_figure.draw([view], arrays)).startswith(b"\x89PNG")


def test_a_diverged_run_can_still_be_drawn():
    arrays = {"metric:step": np.arange(3.0), "metric:loss_d": np.full(3, np.nan)}
    assert png(static_figure.draw([ALL["log curve"]], arrays)).startswith(b"\x89PNG")


@pytest.mark.parametrize("view", ALL.values(), ids=ALL.keys())
def test_a_view_is_plain_data_for_the_browser(view):
    assert json.loads(json.dumps(view.spec()))["layers"][0]["kind"] == view.kind


def test_layers_share_the_axes_of_the_first_and_leave_it_as_it_was():
    below = HeatMap("heat", extent=(0, 1, 0, 1), title="below")
    both = below + Scatter("points", title="above")
    assert both.spec()["title"] == "below"
    assert [layer["kind"] for layer in both.spec()["layers"]] == ["heatmap", "scatter"]
    assert len(below.spec()["layers"]) == 1


def test_a_layer_with_a_switch_is_named_by_it_and_may_be_off_at_first():
    arrays = Everything().snapshot()
    view = Scatter("points", switch="all of them") + Arrows("toward", at="at", switch="arrows", on=False)
    layers = view.spec()["layers"]
    assert [(layer["switch"], layer["on"]) for layer in layers] == [("all of them", True), ("arrows", False)]
    assert layers[0]["series"][0]["label"] == "all of them"
    ax = static_figure.draw([view], gather([view], arrays, {})).axes[0]
    assert len(ax.collections) == 1  # the saved picture leaves the arrows out


def test_a_legend_of_coloured_views_stands_below_them():
    view = HeatMap("heat", extent=(-2, 2, -2, 2)) + Scatter("points") + Scatter("toward")
    fig = static_figure.draw([view], gather([view], Everything().snapshot(), {}))
    png(fig)  # lays it out
    ax = fig.axes[0]
    assert ax.get_legend().get_window_extent().y1 < ax.get_window_extent().y0


def test_limits_may_be_an_array_that_travels_too():
    arrays = gather([ALL["limits that follow"]], Everything().snapshot(), {})
    assert list(arrays) == ["heat", "limits"]
    image = static_figure.draw([ALL["limits that follow"]], arrays).axes[0].images[0]
    assert image.get_clim() == (-0.5, 0.5)


def test_colors_and_labels():
    view = Density("real", "from_g", grid="x", colors={"real": "green"}, labels={"real": "data"})
    assert view.colors == {"real": COLORS["green"], "from_g": COLORS["vermillion"]}
    assert view.labels == {"real": "data", "from_g": "from g"}
    with pytest.raises(KeyError, match="pinkish"):
        Curve("a", colors={"a": "pinkish"})
    with pytest.raises(TypeError, match="needs the key"):
        Curve()
    with pytest.raises(TypeError, match="tittle"):
        Curve("a", tittle="typo")


def test_signs_in_place_of_dots_need_no_legend():
    points = {f"digit_{k}": np.random.default_rng(k).normal(size=(5, 2)) for k in (3, 8)}
    view = Scatter(*points, marks="38")
    ax = static_figure.draw([view], points).axes[0]
    assert ax.get_legend() is None and len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 2
    assert view.spec()["layers"][0]["marks"] == "38"
    with pytest.raises(ValueError, match="2 series need as many marks, not '3'"):
        Scatter(*points, marks="3")


def test_only_what_is_drawn_travels_and_images_as_bytes():
    arrays = gather([ALL["images"]], Everything().snapshot(), {"step": np.empty(0)})
    assert list(arrays) == ["images"] and arrays["images"].dtype == np.uint8
