"""What a network of pixels may see, and one answer beside many."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.colors
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike

from course_lib.plots.style import PALETTE, figure, styled

LATER, SEEN, MISSED, LEAK, ITSELF = range(5)
# Sky and orange are equally light, so what the network misses or must not see is hatched, too.
MEANINGS = {SEEN: ("seen", PALETTE["sky"], ""), MISSED: ("earlier, but not seen", PALETTE["orange"], "////"),
            LEAK: ("seen, and not allowed", PALETTE["vermillion"], "xxxx"), LATER: ("later", "#EEEEEE", ""),
            ITSELF: ("the pixel that is predicted", "#000000", "")}
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
        for k, (_, _, hatch) in MEANINGS.items():
            if hatch and (kind == k).any():
                ax.add_patch(PathPatch(_pixels(kind == k), facecolor="none", edgecolor="black", linewidth=0,
                                       hatch=hatch))
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=13)
    patches = [Patch(facecolor=colour, edgecolor="black", linewidth=0.8, hatch=hatch, label=word)
               for k, (word, colour, hatch) in MEANINGS.items() if k in present]
    fig.legend(handles=patches, loc="outside lower center", ncols=2 if len(patches) > 2 else len(patches))
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def _pixels(mask: np.ndarray) -> Path:
    """The outlines of the pixels where a mask `[H, W]` is true, as `imshow` places them."""
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    return Path.make_compound_path(*(Path(square + place, closed=True) for place in np.argwhere(mask)[:, ::-1]))


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
        ax.scatter(x, y, s=16, color="#444444", edgecolors="white", linewidths=0.7)
        ax.set(xlabel="x", ylabel="y", xlim=(grid[0], grid[-1]), ylim=(edges[0], edges[-1]))
        ax.set_title(name, fontsize=13)
    axes[0, 0].plot(grid, line, color=PALETTE["vermillion"])
    fig.suptitle(title, ha="left", x=0.01)
    return fig
