"""Notebook 11: a density that melts beside its schedule, and fields of arrows over densities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.planes import square_axes
from course_lib.plots.style import COLOURS, LINES, figure, styled


@styled()
def melting(axis: ArrayLike, density: ArrayLike, points: ArrayLike, t: ArrayLike, log_snr: Mapping[str, ArrayLike], *,
            chosen: str, now: float, title: str) -> Figure:
    """Left, a density of the plane with points; right, the logarithm of the signal-to-noise ratio of several schedules.

    Args:
        axis: of the density's square, `[m]`.
        density: values `[m, m]`, row 0 at the bottom.
        points: draws, `[n, 2]`.
        t: times, `[k]`.
        log_snr: λ at these times, `[k]`, by name of the schedule.
        chosen: the schedule that made the density; a dot stands on its curve.
        now: the time of the density.
        title: of the figure.
    """
    axis, t = np.asarray(axis), np.asarray(t)
    fig, axes = figure(8.4, 4.2, 1, 2, layout="none")  # it must follow a slider: so its margins are fixed
    fig.subplots_adjust(left=0.07, right=0.97, bottom=0.15, top=0.82, wspace=0.25)
    left, right = axes[0]
    left.imshow(np.asarray(density), origin="lower", cmap="Blues", extent=(axis[0], axis[-1], axis[0], axis[-1]),
                interpolation="bilinear")
    left.plot(*np.asarray(points).T, ".", color="black", markersize=3, alpha=0.6)
    square_axes(left, "density $p_t$, and draws of $x_t$", axis[-1])
    for i, (name, values) in enumerate(log_snr.items()):
        right.plot(t, values, LINES[i % 4], color=COLOURS[i], label=name)
    right.plot(now, np.interp(now, t, np.asarray(log_snr[chosen])), "o", color="black", markersize=9)
    right.set(xlabel="$t$", ylabel="log signal-to-noise ratio", xlim=(0, 1), ylim=(-12, 12))
    right.legend(loc="lower left")
    fig.suptitle(title, ha="left", x=0.01, y=0.985)
    return fig


def fields(axis: ArrayLike, panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]], *, title: str) -> Figure:
    """A row of vector fields over densities of the plane, all arrows on one scale.

    Args:
        axis: of the densities' square, `[m]`.
        panels: for each its title, with a density `[m, m]`, places `[n, 2]` and arrows `[n, 2]`.
        title: of the figure.
    """
    axis = np.asarray(axis)
    longest = max(np.linalg.norm(arrows, axis=1).max() for _, _, arrows in panels.values())
    fig, axes = figure(4.2 * len(panels), 4.9, 1, len(panels), sharex=True, sharey=True)
    for ax, (name, (density, places, arrows)) in zip(axes[0], panels.items(), strict=True):
        ax.imshow(np.asarray(density), origin="lower", cmap="Blues", extent=(axis[0], axis[-1], axis[0], axis[-1]),
                  interpolation="bilinear")
        ax.quiver(*np.asarray(places).T, *np.asarray(arrows).T, color="black", scale=9 * longest, width=0.006)
        square_axes(ax, name, axis[-1])
    fig.suptitle(title, ha="left", x=0.01)
    return fig
