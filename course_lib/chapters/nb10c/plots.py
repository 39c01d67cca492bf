"""Densities of a Markov chain beside those of its data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, figure


def densities(x: ArrayLike, named: Mapping[str, ArrayLike], *, title: str, height: float) -> Figure:
    """Densities `[n]` over `x` `[n]`, cut off at `height`; the first is filled. It must follow a slider: so it is
    small, and its margins are fixed instead of computed."""
    fig, axes = figure(7.4, 3.2, layout="none")
    fig.subplots_adjust(left=0.1, right=0.98, bottom=0.185, top=0.88)
    ax = axes[0, 0]
    for i, (name, values) in enumerate(named.items()):
        ax.plot(x, values, LINES[i % 4], color=COLOURS[i % 8], label=name)
        if i == 0:
            ax.fill_between(np.asarray(x), values, color=COLOURS[0], alpha=0.15, linewidth=0)
    ax.set(xlabel="x", ylabel="density", ylim=(0, height), xlim=(np.min(x), np.max(x)))
    ax.set_title(title)
    ax.locator_params(nbins=5)
    ax.legend(loc="upper right")
    return fig
