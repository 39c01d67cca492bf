"""The figures of notebook 07: what a network of pixels sees, and one answer beside many."""

import numpy as np
import pytest
from legible import check_legible

from course_lib.chapters.nb07 import plots

X = np.linspace(0, 1, 6)
EDGES = np.linspace(-1, 1, 4)
SEEN = np.zeros((4, 4))
SEEN[:2] = 1
FIGURES = {
    "kernel_masks": lambda: plots.kernel_masks({"A": np.eye(3), "B": np.ones((3, 5))}, title="t"),
    "sight": lambda: plots.sight({"a": SEEN, "b": 0 * SEEN}, 2, 1, title="t"),
    "line_and_density": lambda: plots.line_and_density(X, X, X, X, EDGES, np.full((6, 3), 1 / 3), title="t"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_legible(name):
    check_legible(FIGURES[name]())


def test_sight_tells_seen_missed_forbidden_and_later():
    fig = plots.sight({"good": SEEN, "leak": SEEN + np.eye(4)}, 1, 2, title="t")
    good, leak = (ax.get_images()[0].get_array() for ax in fig.axes)
    assert good[0, 0] == 1 and good[1, 1] == 1 and good[2, 2] == 0
    assert good[1, 3] == 3 == leak[3, 3]                                   # seen, though it comes later
    assert plots.sight({"a": 0 * SEEN}, 1, 2, title="t").axes[0].get_images()[0].get_array()[1, 2] == 4
    assert plots.sight({"a": 0 * SEEN}, 1, 2, title="t").axes[0].get_images()[0].get_array()[0, 0] == 2
    words = [text.get_text() for text in fig.legends[0].get_texts()]
    assert "seen, and not allowed" in words and "earlier, but not seen" not in words


def test_what_is_missed_or_forbidden_is_hatched_as_the_legend_says():
    """The two colours of what is seen and what is missed are one grey."""
    fig = plots.sight({"a": SEEN + np.eye(4)}, 2, 1, title="t")
    missed, leak = fig.axes[0].patches
    words = {text.get_text(): patch.get_hatch() for text, patch in
             zip(fig.legends[0].get_texts(), fig.legends[0].get_patches(), strict=True)}
    assert words["earlier, but not seen"] == missed.get_hatch() != leak.get_hatch() == words["seen, and not allowed"]
    assert words["seen"] == words["later"] == ""
    corners = leak.get_path().vertices
    assert len(corners) == 2 * 5 and [corners.min(), corners.max()] == [1.5, 3.5]  # pixels (2, 2) and (3, 3)


def test_masks_are_drawn_as_numbers_with_the_centre_framed():
    ax = FIGURES["kernel_masks"]().axes[0]
    assert [t.get_text() for t in ax.texts] == list("100010001")
    assert ax.patches[0].get_xy() == (0.5, 0.5)


def test_the_shade_is_the_probability_where_it_stands():
    p = np.zeros((6, 3))
    p[:, 1] = X  # the middle interval, surer and surer to the right
    left, right = plots.line_and_density(X, X, X**2, X, EDGES, p, title="t").axes
    mesh = right.collections[0]
    assert np.array_equal(mesh.get_array(), p.T)
    assert np.allclose(mesh.get_coordinates()[:, 0, 1], EDGES)
    assert np.allclose(mesh.get_coordinates()[0, :, 0], np.linspace(-0.1, 1.1, 7))  # around the places of the grid
    assert np.array_equal(left.lines[0].get_ydata(), X**2)
