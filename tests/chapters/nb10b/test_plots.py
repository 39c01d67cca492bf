"""The figures of notebook 10b: convergence to floors, and densities."""

import numpy as np
import pytest
from legible import check_legible

from course_lib.chapters.nb10b import plots

X = np.arange(5)
FIGURES = {
    "convergence": lambda: plots.convergence(X + 1, {"a": X + 1, "b": X + 2}, title="t", xlabel="x", ylabel="y"),
    "densities": lambda: plots.densities(X, {"a": X, "b": X**2}, title="t", height=2.0),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_labelled_and_legible(name):
    fig = FIGURES[name]()
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
