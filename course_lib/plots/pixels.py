"""What a network of pixels may see, and one answer beside many."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.colors
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from course_lib.plots.style import PALETTE, figure, styled

LATER, SEEN, MISSED, LEAK, ITSELF = range(5)
MEANINGS = {SEEN: ("seen", PALETTE["sky"]), MISSED: ("earlier, but never seen", PALETTE["orange"]),
            LEAK: ("seen, and not allowed", PALETTE["vermillion"]), LATER: ("later", "#EEEEEE"),
            ITSELF: ("the pixel that is predicted", "#000000")}
COLOURS_OF_SIGHT = matplotlib.colors.ListedColormap([MEANINGS[k][1] for k in sorted(MEANINGS)])


@styled()
def kernel_masks(masks: Mapping[str, ArrayLike], *, title: str) -> Figure:
    """Masks `[rows, columns]` of zeros and ones side by side, by name; a dot marks the centre, the predicted pixel."""
    fig, axes = figure(2.6 * len(masks), 3.0, 1, len(masks))
    for ax, (name, mask) in zip(axes[0], masks.items(), strict=True):
        mask = np.asarray(mask)
        ax.imshow(mask, cmap=matplotlib.colors.ListedColormap(["white", PALETTE["sky"]]), vmin=0, vmax=1)
        for (i, j), value in np.ndenumerate(mask):
            ax.text(j, i, f"{value:g}", ha="center", va="center", fontsize=12)
        rows, columns = mask.shape
        ax.set_xticks(np.arange(columns + 1) - 0.5, [])
        ax.set_yticks(np.arange(rows + 1) - 0.5, [])
        ax.tick_params(length=0)
        ax.grid(color="#777777", alpha=1)
        ax.add_patch(matplotlib.patches.Rectangle((columns // 2 - 0.5, rows // 2 - 0.5), 1, 1, fill=False,
                                                  edgecolor="black", linewidth=3))
        ax.set_title(name, fontsize=13)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


@styled()
def sight(reacts: Mapping[str, ArrayLike], i: int, j: int, *, title: str) -> Figure:
    """Which pixels the prediction of pixel (i, j) sees.

    Args:
        reacts: by name, how strongly it reacts to each pixel, `[H, W]`: 0 where it does not look.
        i, j: row and column of the pixel that is predicted.
        title: of the figure.
    """
    fig, axes = figure(max(3.0 * len(reacts), 6.4), 3.9, 1, len(reacts))
    present: set[int] = set()
    for ax, (name, reaction) in zip(axes[0], reacts.items(), strict=True):
        looks = np.asarray(reaction) > 0
        earlier = np.arange(looks.size).reshape(looks.shape) < i * looks.shape[1] + j
        kind = np.where(earlier, np.where(looks, SEEN, MISSED), np.where(looks, LEAK, LATER))
        if not looks[i, j]:
            kind[i, j] = ITSELF
        present |= set(kind.ravel().tolist())
        ax.imshow(kind, cmap=COLOURS_OF_SIGHT, vmin=0, vmax=len(MEANINGS) - 1)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=13)
    patches = [Patch(facecolor=colour, edgecolor="#777777", label=word) for k, (word, colour) in MEANINGS.items()
               if k in present]
    fig.legend(handles=patches, loc="outside lower center", ncols=2 if len(patches) > 2 else len(patches))
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def line_and_density(x: ArrayLike, y: ArrayLike, line: ArrayLike, grid: ArrayLike, edges: ArrayLike, p: ArrayLike, *,
                     title: str) -> Figure:
    """Points (x, y) `[n]`, left with one `line` `[m]` over `grid` `[m]`, right over probabilities of intervals of y.

    Args:
        edges: `[K + 1]` of the K intervals of y.
        p: their probabilities at each place of the grid, `[m, K]`.
    """
    fig, axes = figure(8.6, 3.9, 1, 2, sharex=True, sharey=True)
    grid, edges = np.asarray(grid), np.asarray(edges)
    half = (grid[1] - grid[0]) / 2
    axes[0, 1].pcolormesh(np.append(grid - half, grid[-1] + half), edges, np.asarray(p).T, cmap="Blues", vmin=0,
                          rasterized=True)
    for ax, name in zip(axes[0], ("one number: the line", "a probability for each class: the shade"), strict=True):
        ax.scatter(x, y, s=9, color="#444444", alpha=0.5, linewidths=0)
        ax.set(xlabel="x", ylabel="y", xlim=(grid[0], grid[-1]), ylim=(edges[0], edges[-1]))
        ax.set_title(name, fontsize=13)
    axes[0, 0].plot(grid, line, color=PALETTE["vermillion"])
    fig.suptitle(title, ha="left", x=0.01)
    return fig


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
    ax.plot(t, x, color=PALETTE["vermillion"], linewidth=1.2, marker=".", markersize=5, label="what came")
    reach = 1.3 * np.abs(np.asarray(x)).max()
    ax.set(xlabel="time (samples)", ylabel="amplitude", ylim=(-reach, reach))
    ax.legend(handles=[*ax.get_lines(), Patch(facecolor="#6BAED6", label="what was thought likely")], loc="upper right",
              ncols=2)
    ax.set_title(title)
    ax.grid(visible=False)
    return fig
