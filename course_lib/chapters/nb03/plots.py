"""The bound and divergences as bars beside the densities that they come from, soon enough to follow a slider."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.bounds import stack_bound
from course_lib.plots.style import COLOURS, LINES, figure


def bound_and_densities(z: ArrayLike, densities: Mapping[str, ArrayLike], log_evidence: float, elbo: float, *,
                        title: str, floor: float, top: float, height: float) -> Figure:
    """Left one bar as in `bound_bars`, from `floor` to `top` nats; right `densities` `[n]` over `z` `[n]`, cut off at
    `height`."""
    fig, bar = _beside(z, densities, title, "z", height)
    shown = max(elbo, floor)
    for value, edge, va in ((elbo, floor, "bottom"), (log_evidence, top, "top")):
        if (value < floor) if edge == floor else (value > top):
            _goes_on(bar, 0, edge, va)
    stack_bound(bar, np.array([log_evidence]), np.array([elbo]), floor, hatch="")
    for name, low, high, colour in ((r"$\mathcal{L}$", floor, shown, "white"), ("KL", shown, log_evidence, "black")):
        if high - low > 0.12 * (top - floor):  # otherwise the word does not fit
            bar.text(0, (low + high) / 2, name, ha="center", va="center", color=colour)
    bar.set(ylim=(floor, top), xlim=(-0.6, 0.6), xticks=[], xlabel="line: log p(x)")
    return fig


def divergences_and_densities(x: ArrayLike, densities: Mapping[str, ArrayLike], divergences: Mapping[str, float], *,
                              title: str, top: float, height: float) -> Figure:
    """Left a bar for each divergence in nats, cut off at `top`; right `densities` `[n]` over `x` `[n]`, cut off at
    `height`."""
    fig, bar = _beside(x, densities, title, "x", height)
    bar.bar(range(len(divergences)), [min(value, top) for value in divergences.values()], 0.6, color="#777777")
    for place, value in enumerate(divergences.values()):
        if value > top:
            _goes_on(bar, place, top, "top")
    bar.set_xticks(range(len(divergences)), list(divergences))
    bar.set(ylim=(0, top), xlabel="KL", ylabel="nats")
    bar.grid(axis="x", visible=False)
    return fig


def _goes_on(ax: Axes, place: float, edge: float, va: str) -> None:
    """An arrow at the edge of the picture: the bar is longer than is shown."""
    ax.text(place, edge, "↑" if va == "top" else "↓", ha="center", va=va, fontsize=17, fontweight="bold", color="black")


def _beside(x: ArrayLike, densities: Mapping[str, ArrayLike], title: str, xlabel: str, height: float,
            ) -> tuple[Figure, Axes]:
    """Densities at the right, and empty axes for bars at the left. It must follow a slider: so it is small, its margins
    are fixed instead of computed, and words stand in place of hatches."""
    fig, axes = figure(7.4, 3.2, 1, 2, layout="none", width_ratios=(1, 2.7))
    fig.subplots_adjust(left=0.1, right=0.98, bottom=0.185, top=0.86, wspace=0.3)
    bar, plot = axes[0]
    for i, (name, density) in enumerate(densities.items()):
        plot.plot(x, density, LINES[i % 4], color=COLOURS[i % 8], label=name)
    plot.set(xlabel=xlabel, ylabel="density", ylim=(0, height), xlim=(np.min(x), np.max(x)))
    plot.locator_params(nbins=5)  # every label of an axis costs a millisecond or two
    plot.legend(loc="upper left", borderaxespad=0.1)
    fig.suptitle(title, ha="left", x=0.01, y=0.985)
    return fig, bar
