"""Every figure without its colours: printed in grey, or seen by an eye that has none."""

import every_figure
import every_view
import matplotlib.colors
import numpy as np
import pytest
from told_apart import alike, lightness

from course_lib import plots
from course_lib.live import Bars, Curve, Density, Scatter, static_figure


@pytest.mark.parametrize("name", every_figure.FIGURES)
def test_no_two_series_differ_in_hue_alone(name):
    assert alike(every_figure.FIGURES[name]()) == []


LETTERS = "abcd"
SERIES = {  # as many as each kind of view tells apart
    "curves": Curve(*LETTERS), "densities": Density(*LETTERS, grid="x"), "bars": Bars(*LETTERS),
    "densities and a line": Density("a", "b", grid="x", lines=["c"]),
    "points": Scatter(*("points " + letter for letter in LETTERS)),
    "layers of points": Scatter("points a") + Scatter("points b") + Scatter("points c"),
}
ARRAYS = {"x": np.arange(5.0), "metric:step": np.arange(5.0),
          **{prefix + letter: np.arange(5.0) for prefix in ("", "metric:") for letter in LETTERS},
          **{"points " + letter: every_figure.POINTS for letter in LETTERS}}


@pytest.mark.parametrize("view", SERIES.values(), ids=SERIES.keys())
def test_no_two_series_of_a_view_do(view):
    assert alike(static_figure.draw([view], ARRAYS)) == []


@pytest.mark.parametrize("view", every_view.ALL.values(), ids=every_view.ALL.keys())
def test_nor_those_of_views_as_labs_have_them(view):
    assert alike(static_figure.draw([view], every_view.arrays(view, 3))) == []


def test_lightness_is_that_of_grey():
    assert [round(lightness(colour)) for colour in ("#000000", "#777777", "#FFFFFF")] == [0, 50, 100]


def test_the_rule_finds_what_grey_hides():
    """Blue and vermillion have nearly the same lightness; a dash, a marker or a distance in lightness is enough."""
    blue, vermillion, yellow = (plots.PALETTE[name] for name in ("blue", "vermillion", "yellow"))
    for other, found in (({"color": vermillion}, 1), ({"color": vermillion, "linestyle": "--"}, 0),
                         ({"color": vermillion, "marker": "o"}, 0), ({"color": yellow}, 0), ({"color": blue}, 1)):
        fig, axes = plots.figure()
        axes[0, 0].plot([0, 1], [0, 1], color=blue, label="a")
        axes[0, 0].plot([0, 1], [1, 0], **other, label="b")
        assert len(alike(fig)) == found, other


def test_the_rule_finds_shades_that_turn_back():
    fig, axes = plots.figure()
    two_sided = matplotlib.colors.LinearSegmentedColormap.from_list("two", ["#0072B2", "white", "#D55E00"])
    axes[0, 0].imshow(np.eye(4), cmap=two_sided)
    assert alike(fig) == ["two has two shades of one grey, and no hatch tells which is which"]


def test_above_one_half_a_probability_is_hatched():
    ax = plots.figure()[1][0, 0]
    axis, grid = plots.plane(2, 5)
    plots.field(ax, axis, grid[:, 0] / 4 + 0.5, kind="probability")
    hatched, = (c for c in ax.collections if getattr(c, "hatches", [None])[0])
    assert hatched.levels.tolist() == [0.5, 1]
