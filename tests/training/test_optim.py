"""The decay of learning rates, Adam, and the average of weights."""

import pytest

from course_lib.training.optim import linear_decay


def test_the_learning_rate_is_flat_then_falls_in_a_line_to_0():
    assert [linear_decay(0.2, step, 100) for step in (0, 25, 50)] == [0.2] * 3
    assert linear_decay(0.2, 75, 100) == pytest.approx(0.1) and linear_decay(0.2, 99, 100) == pytest.approx(0.004)
    assert linear_decay(0.2, 100, 100) == linear_decay(0.2, 1000, 100) == 0
    assert linear_decay(0.2, 10**6, 0) == 0.2


def test_a_warmup_rises_to_the_rate_and_multiplies_the_decay():
    assert [linear_decay(0.2, step, 0, warmup=4) for step in (0, 1, 3, 50)] == [0.05, 0.1, 0.2, 0.2]
    assert linear_decay(0.2, 3, 4, warmup=8) == pytest.approx(0.2 * 0.5 * 4 / 8)
