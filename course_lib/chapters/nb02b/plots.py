"""Words in a row, and what is believed of the tag of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, HATCHES, LINES, MARKERS, figure


def beliefs(words: Sequence[str], tags: Sequence[str], panels: Mapping[str, ArrayLike], *, title: str) -> Figure:
    """Rows of bars, a group for each word and in it a bar for each tag.

    Args:
        words: `T` words, written along the axis; those that no panel has a belief about stand in grey.
        tags: names of the `K` tags.
        panels: for each row of bars what stands beside it, and probabilities `[t, K]` of the first `t ≤ T` words.
        title: of the figure.
    """
    fig, axes = figure(8.0, 1.4 + 1.6 * len(panels), len(panels), 1, sharex=True)
    width = 0.84 / len(tags)
    for ax, (name, p) in zip(axes[:, 0], panels.items(), strict=True):
        p = np.asarray(p)
        for k, tag in enumerate(tags):
            ax.bar(np.arange(len(p)) + (k - (len(tags) - 1) / 2) * width, p[:, k], width, color=COLOURS[k % 8],
                   hatch=HATCHES[k % 8], edgecolor="white", label=tag)
        for i in range(1, len(words)):
            ax.axvline(i - 0.5, color="#DDDDDD", linewidth=1, zorder=0)  # which word a bar belongs to
        ax.set(ylim=(0, 1.05), ylabel=name)
        ax.grid(axis="x", visible=False)
    heard = max(len(np.asarray(p)) for p in panels.values())
    axes[0, 0].set_title(title)
    ax = axes[-1, 0]
    ax.set_xticks(range(len(words)), words, fontsize=15)
    for i, label in enumerate(ax.get_xticklabels()):
        label.set_color("black" if i < heard else "#767676")
    ax.set(xlim=(-0.6, len(words) - 0.4), xlabel="words heard so far are black")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(tags))
    return fig


def trellis(words: Sequence[str], tags: Sequence[str], probability: ArrayLike, paths: Mapping[str, ArrayLike], *,
            title: str, forbidden: ArrayLike) -> Figure:
    """All tags of all words as a grid of dots, with paths through it.

    Args:
        words: `T` words from left to right.
        tags: names of the `K` tags from top to bottom.
        probability: of each tag of each word, `[T, K]`: the area of its dot.
        paths: by name, tag numbers `[T]`.
        title: of the figure.
        forbidden: mask `[K, K]` of steps that cannot be taken; one that a path takes is marked with a cross.
    """
    fig, axes = figure(8.0, 1.5 + 0.72 * len(tags))
    ax, probability, forbidden = axes[0, 0], np.asarray(probability), np.asarray(forbidden)
    T, K = probability.shape
    t, k = np.meshgrid(np.arange(T), np.arange(K), indexing="ij")
    ax.scatter(t, k, s=900 * probability, color="#BBBBBB", zorder=1)     # probability 0: no dot
    for i, (name, path) in enumerate(paths.items()):
        _draw_path(ax, np.asarray(path), name, i)
    _mark_impossible(ax, [np.asarray(path) for path in paths.values()], forbidden)
    ax.set_xticks(range(T), words, fontsize=15)
    ax.set_yticks(range(K), tags)
    ax.set(xlim=(-0.4, T - 0.6), ylim=(K - 0.4, -0.6), ylabel="tag", xlabel="area of a dot: its probability; none: 0")
    ax.set_title(title)
    ax.grid(visible=False)
    fig.legend(loc="outside lower center", ncols=len(paths) + 1)
    return fig


def _draw_path(ax: Axes, path: np.ndarray, name: str, i: int) -> None:
    ax.plot(np.arange(len(path)), path + 0.06 * i, LINES[i % 4], color=COLOURS[i % 8], marker=MARKERS[i % 8],
            markersize=8, label=name, zorder=2 + i)


def _mark_impossible(ax: Axes, paths: Sequence[np.ndarray], forbidden: np.ndarray) -> None:
    """A cross in the middle of each step that cannot be taken."""
    crosses = [(t + 0.5, (path[t] + path[t + 1]) / 2 + 0.06 * i) for i, path in enumerate(paths)
               for t in np.flatnonzero(forbidden[path[:-1], path[1:]])]
    if crosses:
        ax.scatter(*np.transpose(crosses), s=220, marker="x", color="black", linewidths=3, zorder=9,
                   label="impossible step")


def tables(panels: Mapping[str, tuple[ArrayLike, Sequence[str], Sequence[str]]], *, title: str) -> Figure:
    """Tables of probabilities side by side, printed and shaded: for each its name, with values, row and column names.

    Values have shape `[rows, columns]`. Column names are slanted, since they may be longer than a cell is wide.
    """
    columns = [len(column_names) for _, _, column_names in panels.values()]
    rows = max(len(row_names) for _, row_names, _ in panels.values())
    fig, axes = figure(2.6 + 0.5 * sum(columns), 1.9 + 0.42 * rows, 1, len(panels), width_ratios=columns)
    for ax, (name, (values, row_names, column_names)) in zip(axes[0], panels.items(), strict=True):
        values = np.asarray(values)
        ax.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        for (i, j), p in np.ndenumerate(values):
            ax.text(j, i, f"{p:.2f}".lstrip("0") if p else "0", ha="center", va="center", fontsize=12,
                    color="white" if p > 0.6 else "black" if p else "#6B6B6B")
        ax.set_xticks(range(len(column_names)), column_names, rotation=35, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(row_names)), row_names)
        ax.set_title(name)
        ax.grid(visible=False)
    fig.suptitle(title, ha="left", x=0.01)
    return fig
