"""Gradient estimates around what they estimate, and how their variance grows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, MARKERS, figure, one_axes


def estimates(values: Mapping[str, ArrayLike], exact: float, *, title: str, xlabel: str) -> Figure:
    """Histograms of single estimates `[n]`, one panel below the other on a common axis, with a line at the exact value.

    The axis holds 99 in 100 of each; what lies beyond is counted in the outermost bars, as the x-axis says.
    """
    fig, axes = figure(8.0, 1.6 * len(values) + 1.0, len(values), 1, sharex=True)
    ends = [np.quantile(v, q) for v in values.values() for q in (0.005, 0.995)]
    low, high = min(*ends, exact), max(*ends, exact)
    margin = 0.03 * (high - low)
    edges = np.linspace(low - margin, high + margin, 81)
    for i, (ax, (label, v)) in enumerate(zip(axes[:, 0], values.items(), strict=True)):
        ax.hist(np.clip(v, edges[0], edges[-1]), edges, histtype="stepfilled", color=COLOURS[i % 8], label=label)
        ax.axvline(exact, color="black", linestyle=":", linewidth=2.2, label="exact")
        ax.set(ylabel="count")
        ax.legend(loc="upper left")
    axes[-1, 0].set_xlabel(f"{xlabel} (outermost bars: and all beyond)")
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def powers(x: ArrayLike, exact: Mapping[str, ArrayLike], measured: Mapping[str, ArrayLike], *, title: str, xlabel: str,
           ylabel: str, marks_at: ArrayLike | None = None) -> Figure:
    """On two logarithmic axes, where a power is a straight line: exact curves over `x` `[n]`, and measured marks over
    `marks_at` `[m]`, or over `x`."""
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.4)
    pairs = {}
    for i, (label, y) in enumerate(exact.items()):
        line, = ax.plot(x, y, LINES[i % 4], color=COLOURS[i % 8])
        marks, = ax.plot(x if marks_at is None else marks_at, measured[label], MARKERS[i % 8], color=COLOURS[i % 8],
                         markersize=8, markeredgecolor="white")
        pairs[label] = line, marks
    ax.set(xscale="log", yscale="log")
    ax.legend(list(pairs.values()), list(pairs), title="lines exact, marks measured", title_fontsize=12)
    return fig


def logarithmic(x: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]], *, title: str, xlabel: str) -> Figure:
    """Panels side by side, on two logarithmic axes each: by the label of its y-axis, its lines by name over `x` `[n]`.

    A name keeps its colour, line and mark from panel to panel, and stands once in the legend.
    """
    fig, axes = figure(9.0, 4.9, 1, len(panels), sharex=True)
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    handles = {}
    for ax, (ylabel, lines) in zip(axes[0], panels.items(), strict=True):
        for name, y in lines.items():
            i = names.index(name)
            handles[name], = ax.plot(x, y, LINES[i % 4], color=COLOURS[i % 8], marker=MARKERS[i % 8], markersize=7,
                                     markevery=max(1, len(x) // 6), markeredgecolor="white")
        ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    fig.legend([handles[name] for name in names], names, loc="outside lower center", ncols=2)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
