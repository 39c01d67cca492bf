"""The ways of notebook 11c: where they begin, where they end, and that they are legible."""

import numpy as np

from course_lib.chapters.nb11c import plots as nb11c


def test_ways_begin_and_end_where_they_should():
    track = np.random.default_rng(0).normal(size=(5, 3, 2))
    fig = nb11c.ways({"a": track, "b": track + 1}, title="t", xlabel="x", ylabel="y")
    fig.canvas.draw()
    for ax, places in zip(fig.axes, (track, track + 1), strict=True):
        *lines, begins, ends = ax.lines
        assert len(lines) == 3 and np.array_equal(lines[1].get_xydata(), places[:, 1])
        assert np.array_equal(begins.get_xydata(), places[0]) and np.array_equal(ends.get_xydata(), places[-1])
        assert begins.get_marker() != ends.get_marker() and ax.get_xlabel() == "x"
        box = ax.get_tightbbox()
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 and fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1
