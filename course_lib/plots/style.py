"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it.

Text is at least 12 pt at the size a figure is shown, so that it can be read when projected. Colours are Okabe and
Ito's, which stay apart for colour-blind eyes, and class 1 is also drawn with another marker and another line style.
Figures are made without pyplot, so they may be drawn in any thread, and nothing is displayed twice.
"""

from __future__ import annotations

import base64
import html
import io

import matplotlib
import matplotlib.colors
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALETTE = {"blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7", "orange": "#E69F00",
           "sky": "#56B4E9", "black": "#000000", "yellow": "#F0E442"}
COLOURS = tuple(PALETTE.values())
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
PROBABILITY = matplotlib.colors.LinearSegmentedColormap.from_list("p", [COLOURS[0], "#F7F7F7", COLOURS[1]])
PIXELS_PER_INCH = 96    # of the screen: a figure 8 inches wide is shown 768 CSS pixels wide
STYLE = {
    "font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13, "xtick.labelsize": 12, "ytick.labelsize": 12,
    "legend.fontsize": 12, "figure.titlesize": 15, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.alpha": 0.25, "axes.axisbelow": True, "lines.linewidth": 2.2, "legend.frameon": False,
    "axes.titlelocation": "left", "figure.constrained_layout.use": True, "image.cmap": "gray_r",
    "font.family": "DejaVu Sans", "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
}
matplotlib.rcParams.update(STYLE)  # for figures that readers make themselves, too


def figure(width: float = 8.0, height: float = 4.0, rows: int = 1, columns: int = 1, **subplots: object,
           ) -> tuple[Figure, np.ndarray]:
    """An empty figure in the course's style, sizes in inches, with its axes as an array `[rows, columns]`."""
    fig = Figure(figsize=(width, height))
    return fig, fig.subplots(rows, columns, squeeze=False, **subplots)


def png(fig: Figure) -> bytes:
    """The figure as PNG bytes, at twice the screen's resolution."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=2 * PIXELS_PER_INCH, pil_kwargs={"compress_level": 1})  # a third faster
    return buffer.getvalue()


def width_in_pixels(fig: Figure) -> int:
    """Width at which the figure is shown, in CSS pixels."""
    return round(fig.get_figwidth() * PIXELS_PER_INCH)


def show(fig: Figure, *, alt: str) -> None:
    """Display a figure with `alt`, the sentence that says what it shows to someone who cannot see it.

    Raises:
        ValueError: an empty `alt`.
    """
    display(bundle(fig, alt), raw=True)


def bundle(fig: Figure, alt: str) -> dict[str, str]:
    """What `show` displays, by MIME type; raises what it raises."""
    return described(png(fig), "image/png", alt, width=f"{width_in_pixels(fig)}px")


def described(picture: bytes, mime: str, alt: str, width: str = "auto") -> dict[str, str]:
    """A picture with its alt text as HTML, and the alt text alone for a terminal, by MIME type.

    Raises:
        ValueError: an empty `alt`.
    """
    if not alt.strip():
        raise ValueError("alt must say what the picture shows")
    return {"text/html": f'<img src="data:{mime};base64,{base64.b64encode(picture).decode()}" '
                         f'alt="{html.escape(alt, quote=True)}" '
                         f'style="width:{width};max-width:100%;background:white">',
            "text/plain": alt}


def one_axes(title: str, xlabel: str, ylabel: str, width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of one plot, sizes in inches, and its axes."""
    fig, axes = figure(width, height)
    ax = axes[0, 0]
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    return fig, ax
