"""The picture of the bars: log p(x), split into the lower bound ℒ and the KL divergence above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plots.style import COLOURS, figure


def bound_bars(labels: Sequence[str], log_evidence: ArrayLike, elbo: ArrayLike, *, title: str, xlabel: str,
               floor: float) -> Figure:
    """One bar a label: the bound ℒ from the `floor` up, the KL on it, a black line at log p(x); arrays `[n_labels]`.

    All in nats. The bars' feet mean nothing, since logarithms of densities have no zero to start from.
    """
    fig, axes = figure(max(7.0, 1.0 * len(labels) + 2.0), 4.2)
    ax = axes[0, 0]
    stack_bound(ax, np.asarray(log_evidence, dtype=float), np.asarray(elbo, dtype=float), floor, hatch="//")
    ax.set_ylim(floor, np.max(log_evidence) + 0.08 * (np.max(log_evidence) - floor))
    ax.set_xticks(range(len(labels)), list(labels))
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def stack_bound(ax: Axes, log_evidence: np.ndarray, elbo: np.ndarray, floor: float, hatch: str) -> None:
    """Draws on given axes what `bound_bars` shows, arrays `[n_bars]` in nats; `hatch` sets the KL apart."""
    places = np.arange(len(elbo))
    shown = np.maximum(elbo, floor)  # a bound below the picture: only the KL is seen
    ax.bar(places, shown - floor, 0.6, bottom=floor, color=COLOURS[0], label=r"bound $\mathcal{L}$")
    ax.bar(places, log_evidence - shown, 0.6, bottom=shown, color="#F6C9A8", edgecolor=COLOURS[1], hatch=hatch,
           linewidth=0, label="KL(q ‖ posterior)")
    ax.hlines(log_evidence, places - 0.4, places + 0.4, color="black", linewidth=2.6, label="log p(x)")
    ax.set(ylabel="nats")
    ax.grid(axis="x", visible=False)
