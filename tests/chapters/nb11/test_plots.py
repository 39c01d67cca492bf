"""The melting density and the fields: what is drawn where, legible, inside the page."""

import numpy as np
import pytest

from course_lib.chapters.nb11 import plots as nb11

AXIS, T = np.linspace(-2, 2, 5), np.linspace(0.1, 0.9, 9)
POINTS = np.random.default_rng(0).normal(size=(20, 2))


def legible(fig):
    fig.canvas.draw()
    for ax in fig.axes:
        assert ax.get_xlabel() and min(t.get_fontsize() for t in (*ax.get_xticklabels(), ax.xaxis.label)) >= 12
        box = ax.get_tightbbox()
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 and fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1


def test_the_dot_stands_on_the_chosen_schedule():
    lines = {"a": 4 - 8 * T, "b": 2 - 5 * T}
    fig = nb11.melting(AXIS, np.eye(5), POINTS, T, lines, chosen="b", now=0.5, title="t")
    legible(fig)
    left, right = fig.axes
    assert np.array_equal(left.lines[0].get_xydata(), POINTS) and np.array_equal(left.images[0].get_array(), np.eye(5))
    drawn, dot = right.lines[:2], right.lines[2]
    assert dot.get_xydata().tolist() == [[0.5, pytest.approx(-0.5)]]
    assert len({line.get_linestyle() for line in drawn}) == 2  # told apart without colour
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["a", "b"]


def test_fields_have_one_scale():
    short, long = np.ones((20, 2)), 3 * np.ones((20, 2))
    fig = nb11.fields(AXIS, {"a": (np.eye(5), POINTS, short), "b": (np.eye(5), POINTS, long)}, title="t")
    legible(fig)
    quivers = [ax.collections[0] for ax in fig.axes]
    assert len({quiver.scale for quiver in quivers}) == 1
    assert np.array_equal(quivers[1].U, long[:, 0]) and [ax.get_title(loc="left") for ax in fig.axes] == ["a", "b"]
