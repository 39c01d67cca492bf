"""Points, ellipses and fields over a square of the plane."""

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

    `kind` is 'density' (contours and shade) or 'probability' (shade from 0 to 1, and the border at one half).
    """
    axis = np.asarray(axis)
    values = np.asarray(values).reshape(len(axis), len(axis))
    if kind == "density":
        ax.contourf(axis, axis, values, levels=8, cmap="Greys", alpha=0.7)
    elif kind == "probability":
        ax.contourf(axis, axis, values, levels=np.linspace(0, 1, 11), cmap=PROBABILITY, alpha=0.6)
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
