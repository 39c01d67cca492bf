"""Convergence: how fast a chain's histogram nears its distribution, and other falling lines."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, MARKERS, one_axes


def convergence(counts: ArrayLike, distances: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str,
                floors: Mapping[str, float] | None = None) -> Figure:
    """Falling lines with a mark at each value, `[n]` over `counts` `[n]`, both axes logarithmic.

    `floors` draws thin level lines, the first in the colour of the first falling line, and so on.
    """
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.2)
    for i, (name, values) in enumerate(distances.items()):
        ax.loglog(counts, values, LINES[i % 4], color=COLOURS[i % 8], marker=MARKERS[i % 8], label=name)
    for i, (name, value) in enumerate((floors or {}).items()):
        ax.axhline(value, linestyle=LINES[(i + 2) % 4], color=COLOURS[i % 8], linewidth=1.5, label=name)
    ax.legend()
    return fig
