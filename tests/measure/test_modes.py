import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from course_lib.measure import cell_divergences, cell_shares, count_modes

CORNERS = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])


def test_modes_counted_by_hand():
    samples = np.concatenate([np.zeros((90, 2)), [[4.0, 0.29]] * 9, [[4.0, 4.31]] * 9])  # near is below .3
    modes = count_modes(samples, CORNERS, std=0.1)
    assert modes.covered == 2 and modes.near == pytest.approx(99 / 108)  # 9/108 is just 1/12 = 1/(3·4)
    assert modes.shares == pytest.approx([90 / 108, 9 / 108, 0, 0])
    assert count_modes(samples[:-1], CORNERS, 0.1).covered == 2
    assert count_modes(np.concatenate([samples, [[9.0, 9.0]]]), CORNERS, 0.1).covered == 1


def test_a_perfect_sampler_of_the_ring():
    rng = np.random.default_rng(0)
    angles = 2 * np.pi * np.arange(8) / 8
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    modes = count_modes(centres[rng.integers(8, size=20_000)] + 0.05 * rng.normal(size=(20_000, 2)), centres, 0.05)
    assert modes.covered == 8 and modes.near == pytest.approx(1 - math.exp(-4.5), abs=0.003)


def test_what_is_not_finite_is_near_nothing():
    modes = count_modes(np.array([[np.nan, 0.0], [np.inf, 0.0], [0.0, 0.0], [0.0, 0.0]]), CORNERS, 0.1)
    assert modes.near == 0.5 and modes.covered == 1


def test_cells_from_bottom_left_and_strays_to_the_border():
    samples = np.array([[-0.9, -0.9], [0.9, -0.9], [0.9, -5.0], [-0.9, 0.9]])
    assert cell_shares(samples, -1, 1, 2) == pytest.approx(np.array([[1, 2], [1, 0]]) / 4)
    edges = np.linspace(-1, 1, 8)
    inside = np.random.default_rng(1).uniform(-1, 1, (500, 2))
    by_numpy = np.histogram2d(inside[:, 1], inside[:, 0], bins=[edges, edges])[0]
    assert cell_shares(inside, -1, 1, 7) * 500 == pytest.approx(by_numpy)


def test_divergences_against_scipy():
    rng = np.random.default_rng(2)
    p, q = (rng.dirichlet(np.full(30, 0.3)).reshape(5, 6) for _ in range(2))
    p[0, 0], q[1, 1] = 0, 0
    p, q = p / p.sum(), q / q.sum()
    kl, js = cell_divergences(p, q)
    assert kl == pytest.approx(entropy(p.ravel() + 1e-4, q.ravel() + 1e-4))
    assert js == pytest.approx(jensenshannon(p.ravel(), q.ravel()) ** 2)
    assert cell_divergences(p, p) == (0, 0)


def test_js_of_separate_shares_is_log_2_however_far():
    p, near, far = np.eye(4)[0], np.eye(4)[1], np.eye(4)[3]
    assert [cell_divergences(p, q)[1] for q in (near, far)] == pytest.approx([math.log(2)] * 2)
    assert math.isfinite(cell_divergences(p, far)[0])


@pytest.mark.parametrize(("call", "message"), [
    (lambda: count_modes(np.zeros((0, 2)), CORNERS, 1), "are needed, not"),
    (lambda: count_modes(np.zeros((3, 1)), CORNERS, 1), "are needed, not"),
    (lambda: cell_shares(np.array([[np.nan, 0.0]]), -1, 1, 2), "must be finite"),
    (lambda: cell_shares(np.zeros(3), -1, 1, 2), r"shape \(n, 2\)"),
    (lambda: cell_divergences(np.ones(2), np.ones(3)), "one shape"),
])
def test_bad_values_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
