"""The figures of notebook 04: maps of codes, the manifold that a decoder makes, and rate over distortion."""

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


def test_a_line_of_slope_minus_beta_goes_through_each_point():
    ax = plots.rate_distortion({"a": ([3.0, 1.0, 0.0], [0.5, 2.0, 6.0])}, [0.5, 2.0, 4.0], title="t").axes[0]
    points, tangents = ax.lines[-1].get_xydata(), [line.get_xydata() for line in ax.lines[1:-1]]
    for point, ends, beta in zip(points, tangents, [0.5, 2.0, 4.0], strict=True):
        assert ends.mean(axis=0) == pytest.approx(point)
        assert np.diff(ends, axis=0)[0] @ [beta, 1] == pytest.approx(0)
    assert [t.get_text() for t in ax.texts] == ["β = 0.5", "β = 2", "β = 4"]
    with pytest.raises(ValueError, match="3 values of β"):
        plots.rate_distortion({"a": ([1.0], [2.0])}, [0.5, 2.0, 4.0], title="t")
