"""Notebook 12: dot plots, which hold many families against each other in several measures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike

from course_lib.comparisons.scoreboard.measures import MEASURES
from course_lib.comparisons.scoreboard.record import Row, column
from course_lib.comparisons.scoreboard.registry import CONTROLS, entry
from course_lib.plots.style import COLOURS, MARKERS, figure, styled

LABELS = {
    "nll": "−log p(x), nats", "kl": "KL(truth ‖ model), nats", "anomaly": "chimeras told (AUC)",
    "frechet": "Fréchet distance",
    "kid": "KID", "precision": "precision", "recall": "recall", "nearest": "distance to training set",
    "copied": "share of copies", "surprise": "surprise, nats", "completion": "energy score, √pixels",
    "completion_surprise": "surprise, nats", "parameters": "parameters", "train_seconds": "seconds of training",
    "draw_seconds": "seconds for 100 draws", "passes": "passes in a row", "memory": "MiB",
}
TOLD = {"exact": "exact log p", "bound": "bound", "estimate": "estimate", "": "no log p"}
KINDS = (*TOLD.values(), "control")


@styled()
def dot_plots(names: Sequence[str], panels: Mapping[str, tuple[ArrayLike, ArrayLike]], *, groups: Sequence[str],
              kinds: Sequence[str], title: str, log: Collection[str] = ()) -> Figure:
    """A row for each name and a panel for each measure: a dot at the mean, a line two standard errors to both sides.

    Args:
        names: of the rows, from top to bottom.
        panels: for each its label with its unit, and means and standard errors `[n_names]`; NaN where there is none: a
            mean that is missing is told by a dash, an error that is missing has no line.
        groups: what each name belongs to.
        kinds: all groups that there may be, each of which has its own marker.
        title: of the figure.
        log: labels of the panels whose axis is logarithmic.
    """
    fig, axes = figure(2.4 + 2.1 * len(panels), 1.7 + 0.27 * len(names), 1, len(panels), sharey=True)
    places = np.arange(len(names))
    for ax, (label, (means, errors)) in zip(axes[0], panels.items(), strict=True):
        means, errors = np.asarray(means, dtype=float), np.asarray(errors, dtype=float)
        known = means[np.isfinite(means)]
        if label in log and len(known):
            ax.set_xscale("log")
            few = known.max() < 100 * known.min()  # decades: then ticks between them are needed, and fit
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=6))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
        ax.hlines(places, means - 2 * errors, means + 2 * errors, color="#555555", linewidth=1.8)
        for i, kind in enumerate(kinds):
            own = np.array([group == kind for group in groups], dtype=bool) & np.isfinite(means)
            if kind in groups:
                ax.plot(means[own], places[own], MARKERS[i % 8], color=COLOURS[i % 8], markersize=7, label=kind)
        for place in places[~np.isfinite(means)]:
            ax.text(0.02, place, "–", transform=ax.get_yaxis_transform(), va="center")
        ax.set(xlabel=label)
    axes[0, 0].set_yticks(places, names)
    axes[0, 0].set_ylim(max(len(names), 1) - 0.5, -0.5)
    if len(set(groups)) > 1:
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center",
                   ncols=3 if len(panels) < 3 else 5)
    fig.suptitle(title, ha="left", x=0.01)
    return fig


def scores(some: Sequence[Row], measures: Sequence[str], *, title: str, log: Collection[str] = ()) -> Figure:
    """Dot plots of recorded rows in some measures, the best of the first measure on top; controls below all families.

    A marker says how log p(x) is told. `log` names measures whose axis is logarithmic.
    """
    some = ordered(some, measures[0])
    panels = {LABELS[measure]: column(some, measure) for measure in measures}
    return dot_plots([row.family for row in some], panels, groups=[group(row) for row in some], kinds=KINDS,
                     title=title, log=[LABELS[measure] for measure in log])


def ordered(some: Sequence[Row], measure: str) -> list[Row]:
    """Rows from the best to the worst in a measure, those without a number behind them, and controls at the end."""
    means, sign = column(some, measure)[0], MEASURES[measure].sign
    places = sorted(range(len(some)), key=lambda i: (some[i].family in CONTROLS, np.isnan(means[i]),
                                                     sign * np.nan_to_num(means[i])))
    return [some[i] for i in places]


def group(row: Row) -> str:
    """How a family tells log p(x), or that it is a control."""
    return "control" if row.family in CONTROLS else TOLD[entry(row.family, row.data).kind.density]


def first_ones(some: Sequence[Row], measure: str, n: int = 3) -> str:
    """The best n families in a measure and their numbers, in words."""
    best = [row for row in ordered(some, measure) if row.family not in CONTROLS and row.values(measure)][:n]
    return ", ".join(f"{row.family} {np.mean(row.values(measure)):.3g}" for row in best)
