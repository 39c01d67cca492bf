"""The plotting style: legible, labelled, told apart without colour, described in words."""

import base64
import io
import sys

import numpy as np
import pytest
from legible import check_legible
from PIL import Image

from course_lib import plots
from course_lib.chapters.nb00 import plots as nb00
from course_lib.chapters.nb02b import plots as nb02b
from course_lib.chapters.nb03b import plots as nb03b
from course_lib.chapters.nb04 import plots as nb04
from course_lib.chapters.nb08 import plots as nb08
from course_lib.chapters.nb09c import plots as nb09c
from course_lib.chapters.nb10b import plots as nb10b

X = np.arange(5)
FIGURES = {
    "curves": lambda: plots.curves(X, {"a": X, "b": X**2}, title="t", xlabel="x", ylabel="y", log_x=False,
                                   bands={"a": (X - 1, X + 1)}, baseline=(1, "one"), mark=(2, "here")),
    "log curves": lambda: plots.curves(X, {"a": X + 1, "b": X**2 + 1}, title="t", xlabel="x", ylabel="y", log_y=True),
    "histogram": lambda: plots.histogram({"a": X, "b": X + 1}, title="t", xlabel="x"),
    "outlined histograms": lambda: plots.histogram({"a": X, "b": X + 1, "c": X + 2}, title="t", xlabel="x"),
    "bars": lambda: plots.bars(list("abcde"), {"a": X, "b": X}, title="t", xlabel="x", ylabel="y", baseline=(1, "one")),
    "bound_bars": lambda: plots.bound_bars(["a", "b"], [-2, -1], [-9, -1.5], title="t", xlabel="x", floor=-5),
    "beliefs": lambda: nb02b.beliefs(list("abc"), ["n", "v"], {"then": np.full((2, 2), 0.5), "now": np.eye(2)},
                                     title="t"),
    "trellis": lambda: nb02b.trellis(list("abc"), ["n", "v"], np.full((3, 2), 0.5), {"p": [0, 1, 1], "q": [0, 0, 1]},
                                     title="t", forbidden=[[False, True], [False, False]]),
    "convergence": lambda: nb10b.convergence(X + 1, {"a": X + 1, "b": X + 2}, title="t", xlabel="x", ylabel="y"),
    "densities": lambda: nb10b.densities(X, {"a": X, "b": X**2}, title="t", height=2.0),
    "paired_draws": lambda: nb09c.paired_draws({"a": X, "b": X + 1}, title="t", xlabel="x", ylabel="y"),
    "tables": lambda: nb02b.tables({"t": (np.eye(2), ["a", "b"], ["c", "d"]), "s": (np.eye(2), "ab", "cd")}, title="T"),
}


def test_floors_have_the_colours_of_their_lines():
    ax = nb10b.convergence(X + 1, {"a": X + 1, "b": X + 2}, title="t", xlabel="x", ylabel="y",
                           floors={"a: floor": 0.5, "b: floor": 0.25}).axes[0]
    falling, level = ax.lines[:2], ax.lines[2:]
    assert [line.get_label() for line in level] == ["a: floor", "b: floor"]
    assert [line.get_color() for line in level] == [line.get_color() for line in falling]
    assert [line.get_ydata()[0] for line in level] == [0.5, 0.25]


def test_paired_draws_join_each_draw_and_mark_the_means():
    ax = nb09c.paired_draws({"a": [1, 2], "b": [3, 6]}, title="t", xlabel="x", ylabel="y").axes[0]
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[1, 3], [2, 6]]
    assert [bar.get_segments()[0][0][1] for bar in ax.collections] == [1.5, 4.5]
    assert ax.lines[-1].get_ydata()[0] == 1.5 and ax.lines[-1].get_label() == "mean of a"
    with pytest.raises(ValueError, match="one value for each draw"):
        nb09c.paired_draws({"a": [1], "b": [1, 2]}, title="t", xlabel="x", ylabel="y")


def test_bound_bars_split_log_p_and_cut_what_is_below_the_floor():
    ax = FIGURES["bound_bars"]().axes[0]
    bounds, gaps = ax.containers
    assert [bar.get_height() for bar in bounds] == [0, 3.5]                              # from -5 up
    assert [bar.get_y() + bar.get_height() for bar in gaps] == [-2, -1]                  # up to log p(x)
    assert gaps[0].get_hatch() == "//"


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_text_is_large(name):
    fig = FIGURES[name]()
    fig.draw_without_rendering()
    ax = fig.axes[0]
    table = name == "tables"  # its rows and columns have names, no common unit
    assert table or (any(a.get_xlabel() for a in fig.axes) and all(a.get_ylabel() for a in fig.axes))
    assert ax.get_title(loc="left") == "t"
    legends = [legend for legend in (ax.get_legend(), *fig.legends) if legend]
    assert table or legends
    texts = [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts,
             *(text for legend in legends for text in legend.get_texts())]
    assert min(t.get_fontsize() for t in texts) >= 12


def test_series_differ_in_more_than_colour():
    lines = FIGURES["curves"]().axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == 4
    patches = FIGURES["bars"]().axes[0].patches
    assert len({p.get_hatch() for p in patches}) == 2
    assert len(set(plots.MARKERS)) == len(plots.MARKERS) == len(plots.COLOURS)


def test_three_histograms_are_outlines_with_marks_at_their_means():
    two, three = (FIGURES[name]().axes[0] for name in ("histogram", "outlined histograms"))
    assert any(patch.get_fill() for patch in two.patches)
    assert not any(patch.get_fill() for patch in three.patches)
    assert [line.get_xdata()[0] for line in three.lines] == [2, 3, 4]


def test_beliefs_greys_what_was_not_heard_and_trellis_marks_the_forbidden_step():
    fig = FIGURES["beliefs"]()
    words = [(label.get_text(), label.get_color()) for label in fig.axes[-1].get_xticklabels()]
    assert words == [("a", "black"), ("b", "black"), ("c", "#AAAAAA")]
    assert [bar.get_height() for bar in fig.axes[1].patches] == [1, 0, 0, 1]
    assert len({bar.get_hatch() for bar in fig.axes[0].patches}) == 2
    crosses = [c for c in FIGURES["trellis"]().axes[0].collections if c.get_label() == "impossible step"]
    assert len(crosses) == 2 and [c.get_offsets()[0][0] for c in crosses] == [0.5, 1.5]


def test_images_draws_each_picture_with_ink_dark():
    pictures = np.zeros((7, 4, 4))
    pictures[3] = 1
    fig = plots.images(pictures, title="t", columns=5, row_labels=["first", "second"])
    drawn = [im for ax in fig.axes for im in ax.get_images()]
    assert len(drawn) == 7 and drawn[3].get_array().min() == 1 and drawn[0].get_cmap().name == "gray_r"
    with pytest.raises(ValueError, match=r"shape \[n, H, W\] or \[n, H, W, 3\], not \[4, 4\]"):
        plots.images(np.zeros((4, 4)), title="t")


def test_digit_maps_write_each_code_as_its_digit():
    fig = nb04.digit_maps({"a": (np.eye(10)[:, :2], np.arange(10)), "b": (5 * np.eye(10)[:, 2:4], np.arange(10))},
                           title="t")
    fig.draw_without_rendering()
    for ax, limit in zip(fig.axes, (2.1, 5.25), strict=True):
        assert len(ax.collections) == 10 and len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 10
        assert len({tuple(c.get_facecolor()[0]) for c in ax.collections}) == 10
        assert ax.get_xlim() == ax.get_ylim() == pytest.approx((-limit, limit))
        assert ax.get_xlabel() and min(t.get_fontsize() for t in ax.get_xticklabels()) >= 12


def test_a_manifold_rises_to_the_right_and_upwards():
    pictures = np.arange(9.0)[:, None, None] / 8 + np.zeros((9, 2, 2))
    ax = nb04.manifold(pictures, [-1, 0, 1], title="t").axes[0]
    sheet = ax.get_images()[0].get_array()
    assert sheet.shape == (6, 6)
    assert sheet[-1, 0] == 0 and sheet[-1, -1] == 2 / 8 and sheet[0, 0] == 6 / 8 and sheet[0, -1] == 1
    assert [t.get_text() for t in ax.get_xticklabels()][::4] == ["-1.00", "1.00"]
    with pytest.raises(ValueError, match=r"3 by 3 needs pictures of shape \[9, H, W\], not \[4, 2, 2\]"):
        nb04.manifold(pictures[:4], [-1, 0, 1], title="t")


POINTS = np.random.default_rng(0).normal(size=(9, 2))
PLANES = {
    "scatters": lambda: plots.scatters({"a": POINTS}, title="t"),
    "bent_lines": lambda: plots.bent_lines(X, {"a": (np.ones(25), POINTS)}, title="t"),
    "framed": lambda: plots.framed(plots.images(np.zeros((3, 4, 4)), title="t", columns=2, labels="abc"),
                                   places=[(1, 2)]),
}


@pytest.mark.parametrize("name", PLANES)
def test_pictures_of_the_plane_are_legible(name):
    fig = PLANES[name]()
    check_legible(fig)
    assert name == "framed" or (all(ax.get_xlabel() for ax in fig.axes) and fig.axes[0].get_ylabel())


def test_frames_are_round_pictures_only_and_boxes_round_pixels():
    first, second, third, nothing = PLANES["framed"]().axes
    assert all(spine.get_visible() for ax in (first, second, third) for spine in ax.spines.values())
    assert not any(spine.get_visible() for spine in nothing.spines.values())
    assert first.patches[0].get_xy() == (1.55, 0.55) and not second.patches


def test_images_may_be_coloured():
    fig = plots.images(np.full((2, 3, 3, 3), 0.5), title="t")
    assert fig.axes[0].get_images()[0].get_array().shape == (3, 3, 3)
    with pytest.raises(ValueError, match=r"\[n, H, W, 3\], not \[2, 3, 3, 4\]"):
        plots.images(np.zeros((2, 3, 3, 4)), title="t")


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
    fig = nb08.pair_sheet(pictures, pairs, title="t")
    fig.draw_without_rendering()
    names = [[t.get_text() for t in ax.get_yticklabels()] for ax in fig.axes]
    assert names == [["0→1", "0→2"], ["1→2", "1→3"], []]
    sheet = fig.axes[1].get_images()[0].get_array()
    assert sheet.shape == (6, 6) and sheet[3:, 3:].all() and sheet.sum() == 9
    assert min(t.get_fontsize() for ax in fig.axes for t in ax.get_yticklabels() + ax.get_xticklabels()) >= 12
    with pytest.raises(ValueError, match="there are 3 pairs, so pictures must have shape"):
        nb08.pair_sheet(pictures, pairs[:3], title="t")


def test_judged_path_writes_what_is_probable_under_each_picture():
    p = np.array([[0.95, 0.05], [0.4, 0.6]])
    fig = nb08.judged_path(np.zeros((2, 3, 3)), p, [-1, 0.5], title="t")
    fig.draw_without_rendering()
    above, below = fig.axes
    assert len(above.get_images()) == 2 and above.get_title(loc="left") == "t"
    written = {t.get_position(): t.get_text() for t in below.texts}
    assert written == {(0, 0): ".95", (1, 0): ".40", (1, 1): ".60"}
    assert [t.get_text() for t in below.get_xticklabels()] == ["−1", "0.5"]
    assert below.get_xlabel() and below.get_ylabel()
    with pytest.raises(ValueError, match="do not match: one of each a step"):
        nb08.judged_path(np.zeros((3, 3, 3)), p, [0, 1], title="t")


def test_a_tree_has_its_leaves_in_order_below_each_other_and_marks_the_right_one():
    root = ("root", [("fork", [("a", []), ("b", [])]), ("c", [])])
    fig = nb00.tree(root, title="t", marked={"b"}, notes={"a": "01"})
    fig.draw_without_rendering()
    ax, page = fig.axes[0], fig.bbox
    heights = {t.get_text(): t.get_position()[1] for t in ax.texts}
    assert heights == {"a  (01)": 0, "★ b": 1, "c": 2, "fork": 0.5, "root": 1.25}
    assert ax.get_title(loc="left") == "t" and min(t.get_fontsize() for t in ax.texts) >= 12
    widths = {t.get_text(): t.get_bbox_patch().get_linewidth() for t in ax.texts}
    assert widths["★ b"] > widths["c"]
    boxes = [t.get_window_extent() for t in ax.texts]
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)


def test_show_gives_the_picture_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr(plots.style, "display", lambda bundle, metadata, raw: shown.append((bundle, metadata)))
    plots.show(FIGURES["curves"](), alt='Two "curves" < three')
    (data, metadata), = shown
    assert 'alt="Two &quot;curves&quot; &lt; three"' in data["text/html"]
    assert data["text/plain"] == 'Two "curves" < three'
    assert metadata["image/png"] == {"width": plots.width_in_pixels(FIGURES["curves"]()), "alt": data["text/plain"]}
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).format == "PNG"
    with pytest.raises(ValueError, match="alt must say"):
        plots.show(FIGURES["curves"](), alt=" ")


@pytest.mark.parametrize("picture", ["few colours", "shades", "a photograph"])
def test_what_is_saved_is_small_and_looks_the_same(picture):
    """At the first compression level, pictures of notebooks were 2.7 times too large."""
    noise = np.random.default_rng(0).random((12, 9, 9, 3))
    axis, grid = plots.plane(2, 41)
    fig = {"few colours": FIGURES["curves"], "a photograph": lambda: plots.images(noise, title="t"),
           "shades": lambda: nb03b.gap_maps(axis, {"a": np.tanh(grid[:, 0] * grid[:, 1])}, title="t", high=1),
           }[picture]()
    quick = plots.style.quick_png(fig)
    small = plots.style.compact(quick)
    before, after = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in (quick, small))
    off = abs(after - before)
    assert off.max() <= 12 and off.mean() <= 0.25
    assert len(small) < len(quick) / {"few colours": 2.7, "shades": 1.3, "a photograph": 1}[picture]


def test_png_is_crisp_at_its_size():
    fig = FIGURES["curves"]()
    width, _ = Image.open(io.BytesIO(plots.png(fig))).size
    assert width == pytest.approx(2 * plots.width_in_pixels(fig), abs=2)


def test_pyplot_is_not_needed():
    import subprocess

    code = "import sys, course_lib.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
