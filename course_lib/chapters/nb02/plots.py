"""Mixtures of Gaussians: weighted bumps, clouds with their ellipses, a moment of EM."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.colors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from course_lib.plots.planes import square_axes
from course_lib.plots.style import COLOURS, LINES, MARKERS, figure, one_axes, styled


def bumps(x: ArrayLike, parts: ArrayLike, *, samples: ArrayLike, title: str) -> Figure:
    """The weighted densities `parts` `[K, n]` over `x` `[n]`, their sum, and a histogram of `samples`."""
    fig, ax = one_axes(title, "x", "density", 8.0, 4.0)
    x = np.asarray(x)
    ax.hist(np.ravel(samples), bins=80, range=(x.min(), x.max()), density=True, color="#DDDDDD", label="drawn")
    for k, part in enumerate(np.asarray(parts)):
        ax.plot(x, part, LINES[(k + 1) % 4], color=COLOURS[k], label=f"$\\pi_{k + 1}\\,p(x\\,|\\,{k + 1})$")
    ax.plot(x, np.asarray(parts).sum(axis=0), "-", color="black", linewidth=1.6, label="sum, $p(x)$")
    ax.legend()
    return fig


@styled()
def cloud(ax: Axes, x: ArrayLike, r: ArrayLike | None, mu: ArrayLike, cov: ArrayLike) -> None:
    """Points `[n, 2]` on given axes, coloured by their responsibilities `[n, K]` (grey: none yet) and with the marker
    of the component that has most of them; one- and two-sigma ellipses of the components, numbered at their means
    `[K, 2]`; covariances `[K, 2, 2]`."""
    x, K = np.asarray(x), len(mu)
    palette = np.array([matplotlib.colors.to_rgb(COLOURS[k % 8]) for k in range(K)])
    if r is None:
        ax.scatter(*x.T, s=22, c="#AAAAAA", linewidths=0)
    else:
        colours, most = np.clip(np.asarray(r) @ palette, 0, 1), np.argmax(r, axis=1)
        for k in np.unique(most):
            ax.scatter(*x[most == k].T, s=22, c=colours[most == k], marker=MARKERS[k % 8], linewidths=0)
    for k, (mean, covariance) in enumerate(zip(np.asarray(mu), np.asarray(cov), strict=True)):
        lengths, directions = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        for sigmas in (1, 2):
            ax.add_patch(Ellipse(mean, *(2 * sigmas * np.sqrt(lengths[::-1])), angle=angle, fill=False,
                                 edgecolor=COLOURS[k % 8], linestyle=LINES[k % 4], linewidth=2.2))
        ax.text(*mean, str(k + 1), fontsize=15, fontweight="bold", color="black", ha="center", va="center",
                clip_on=True, path_effects=[withStroke(linewidth=3.5, foreground="white")])


def clouds(panels: Mapping[str, tuple[ArrayLike, ArrayLike | None, ArrayLike, ArrayLike]], *, title: str,
           limit: float = 5.5) -> Figure:
    """A row of panels, each a title with the arguments of `cloud`: points `[n, 2]`, responsibilities `[n, K]` or None,
    means `[K, 2]`, covariances `[K, 2, 2]`."""
    fig, axes = figure(3.5 * len(panels), 4.1, 1, len(panels))
    for ax, (name, shown) in zip(axes[0], panels.items(), strict=True):
        cloud(ax, *shown)
        square_axes(ax, name, limit)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def em_moment(x: ArrayLike, r: ArrayLike | None, mu: ArrayLike, cov: ArrayLike, *, log_likelihood: ArrayLike,
            bound: ArrayLike, now: int, title: str, limit: float = 5.5) -> Figure:
    """One moment of EM: the cloud, and beside it the track of log-likelihood and bound up to half step `now`.

    `log_likelihood` `[steps + 1]` begins before the first half step, `bound` `[steps]` after it; both are given for
    the whole run (at least one E-step and one M-step), so that the axes stay where they are while `now` moves. A start
    far below all that follows is told in words.
    """
    fig, axes = figure(9.6, 4.6, 1, 2)
    left, right = axes[0]
    cloud(left, x, r, mu, cov)
    square_axes(left, "responsibilities as colours", limit)
    log_likelihood, bound = np.asarray(log_likelihood), np.asarray(bound)
    right.plot(np.arange(now + 1), log_likelihood[: now + 1], "-", color=COLOURS[0], label="log-likelihood")
    right.plot(np.arange(1, now + 1), bound[:now], "--", color=COLOURS[1], label=r"bound $\mathcal{L}(r, \theta)$")
    right.plot(now, log_likelihood[now], "o", color=COLOURS[0], markersize=9)
    top, after_one_step = log_likelihood.max(), log_likelihood[2]
    bottom = max(log_likelihood[0], after_one_step - 1.5 * (top - after_one_step) - 0.02)  # or its leap would be all
    if log_likelihood[0] < bottom:
        right.text(0.97, 0.24, f"start: {log_likelihood[0]:.2f}, below", transform=right.transAxes, fontsize=12,
                   ha="right")
    room = 0.06 * (top - bottom) + 1e-3
    right.set(xlim=(-1, len(log_likelihood)), ylim=(bottom - room, top + room), xlabel="half steps",
              ylabel="nats per point")
    right.set_title("log-likelihood and bound", fontsize=13)
    right.legend(loc="lower right")
    fig.suptitle(title, ha="left", x=0.01)
    return fig
