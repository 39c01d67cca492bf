"""The net before and after a map: cells in place, shaded by their growth, legible, inside the page."""

import numpy as np
import pytest

from course_lib.chapters.nb10 import plots as nb10

NET = np.stack(np.meshgrid(np.linspace(-2, 2, 4), np.linspace(-2, 2, 5)), axis=-1)  # [5, 4, 2]


def test_the_stretched_net():
    grown = NET * [1, 1.2]
    fig = nb10.stretched(NET, grown, np.where(NET[..., 0] > 0, 0.9, -0.9), cell=(1, 2), title="t")
    fig.canvas.draw()
    assert fig.get_suptitle() == "t"
    for ax, net in zip(fig.axes, (NET, grown), strict=True):
        cells, *dotted, _, marked = ax.collections
        assert [len(dots.get_paths()) for dots in dotted] == ([] if net is NET else [4]), "where it grows"
        assert len(cells.get_paths()) == 12
        corners = [tuple(point) for point in marked.get_paths()[0].vertices[:4]]
        assert corners == [tuple(net[i, j]) for i, j in ((1, 2), (1, 3), (2, 3), (2, 2))]
        assert ax.get_xlabel() and ax.get_ylabel()
        assert min(t.get_fontsize() for t in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label)) >= 12
        box = ax.get_tightbbox()
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 and fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1
    shades = fig.axes[1].collections[0].get_facecolor()
    assert shades[0][2] > shades[0][0] and shades[2][0] > shades[2][2]  # blue where it shrinks, orange where it grows


def test_nets_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match=r"nets \[rows, columns, 2\]"):
        nb10.stretched(NET, NET[1:], np.zeros((5, 4)), cell=(0, 0), title="t")
