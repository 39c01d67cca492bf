"""A tree of words, from its root at the left to its leaves at the right."""

from __future__ import annotations

from collections.abc import Collection

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.plots.style import PALETTE, figure

Nested = tuple[str, list]


def tree(root: Nested, *, title: str, marked: Collection[str] = (), notes: dict[str, str] | None = None) -> Figure:
    """A tree as nested (name, children): forks in boxes, leaves at the right, each with its note.

    Leaves whose names are in `marked` get a thick coloured frame and a star.
    """
    leaves = list(_leaves(root))
    depth = max(d for _, d in leaves)
    fig, axes = figure(10.0, 0.52 * len(leaves) + 0.6)
    ax = axes[0, 0]
    ax.set(xlim=(-0.02, depth + 1.62), ylim=(len(leaves) - 0.5, -0.5))
    ax.axis("off")
    ax.set_title(title)
    _draw(ax, root, 0, depth, iter(range(len(leaves))), set(marked), notes or {})
    return fig


def _leaves(node: Nested, depth: int = 0):
    name, children = node
    if not children:
        yield name, depth
    for child in children:
        yield from _leaves(child, depth + 1)


def _draw(ax: Axes, node: Nested, depth: int, deepest: int, rows, marked: set[str], notes: dict[str, str]) -> float:
    """Draws a node and all above it; returns its height."""
    name, children = node
    if not children:
        y, on = next(rows), name in marked
        box = {"boxstyle": "round,pad=0.25", "facecolor": "#FBE3D6" if on else "white", "linewidth": 2.5 if on else 1,
               "edgecolor": PALETTE["vermillion"] if on else PALETTE["blue"]}
        text = f"{'★ ' if on else ''}{name}" + (f"  ({notes[name]})" if name in notes else "")
        ax.text(deepest - 0.12, y, text, fontsize=12, va="center", bbox=box)
        return y
    heights = [_draw(ax, child, depth + 1, deepest, rows, marked, notes) for child in children]
    y = (heights[0] + heights[-1]) / 2
    for (_, grandchildren), height in zip(children, heights, strict=True):
        end = depth + 1 if grandchildren else deepest - 0.15
        ax.plot([depth + 0.1, depth + 0.4, depth + 0.8 if grandchildren else end - 0.2, end], [y, y, height, height],
                color="#888888", linewidth=1.4, zorder=0)
    ax.text(depth, y, name.replace(" ", "\n", 1), fontsize=12, va="center",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "#E8F1F8", "edgecolor": "none"})
    return y
