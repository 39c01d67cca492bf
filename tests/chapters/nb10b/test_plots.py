"""The figure of notebook 10b: convergence to floors."""

import numpy as np
from legible import check_legible

from course_lib.chapters.nb10b import plots

X = np.arange(5)


def test_the_figure_is_labelled_and_legible():
    fig = plots.convergence(X + 1, {"a": X + 1, "b": X + 2}, title="t", xlabel="x", ylabel="y")
    check_legible(fig)
    ax = fig.axes[0]
    assert ax.get_xlabel() and ax.get_ylabel() and ax.get_legend()


def test_floors_have_the_colours_of_their_lines():
    ax = plots.convergence(X + 1, {"a": X + 1, "b": X + 2}, title="t", xlabel="x", ylabel="y",
                           floors={"a: floor": 0.5, "b: floor": 0.25}).axes[0]
    falling, level = ax.lines[:2], ax.lines[2:]
    assert [line.get_label() for line in level] == ["a: floor", "b: floor"]
    assert [line.get_color() for line in level] == [line.get_color() for line in falling]
    assert [line.get_ydata()[0] for line in level] == [0.5, 0.25]
