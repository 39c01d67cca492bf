"""Where tokens look."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import figure, styled


@styled()
def patterns(weights: Mapping[str, ArrayLike], *, title: str) -> Figure:
    """Attention weights `[T, S]` side by side, by name: a row for each token that looks, dark where it looks."""
    fig, axes = figure(3.1 * len(weights), 4.2, 1, len(weights), sharey=True)
    for ax, (name, pattern) in zip(axes[0], weights.items(), strict=True):
        pattern = np.asarray(pattern)
        T, S = pattern.shape
        ax.imshow(pattern, cmap="Blues", vmin=0, vmax=1, extent=(0.5, S + 0.5, T + 0.5, 0.5))
        ax.grid(visible=False)
        ax.set_title(name, fontsize=13)
        ax.set_xlabel("looked at")
    axes[0, 0].set_ylabel("token that looks")
    fig.suptitle(title, ha="left", x=0.01)
    return fig
