"""The energy score: by hand, and least for the right distribution."""

import numpy as np
import pytest

from course_lib.measure import energy_score


def test_by_hand():
    draws, x = np.array([[[0.0], [1.0]], [[2.0], [1.0]]]), np.array([[0.0], [4.0]])
    assert energy_score(draws, x).tolist() == [1 - 1, 3 - 0]


def test_it_is_least_for_the_right_spread():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(20_000, 2)), rng.normal(size=(4, 20_000, 2))
    score = {spread: energy_score(spread * noise, x) for spread in (0.0, 0.5, 1.0, 2.0)}
    for spread in (0.0, 0.5, 2.0):
        more = score[spread] - score[1.0]
        assert more.mean() > 5 * more.std() / len(x) ** 0.5, spread


def test_draws_must_fit():
    with pytest.raises(ValueError, match=r"each outcome needs its draws: \[2, 3, 1\] do not fit \[4, 1\]"):
        energy_score(np.zeros((2, 3, 1)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        energy_score(np.zeros((1, 3, 1)), np.zeros((3, 1)))
