import numpy as np
import pytest
from scipy import stats

from course_lib.measure import histogram_density, normal_density, smooth_density

GRID = np.linspace(-8, 8, 321)


def test_normal_density_against_scipy():
    np.testing.assert_allclose(normal_density(GRID, 4, 0.5), stats.norm(4, 0.5).pdf(GRID))


def test_histogram_counts_all_samples_in_its_area():
    samples = np.concatenate([np.random.default_rng(0).normal(0, 1, 9000), np.full(1000, 50.0)])
    centres, heights = histogram_density(samples, -8, 8, 100)
    assert heights.sum() * 0.16 == pytest.approx(0.9) and centres[0] == pytest.approx(-7.92)
    assert np.abs(heights - 0.9 * normal_density(centres, 0, 1)).max() < 0.07


@pytest.mark.parametrize("bandwidth", [0.1, 0.3])
def test_smooth_density_is_the_kernel_density_estimate(bandwidth):
    samples = np.random.default_rng(1).normal(1, 0.7, 500)
    kernels = normal_density(GRID[:, None], samples, bandwidth).mean(axis=1)
    np.testing.assert_allclose(smooth_density(samples, GRID, bandwidth), kernels, atol=0.02 * kernels.max())


def test_samples_beyond_the_grid_are_counted_and_not_drawn():
    density = smooth_density(np.array([0.0, 0.0, 0.0, 9.0, -1e9]), GRID, 0.1)
    assert np.trapezoid(density, GRID) == pytest.approx(0.6)


@pytest.mark.parametrize("call", [
    lambda: normal_density(GRID, 0, 0),
    lambda: smooth_density(np.array([]), GRID, 0.1),
    lambda: smooth_density(np.array([np.nan]), GRID, 0.1),
    lambda: smooth_density(np.zeros(3), GRID**3, 0.1),
    lambda: histogram_density(np.array([np.inf]), -8, 8, 10),
])
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError):
        call()
