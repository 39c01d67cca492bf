"""Small grids of numbers, such as a convolution takes and gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import figure

CELL = 0.36  # inches


def matrices(panels: Mapping[str, ArrayLike], *, title: str, columns: int) -> Figure:
    """Small matrices, printed and shaded alike: for each its name and its values `[rows, columns]`, none negative.

    Values are written as they are, so give whole numbers; 0 is left blank.
    """
    values = {name: np.asarray(matrix) for name, matrix in panels.items()}
    shapes = [matrix.shape for matrix in values.values()]
    tall = [max(shape[0] for shape in shapes[i:i + columns]) for i in range(0, len(shapes), columns)]
    wide = [max(shape[1] for shape in shapes[i::columns]) for i in range(min(columns, len(shapes)))]
    fig, axes = figure(CELL * sum(wide) + 0.35 * len(wide), CELL * sum(tall) + 0.5 * len(tall) + 0.4, len(tall),
                       len(wide), height_ratios=tall, width_ratios=wide)
    high = max(matrix.max() for matrix in values.values())
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (name, matrix) in zip(axes.flat, values.items(), strict=False):  # the last row may be short
        ax.pcolormesh(matrix, vmin=0, vmax=1.25 * high, cmap="Blues", edgecolors="#AAAAAA", linewidth=0.8)
        for (i, j), value in np.ndenumerate(matrix):
            if value:
                ax.text(j + 0.5, i + 0.5, f"{value:g}", ha="center", va="center", fontsize=12,
                        color="white" if value > 0.7 * high else "black")
        ax.set(aspect="equal", anchor="NW", ylim=(len(matrix), 0))
        ax.set_title(name, fontsize=13)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
