"""Gradient estimates around what they estimate, and how their variance grows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, MARKERS, figure, one_axes


def estimates(values: Mapping[str, ArrayLike], exact: float, *, title: str, xlabel: str) -> Figure:
    """Histograms of single estimates `[n]`, one panel below the other on a common axis, with a line at the exact value.

    The axis holds 99 in 100 of each; what lies beyond is counted in the last bars.
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
    axes[-1, 0].set_xlabel(xlabel)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def powers(x: ArrayLike, exact: Mapping[str, ArrayLike], measured: Mapping[str, ArrayLike], *, title: str, xlabel: str,
           ylabel: str) -> Figure:
    """On two logarithmic axes, where a power is a straight line: exact curves over `x` `[n]`, and measured marks."""
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.4)
    for i, (label, y) in enumerate(exact.items()):
        ax.plot(x, y, LINES[i % 4], color=COLOURS[i % 8], label=label)
        ax.plot(x, measured[label], MARKERS[i % 8], color=COLOURS[i % 8], markersize=8, markeredgecolor="white")
    ax.plot([], [], "o", color="#555555", label="measured")
    ax.set(xscale="log", yscale="log")
    ax.legend()
    return fig
