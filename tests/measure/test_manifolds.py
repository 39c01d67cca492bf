"""Precision and recall: by hand in a row of points, and what cheats score."""

import numpy as np
import pytest

from course_lib.measure import precision_recall


def test_by_hand_on_a_line():
    real, fake = np.array([[0.0], [1.0], [2.0], [10.0]]), np.array([[0.5], [3.5], [100.0], [101.0]])
    # radii to the nearest other: of the data 1, 1, 1, 8, of the samples 3, 3, 1, 1
    assert precision_recall(real, fake, k=1) == (2 / 4, 3 / 4)
    assert precision_recall(fake, real, k=1) == (3 / 4, 2 / 4)


def test_the_same_points_score_1_and_points_far_away_0():
    x = np.random.default_rng(0).normal(size=(50, 4))
    assert precision_recall(x, x) == (1, 1)
    assert precision_recall(x, x + 100) == (0, 0)


def test_samples_that_are_all_alike_have_no_recall():
    x = np.random.default_rng(0).normal(size=(50, 4))
    assert precision_recall(x, np.repeat(x[:1] + 1e-9, 50, axis=0)) == (1, 0)


def test_two_sets_of_one_distribution_score_alike():
    a, b = np.random.default_rng(0).normal(size=(2, 400, 3))
    score = precision_recall(a, b)
    assert 0.8 < score.precision < 1 and abs(score.precision - score.recall) < 0.05


def test_what_cannot_be_measured_is_refused():
    x = np.zeros((5, 2))
    with pytest.raises(ValueError, match="more than 5 points a side, not 5 and 5"):
        precision_recall(x, x, k=5)
    with pytest.raises(ValueError, match="the same features, not 2 and 3"):
        precision_recall(x, np.zeros((5, 3)))
