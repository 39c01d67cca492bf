"""Where the runs of many seeds end: a dot for each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, MARKERS, one_axes


def strip(values: Mapping[str, ArrayLike], *, title: str, ylabel: str, band: tuple[float, float, str],
          filled: Mapping[str, ArrayLike], filled_means: str) -> Figure:
    """A column of dots for each entry `[n]` of `values`, one dot a value, over a horizontal band (low, high, its name).

    Dots are filled where the mask `filled` `[n]` of the same entry is true, hollow elsewhere; `filled_means` says why.
    """
    fig, ax = one_axes(title, "", ylabel, 8.0, 4.2)
    ax.axhspan(band[0], band[1], color="#DDDDDD", zorder=0, label=band[2])
    for i, (name, v) in enumerate(values.items()):
        order = np.argsort(np.ravel(v))
        place = i + 0.3 * np.linspace(-1, 1, len(order))
        for mask, face in ((np.ravel(filled[name])[order], COLOURS[i % 8]), (~np.ravel(filled[name])[order], "none")):
            ax.scatter(place[mask], np.ravel(v)[order][mask], s=52, facecolors=face, edgecolors=COLOURS[i % 8],
                       marker=MARKERS[i % 8], linewidths=1.8)
    ax.scatter([], [], s=52, color="#555555", label=filled_means)
    ax.scatter([], [], s=52, facecolors="none", edgecolors="#555555", linewidths=1.8, label=f"not {filled_means}")
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.legend()
    return fig
