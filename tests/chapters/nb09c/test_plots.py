"""The figure of notebook 09c: draws that belong together."""

import pytest
from legible import check_legible

from course_lib.chapters.nb09c import plots


def test_axes_are_labelled_and_text_is_large():
    fig = plots.paired_draws({"a": range(5), "b": range(1, 6)}, title="t", xlabel="x", ylabel="y")
    check_legible(fig)
    assert fig.axes[0].get_xlabel() == "x" and fig.axes[0].get_ylabel() == "y" and fig.axes[0].get_legend()


def test_paired_draws_join_each_draw_and_mark_the_means():
    ax = plots.paired_draws({"a": [1, 2], "b": [3, 6]}, title="t", xlabel="x", ylabel="y").axes[0]
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 3], [2, 6]]
    assert [bar.get_segments()[0][0][1] for bar in ax.collections] == [1.5, 4.5]
    assert ax.lines[-1].get_ydata()[0] == 1.5 and ax.lines[-1].get_label() == "mean of a"
    with pytest.raises(ValueError, match="one value for each draw"):
        plots.paired_draws({"a": [1], "b": [1, 2]}, title="t", xlabel="x", ylabel="y")
