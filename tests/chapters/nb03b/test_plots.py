"""The figures of notebook 03b: labelled, legible, and drawing the numbers they are given."""

import numpy as np
import pytest
from matplotlib.lines import Line2D

from course_lib.chapters.nb03b import plots as nb03b

X = np.arange(1, 6)
FIGURES = {
    "estimates": lambda: nb03b.estimates({"a": X, "b": X + 3}, 2.0, title="t", xlabel="x"),
    "powers": lambda: nb03b.powers(X, {"a": X, "b": X**2}, {"a": X, "b": X**2}, title="t", xlabel="x", ylabel="y"),
    "logarithmic": lambda: nb03b.logarithmic(X, {"y": {"a": X}, "z": {"b": X**2, "a": X**3}}, title="t", xlabel="x"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_large_and_every_figure_says_what_it_shows(name):
    fig = FIGURES[name]()
    fig.draw_without_rendering()
    first, last = fig.axes[0], fig.axes[-1]
    assert "t" in (fig.get_suptitle(), first.get_title(loc="left"))
    assert first.get_ylabel() and last.get_xlabel()
    for ax in fig.axes:
        named = ax.get_legend().get_texts() if ax.get_legend() else []
        texts = [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels(), *named]
        assert min(t.get_fontsize() for t in texts) >= 12


def test_the_exact_value_has_a_line_in_each_panel():
    for ax in FIGURES["estimates"]().axes:
        assert [line.get_xdata()[0] for line in ax.lines] == [2.0]


def test_estimates_beyond_the_axis_are_counted_in_its_last_bars():
    values = np.concatenate([np.zeros(999), [1e6]])
    ax = nb03b.estimates({"a": values}, 1.0, title="t", xlabel="x").axes[0]
    heights = np.unique(ax.patches[0].get_xy()[:, 1])
    assert ax.get_xlim()[1] < 10 and heights.max() == 999 and 1 in heights
    assert "outermost bars" in ax.get_xlabel()


def test_marks_lie_on_the_curves_they_are_named_after():
    lines = FIGURES["powers"]().axes[0].lines
    for curve, marks in ((lines[0], lines[1]), (lines[2], lines[3])):
        assert curve.get_color() == marks.get_color() and marks.get_linestyle() == "None"
        np.testing.assert_array_equal(curve.get_ydata(), marks.get_ydata())


def test_marks_may_stand_at_places_of_their_own_and_the_legend_shows_them_with_their_curve():
    fig = nb03b.powers(X, {"a": X}, {"a": [2.0, 4.0]}, marks_at=[2.0, 4.0], title="t", xlabel="x", ylabel="y")
    curve, marks = fig.axes[0].lines
    np.testing.assert_array_equal(curve.get_xdata(), X)
    np.testing.assert_array_equal(marks.get_xdata(), [2.0, 4.0])
    legend = fig.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a"]
    assert "marks measured" in legend.get_title().get_text()
    assert {line.get_marker() for line in legend.findobj(Line2D)} == {"None", marks.get_marker()}


def test_a_name_looks_the_same_in_each_panel_and_stands_once_in_the_legend():
    fig = FIGURES["logarithmic"]()
    (left,), (other, right) = (ax.lines for ax in fig.axes)
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["a", "b"]
    assert (left.get_color(), left.get_linestyle(), left.get_marker()) == (
        right.get_color(), right.get_linestyle(), right.get_marker())
    assert len({(line.get_color(), line.get_linestyle()) for line in (left, other)}) == 2
    np.testing.assert_array_equal(right.get_ydata(), X**3)
