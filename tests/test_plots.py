"""The plotting style: legible, labelled, told apart without colour, described in words."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from course_lib import plots

X = np.arange(5)
FIGURES = {
    "curves": lambda: plots.curves(X, {"a": X, "b": X**2}, title="t", xlabel="x", ylabel="y", log_x=False,
                                   bands={"a": (X - 1, X + 1)}),
    "histogram": lambda: plots.histogram({"a": X, "b": X + 1}, title="t", xlabel="x"),
    "bars": lambda: plots.bars(list("abcde"), {"a": X, "b": X}, title="t", xlabel="x", ylabel="y", baseline=(1, "one")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_text_is_large(name):
    fig = FIGURES[name]()
    fig.draw_without_rendering()
    ax = fig.axes[0]
    assert ax.get_xlabel() and ax.get_ylabel() and (ax.get_title(loc="left") == "t")
    texts = [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels(),
             *ax.get_legend().get_texts()]
    assert min(t.get_fontsize() for t in texts) >= 12


def test_series_differ_in_more_than_colour():
    lines = FIGURES["curves"]().axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == 2
    patches = FIGURES["bars"]().axes[0].patches
    assert len({p.get_hatch() for p in patches}) == 2
    assert len(set(plots.MARKERS)) == len(plots.MARKERS) == len(plots.COLOURS)


def test_images_draws_each_picture_with_ink_dark():
    pictures = np.zeros((7, 4, 4))
    pictures[3] = 1
    fig = plots.images(pictures, title="t", columns=5, row_labels=["first", "second"])
    drawn = [im for ax in fig.axes for im in ax.get_images()]
    assert len(drawn) == 7 and drawn[3].get_array().min() == 1 and drawn[0].get_cmap().name == "gray_r"
    with pytest.raises(ValueError, match=r"shape \[n, H, W\], not \[4, 4\]"):
        plots.images(np.zeros((4, 4)), title="t")


def test_field():
    ax = plots.figure()[1][0, 0]
    axis, grid = plots.plane(2, 5)
    assert grid[1].tolist() == [-1, -2]  # the first coordinate runs fastest
    plots.field(ax, axis, grid[:, 0] / 4 + 0.5, kind="probability")
    border = next(c for c in ax.collections if len(c.levels) == 1)
    assert np.allclose(border.get_paths()[0].vertices[:, 0], 0)  # p = ½ at x_1 = 0
    with pytest.raises(ValueError, match="kind must be 'density' or 'probability', not 'map'"):
        plots.field(ax, axis, grid[:, 0], kind="map")


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


def test_show_gives_the_picture_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr(plots.style, "display", lambda bundle, raw: shown.append(bundle))
    plots.show(FIGURES["curves"](), alt='Two "curves" < three')
    assert 'alt="Two &quot;curves&quot; &lt; three"' in shown[0]["text/html"]
    assert shown[0]["text/plain"] == 'Two "curves" < three'
    with pytest.raises(ValueError, match="alt must say"):
        plots.show(FIGURES["curves"](), alt=" ")


def test_png_is_crisp_at_its_size():
    fig = FIGURES["curves"]()
    width, _ = Image.open(io.BytesIO(plots.png(fig))).size
    assert width == pytest.approx(2 * plots.width_in_pixels(fig), abs=2)


def test_pyplot_is_not_needed():
    import subprocess

    code = "import sys, course_lib.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
