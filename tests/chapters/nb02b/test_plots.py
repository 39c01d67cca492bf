"""The figures of notebook 02b: beliefs, a trellis, tables."""

import numpy as np
import pytest
from legible import check_legible

from course_lib.chapters.nb02b import plots

FIGURES = {
    "beliefs": lambda: plots.beliefs(list("abc"), ["n", "v"], {"then": np.full((2, 2), 0.5), "now": np.eye(2)},
                                     title="t"),
    "trellis": lambda: plots.trellis(list("abc"), ["n", "v"], np.full((3, 2), 0.5), {"p": [0, 1, 1], "q": [0, 0, 1]},
                                     title="t", forbidden=[[False, True], [False, False]]),
    "tables": lambda: plots.tables({"t": (np.eye(2), ["a", "b"], ["c", "d"]), "s": (np.eye(2), "ab", "cd")}, title="T"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_labelled_and_legible(name):
    fig = FIGURES[name]()
    check_legible(fig)
    if name != "tables":  # their rows and columns have names, no common unit
        assert any(ax.get_xlabel() for ax in fig.axes) and all(ax.get_ylabel() for ax in fig.axes)
        assert fig.legends or fig.axes[0].get_legend()


def test_beliefs_greys_what_was_not_heard_and_trellis_marks_the_forbidden_step():
    fig = FIGURES["beliefs"]()
    words = [(label.get_text(), label.get_color()) for label in fig.axes[-1].get_xticklabels()]
    assert words == [("a", "black"), ("b", "black"), ("c", "#767676")]
    assert [bar.get_height() for bar in fig.axes[1].patches] == [1, 0, 0, 1]
    assert len({bar.get_hatch() for bar in fig.axes[0].patches}) == 2
    crosses = [c for c in FIGURES["trellis"]().axes[0].collections if c.get_label() == "impossible step"]
    assert len(crosses) == 1 and crosses[0].get_offsets()[:, 0].tolist() == [0.5, 1.5]
