"""Notebook 11c: the ways of many points, over time or through the plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, figure, styled


@styled()
def ways(panels: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str) -> Figure:
    """Panels of thin lines on common axes, each with a cross where it begins and a dot where it ends.

    Args:
        panels: for each its title, with the places `[places, n, 2]` of n ways.
        title, xlabel, ylabel: of the figure and its axes.
    """
    fig, axes = figure(4.2 * len(panels), 4.6, 1, len(panels), sharex=True, sharey=True)
    for ax, (name, places) in zip(axes[0], panels.items(), strict=True):
        places = np.asarray(places)
        ax.plot(places[..., 0], places[..., 1], color=COLOURS[0], linewidth=0.9, alpha=0.7)
        ax.plot(*places[0].T, "x", color="black", markersize=4, label="begins")
        ax.plot(*places[-1].T, "o", color=COLOURS[1], markersize=4, label="ends")
        ax.set_title(name, loc="left")
        ax.set(xlabel=xlabel, ylabel=ylabel)
    axes[0, 0].legend(loc="lower left")
    fig.suptitle(title, ha="left", x=0.01)
    return fig
