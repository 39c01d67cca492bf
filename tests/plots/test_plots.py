"""The plotting style: legible, labelled, told apart without colour, described in words."""

import base64
import io
import sys

import numpy as np
import pytest
from legible import check_legible
from matplotlib.text import Text
from PIL import Image

from course_lib import plots
from course_lib.chapters.nb03c import plots as nb03c

X = np.arange(5)
FIGURES = {
    "curves": lambda: plots.curves(X, {"a": X, "b": X**2}, title="t", xlabel="x", ylabel="y", log_x=False,
                                   bands={"a": (X - 1, X + 1)}, baseline=(1, "one"), mark=(2, "here")),
    "log curves": lambda: plots.curves(X, {"a": X + 1, "b": X**2 + 1}, title="t", xlabel="x", ylabel="y", log_y=True),
    "histogram": lambda: plots.histogram({"a": X, "b": X + 1}, title="t", xlabel="x"),
    "outlined histograms": lambda: plots.histogram({"a": X, "b": X + 1, "c": X + 2}, title="t", xlabel="x"),
    "small multiples": lambda: plots.small_multiples(X, {"a": {"y": X}, "b": {"y": X}}, title="t", xlabel="x",
                                                     ylabel="y", ylim=(0, 4)),
    "logarithmic small multiples": lambda: plots.small_multiples(
        2 ** (X + 9), {"a": {"y": 4.0 ** X, "z": 2.0 ** X}, "b": {"y": 3.0 ** X, "z": X + 1}}, title="t", xlabel="x",
        ylabel="y", log=True, width=4.4),
    "bars": lambda: plots.bars(list("abcde"), {"a": X, "b": X}, title="t", xlabel="x", ylabel="y", baseline=(1, "one")),
    "bound_bars": lambda: plots.bound_bars(["a", "b"], [-2, -1], [-9, -1.5], title="t", xlabel="x", floor=-5),
}


def test_bound_bars_split_log_p_and_cut_what_is_below_the_floor():
    ax = FIGURES["bound_bars"]().axes[0]
    bounds, gaps = ax.containers
    assert [bar.get_height() for bar in bounds] == [0, 3.5]                              # from -5 up
    assert [bar.get_y() + bar.get_height() for bar in gaps] == [-2, -1]                  # up to log p(x)
    assert gaps[0].get_hatch() == "//"


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_legible(name):
    fig = FIGURES[name]()
    check_legible(fig)
    ax = fig.axes[0]
    assert ax.get_xlabel() and ax.get_ylabel() and (ax.get_legend() or fig.legends)


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


def test_logarithmic_small_multiples_have_ticks_in_plain_numbers_and_one_scale():
    fig = FIGURES["logarithmic small multiples"]()
    fig.draw_without_rendering()
    left, right = fig.axes
    assert [text.get_text() for text in right.get_xticklabels()] == ["512", "1,024", "2,048", "4,096", "8,192"]
    assert [left.get_xscale(), right.get_xscale(), left.get_yscale(), right.get_yscale()] == ["log"] * 4
    assert {"1", "2", "5", "10", "100"} <= {text.get_text() for text in left.get_yticklabels()}
    assert left.get_ylim() == right.get_ylim() and left.get_ylim()[0] <= 1 < 256 <= left.get_ylim()[1]
    assert all(line.get_ydata().max() <= ax.get_ylim()[1] for ax in fig.axes for line in ax.get_lines())


def test_small_multiples_show_all_panels_whole_unless_limits_are_given():
    panels = {"a": {"y": X}, "b": {"y": 100 * X}}
    for ylim, top in ((None, 400), ((0, 7), 7)):
        fig = plots.small_multiples(X, panels, title="t", xlabel="x", ylim=ylim)
        assert all(top <= ax.get_ylim()[1] < 1.2 * top and ax.get_xlim() == (0, 4) for ax in fig.axes)


@pytest.mark.parametrize(("draw", "long"), [
    (lambda title: plots.images(np.zeros((4, 2, 2)), columns=4, title=title), "a title of too many words for one line"),
    (lambda title: plots.curves(X, {"a": X}, title=title, xlabel="x", ylabel="y"), "a title of too many words " * 4)],
    ids=["figure", "axes"])
def test_a_title_that_is_too_long_goes_on_in_another_line(draw, long):
    for title, lines in ((long, True), ("t", False)):
        fig = draw(title)
        fig.draw_without_rendering()
        (text,) = [text for text in fig.findobj(Text) if text.get_text() == title]
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= fig.bbox.x1 + 1 and box.y1 <= fig.bbox.y1 + 1
        assert (box.height > 2 * 14) == lines
        assert all(ax.get_position().y1 * fig.bbox.y1 <= box.y0 for ax in fig.axes)


def test_images_draws_each_picture_with_ink_dark():
    pictures = np.zeros((7, 4, 4))
    pictures[3] = 1
    fig = plots.images(pictures, title="t", columns=5, row_labels=["first", "second"])
    drawn = [im for ax in fig.axes for im in ax.get_images()]
    assert len(drawn) == 7 and drawn[3].get_array().min() == 1 and drawn[0].get_cmap().name == "gray_r"
    with pytest.raises(ValueError, match=r"shape \[n, H, W\] or \[n, H, W, 3\], not \[4, 4\]"):
        plots.images(np.zeros((4, 4)), title="t")


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
           "shades": lambda: nb03c.gap_maps(axis, {"a": np.tanh(grid[:, 0] * grid[:, 1])}, title="t", high=1),
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


def test_scatters_may_keep_their_limits():
    fig = plots.scatters({"a": POINTS, "b": POINTS}, title="t", limit=7)
    assert {ax.get_xlim() for ax in fig.axes} == {ax.get_ylim() for ax in fig.axes} == {(-7, 7)}
