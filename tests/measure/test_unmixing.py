"""The Amari error: 0 up to order, sign and scale, 1 where nothing was told apart."""

import numpy as np
import pytest

from course_lib.measure import amari_error

A = np.random.default_rng(0).normal(size=(4, 4))


def test_order_sign_and_scale_do_not_count():
    shuffled = np.diag([2.0, -1.0, 0.1, 5.0]) @ np.eye(4)[[2, 0, 3, 1]]
    assert amari_error(shuffled @ np.linalg.inv(A), A) == pytest.approx(0, abs=1e-12)
    assert amari_error(np.ones((4, 4)), np.eye(4)) == pytest.approx(1)
    assert amari_error([[1, 0.5], [0, 1]], np.eye(2)) == pytest.approx((0.5 + 0.5) / 4)  # one row, one column


def test_it_grows_with_the_crosstalk():
    errors = [amari_error((np.eye(4) + e * (1 - np.eye(4))) @ np.linalg.inv(A), A) for e in (0.01, 0.1, 0.3)]
    assert errors == pytest.approx([0.01, 0.1, 0.3])


@pytest.mark.parametrize("W", [np.ones((4, 3)), np.ones((3, 3)), np.ones(4)])
def test_other_shapes_are_told(W):
    with pytest.raises(ValueError, match="square and of one shape"):
        amari_error(W, A)
    with pytest.raises(ValueError, match="finite"):
        amari_error(np.full((4, 4), np.nan), A)
