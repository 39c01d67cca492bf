"""Views: what they read, how they are said to the browser, and that each draws whatever it gets."""

import json
import re
from typing import get_args

import numpy as np
import pytest
from every_view import ALL, KINDS, LOOKS, arrays
from tiny_experiment import Everything

from course_lib.live import Arrows, Bars, Curve, Density, HeatMap, ImageGrid, Scatter, static_figure
from course_lib.live.assets import HERE
from course_lib.live.canvas import WORDS
from course_lib.live.trainer import State
from course_lib.live.views import COLORS, EVERY_LAYER, gather
from course_lib.plots import PALETTE, png

X = np.arange(3.0)


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("view", ALL.values(), ids=ALL.keys())
def test_every_view_draws_before_the_first_update_and_after(view, steps):
    assert png(static_figure.draw([view], arrays(view, steps))).startswith(b"\x89PNG")


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


# The browser and Python draw from one description.

PAGE = {path.name: path.read_text(encoding="utf-8") for pattern in ("*.js", "*.css") for path in HERE.glob(pattern)}
MARKS = PAGE["marks.js"]
MARK = dict(re.findall(r"^export const (\w+) = (\{.*?)(?=^export|\Z)", MARKS, re.MULTILINE | re.DOTALL))
BENT_IN_PAGE = {"bend"}  # what the page's slider adds to a layer


def read_by(text, *names):
    """The keys that JavaScript reads of the variables of these names."""
    return set(re.findall(rf"(?<![.\w])(?:{'|'.join(names)})\.(\w+)", text))


def test_python_and_javascript_know_the_same_kinds_of_view():
    assert sorted(MARK) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_mark_reads_what_its_kind_sends_and_no_more(kind):
    view = next(view for view in ALL.values() if type(view) is kind)
    layer, read = view.spec()["layers"][0], read_by(MARK[kind.kind], "layer")
    assert read - BENT_IN_PAGE <= layer.keys()
    assert {*kind.options, *(["look"] if kind.look else [])} <= read, "nothing is sent that nobody reads"
    assert read_by(MARK[kind.kind], "s") <= layer["series"][0].keys()


def test_the_page_reads_of_a_picture_what_python_sends_and_no_more():
    plot, view = PAGE["plot.js"], ALL["curve"].spec()
    assert {*read_by(plot, "layer", "first")} <= {*EVERY_LAYER, "series"} | BENT_IN_PAGE
    assert {*read_by(plot + MARKS, "layer", "first"), *BENT_IN_PAGE} >= {*EVERY_LAYER, "series"}
    of_view = {*read_by(plot, "view"), *re.findall(r"this\.view\.(\w+)", plot)}
    limits = re.search(r"const \{ (.*) \} = this\.view;", plot)[1].split(", ")
    assert of_view | {*limits} == view.keys()


@pytest.mark.parametrize("name", PAGE)
def test_no_file_asks_for_a_kind_or_knows_a_colour_of_the_palette(name):
    text = PAGE[name]
    assert re.findall(rf"[\"'`](?:{'|'.join(KINDS)})[\"'`]", text) == []
    for color in {*PALETTE.values()} - {PALETTE["black"]}:
        parts = r",\s*".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))
        assert not re.search(rf"{color}|\b{parts}\b", text, re.IGNORECASE)


@pytest.mark.parametrize("name", [name for name, (kind, _) in LOOKS.items() if kind is not HeatMap])
def test_every_value_of_a_look_counts_in_the_still(name, monkeypatch):
    kind, look = LOOKS[name]
    drawn = [view for view in ALL.values() if type(view) is kind]
    before = [png(static_figure.draw([view], arrays(view, 3))) for view in drawn]
    monkeypatch.setattr(kind, "look", look)
    assert before != [png(static_figure.draw([view], arrays(view, 3))) for view in drawn]


def test_the_colours_of_a_heat_map_are_those_of_the_map_that_the_still_has():
    stops = np.array(HeatMap.look["colors"]) / 255
    assert np.abs(stops - HeatMap.colormap(np.linspace(0, 1, len(stops)))[:, :3]).max() < 1 / 255
    assert np.abs(np.array(HeatMap.look["bad"]) / 255 - HeatMap.colormap(np.nan)[:3]).max() < 1 / 255


NAN = np.full(2, np.nan)
SAID = [
    (Curve("a", "b", labels={"b": "exact W₁"}), {"metric:a": X, "metric:b": X + 1, "metric:step": X},
     "from high to low exact W₁ 3, a 2"),
    (Curve("a"), {"metric:a": -X, "metric:step": X}, "a −2"),
    (Curve("a", "b"), {"metric:a": NAN, "metric:b": X, "metric:step": X}, "from high to low b 2, a not a number"),
    (Curve("a"), {"metric:a": X[:0], "metric:step": X[:0]}, "no values of a yet"),
    (Density("p", grid="x", lines=["d"]), {"x": X + 5, "p": -X, "d": X}, "p highest at 5, d from 0 to 2"),
    (Density("p", grid="x"), {"x": X, "p": NAN}, "p not a number"),
    (Scatter("real"), {"real": np.array([[0.0, 1], [2, 2]])}, "real 2 points around (1, 1.5)"),
    (HeatMap("D", extent=(-2, 2, 0, 1)), {"D": np.array([[0.0, 5]])}, "D from 0 to 5, highest at (1, 0.5)"),
    (Arrows("pull", at="at"), {"pull": np.array([[0.0, 1]])}, "pull 1 arrows, in the mean along (0, 1)"),
    (ImageGrid("made"), {"made": np.zeros((2, 4, 4))}, "2 images"),
    (Bars("p", names=["yes", "no"]), {"p": np.array([0.25, 0.75])}, "p highest at no with 0.75"),
    (Bars("p"), {"p": NAN}, "p not a number"),
]


@pytest.mark.parametrize(("view", "arrays", "said"), SAID)
def test_a_view_says_what_it_shows(view, arrays, said):
    assert view.says(arrays) == said


def test_the_words_of_a_picture_leave_out_what_is_switched_off():
    arrays = Everything().snapshot()
    view = Scatter("points", title="Plane") + Arrows("toward", at="at", switch="arrows", on=False)
    assert static_figure.alt([view], gather([view], arrays, {})).startswith("Plane: points ")
    assert "arrows" not in static_figure.alt([view], gather([view], arrays, {}))


def test_axes_are_as_the_kinds_say():
    def axes(view):
        return static_figure.draw([view], arrays(view, 3)).axes[0]

    assert not axes(ALL["images"]).axison and axes(ALL["bars"]).axison
    assert axes(Density("real", grid="x")).get_ylim()[0] == 0 > axes(ALL["bars"]).get_ylim()[0]
    assert axes(ALL["heat map"] + Scatter("points")).get_xlim() == (-2, 2)
    assert axes(ALL["scatter"]).get_aspect() == 1
    assert axes(ALL["log curve"]).get_yscale() == "log"


def test_bars_have_numbers_below_them_unless_names_are_given_be_it_none():
    def below(**names):
        axes = static_figure.draw([Bars("p", **names)], {"p": np.arange(3.0)}).axes[0]
        return [label.get_text() for label in axes.get_xticklabels()]

    assert below() == ["0", "1", "2"] and below(names=["a", "b", "c"]) == ["a", "b", "c"] and below(names=[]) == []
    assert Bars("p", names=[]).spec()["layers"][0]["names"] == []


def test_every_state_of_a_trainer_has_a_word_for_the_page():
    assert WORDS.keys() == {*get_args(State), "exploring"}
