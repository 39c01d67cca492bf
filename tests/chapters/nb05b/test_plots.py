"""The figure of notebook 05b: a dot for each run, filled or hollow."""

import numpy as np
from legible import check_legible

from course_lib.chapters.nb05b import plots


def test_dots_stand_at_their_values_filled_where_the_mask_says():
    fig = plots.strip({"a": [3, 1, 2], "b": [5, 4]}, title="t", ylabel="y", band=(1, 2, "right"),
                      filled={"a": np.array([True, False, False]), "b": np.array([True, True])}, filled_means="found")
    check_legible(fig)
    ax = fig.axes[0]
    filled, hollow, filled_b, hollow_b, *_ = ax.collections
    heights = [dots.get_offsets()[:, 1].tolist() for dots in (filled, hollow, filled_b, hollow_b)]
    assert heights == [[3], [1, 2], [4, 5], []]
    assert len(filled.get_facecolor()) == 1 and len(hollow.get_facecolor()) == 0
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["right", "found", "not found"]
