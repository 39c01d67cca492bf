"""Notebook 12's dot plots: who stands where, with which error and marker."""

import every_figure
import numpy as np
import pytest

from course_lib.chapters.nb12.plots import KINDS, LABELS, dot_plots, first_ones, group, ordered, scores
from course_lib.comparisons.scoreboard.measures import MEASURES
from course_lib.comparisons.scoreboard.record import Row, column
from course_lib.plots.style import quick_png

NAMES = ["MADE", "VAE", "RBM", "GAN", "truth"]  # the best KL on top, what has none below, the control at the end


def test_dots_lines_and_dashes_stand_where_they_should():
    ax, other = every_figure.FIGURES["scores"]().axes
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES and ax.yaxis_inverted()
    drawn = {dots.get_label(): dots for dots in ax.lines}
    assert set(drawn) == {"exact log p", "bound", "estimate", "no log p", "control"}
    assert drawn["bound"].get_xydata().tolist() == [[3.5, 1]]  # the VAE: 3.5 ± 2 · 0.5
    assert ax.collections[0].get_segments()[1][:, 0].tolist() == [2.5, 4.5]
    assert [text.get_text() for text in ax.texts] == ["–"] and ax.texts[0].get_position()[1] == NAMES.index("GAN")
    assert len({dots.get_marker() for dots in ax.lines}) == 5 and other.get_xscale() == "log"


def test_a_single_value_has_no_line():
    ax = dot_plots("ab", {"x": ([1, 2], [0.5, np.nan])}, groups="pp", kinds="p", title="t").axes[0]
    first, second = ax.collections[0].get_segments()
    assert first[:, 0].tolist() == [0, 2] and len(second) == 0 and len(ax.lines[0].get_xdata()) == 2


def test_nobody_is_drawn_as_nobody():
    fig = scores([], ["kl", "frechet"], title="nobody", log=["frechet"])
    assert len(quick_png(fig)) > 1000 and not fig.legends and not any(ax.lines for ax in fig.axes)


def test_the_best_is_first_whether_small_or_large_is_good():
    some = [Row("digits8", name, "short", [{"recall": value, "nll": -value}])
            for name, value in (("copier", 1.0), ("VAE", 0.2), ("MADE", 0.9))]
    for measure in ("recall", "nll"):
        assert [row.family for row in ordered(some, measure)] == ["MADE", "VAE", "copier"]
    assert first_ones(some, "recall", 1) == "MADE 0.9" and first_ones(some, "nll") == "MADE -0.9, VAE -0.2"
    assert [group(row) for row in some] == ["control", "bound", "exact log p"] and set(map(group, some)) < set(KINDS)


def test_columns_have_nan_where_there_is_nothing():
    means, errors = column(every_figure.ROWS, "kl")
    assert means[:2] == pytest.approx([3.5, 2.25]) and errors[:2] == pytest.approx([0.5, 0.25])
    assert np.isnan(means[3]) and np.isnan(errors[2:4]).all() and means[4] == errors[4] == 0


def test_each_label_is_of_a_measure():
    assert set(LABELS) < set(MEASURES)
