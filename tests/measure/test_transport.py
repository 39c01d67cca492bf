import numpy as np
import pytest
from scipy import stats

from course_lib.measure import normal_quantiles, recovered, wasserstein1

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
