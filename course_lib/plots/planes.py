"""Points, ellipses, fields and densities over a square of the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, MARKERS, PROBABILITY, figure, styled


def plane(limit: float = 5.0, n: int = 121) -> tuple[np.ndarray, np.ndarray]:
    """A grid over a square of the plane: one axis `[n]`, and all points `[n·n, 2]`, the first coordinate fastest."""
    axis = np.linspace(-limit, limit, n)
    return axis, np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def scatter_classes(ax: Axes, x: ArrayLike, y: ArrayLike, *, names: Sequence[str] = ("class 0", "class 1")) -> None:
    """Points `[n, 2]` on given axes, a colour and a marker for each integer label `[n]`."""
    x, y = np.asarray(x), np.asarray(y)
    for k, name in enumerate(names):
        ax.scatter(*x[y == k].T, s=26, color=COLOURS[k], marker=MARKERS[k], edgecolors="white", linewidths=0.5,
                   label=name)


@styled()
def class_ellipses(ax: Axes, means: ArrayLike, variances: ArrayLike) -> None:
    """One- and two-sigma ellipses of axis-parallel Gaussians on given axes: means and variances `[K, 2]`."""
    for k, (mean, variance) in enumerate(zip(np.asarray(means), np.asarray(variances), strict=True)):
        for sigmas in (1, 2):
            ax.add_patch(Ellipse(mean, *(2 * sigmas * np.sqrt(variance)), fill=False, edgecolor=COLOURS[k],
                                 linestyle=LINES[k], linewidth=2.2))


def field(ax: Axes, axis: ArrayLike, values: ArrayLike, *, kind: str) -> None:
    """A function of the plane on given axes: `values` `[n·n]` on the grid of `plane`.

    `kind` is 'density' (contours and shade) or 'probability' (shade from 0 to 1, hatched above one half, and the
    border there).
    """
    axis = np.asarray(axis)
    values = np.asarray(values).reshape(len(axis), len(axis))
    if kind == "density":
        ax.contourf(axis, axis, values, levels=8, cmap="Greys", alpha=0.7)
    elif kind == "probability":
        ax.contourf(axis, axis, values, levels=np.linspace(0, 1, 11), cmap=PROBABILITY, alpha=0.6)
        if values.max() > 0.5:  # without colours, the two ends of the shade are equally dark
            ax.contourf(axis, axis, values, levels=[0.5, 1], colors="none", hatches=["/"]).set(
                edgecolor="#00000040", linewidth=0)
        if values.min() < 0.5 < values.max():
            ax.contour(axis, axis, values, levels=[0.5], colors="black", linewidths=2)
    else:
        raise ValueError(f"kind must be 'density' or 'probability', not {kind!r}")


def _squares(titles: Sequence[str], title: str, limit: float) -> tuple[Figure, np.ndarray]:
    """Equal panels of the same square of the plane, `limit` on each side of the origin."""
    fig, axes = figure(4.8 * len(titles), 5.0, 1, len(titles), sharex=True, sharey=True)
    for ax, name in zip(axes[0], titles, strict=True):
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$")
        ax.set_title(name)
        ax.grid(visible=False)
    axes[0, 0].set_ylabel("$x_2$")
    fig.suptitle(title, ha="left", x=0.01)
    return fig, axes[0]


def points(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str, limit: float = 5.0) -> Figure:
    """Points of two classes in the plane: for each panel its title, with points `[n, 2]` and labels `[n]`."""
    fig, axes = _squares(list(panels), title, limit)
    for ax, (x, y) in zip(axes, panels.values(), strict=True):
        scatter_classes(ax, x, y)
    axes[0].legend(loc="lower left")
    return fig


def clouds_and_border(x: ArrayLike, y: ArrayLike, *, mu: ArrayLike, var: ArrayLike, axis: ArrayLike,
                      density: ArrayLike, probability: ArrayLike, title: str) -> Figure:
    """Naive Bayes beside logistic regression on points `x` `[n, 2]` of classes `y` `[n]`.

    Left, class means and variances `[2, 2]` as ellipses over the density; right, p(y = 1 | x) with its border.
    `density` and `probability` are values `[m·m]` on the grid of `plane`, whose axis is `[m]`.
    """
    fig, (left, right) = _squares(["naive Bayes: p(x)", "logistic regression: p(y = 1 | x)"], title, limit=axis[-1])
    field(left, axis, density, kind="density")
    class_ellipses(left, mu, var)
    field(right, axis, probability, kind="probability")
    for ax in (left, right):
        scatter_classes(ax, x, y)
    left.legend(loc="lower left")
    return fig


def square_axes(ax: Axes, title: str, limit: float) -> None:
    """Makes given axes a square of the plane, `limit` on each side of the origin, with ticks at even numbers."""
    ticks = np.arange(-int(limit) // 2 * 2, limit + 1e-9, 2)
    ticks = ticks[np.abs(ticks) <= limit]
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$", xticks=ticks,
           yticks=ticks)
    ax.set_title(title, fontsize=13)
    ax.grid(visible=False)


def scatters(panels: Mapping[str, ArrayLike], *, title: str, xlabel: str = "$x_1$", ylabel: str = "$x_2$",
             limit: float | None = None) -> Figure:
    """A row of point clouds `[n, 2]` over common axes, each with its title; `limit` on each side of the origin, or as
    far as the points go."""
    fig, axes = figure(max(3.2 * len(panels), 5.2), 3.9, 1, len(panels), sharex=True, sharey=True)
    for i, (ax, (name, x)) in enumerate(zip(axes[0], panels.items(), strict=True)):
        ax.scatter(*np.asarray(x).T, s=10, color=COLOURS[i], linewidths=0, alpha=0.6)
        ax.set_title(name, fontsize=13)
        ax.set(xlabel=xlabel)
    axes[0, 0].set_ylabel(ylabel)
    if limit is not None:
        axes[0, 0].set(xlim=(-limit, limit), ylim=(-limit, limit))
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def bent_lines(axis: ArrayLike, panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str) -> Figure:
    """A row of densities of the plane: for each its title, its values `[m·m]` on the grid of `plane` with this `axis`
    `[m]`, and the centres `[K, 2]` of the Gaussians that were added up (dots, smaller where they are many)."""
    axis = np.asarray(axis)
    fig, axes = figure(3.2 * len(panels), 3.9, 1, len(panels))
    for ax, (name, (density, centres)) in zip(axes[0], panels.items(), strict=True):
        ax.imshow(np.asarray(density).reshape(len(axis), len(axis)), origin="lower", cmap="Blues",
                  extent=(axis[0], axis[-1], axis[0], axis[-1]), interpolation="bilinear")
        size, edge = (3.5, 0.5) if len(centres) <= 100 else (1.0, 0.0)  # many large ones would hide the density
        ax.plot(*np.asarray(centres).T, "o", color=COLOURS[1], markersize=size, markeredgecolor="white",
                markeredgewidth=edge)
        square_axes(ax, name, axis[-1])
    fig.suptitle(title, ha="left", x=0.01)
    return fig
