"""Walks through a latent space: all pairs on one sheet, and one path with what a classifier says of each image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import figure

BLOCKS = 3  # columns of the sheet


def pair_sheet(pictures: ArrayLike, pairs: Sequence[tuple[int, int]], *, title: str) -> Figure:
    """All paths on one sheet: `pictures` `[n, steps, H, W]`, ink dark, one row for each pair (from, to)."""
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or len(pictures) != len(pairs):
        raise ValueError(f"there are {len(pairs)} pairs, so pictures must have shape [{len(pairs)}, steps, H, W], not "
                         f"{list(pictures.shape)}")
    _, steps, height, width = pictures.shape
    rows = -(-len(pairs) // BLOCKS)
    fig, axes = figure(11.4, 0.35 + 11.4 / BLOCKS * 0.84 * rows * height / (steps * width), 1, BLOCKS)
    for block, ax in enumerate(axes[0]):
        part = slice(block * rows, (block + 1) * rows)
        sheet = np.zeros((rows * height, steps * width))
        for i, path in enumerate(pictures[part]):
            sheet[i * height:(i + 1) * height] = np.concatenate(list(path), axis=1)
        ax.imshow(sheet, vmin=0, vmax=1, cmap="gray_r", aspect="auto")
        names = [f"{a}→{b}" for a, b in pairs[part]]
        ax.set_yticks(height * (np.arange(len(names)) + 0.5), names)
        ax.set_xticks([0.5 * width, (steps - 0.5) * width], ["α = 0", "1"])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def judged_path(pictures: ArrayLike, probability: ArrayLike, places: ArrayLike, *, title: str,
                xlabel: str = "α") -> Figure:
    """Images `[steps, H, W]` in a row, and under each the probability of every class, `[steps, K]`, as a column.

    `places` `[steps]` stand at the foot. Probabilities of at least one tenth are also written.
    """
    pictures, probability, places = np.asarray(pictures), np.asarray(probability), np.asarray(places)
    if len(pictures) != len(probability) or len(places) != len(probability):
        raise ValueError(f"{len(pictures)} pictures, {len(probability)} rows of probabilities and {len(places)} places "
                         "do not match: one of each a step")
    steps, K = probability.shape
    fig, axes = figure(0.95 * steps + 1.2, 5.4, 2, 1, height_ratios=[1.9, 5], sharex=True)
    (above,), (below,) = axes
    for i, picture in enumerate(pictures):
        above.imshow(picture, vmin=0, vmax=1, cmap="gray_r", extent=(i - 0.47, i + 0.47, 0, 1), aspect="auto")
    above.set(ylim=(0, 1), yticks=[])
    above.spines[:].set_visible(False)
    above.grid(visible=False)
    above.tick_params(bottom=False)
    above.set_title(title)
    below.imshow(probability.T, vmin=0, vmax=1, cmap="Blues", aspect="auto", origin="lower")
    for i, row in enumerate(probability):
        for k, p in enumerate(row):
            if p >= 0.1:
                below.text(i, k, f"{p:.2f}".removeprefix("0"), ha="center", va="center", fontsize=12,
                           color="white" if p > 0.55 else "black")
    below.set(xlabel=xlabel, ylabel="p(digit | image)", xlim=(-0.5, steps - 0.5))
    below.set_xticks(range(steps), [f"{place:g}".replace("-", "−") for place in places])
    below.set_yticks(range(K))
    below.grid(visible=False)
    return fig
