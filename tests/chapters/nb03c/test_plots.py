"""The figures of notebook 03c: labelled, legible, and drawing the numbers they are given."""

import numpy as np
import pytest

from course_lib import plots
from course_lib.chapters.nb03c import plots as nb03c

X = np.arange(1, 6)
AXIS, GRID = plots.plane(2, 5)
COVARIANCE = np.array([[2.0, 0.6], [0.6, 0.5]])
FIGURES = {
    "two_gaussians": lambda: nb03c.two_gaussians({"p": (np.ones(2), COVARIANCE), "q": (np.ones(2), np.eye(2))},
                                                 title="t", limit=3),
    "gap_maps": lambda: nb03c.gap_maps(AXIS, {"a": GRID[:, 0] ** 2, "b": GRID[:, 1] ** 2}, title="t", high=4),
    "proposal": lambda: nb03c.proposal(X, X, X**2, X, 3.0, title="t", value_label="v"),
    "running": lambda: nb03c.running(X, {"a": np.zeros((2, 5)), "b": np.ones((2, 5))}, title="t", ylabel="y", limit=3),
}


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_large_and_every_figure_says_what_it_shows(name):
    fig = FIGURES[name]()
    fig.draw_without_rendering()
    first, last = fig.axes[0], [ax for ax in fig.axes if ax.get_label() != "<colorbar>"][-1]
    assert "t" in (fig.get_suptitle(), first.get_title(loc="left"))
    assert first.get_ylabel() and last.get_xlabel()
    for ax in fig.axes:
        named = ax.get_legend().get_texts() if ax.get_legend() else []
        texts = [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels(), *named]
        assert min(t.get_fontsize() for t in texts) >= 12


def test_the_exact_value_has_a_line():
    assert [line.get_xdata()[0] for line in FIGURES["proposal"]().axes[1].lines] == [3.0, 3.0]     # mean and exact
    for ax in FIGURES["running"]().axes:
        assert list(ax.lines[-1].get_ydata()) == [0.0, 0.0]


def test_ellipses_have_the_covariances_axes():
    one, two, _, _ = FIGURES["two_gaussians"]().axes[0].patches
    small, large = np.sqrt(np.linalg.eigvalsh(COVARIANCE))
    assert (one.width, one.height) == pytest.approx((2 * large, 2 * small))
    assert (two.width, two.height) == pytest.approx((4 * large, 4 * small))
    radians = np.radians(one.angle)
    long_axis = np.array([np.cos(radians), np.sin(radians)])
    np.testing.assert_allclose(COVARIANCE @ long_axis, large**2 * long_axis, atol=1e-12)
