"""The picture of the bars: log p(x), split into the lower bound ℒ and the KL divergence above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, figure


def bound_bars(labels: Sequence[str], log_evidence: ArrayLike, elbo: ArrayLike, *, title: str, xlabel: str,
               floor: float) -> Figure:
    """One bar a label: the bound ℒ from the `floor` up, the KL on it, a black line at log p(x); arrays `[n_labels]`.

    All in nats. The bars' feet mean nothing, since logarithms of densities have no zero to start from.
    """
    fig, axes = figure(max(7.0, 1.0 * len(labels) + 2.0), 4.2)
    ax = axes[0, 0]
    _stack(ax, np.asarray(log_evidence, dtype=float), np.asarray(elbo, dtype=float), floor, hatch="//")
    ax.set_ylim(floor, np.max(log_evidence) + 0.08 * (np.max(log_evidence) - floor))
    ax.set_xticks(range(len(labels)), list(labels))
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def bound_and_densities(z: ArrayLike, densities: Mapping[str, ArrayLike], log_evidence: float, elbo: float, *,
                        title: str, floor: float, top: float, height: float) -> Figure:
    """Left one bar as in `bound_bars`, from `floor` to `top` nats; right `densities` `[n]` over `z` `[n]`, cut off at
    `height`."""
    fig, bar = _beside(z, densities, title, "z", height)
    shown = max(elbo, floor)
    for value, edge, va in ((elbo, floor, "bottom"), (log_evidence, top, "top")):
        if (value < floor) if edge == floor else (value > top):
            _goes_on(bar, 0, edge, va)
    _stack(bar, np.array([log_evidence]), np.array([elbo]), floor, hatch="")
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


def _stack(ax: Axes, log_evidence: np.ndarray, elbo: np.ndarray, floor: float, hatch: str) -> None:
    places = np.arange(len(elbo))
    shown = np.maximum(elbo, floor)  # a bound below the picture: only the KL is seen
    ax.bar(places, shown - floor, 0.6, bottom=floor, color=COLOURS[0], label=r"bound $\mathcal{L}$")
    ax.bar(places, log_evidence - shown, 0.6, bottom=shown, color="#F6C9A8", edgecolor=COLOURS[1], hatch=hatch,
           linewidth=0, label="KL(q ‖ posterior)")
    ax.hlines(log_evidence, places - 0.4, places + 0.4, color="black", linewidth=2.6, label="log p(x)")
    ax.set(ylabel="nats")
    ax.grid(axis="x", visible=False)
