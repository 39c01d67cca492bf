"""The figures of notebook 04: maps of codes, and the manifold that a decoder makes."""

import numpy as np
import pytest

from course_lib.chapters.nb04 import plots


def test_digit_maps_write_each_code_as_its_digit():
    fig = plots.digit_maps({"a": (np.eye(10)[:, :2], np.arange(10)), "b": (5 * np.eye(10)[:, 2:4], np.arange(10))},
                           title="t")
    fig.draw_without_rendering()
    for ax, limit in zip(fig.axes, (2.1, 5.25), strict=True):
        assert len(ax.collections) == 10 and len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 10
        assert len({tuple(c.get_facecolor()[0]) for c in ax.collections}) == 10
        assert ax.get_xlim() == ax.get_ylim() == pytest.approx((-limit, limit))
        assert ax.get_xlabel() and min(t.get_fontsize() for t in ax.get_xticklabels()) >= 12


def test_a_manifold_rises_to_the_right_and_upwards():
    pictures = np.arange(9.0)[:, None, None] / 8 + np.zeros((9, 2, 2))
    ax = plots.manifold(pictures, [-1, 0, 1], title="t").axes[0]
    sheet = ax.get_images()[0].get_array()
    assert sheet.shape == (6, 6)
    assert sheet[-1, 0] == 0 and sheet[-1, -1] == 2 / 8 and sheet[0, 0] == 6 / 8 and sheet[0, -1] == 1
    assert [t.get_text() for t in ax.get_xticklabels()][::4] == ["-1.00", "1.00"]
    with pytest.raises(ValueError, match=r"3 by 3 needs pictures of shape \[9, H, W\], not \[4, 2, 2\]"):
        plots.manifold(pictures[:4], [-1, 0, 1], title="t")
