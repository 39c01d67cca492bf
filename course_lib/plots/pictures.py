"""Grids of small pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plots.style import PALETTE, figure, styled


def images(pictures: ArrayLike, *, title: str, columns: int = 10, labels: Sequence[str] | None = None,
           row_labels: Sequence[str] | None = None, low: float = 0.0, high: float = 1.0) -> Figure:
    """A grid of grey pictures `[n, H, W]`, ink dark, or of coloured ones `[n, H, W, 3]` from 0 to 1.

    `low` and `high` are the values of paper and full ink.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 3 and pictures.shape[3:] != (3,):
        raise ValueError(f"pictures must have shape [n, H, W] or [n, H, W, 3], not {list(pictures.shape)}")
    rows = -(-len(pictures) // columns)
    left = 0.12 * max(map(len, row_labels)) if row_labels else 0.0
    fig, axes = figure(0.82 * columns + left, 0.86 * rows * (1.3 if labels else 1.0) + 0.45, rows, columns)
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
    for i, picture in enumerate(pictures):
        ax = axes.flat[i]
        ax.imshow(picture, vmin=low, vmax=high, cmap="gray_r")
        if labels:
            ax.set_title(labels[i], loc="center", fontsize=12)
    for i, label in enumerate(row_labels or ()):
        axes[i, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=12)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


@styled()
def framed(fig: Figure, places: Sequence[tuple[int, int]] = ()) -> Figure:
    """A figure of `images` with an edge around each picture, so that white paper ends somewhere.

    `places` are pixels (row, column), one in each of the first pictures, that get a box of their own.
    """
    pictures = [ax for ax in fig.axes if ax.get_images()]
    for ax in pictures:
        ax.spines[:].set(visible=True, color="#999999", linewidth=0.8)
    for ax, (i, j) in zip(pictures, places, strict=False):
        ax.add_patch(Rectangle((j - 0.45, i - 0.45), 0.9, 0.9, fill=False, edgecolor=PALETTE["vermillion"],
                               linewidth=2.5))
    return fig
