"""Samples around modes in the plane, each mode's share along training, and losses against quality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, figure, one_axes, styled


@styled()
def around_modes(panels: Mapping[str, ArrayLike], centres: ArrayLike, radius: float, *, title: str,
                 limit: float = 3.0) -> Figure:
    """Points `[n, 2]`, one square panel each, over green circles of `radius` around `centres` `[modes, 2]`."""
    fig, axes = figure(4.0 * len(panels), 4.8, 1, len(panels), sharex=True, sharey=True)
    for ax, (name, x) in zip(axes[0], panels.items(), strict=True):
        ax.scatter(*np.asarray(x).T, s=7, color=COLOURS[1], linewidths=0, alpha=0.6)
        for centre in np.asarray(centres):
            ax.add_patch(Circle(centre, radius, fill=False, color=COLOURS[2], linewidth=1.8))
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$")
        ax.set_title(name, fontsize=13)
        ax.grid(visible=False)
    axes[0, 0].set_ylabel("$x_2$")
    signs = [Line2D([], [], linestyle="", marker="o", color=COLOURS[1], markersize=7, label="made"),
             Line2D([], [], linestyle="", marker="o", color=COLOURS[2], markersize=10, markerfacecolor="none",
                    markeredgewidth=1.8, label="near a real mode")]
    fig.legend(handles=signs, loc="outside lower center", ncols=2)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def shares_along(steps: ArrayLike, shares: ArrayLike, *, title: str) -> Figure:
    """Each mode's share of the made points, `[times, modes]`, a row a mode, dark where it is large, over `steps`."""
    fig, ax = one_axes(title, "step of G", "mode", 8.0, 3.2)
    steps, shares = np.asarray(steps), np.asarray(shares)
    edges = np.concatenate([[0.0], steps])
    image = ax.pcolormesh(edges, np.arange(shares.shape[1] + 1) + 0.5, shares.T, cmap="Greys", vmin=0, vmax=0.5)
    ax.set_yticks(np.arange(shares.shape[1]) + 1)
    ax.grid(visible=False)
    fig.colorbar(image, label="share of the points", extend="max")
    return fig


def loss_against_quality(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], steps: ArrayLike, *, title: str,
                         xlabels: Mapping[str, str], ylabel: str) -> Figure:
    """Dots of (loss, quality) `[times]`, dark late in training, one panel each with its own axis of the loss."""
    fig, axes = figure(4.4 * len(panels), 3.9, 1, len(panels), sharey=True)
    for ax, (name, (loss, quality)) in zip(axes[0], panels.items(), strict=True):
        dots = ax.scatter(loss, quality, c=steps, cmap="viridis_r", s=26)
        ax.set_title(name, fontsize=13)
        ax.set_xlabel(xlabels[name])
    axes[0, 0].set_ylabel(ylabel)
    fig.colorbar(dots, ax=list(axes[0]), label="step of G")
    fig.suptitle(title, ha="left", x=0.01)
    return fig
