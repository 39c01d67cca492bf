"""Pictures of what a network of pixels sees, and of one answer beside many."""

import numpy as np
import pytest

from course_lib import plots

X = np.linspace(0, 1, 6)
EDGES = np.linspace(-1, 1, 4)
SEEN = np.zeros((4, 4))
SEEN[:2] = 1
FIGURES = {
    "kernel_masks": lambda: plots.kernel_masks({"A": np.eye(3), "B": np.ones((3, 5))}, title="t"),
    "framed": lambda: plots.framed(plots.images(np.zeros((3, 4, 4)), title="t", columns=2,
                                                  labels="abc"), places=[(1, 2)]),
    "sight": lambda: plots.sight({"a": SEEN, "b": 0 * SEEN}, 2, 1, title="t"),
    "line_and_density": lambda: plots.line_and_density(X, X, X, X, EDGES, np.full((6, 3), 1 / 3), title="t"),
    "wave_and_density": lambda: plots.wave_and_density(range(6), X, EDGES, np.full((6, 3), 1 / 3), title="t"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_titles_are_there_text_is_large_and_nothing_leaves_the_page(name):
    fig = FIGURES[name]()
    fig.canvas.draw()
    assert "t" in (fig.get_suptitle(), fig.axes[0].get_title(loc="left"))
    texts = [text for ax in fig.axes for text in (*ax.texts, ax.title, ax.xaxis.label, *ax.get_xticklabels())]
    texts += [text for legend in fig.legends for text in legend.get_texts()]
    assert min(t.get_fontsize() for t in texts if t.get_text()) >= 12
    for part in (*fig.axes, *fig.legends):
        box = part.get_tightbbox()
        assert fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 + 1


def test_sight_tells_seen_missed_forbidden_and_later():
    fig = plots.sight({"good": SEEN, "leak": SEEN + np.eye(4)}, 1, 2, title="t")
    good, leak = (ax.get_images()[0].get_array() for ax in fig.axes)
    assert good[0, 0] == 1 and good[1, 1] == 1 and good[2, 2] == 0
    assert good[1, 3] == 3 == leak[3, 3]                                   # seen, though it comes later
    assert plots.sight({"a": 0 * SEEN}, 1, 2, title="t").axes[0].get_images()[0].get_array()[1, 2] == 4
    assert plots.sight({"a": 0 * SEEN}, 1, 2, title="t").axes[0].get_images()[0].get_array()[0, 0] == 2
    words = [text.get_text() for text in fig.legends[0].get_texts()]
    assert "seen, and not allowed" in words and "earlier, but never seen" not in words


def test_masks_are_drawn_as_numbers_with_the_centre_framed():
    ax = FIGURES["kernel_masks"]().axes[0]
    assert [t.get_text() for t in ax.texts] == list("100010001")
    assert ax.patches[0].get_xy() == (0.5, 0.5)


def test_frames_are_round_pictures_only_and_boxes_round_pixels():
    first, second, third, nothing = FIGURES["framed"]().axes
    assert all(spine.get_visible() for ax in (first, second, third) for spine in ax.spines.values())
    assert not any(spine.get_visible() for spine in nothing.spines.values())
    assert first.patches[0].get_xy() == (1.55, 0.55) and not second.patches


def test_images_may_be_coloured():
    fig = plots.images(np.full((2, 3, 3, 3), 0.5), title="t")
    assert fig.axes[0].get_images()[0].get_array().shape == (3, 3, 3)
    with pytest.raises(ValueError, match=r"\[n, H, W, 3\], not \[2, 3, 3, 4\]"):
        plots.images(np.zeros((2, 3, 3, 4)), title="t")
