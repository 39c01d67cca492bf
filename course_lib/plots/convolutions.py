"""What a convolution does to small grids of numbers, and which way each pixel of a picture is pulled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import PROBABILITY, figure

CELL = 0.36  # inches


def matrices(panels: Mapping[str, ArrayLike], *, title: str, columns: int) -> Figure:
    """Small matrices, printed and shaded alike: for each its name and its values `[rows, columns]`, none negative.

    Values are written as they are, so give whole numbers; 0 is left blank.
    """
    values = {name: np.asarray(matrix) for name, matrix in panels.items()}
    rows = -(-len(values) // columns)
    wide, tall = (max(matrix.shape[side] for matrix in values.values()) for side in (1, 0))
    fig, axes = figure(columns * (CELL * wide + 0.35), rows * (CELL * tall + 0.55) + 0.5, rows, columns)
    high = max(matrix.max() for matrix in values.values())
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (name, matrix) in zip(axes.flat, values.items(), strict=False):  # the last row may be short
        ax.set_axis_on()
        ax.imshow(matrix, vmin=0, vmax=1.25 * high, cmap="Blues")
        for (i, j), value in np.ndenumerate(matrix):
            if value:
                ax.text(j, i, f"{value:g}", ha="center", va="center", fontsize=12,
                        color="white" if value > 0.7 * high else "black")
        ax.set_xticks(np.arange(-0.5, matrix.shape[1]), [])
        ax.set_yticks(np.arange(-0.5, matrix.shape[0]), [])
        ax.tick_params(length=0)
        ax.grid(visible=True, color="#BBBBBB", alpha=1, linewidth=0.8)
        ax.set_axisbelow(False)
        ax.set(xlim=(-0.5, wide - 0.5), ylim=(tall - 0.5, -0.5))  # one size of cell in all panels
        if matrix.shape != (tall, wide):
            ax.spines[:].set_visible(False)
            ax.grid(visible=False)
        ax.set_title(name, fontsize=13)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def pulls(pictures: ArrayLike, forces: ArrayLike, *, title: str) -> Figure:
    """Pictures `[n, H, W]` from 0 to 1, ink dark, and under each the force on its pixels, of the same shape.

    Red pixels are pulled towards ink and blue ones towards paper, as strongly as their colour; white ones are left
    alone. The strongest pull under each picture has the full colour.
    """
    pictures, forces = np.asarray(pictures), np.asarray(forces)
    if pictures.ndim != 3 or pictures.shape != forces.shape:
        raise ValueError(f"pictures and forces must both have shape [n, H, W], not {list(pictures.shape)} and "
                         f"{list(forces.shape)}")
    fig, axes = figure(1.05 * len(pictures) + 1.0, 2.75, 2, len(pictures))
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    for i, (picture, force) in enumerate(zip(pictures, forces, strict=True)):
        strongest = np.abs(force).max() or 1.0
        axes[0, i].imshow(picture, vmin=0, vmax=1, cmap="gray_r")
        axes[1, i].imshow(force, vmin=-strongest, vmax=strongest, cmap=PROBABILITY)
    for ax, name in zip(axes[:, 0], ("made", "pull of D"), strict=True):
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
