"""Matrices that show their numbers."""

import numpy as np

from course_lib import plots

PANELS = {"w": np.array([[0, 2], [3, 0]]), "row": np.arange(5)[None], "tall": np.ones((3, 1))}


def test_matrices_print_what_is_not_zero_where_it_stands():
    fig = plots.matrices(PANELS, columns=2, title="t")
    fig.draw_without_rendering()
    drawn = [ax for ax in fig.axes if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in drawn] == list(PANELS) and fig.get_suptitle() == "t"
    assert {t.get_position(): t.get_text() for t in drawn[0].texts} == {(1.5, 0.5): "2", (0.5, 1.5): "3"}
    assert drawn[0].get_ylim() == (2, 0)                                 # row 0 is the upper one
    assert [len(ax.texts) for ax in drawn] == [2, 4, 3]
    assert min(t.get_fontsize() for ax in drawn for t in (*ax.texts, ax.title)) >= 12
    assert len({ax.collections[0].get_clim() for ax in drawn}) == 1      # shaded alike
