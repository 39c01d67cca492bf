"""The figures of notebook 03: bars beside densities, which follow a slider."""

import numpy as np
import pytest

from course_lib.chapters.nb03 import plots

X = np.arange(5)
FIGURES = {
    "bound": lambda: plots.bound_and_densities(X, {"a": X, "b": X**2}, -2.0, -3.0, title="t", floor=-8, top=-1,
                                               height=2),
    "divergences": lambda: plots.divergences_and_densities(X, {"a": X, "b": X**2}, {"f": 1.0, "r": 99.0}, title="t",
                                                           top=6, height=2),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_for_sliders_are_labelled_legible_and_inside_the_page(name):
    fig = FIGURES[name]()
    fig.canvas.draw()
    page = fig.bbox
    for ax in fig.axes:
        assert ax.get_xlabel() and ax.get_ylabel()
        for text in (ax.xaxis.label, ax.yaxis.label, *ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()):
            assert text.get_fontsize() >= 12
        box = ax.get_tightbbox()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    left, right = (ax.get_tightbbox() for ax in fig.axes)
    assert left.x1 < right.x0 and fig.get_suptitle() == "t"
    assert len({line.get_linestyle() for line in fig.axes[1].lines}) == 2


def test_bars_reach_their_values_and_an_arrow_says_where_one_goes_on():
    bar = FIGURES["divergences"]().axes[0]
    assert [patch.get_height() for patch in bar.patches] == [1, 6]
    assert [(t.get_text(), t.get_position()) for t in bar.texts] == [("↑", (1, 6))]
    bound, gap = FIGURES["bound"]().axes[0].containers
    assert bound[0].get_height() == 5 and gap[0].get_y() + gap[0].get_height() == -2  # from -8 to the bound, to log p
