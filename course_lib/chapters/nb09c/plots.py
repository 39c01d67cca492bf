"""The same draws, measured in several ways."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, MARKERS, one_axes


def paired_draws(values: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str) -> Figure:
    """A column of dots for each entry of `values` `[draws]`, with a short line at their mean.

    Thin lines join what belongs to one draw. A dotted line runs at the mean of the first entry, against which the
    others are held. Raises ValueError if there are not as many draws of each.
    """
    draws = {name: len(v) for name, v in values.items()}
    if len(set(draws.values())) != 1:
        raise ValueError(f"every entry needs one value for each draw, not {draws}")
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.4)
    table = np.array([np.asarray(v) for v in values.values()])
    ax.plot(range(len(table)), table, color="#BBBBBB", linewidth=1)
    for i, v in enumerate(table):
        ax.plot(np.full(len(v), i), v, MARKERS[i % 8], color=COLOURS[i % 8], markersize=8)
        ax.hlines(v.mean(), i - 0.25, i + 0.25, color="black", linewidth=2.5, label=None if i else "mean")
    ax.axhline(table[0].mean(), color="black", linestyle=":", linewidth=1.5, label=f"mean of {next(iter(values))}")
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.5, len(values) - 0.5)
    ax.legend(loc="lower left")
    return fig
