"""The one plotting style: functions take arrays and return a `Figure`; `show(fig, alt=…)` displays it.

Text is at least 12 pt at the size a figure is shown, so that it can be read when projected. Colours are Okabe and
Ito's, which stay apart for colour-blind eyes, and class 1 is also drawn with another marker and another line style.
Figures are made without pyplot, so they may be drawn in any thread, and nothing is displayed twice.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

import matplotlib
import matplotlib.colors
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

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
    if not alt.strip():
        raise ValueError("alt must say what the figure shows")
    display(bundle(fig, alt), raw=True)


def bundle(fig: Figure, alt: str) -> dict[str, str]:
    """What `show` displays, by MIME type: the picture with its alt text, which is all that a terminal gets."""
    source = base64.b64encode(png(fig)).decode()
    picture = (f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt, quote=True)}" '
               f'style="width:{width_in_pixels(fig)}px;max-width:100%;background:white">')
    return {"text/html": picture, "text/plain": alt}


def _axes(title: str, xlabel: str, ylabel: str, width: float, height: float) -> tuple[Figure, Axes]:
    fig, axes = figure(width, height)
    ax = axes[0, 0]
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    return fig, ax


def curves(x: ArrayLike, ys: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str,
           bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None, log_x: bool = False) -> Figure:
    """One line for each entry of `ys` over the common `x` `[n]`, in a shaded band (low, high) where `bands` has one."""
    fig, ax = _axes(title, xlabel, ylabel, 8.0, 4.2)
    for i, (label, y) in enumerate(ys.items()):
        ax.plot(x, y, LINES[i % len(LINES)], color=COLOURS[i % len(COLOURS)], label=label)
        if bands and label in bands:
            low, high = bands[label]
            ax.fill_between(np.asarray(x), low, high, color=COLOURS[i % len(COLOURS)], alpha=0.18, linewidth=0)
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(list(x), [f"{value:,.0f}" for value in np.asarray(x)], minor=False)
        ax.minorticks_off()
    if len(ys) > 1:
        ax.legend()
    return fig


def histogram(values: Mapping[str, ArrayLike], *, title: str, xlabel: str, bins: int = 40) -> Figure:
    """Normalised histograms, one for each entry of `values`, over common bins."""
    fig, ax = _axes(title, xlabel, "density", 8.0, 3.8)
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in values.values()]), bins=bins)
    for i, (label, v) in enumerate(values.items()):
        ax.hist(np.ravel(v), edges, density=True, histtype="stepfilled", alpha=0.35, color=COLOURS[i % 8])
        ax.hist(np.ravel(v), edges, density=True, histtype="step", linestyle=LINES[i % 4], color=COLOURS[i % 8],
                label=label,
                linewidth=2)
    if len(values) > 1:
        ax.legend()
    return fig


def bars(labels: Sequence[str], values: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str,
         baseline: tuple[float, str] | None = None) -> Figure:
    """Groups of bars, one group for each label and one bar in it for each entry of `values` (arrays `[n_labels]`).

    `baseline` draws a horizontal line at a value, with a word that says what it is.
    """
    fig, ax = _axes(title, xlabel, ylabel, 8.0, 4.0)
    width = 0.8 / len(values)
    places = np.arange(len(labels))
    hatches = ("", "//", "..", "xx")
    for i, (label, heights) in enumerate(values.items()):
        ax.bar(places + (i - (len(values) - 1) / 2) * width, heights, width, label=label, color=COLOURS[i % 8],
               hatch=hatches[i % 4], edgecolor="white")
    if baseline:
        ax.axhline(baseline[0], color="black", linestyle=":", linewidth=1.5, label=baseline[1])
    ax.set_xticks(places, labels)
    ax.grid(axis="x", visible=False)
    ax.set_ylim(top=ax.get_ylim()[1] * 1.12)
    ax.legend(ncols=len(values) + 1, loc="upper left")
    return fig


def strip(values: Mapping[str, ArrayLike], *, title: str, ylabel: str, band: tuple[float, float, str]) -> Figure:
    """A column of dots for each entry of `values`, one dot a value, over a horizontal band (low, high, its name)."""
    fig, ax = _axes(title, "", ylabel, 8.0, 4.2)
    ax.axhspan(band[0], band[1], color="#DDDDDD", zorder=0, label=band[2])
    for i, (_, v) in enumerate(values.items()):
        v = np.sort(np.ravel(v))
        spread = 0.3 * np.linspace(-1, 1, len(v)) if len(v) > 1 else 0.0
        ax.scatter(i + spread, v, s=46, color=COLOURS[i % 8], marker=MARKERS[i % 8], edgecolors="white")
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.legend()
    return fig


def paths(tracks: Mapping[str, ArrayLike], *, title: str, limit: float, xlabel: str = "x", ylabel: str = "y") -> Figure:
    """Walks in the plane `[steps, 2]`, one line each, from a dot on; `limit` on each side of the origin."""
    fig, axes = figure(5.8, 5.4)
    ax = axes[0, 0]
    for i, (label, track) in enumerate(tracks.items()):
        track = np.asarray(track)
        ax.plot(*track.T, LINES[i % 4], color=COLOURS[i % 8], marker=".", markersize=4, linewidth=1.4, label=label)
        ax.plot(*track[0], MARKERS[i % 8], color=COLOURS[i % 8], markersize=9)
    ax.plot(0, 0, "+", color="black", markersize=14, markeredgewidth=2)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    ax.legend(loc="upper left")
    return fig


def images(pictures: ArrayLike, *, title: str, columns: int = 10, labels: Sequence[str] | None = None,
           row_labels: Sequence[str] | None = None, low: float = 0.0, high: float = 1.0) -> Figure:
    """A grid of grey pictures `[n, H, W]`, ink dark; `low` and `high` are the values of paper and full ink."""
    pictures = np.asarray(pictures)
    if pictures.ndim != 3:
        raise ValueError(f"pictures must have shape [n, H, W], not {list(pictures.shape)}")
    rows = -(-len(pictures) // columns)
    left = 0.12 * max(map(len, row_labels)) if row_labels else 0.0
    fig, axes = figure(0.82 * columns + left, 0.86 * rows * (1.3 if labels else 1.0) + 0.45, rows, columns)
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    for i, picture in enumerate(pictures):
        ax = axes.flat[i]
        ax.imshow(picture, vmin=low, vmax=high, cmap="gray_r")
        if labels:
            ax.set_title(labels[i], loc="center", fontsize=12)
    for i, label in enumerate(row_labels or ()):
        axes[i, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=12)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def scatter_classes(ax: Axes, x: ArrayLike, y: ArrayLike, *, names: Sequence[str] = ("class 0", "class 1")) -> None:
    """Points `[n, 2]` on given axes, a colour and a marker for each integer label `[n]`."""
    x, y = np.asarray(x), np.asarray(y)
    for k, name in enumerate(names):
        ax.scatter(*x[y == k].T, s=26, color=COLOURS[k], marker=MARKERS[k], edgecolors="white", linewidths=0.5,
                   label=name)


def class_ellipses(ax: Axes, means: ArrayLike, variances: ArrayLike) -> None:
    """One- and two-sigma ellipses of axis-parallel Gaussians on given axes: means and variances `[K, 2]`."""
    for k, (mean, variance) in enumerate(zip(np.asarray(means), np.asarray(variances), strict=True)):
        for sigmas in (1, 2):
            ax.add_patch(Ellipse(mean, *(2 * sigmas * np.sqrt(variance)), fill=False, edgecolor=COLOURS[k],
                                 linestyle=LINES[k], linewidth=2.2))


def field(ax: Axes, axis: ArrayLike, values: ArrayLike, *, kind: str) -> None:
    """A function of the plane on given axes: `values` `[n·n]` on the grid of `plane`.

    `kind` is 'density' (contours and shade) or 'probability' (shade from 0 to 1, and the border at one half).
    """
    axis = np.asarray(axis)
    values = np.asarray(values).reshape(len(axis), len(axis))
    if kind == "density":
        ax.contourf(axis, axis, values, levels=8, cmap="Greys", alpha=0.7)
    elif kind == "probability":
        ax.contourf(axis, axis, values, levels=np.linspace(0, 1, 11), cmap=PROBABILITY, alpha=0.6)
        if values.min() < 0.5 < values.max():
            ax.contour(axis, axis, values, levels=[0.5], colors="black", linewidths=2)
    else:
        raise ValueError(f"kind must be 'density' or 'probability', not {kind!r}")


def _squares(titles: Sequence[str], title: str, limit: float) -> tuple[Figure, np.ndarray]:
    """Equal panels of the same square of the plane, `limit` on each side of the origin."""
    fig, axes = figure(4.8 * len(titles), 5.0, 1, len(titles), sharex=True, sharey=True)
    for ax, name in zip(axes[0], titles, strict=True):
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$")
        ax.set_title(name)
        ax.grid(visible=False)
    axes[0, 0].set_ylabel("$x_2$")
    fig.suptitle(title, ha="left", x=0.01)
    return fig, axes[0]


def points(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str, limit: float = 5.0) -> Figure:
    """Points of two classes in the plane: for each panel its title, with points `[n, 2]` and labels `[n]`."""
    fig, axes = _squares(list(panels), title, limit)
    for ax, (x, y) in zip(axes, panels.values(), strict=True):
        scatter_classes(ax, x, y)
    axes[0].legend(loc="lower left")
    return fig


def clouds_and_border(x: ArrayLike, y: ArrayLike, *, mu: ArrayLike, var: ArrayLike, axis: ArrayLike,
                      density: ArrayLike, probability: ArrayLike, title: str) -> Figure:
    """Naive Bayes beside logistic regression on points `x` `[n, 2]` of classes `y` `[n]`.

    Left, class means and variances `[2, 2]` as ellipses over the density; right, p(y = 1 | x) with its border.
    `density` and `probability` are values `[m·m]` on the grid of `plane`, whose axis is `[m]`.
    """
    fig, (left, right) = _squares(["naive Bayes: p(x)", "logistic regression: p(y = 1 | x)"], title, limit=axis[-1])
    field(left, axis, density, kind="density")
    class_ellipses(left, mu, var)
    field(right, axis, probability, kind="probability")
    for ax in (left, right):
        scatter_classes(ax, x, y)
    left.legend(loc="lower left")
    return fig


def gan1d(x: ArrayLike, decision: ArrayLike, real: ArrayLike, generated: ArrayLike, *, title: str) -> Figure:
    """A 1-D GAN's D(x), real and generated density, arrays `[n]` over `x` `[n]`. Lines in the order of arguments."""
    fig, ax = _axes(title, "x", "probability D(x), or density", 7.0, 4.2)
    names = {"D(x)": decision, "real density": real, "generated density": generated}
    for (label, y), colour, line in zip(names.items(), (COLOURS[2], COLOURS[0], COLOURS[1]), ("--", "-", "-"),
                                        strict=True):
        ax.plot(x, y, line, color=colour, label=label)
    ax.set(xlim=(np.min(x), np.max(x)), ylim=(0, 1.5))
    ax.legend(loc="upper left")
    return fig


def plane(limit: float = 5.0, n: int = 121) -> tuple[np.ndarray, np.ndarray]:
    """A grid over a square of the plane: one axis `[n]`, and all points `[n·n, 2]`, the first coordinate fastest."""
    axis = np.linspace(-limit, limit, n)
    return axis, np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
