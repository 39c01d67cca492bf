"""The figures of notebook 02: bumps, clouds with their ellipses, a moment of EM."""

import matplotlib.colors
import numpy as np
import pytest
from legible import check_legible
from matplotlib.markers import MarkerStyle

from course_lib.chapters.nb02 import plots
from course_lib.plots import COLOURS, MARKERS

X = np.arange(5)
COV = np.array([[[1.0, 0.5], [0.5, 2.0]], [[0.3, 0.0], [0.0, 0.3]]])
CLOUD = (np.random.default_rng(0).normal(size=(9, 2)), np.full((9, 2), 0.5), np.zeros((2, 2)), COV)
FIGURES = {
    "bumps": lambda: plots.bumps(X, np.ones((2, 5)), samples=X, title="t"),
    "clouds": lambda: plots.clouds({"a": CLOUD, "b": (CLOUD[0], None, *CLOUD[2:])}, title="t"),
    "em_moment": lambda: plots.em_moment(*CLOUD, log_likelihood=X, bound=X[1:] - 0.5, now=3, title="t"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_labelled_and_legible(name):
    fig = FIGURES[name]()
    check_legible(fig)
    assert all(ax.get_xlabel() for ax in fig.axes) and fig.axes[0].get_ylabel()


def test_bumps_add_up_to_the_black_line():
    *parts, total = FIGURES["bumps"]().axes[0].lines
    assert len(parts) == 2 and total.get_ydata().tolist() == [2] * 5


def test_ellipses_lie_along_the_covariance_and_colours_are_responsibilities():
    ax = plots.clouds({"a": (CLOUD[0], np.tile([1.0, 0.0], (9, 1)), *CLOUD[2:])}, title="t").axes[0]
    ellipse = ax.patches[0]
    lengths, directions = np.linalg.eigh(COV[0])
    assert (ellipse.width / 2, ellipse.height / 2) == pytest.approx(tuple(np.sqrt(lengths[::-1])))
    along = np.array([np.cos(np.radians(ellipse.angle)), np.sin(np.radians(ellipse.angle))])
    assert abs(along @ directions[:, 1]) == pytest.approx(1)
    assert np.allclose(ax.collections[0].get_facecolor()[:, :3], matplotlib.colors.to_rgb(COLOURS[0]))


def test_points_have_the_marker_of_the_component_that_is_most_responsible():
    """Without colours, the blends of blue, vermillion and green are one grey."""
    r = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    first, second = plots.clouds({"a": (CLOUD[0][:3], r, *CLOUD[2:])}, title="t").axes[0].collections
    assert np.allclose(first.get_offsets(), CLOUD[0][[0, 2]]) and np.allclose(second.get_offsets(), CLOUD[0][[1]])
    for drawn, marker in ((first, MARKERS[0]), (second, MARKERS[1])):
        shape = MarkerStyle(marker)
        expected = shape.get_path().transformed(shape.get_transform()).vertices
        assert np.array_equal(drawn.get_paths()[0].vertices, expected)


def test_the_track_of_em_ends_at_now():
    right = FIGURES["em_moment"]().axes[1]
    assert right.lines[0].get_xdata().tolist() == [0, 1, 2, 3] and right.lines[1].get_xdata().tolist() == [1, 2, 3]
    assert right.get_xlim()[1] > 4 and right.get_ylim()[1] > 4
