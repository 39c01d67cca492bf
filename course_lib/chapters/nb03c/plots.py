"""The gaps that a bound leaves, and what importance weighting makes of draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, LINES, figure, styled


@styled()
def two_gaussians(named: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str, limit: float) -> Figure:
    """One- and two-sigma ellipses of Gaussians in the latent plane: for each its mean `[2]` and covariance `[2, 2]`.

    The picture is centred on the first mean, with `limit` on each side.
    """
    fig, axes = figure(5.6, 5.2)
    ax = axes[0, 0]
    for i, (label, (mean, covariance)) in enumerate(named.items()):
        variances, directions = np.linalg.eigh(np.asarray(covariance))
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        for sigmas in (1, 2):
            ax.add_patch(Ellipse(mean, *(2 * sigmas * np.sqrt(variances[::-1])), angle=angle, fill=False,
                                 edgecolor=COLOURS[i % 8], linestyle=LINES[i % 4], linewidth=2.2))
        ax.plot([], [], LINES[i % 4], color=COLOURS[i % 8], label=label)
    centre = np.asarray(next(iter(named.values()))[0])
    ax.set(xlim=centre[0] + np.array([-limit, limit]), ylim=centre[1] + np.array([-limit, limit]), aspect="equal",
           xlabel="$z_1$", ylabel="$z_2$")
    ax.set_title(title)
    ax.legend(loc="upper left")
    return fig


def gap_maps(axis: ArrayLike, panels: Mapping[str, ArrayLike], *, title: str, high: float) -> Figure:
    """Gaps in nats over the plane, values `[m·m]` on the grid of `plane`, one panel each; `high` ends the scale."""
    axis = np.asarray(axis)
    fig, axes = figure(3.9 * len(panels) + 0.9, 4.4, 1, len(panels), sharex=True, sharey=True)
    levels = np.linspace(0, high, 9)
    angle = np.linspace(0, 2 * np.pi, 200)
    for ax, (name, values) in zip(axes[0], panels.items(), strict=True):
        values = np.clip(np.reshape(values, (len(axis), len(axis))), 0, None)
        shade = ax.contourf(axis, axis, values, levels=levels, cmap="viridis", extend="max")
        ax.contour(axis, axis, values, levels=[high / 2], colors="white", linewidths=1.4)
        ax.plot(np.cos(angle), np.sin(angle), ":", color="white", linewidth=2)
        ax.set(aspect="equal", xlabel="$x_1$", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        ax.set_title(name)
        ax.grid(visible=False)
    axes[0, 0].set_ylabel("$x_2$")
    fig.colorbar(shade, ax=axes[0], label="nats", shrink=0.8)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def proposal(z: ArrayLike, posterior: ArrayLike, q: ArrayLike, values: ArrayLike, exact: float, *, title: str,
             value_label: str) -> Figure:
    """Where the draws come from and what becomes of them.

    Left, two densities `[m]` over z `[m]`; right, a histogram of estimates `[n]`, with lines at their mean and at the
    exact value.
    """
    fig, axes = figure(9.0, 3.7, 1, 2)
    left, right = axes[0]
    left.plot(z, posterior, color=COLOURS[0], label="p(z | x)")
    left.plot(z, q, "--", color=COLOURS[1], label="q(z | x)")
    left.set(xlabel="z", ylabel="density", ylim=(0, None))
    left.legend(loc="upper left")
    values = np.asarray(values)
    low, high = min(np.quantile(values, 0.01), exact), max(values.max(), exact)
    margin = 0.08 * max(high - low, 0.05)
    edges = np.linspace(low - margin, high + margin, 41)
    right.hist(np.clip(values, edges[0], edges[-1]), edges, histtype="stepfilled", color=COLOURS[1], alpha=0.45)
    right.axvline(values.mean(), color=COLOURS[2], linewidth=2.5, label="their mean")
    _exact_line(right, exact, "log p(x)", vertical=True)
    right.set(xlabel=value_label, ylabel="count")
    right.legend(loc="upper left")
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def running(draws: ArrayLike, panels: Mapping[str, ArrayLike], *, title: str, ylabel: str, limit: float) -> Figure:
    """Estimates as draws come in: for each panel runs `[runs, n]` over the numbers of `draws` `[n]`, exact is 0.

    Where a run leaves the panel at the top, its highest value is written there.
    """
    fig, axes = figure(3.7 * len(panels), 4.0, 1, len(panels), sharex=True, sharey=True)
    for ax, (name, runs) in zip(axes[0], panels.items(), strict=True):
        for i, run in enumerate(np.asarray(runs)):
            ax.plot(draws, run, LINES[i % 4], color=COLOURS[i % 5], linewidth=1.6)
            if run.max() > limit / 3:
                ax.annotate(f"up to {run.max():.1f}", (np.asarray(draws)[run.argmax()], limit / 3), xytext=(-6, -4),
                            textcoords="offset points", ha="right", va="top", color=COLOURS[i % 5])
        _exact_line(ax, 0.0, "exact", vertical=False)
        ax.set(xscale="log", xlabel="draws", ylim=(-limit, limit / 3))
        ax.set_title(name, fontsize=13)
    axes[0, 0].set_ylabel(ylabel)
    axes[0, 0].legend(loc="lower right")
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def _exact_line(ax: Axes, value: float, name: str, *, vertical: bool) -> None:
    (ax.axvline if vertical else ax.axhline)(value, color="black", linestyle=":", linewidth=2.2, label=name)
