import itertools

import numpy as np
import pytest
from scipy import stats

from course_lib.measure import (
    normal_quantiles,
    optimal_pairs,
    recovered,
    sliced_wasserstein2,
    straightness,
    transport_cost,
    wasserstein1,
)

RNG = np.random.default_rng(0)


def test_wasserstein_against_scipy():
    for _ in range(5):
        a, b = RNG.normal(0, 1, 300), RNG.gamma(2, 1, 300)
        assert wasserstein1(a, b) == pytest.approx(stats.wasserstein_distance(a, b))


def test_wasserstein_of_a_shift_is_the_shift():
    a = RNG.normal(0, 1, 300)
    assert wasserstein1(a, RNG.permutation(a) + 0.7) == pytest.approx(0.7)


def test_quantiles_stand_for_the_normal():
    np.testing.assert_allclose(normal_quantiles(101, 4, 0.5), stats.norm(4, 0.5).ppf((np.arange(101) + 0.5) / 101))


def test_samples_of_the_target_are_recovered_and_others_are_not():
    assert recovered(RNG.normal(4, 0.5, 10_000))
    assert not recovered(RNG.normal(4.2, 0.5, 10_000))
    assert not recovered(RNG.normal(4, 0.35, 10_000))
    assert not recovered(RNG.normal(4, 0.65, 10_000))
    assert not recovered(np.full(100, np.nan))


def test_two_spikes_with_the_right_mean_and_std_are_not_recovered():
    spikes = np.repeat([3.5, 4.5], 5000)
    assert spikes.mean() == 4 and spikes.std() == 0.5
    assert not recovered(spikes)
    assert not recovered(spikes + RNG.normal(0, 0.02, 10_000))


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([], []), ([np.nan], [1.0])])
def test_bad_samples_are_refused(a, b):
    with pytest.raises(ValueError):
        wasserstein1(np.array(a), np.array(b))


def test_the_optimal_pairs_are_the_best_of_all_pairings():
    for _ in range(5):
        a, b = RNG.normal(size=(2, 6, 3))
        costs = [transport_cost(a, b[list(order)]) for order in itertools.permutations(range(6))]
        assert transport_cost(a, b[optimal_pairs(a, b)]) == pytest.approx(min(costs))
        assert transport_cost(a, b) == pytest.approx(costs[0])


def test_on_a_line_the_optimal_pairs_are_those_in_order():
    a, b = RNG.normal(size=(2, 200, 1))
    assert np.array_equal(b[optimal_pairs(a, b)][np.argsort(a[:, 0])], np.sort(b, axis=0))


def test_sliced_wasserstein_of_a_shift():
    a, shift = RNG.normal(size=(300, 2)), np.array([0.6, -0.8])
    # the mean of (shift · direction)² over even directions is |shift|²/2
    assert sliced_wasserstein2(a, RNG.permutation(a) + shift) == pytest.approx(0.5**0.5)
    assert sliced_wasserstein2(a, RNG.permutation(a)) == 0
    assert sliced_wasserstein2(a, 2 * a) == pytest.approx((0.5 * (a**2).sum(axis=1).mean()) ** 0.5)


def test_straight_ways_are_straight_and_others_are_not():
    start, end, t = RNG.normal(size=(1, 5, 2)), RNG.normal(size=(1, 5, 2)), np.linspace(0, 1, 401)[:, None, None]
    assert straightness(start + t * (end - start)) == pytest.approx(0, abs=1e-20)
    square = ((end - start) ** 2).sum(axis=2).mean()
    assert straightness(start + t**2 * (end - start)) == pytest.approx(square / 3, rel=1e-4)  # ∫ (2t − 1)² dt = 1/3
    angle = 2 * np.pi * t
    assert straightness(np.concatenate([np.cos(angle), np.sin(angle)], axis=2)) == pytest.approx(
        4 * np.pi**2, rel=1e-4)  # a whole turn comes back: all of its speed counts


@pytest.mark.parametrize("call", [
    lambda: sliced_wasserstein2(np.zeros((3, 2)), np.zeros((2, 2))), lambda: sliced_wasserstein2(np.zeros((3, 3)), []),
    lambda: optimal_pairs(np.zeros((0, 2)), np.zeros((0, 2))), lambda: optimal_pairs([[np.nan]], [[0.0]]),
    lambda: optimal_pairs([[1e200]], [[1e200]]), lambda: transport_cost([[1.0]], [[1.0], [2.0]]),
    lambda: transport_cost([[1e200]], [[-1e200]]), lambda: straightness(np.zeros((1, 2, 2))),
    lambda: sliced_wasserstein2(np.zeros((3, 2)), np.zeros((3, 2)), directions=0)])
def test_what_cannot_be_moved_is_refused(call):
    with pytest.raises(ValueError):
        call()
