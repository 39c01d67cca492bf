"""The figures of notebook 10c: densities."""

import numpy as np
from legible import check_legible

from course_lib.chapters.nb10c import plots

X = np.arange(5)


def test_the_densities_are_labelled_and_legible_and_the_first_is_filled():
    fig = plots.densities(X, {"a": X, "b": X**2}, title="t", height=2.0)
    check_legible(fig)
    ax = fig.axes[0]
    assert ax.get_xlabel() and ax.get_ylabel() and ax.get_legend() and len(ax.collections) == 1
