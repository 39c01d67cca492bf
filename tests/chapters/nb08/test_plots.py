"""The figures of notebook 08: pairs and their ways, and what a judge says along one."""

import numpy as np
import pytest

from course_lib.chapters.nb08 import plots


def test_pair_sheet_has_a_row_for_each_pair_in_its_place():
    pictures = np.zeros((4, 2, 3, 3))
    pictures[3, 1] = 1
    pairs = [(0, 1), (0, 2), (1, 2), (1, 3)]
    fig = plots.pair_sheet(pictures, pairs, title="t")
    fig.draw_without_rendering()
    names = [[t.get_text() for t in ax.get_yticklabels()] for ax in fig.axes]
    assert names == [["0→1", "0→2"], ["1→2", "1→3"], []]
    sheet = fig.axes[1].get_images()[0].get_array()
    assert sheet.shape == (6, 6) and sheet[3:, 3:].all() and sheet.sum() == 9
    assert min(t.get_fontsize() for ax in fig.axes for t in ax.get_yticklabels() + ax.get_xticklabels()) >= 12
    with pytest.raises(ValueError, match="there are 3 pairs, so pictures must have shape"):
        plots.pair_sheet(pictures, pairs[:3], title="t")


def test_judged_path_writes_what_is_probable_under_each_picture():
    p = np.array([[0.95, 0.05], [0.4, 0.6]])
    fig = plots.judged_path(np.zeros((2, 3, 3)), p, [-1, 0.5], title="t")
    fig.draw_without_rendering()
    above, below = fig.axes
    assert len(above.get_images()) == 2 and above.get_title(loc="left") == "t"
    written = {t.get_position(): t.get_text() for t in below.texts}
    assert written == {(0, 0): ".95", (1, 0): ".40", (1, 1): ".60"}
    assert [t.get_text() for t in below.get_xticklabels()] == ["−1", "0.5"]
    assert below.get_xlabel() and below.get_ylabel()
    with pytest.raises(ValueError, match="do not match: one of each a step"):
        plots.judged_path(np.zeros((3, 3, 3)), p, [0, 1], title="t")
