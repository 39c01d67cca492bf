"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it.

Text is at least 12 pt at the size a figure is shown, so that it can be read when projected. Colours are Okabe and
Ito's, which stay apart for colour-blind eyes. Five of them are nearly equally light, so no series is told by its colour
alone: it has a line style, a marker or a hatch of its own, which grey paper keeps.
Figures are made without pyplot, so they may be drawn in any thread, and nothing is displayed twice.

The style starts from matplotlib's own defaults, so a reader's `matplotlibrc` or `style.use` changes no figure of the
course, nor does the course change the reader's. It is in force inside `styled()` alone. What `figure()` returns enters
it by itself, whenever it is drawn on, drawn or saved. `with styled(): …` is there for all else, pyplot included.
"""

from __future__ import annotations

import base64
import html
import inspect
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.colors
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

PALETTE = {"blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7", "orange": "#E69F00",
           "sky": "#56B4E9", "black": "#000000", "yellow": "#F0E442"}
COLOURS = tuple(PALETTE.values())
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo", "--")
PROBABILITY = matplotlib.colors.LinearSegmentedColormap.from_list("p", [COLOURS[0], "#F7F7F7", COLOURS[1]])
PIXELS_PER_INCH = 96    # of the screen: a figure 8 inches wide is shown 768 CSS pixels wide
SMALLEST_TEXT = 16      # CSS pixels: 12 pt at a figure's own width
READABLE_TEXT = 9       # CSS pixels: a page that is too narrow for it must be scrolled
UNSEEN = (12, 0.25)     # of 255: how far colours of a saved picture may be off, at most and in the mean
STYLE = {
    "font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13, "xtick.labelsize": 12, "ytick.labelsize": 12,
    "legend.fontsize": 12, "figure.titlesize": 15, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.alpha": 0.25, "axes.axisbelow": True, "lines.linewidth": 2.2, "legend.frameon": False,
    "axes.titlelocation": "left", "figure.constrained_layout.use": True, "image.cmap": "gray_r",
    "font.family": "DejaVu Sans", "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
}
# What stands for every setting but the backend, which belongs to the reader's windows. Checked once, here.
_SETTINGS = matplotlib.RcParams({name: value for name, value in matplotlib.rcParamsDefault.items()
                                 if not name.startswith("backend")} | STYLE)
_lock, _depth = threading.RLock(), 0

Bundle = tuple[dict[str, str], dict[str, dict[str, Any]]]  # data and metadata of an output, by MIME type


@contextmanager
def styled() -> Iterator[None]:
    """The course's settings in place of the reader's, as a context or, `@styled()`, for a whole function.

    Matplotlib's settings are global, so one thread at a time is inside. Wait for no other thread there.
    """
    global _depth
    with _lock:
        if _depth:
            yield
            return
        before = dict.copy(matplotlib.rcParams)
        # Not `rc_context`: that checks 300 settings anew each time, 2 ms before every frame of a film.
        dict.update(matplotlib.rcParams, _SETTINGS)
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1
            dict.update(matplotlib.rcParams, {name: before[name] for name in _SETTINGS})


def _always_styled(kind: type) -> type:
    """The class with each of its public methods, inherited or not, run inside `styled()`."""
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            setattr(kind, name, styled()(method))
    return kind


@_always_styled
class StyledAxes(Axes):
    """Axes in the course's style, whoever draws on them."""


@_always_styled
class StyledFigure(Figure):
    """A figure in the course's style, whoever draws on it, draws it or saves it."""

    def add_subplot(self, *args: Any, **options: Any) -> Axes:
        if not options.keys() & {"axes_class", "projection", "polar"}:
            options["axes_class"] = StyledAxes
        return super().add_subplot(*args, **options)


@styled()
def figure(width: float = 8.0, height: float = 4.0, rows: int = 1, columns: int = 1, layout: str | None = None,
           **subplots: Any) -> tuple[Figure, np.ndarray]:
    """An empty figure in the course's style, sizes in inches, with its axes as an array `[rows, columns]`.

    `layout="none"` leaves the margins as they are, for a figure that must follow a slider; else they are computed.
    """
    fig = StyledFigure(figsize=(width, height), layout=layout)
    return fig, fig.subplots(rows, columns, squeeze=False, **subplots)


@styled()
def quick_png(fig: Figure) -> bytes:
    """The figure as PNG bytes, at twice the screen's resolution, soon rather than small."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=2 * PIXELS_PER_INCH, pil_kwargs={"compress_level": 1})  # a third faster
    return buffer.getvalue()


def png(fig: Figure) -> bytes:
    """The figure as PNG bytes, at twice the screen's resolution, small enough to be saved."""
    return compact(quick_png(fig))


def compact(picture: bytes) -> bytes:
    """A PNG in about a third of the bytes: with a palette of 256 colours where nobody sees the difference."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    off = np.abs(np.asarray(few.convert("RGB"), dtype=np.int16) - np.asarray(image, dtype=np.int16))
    buffer = io.BytesIO()
    (few if off.max() <= UNSEEN[0] and off.mean() <= UNSEEN[1] else image).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def width_in_pixels(fig: Figure) -> int:
    """Width at which the figure is shown, in CSS pixels."""
    return round(fig.get_figwidth() * PIXELS_PER_INCH)


def least_width(width: int) -> int:
    """Width in CSS pixels below which a figure of this width is not shrunk: its smallest text stays readable, and a
    phone scrolls."""
    return round(width * READABLE_TEXT / SMALLEST_TEXT)


def show(fig: Figure, *, alt: str) -> None:
    """Display a figure with `alt`, the sentence that says what it shows to someone who cannot see it.

    Raises:
        ValueError: an empty `alt`.
    """
    data, metadata = bundle(fig, alt)
    display(data, metadata=metadata, raw=True)


def bundle(fig: Figure, alt: str) -> Bundle:
    """What `show` displays; raises what it raises."""
    return output(png(fig), alt, width_in_pixels(fig))


def output(picture: bytes, alt: str, width: int, film: bytes | None = None) -> Bundle:
    """A PNG with its alt text: as HTML for pages, by itself for LaTeX and all that takes no HTML, in words for a
    terminal.

    Args:
        picture: the PNG.
        alt: says what it shows.
        width: at which it is shown, in CSS pixels.
        film: a GIF that pages show in its place, at its own size, until it is stopped.

    Raises:
        ValueError: an empty `alt`.
    """
    if not alt.strip():
        raise ValueError("alt must say what the picture shows")
    as_text = base64.b64encode(picture).decode()
    page = _img("image/png", as_text, alt, width)
    if film is not None:
        page = FILM.format(film=_img("image/gif", base64.b64encode(film).decode(), alt, width), still=page)
    return ({"text/html": page, "image/png": as_text, "text/plain": alt},
            {"image/png": {"width": width, "alt": alt}})


def stand_in(shown: Bundle) -> str:
    """HTML of a picture as `bundle` makes it, not quite so sharp, in a sixth of the bytes."""
    data, metadata = shown
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    buffer = io.BytesIO()
    image.reduce(2).save(buffer, format="WebP", quality=60, method=6)
    told = metadata["image/png"]
    return _img("image/webp", base64.b64encode(buffer.getvalue()).decode(), told["alt"], told["width"])


# No script, so it can be stopped in a saved notebook and on a page, too; `details` is reached and used by keyboard.
FILM = ("<style>.course-film[open] + div {{ display: none; }}</style>"
        '<details open class="course-film" data-lm-suppress-shortcuts="true">'
        '<summary data-lm-suppress-shortcuts="true">Film: stop it, or play it again, by a click or Enter</summary>'
        '<div style="overflow-x:auto">{film}</div></details><div>{still}</div>')


def _img(mime: str, data: str, alt: str, width: int) -> str:
    return (f'<img src="data:{mime};base64,{data}" alt="{html.escape(alt, quote=True)}" '
            f'style="width:{width}px;min-width:{least_width(width)}px;max-width:100%;background:white">')


def one_axes(title: str, xlabel: str, ylabel: str, width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of one plot, sizes in inches, and its axes."""
    fig, axes = figure(width, height)
    ax = axes[0, 0]
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    return fig, ax
