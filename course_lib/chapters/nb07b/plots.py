"""A wave over what was predicted of each of its values."""

from __future__ import annotations

import matplotlib.colors
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from course_lib.plots.style import PALETTE, figure, styled


@styled()
def wave_and_density(t: ArrayLike, x: ArrayLike, edges: ArrayLike, p: ArrayLike, *, title: str) -> Figure:
    """A wave x `[T]` over times t `[T]`, and behind it what was predicted of each value before it came.

    Args:
        edges: `[K + 1]` of the K intervals of x.
        p: their probabilities at each time, `[T, K]`.
    """
    fig, axes = figure(8.6, 4.0)
    ax, t = axes[0, 0], np.asarray(t)
    half = (t[1] - t[0]) / 2
    density = np.asarray(p) / np.diff(np.asarray(edges))  # intervals differ in width
    shade = ax.pcolormesh(np.append(t - half, t[-1] + half), edges, density.T, cmap="Blues", rasterized=True,
                          norm=matplotlib.colors.PowerNorm(0.5, vmin=0))
    fig.colorbar(shade, label="probability density", pad=0.01)
    ax.plot(t, x, color=PALETTE["vermillion"], linewidth=1.2, marker=".", markersize=5, label="what came",
            path_effects=[withStroke(linewidth=3, foreground="white")])  # or it would be lost on a shade as dark
    reach = 1.3 * np.abs(np.asarray(x)).max()
    ax.set(xlabel="time (samples)", ylabel="amplitude", ylim=(-reach, reach))
    ax.legend(handles=[*ax.get_lines(), Patch(facecolor="#6BAED6", label="what was thought likely")], loc="upper right",
              ncols=2)
    ax.set_title(title)
    ax.grid(visible=False)
    return fig
