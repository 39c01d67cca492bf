"""The figures of notebook 09b: what they draw, where, and that it can be read."""

import numpy as np
import pytest

from course_lib.chapters.nb09b import plots as nb09b

STEPS = np.array([10, 20, 30])
SHARES = np.array([[0.1, 0.0], [0.2, 0.4], [0.3, 0.9]])
FIGURES = {
    "around_modes": lambda: nb09b.around_modes({"a": np.eye(2), "b": -np.eye(2)}, np.eye(2), 0.3, title="t"),
    "shares_along": lambda: nb09b.shares_along(STEPS, SHARES, title="t"),
    "loss_against_quality": lambda: nb09b.loss_against_quality(
        {"a": (STEPS, STEPS), "b": (STEPS, -STEPS)}, STEPS, title="t", xlabels={"a": "loss (nats)", "b": "loss"},
        ylabel="q"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_text_is_large(name):
    fig = FIGURES[name]()
    fig.draw_without_rendering()
    assert fig.get_suptitle() == "t" or fig.axes[0].get_title(loc="left") == "t"
    assert fig.axes[0].get_ylabel() and fig.axes[0].get_xlabel()
    texts = [t for ax in fig.axes for t in (ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(),
                                            *ax.get_yticklabels())]
    texts += [t for legend in fig.legends for t in legend.get_texts()]
    assert min(t.get_fontsize() for t in texts) >= 12


def test_points_and_circles_stand_where_they_should():
    ax = FIGURES["around_modes"]().axes[1]
    assert ax.collections[0].get_offsets().tolist() == [[-1, 0], [0, -1]]
    assert [(*c.center, c.radius) for c in ax.patches] == [(1, 0, 0.3), (0, 1, 0.3)]


def test_a_row_is_a_mode_and_ends_at_its_step():
    mesh = FIGURES["shares_along"]().axes[0].collections[0]
    assert np.array_equal(mesh.get_array(), SHARES.T)
    assert mesh.get_coordinates()[0, :, 0].tolist() == [0, 10, 20, 30]


def test_dots_are_loss_and_quality_dark_late():
    ax = FIGURES["loss_against_quality"]().axes[1]
    assert ax.get_xlabel() == "loss" and ax.collections[0].get_offsets()[2].tolist() == [30, -30]
    assert ax.collections[0].get_array().tolist() == STEPS.tolist()
