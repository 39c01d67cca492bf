"""A net in the plane before and after a map, its cells shaded by how much they were stretched."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import PROBABILITY, figure, styled


@styled()
def stretched(z: ArrayLike, x: ArrayLike, log_stretch: ArrayLike, *, cell: tuple[int, int], title: str, names:
              tuple[str, str] = ("noise z", "x = f(z)"), limit: float = 3.0) -> Figure:
    """A net of points `z` `[rows, columns, 2]`, and where a map takes it, `x`, of the same shape.

    Args:
        z, x: the net before and after.
        log_stretch: logarithm of the factor by which areas grow, at the points of the net, `[rows, columns]`. Cells
            are shaded blue where they shrink, and orange and dotted where they grow.
        cell: row and column of one cell with a thick edge in both pictures.
        title: of the figure.
        names: of the two pictures.
        limit: of both axes on each side of 0.
    """
    z, x, log_stretch = np.asarray(z), np.asarray(x), np.asarray(log_stretch)
    if z.ndim != 3 or z.shape != x.shape or log_stretch.shape != z.shape[:2]:
        raise ValueError(f"z and x must be nets [rows, columns, 2] and log_stretch [rows, columns], not {z.shape}, "
                         f"{x.shape} and {log_stretch.shape}")
    fig, axes = figure(8.2, 4.1, 1, 2, layout="none")  # it must follow a slider: so its margins are fixed
    fig.subplots_adjust(left=0.08, right=0.98, bottom=0.14, top=0.82, wspace=0.22)
    growth = _cells(log_stretch[..., None]).mean(axis=1)[:, 0]
    shade = PROBABILITY(0.5 + np.clip(growth, -1.5, 1.5) / 3.2)
    grown = np.flatnonzero(growth > 0.05)  # less is no shade either
    for ax, net, name, colours in zip(axes[0], (z, x), names, ("#F7F7F7", shade), strict=True):
        corners = _cells(net)
        ax.add_collection(PolyCollection(corners, facecolors=colours, edgecolors="none"))
        if net is x and len(grown):
            ax.add_collection(PolyCollection(corners[grown], facecolors="none", edgecolors="#00000070", linewidths=0,
                                             hatch=".."))
        ax.add_collection(LineCollection([*net, *net.swapaxes(0, 1)], colors="#777777", linewidths=0.8))
        row, column = cell
        ax.add_collection(PolyCollection([corners[row * (net.shape[1] - 1) + column]], facecolors="none",
                                         edgecolors="black", linewidths=3, zorder=3))
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$" if net is x else "$z_1$",
               ylabel="$x_2$" if net is x else "$z_2$", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
        ax.set_title(name, fontsize=13)
        ax.grid(visible=False)
    fig.suptitle(title, ha="left", x=0.01, y=0.985)
    return fig


def _cells(net: np.ndarray) -> np.ndarray:
    """The four corners of each cell, `[cells, 4, …]`, row by row."""
    corners = np.stack([net[:-1, :-1], net[:-1, 1:], net[1:, 1:], net[1:, :-1]], axis=2)
    return corners.reshape(-1, 4, net.shape[-1])
