"""Lines, bars and dots over one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, HATCHES, LINES, MARKERS, figure, one_axes


def curves(x: ArrayLike, ys: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str,
           bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None, log_x: bool = False,
           log_y: bool = False, baseline: tuple[float, str] | None = None,
           mark: tuple[float, str] | None = None) -> Figure:
    """One line for each entry of `ys` over the common `x` `[n]`, in a shaded band (low, high) where `bands` has one.

    `baseline` draws a thin dotted line at a value, `mark` a dash-dotted one at an x, with a word that says what it is.
    """
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.2)
    for i, (label, y) in enumerate(ys.items()):
        ax.plot(x, y, LINES[i % len(LINES)], color=COLOURS[i % len(COLOURS)], label=label)
        if bands and label in bands:
            low, high = bands[label]
            ax.fill_between(np.asarray(x), low, high, color=COLOURS[i % len(COLOURS)], alpha=0.18, linewidth=0)
    if baseline:
        ax.axhline(baseline[0], color="black", linestyle=":", linewidth=1.5, label=baseline[1])
    if mark:
        ax.axvline(mark[0], color="#555555", linestyle="-.", linewidth=1.5, label=mark[1])
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(list(x), [f"{value:,.0f}" for value in np.asarray(x)], minor=False)
        ax.minorticks_off()
    if log_y:
        ax.set_yscale("log")
    if len(ys) > 1 or baseline or mark:
        ax.legend()
    return fig


def histogram(values: Mapping[str, ArrayLike], *, title: str, xlabel: str, bins: int = 40) -> Figure:
    """Normalised histograms, one for each entry of `values`, arrays of any shape, over common bins.

    Up to two are filled; more would hide each other, so they are outlines with a mark on the axis at each mean.
    """
    fig, ax = one_axes(title, xlabel, "density", 8.0, 3.8)
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in values.values()]), bins=bins)
    for i, (label, v) in enumerate(values.items()):
        if len(values) <= 2:
            ax.hist(np.ravel(v), edges, density=True, histtype="stepfilled", alpha=0.35, color=COLOURS[i % 8])
        else:
            ax.plot(np.mean(v), 0, MARKERS[i % 8], color=COLOURS[i % 8], markersize=11, markeredgecolor="white",
                    clip_on=False, zorder=3)
        ax.hist(np.ravel(v), edges, density=True, histtype="step", linestyle=LINES[i % 4], color=COLOURS[i % 8],
                label=label, linewidth=2)
    if len(values) > 1:
        ax.legend()
    return fig


def bars(labels: Sequence[str], values: Mapping[str, ArrayLike], *, title: str, xlabel: str, ylabel: str,
         baseline: tuple[float, str] | None = None) -> Figure:
    """Groups of bars, one group for each label and one bar in it for each entry of `values` (arrays `[n_labels]`).

    `baseline` draws a horizontal line at a value, with a word that says what it is.
    """
    fig, ax = one_axes(title, xlabel, ylabel, 8.0, 4.0)
    width = 0.8 / len(values)
    places = np.arange(len(labels))
    for i, (label, heights) in enumerate(values.items()):
        ax.bar(places + (i - (len(values) - 1) / 2) * width, heights, width, label=label, color=COLOURS[i % 8],
               hatch=HATCHES[i % 8], edgecolor="white")
    if baseline:
        ax.axhline(baseline[0], color="black", linestyle=":", linewidth=1.5, label=baseline[1])
    ax.set_xticks(places, labels)
    ax.grid(axis="x", visible=False)
    ax.set_ylim(top=ax.get_ylim()[1] * 1.12)
    if len(values) > 1 or baseline:
        ax.legend(ncols=len(values) + 1, loc="upper left")
    return fig


def small_multiples(x: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]], *, title: str, xlabel: str,
                    ylim: tuple[float, float] | None = None, ylabel: str = "", log: bool = False,
                    width: float = 2.7) -> Figure:
    """A row of equal panels over a common `x` `[n]`: for each its title, and its lines by name.

    Args:
        x: the places of all lines.
        panels: for each panel its lines, arrays `[n]`.
        title, xlabel, ylabel: words around the panels.
        ylim: limits of y; None follows the data.
        log: both axes are logarithmic, with a tick at each x.
        width: of a panel, in inches.
    """
    fig, axes = figure(width * len(panels), 3.9, 1, len(panels), sharex=True, sharey=True)
    for ax, (name, lines) in zip(axes[0], panels.items(), strict=True):
        for i, (label, y) in enumerate(lines.items()):
            ax.plot(x, y, LINES[i % 4], color=COLOURS[i % 8], label=label)
        ax.set_title(name, fontsize=13)
        ax.set_xlabel(xlabel)
    axes[0, 0].set_ylabel(ylabel)
    if log:  # the panels share their axes
        ax.set(xscale="log", yscale="log")
        ax.set_xticks(list(x), [f"{value:,g}" for value in np.asarray(x)])
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:,g}")
        for shared in axes[0]:
            shared.minorticks_off()
    else:
        ax.set_xlim(np.min(x), np.max(x))
    if ylim is not None:
        ax.set_ylim(ylim)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def paths(tracks: Mapping[str, ArrayLike], *, title: str, limit: float, xlabel: str = "x", ylabel: str = "y") -> Figure:
    """Walks in the plane `[steps, 2]`, one line each, from a dot on; `limit` on each side of the origin."""
    fig, axes = figure(5.8, 5.4)
    ax = axes[0, 0]
    for i, (label, track) in enumerate(tracks.items()):
        track = np.asarray(track)
        ax.plot(*track.T, LINES[i % 4], color=COLOURS[i % 8], marker=".", markersize=4, linewidth=1.4, label=label)
        ax.plot(*track[0], MARKERS[i % 8], color=COLOURS[i % 8], markersize=9)
    ax.plot(0, 0, "+", color="black", markersize=14, markeredgewidth=2)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    ax.legend(loc="upper left")
    return fig


def gan1d(x: ArrayLike, decision: ArrayLike, real: ArrayLike, generated: ArrayLike, *, title: str) -> Figure:
    """A 1-D GAN's D(x), real and generated density, arrays `[n]` over `x` `[n]`. Lines in the order of arguments."""
    fig, ax = one_axes(title, "x", "probability D(x), or density", 7.0, 4.2)
    names = {"D(x)": decision, "real density": real, "generated density": generated}
    for (label, y), colour, line in zip(names.items(), (COLOURS[2], COLOURS[0], COLOURS[1]), ("--", "-", "-."),
                                        strict=True):
        ax.plot(x, y, line, color=colour, label=label)
    ax.set(xlim=(np.min(x), np.max(x)), ylim=(0, 1.5))
    ax.legend(loc="upper left")
    return fig
