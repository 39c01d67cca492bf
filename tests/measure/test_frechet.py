import math

import numpy as np
import pytest
import scipy.linalg

from course_lib.measure import frechet_bias, frechet_distance, gaussian_frechet_distance


def covariance(d, rng):
    a = rng.normal(size=(d, d + 3))
    return a @ a.T / d


def white(n, d, rng):
    """Rows whose mean is exactly 0 and whose covariance is exactly the identity."""
    x = rng.normal(size=(n, d))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T


@pytest.mark.parametrize("d", [1, 2, 5, 64])
def test_against_the_matrix_square_root_of_scipy(d):
    rng = np.random.default_rng(d)
    for _ in range(3):
        mean_a, mean_b, cov_a, cov_b = rng.normal(size=d), rng.normal(size=d), covariance(d, rng), covariance(d, rng)
        root = scipy.linalg.sqrtm(cov_a @ cov_b).real
        expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)
        assert gaussian_frechet_distance(mean_a, cov_a, mean_b, cov_b) == pytest.approx(expected, rel=1e-7)


def test_on_a_line_it_is_the_differences_of_means_and_of_standard_deviations():
    assert gaussian_frechet_distance(1.0, 4.0, 3.5, 9.0) == pytest.approx(2.5**2 + (3 - 2) ** 2)


def test_samples_with_given_moments_have_the_distance_of_the_gaussians():
    rng, d = np.random.default_rng(0), 6
    mean_a, mean_b, cov_a, cov_b = rng.normal(size=d), rng.normal(size=d), covariance(d, rng), covariance(d, rng)
    a = mean_a + white(50, d, rng) @ np.linalg.cholesky(cov_a).T
    b = mean_b + white(80, d, rng) @ np.linalg.cholesky(cov_b).T
    expected = gaussian_frechet_distance(mean_a, cov_a, mean_b, cov_b)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_symmetric_and_zero_on_itself_and_under_reordering():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 20)), 2 + rng.normal(size=(300, 20)) @ covariance(20, rng)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9) and frechet_distance(a, b) > 1
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)


def test_turning_and_moving_both_sets_changes_nothing():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(100, 5)), 3 * rng.normal(size=(100, 5)) + 1
    turn = scipy.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert frechet_distance(a @ turn + 7, b @ turn + 7) == pytest.approx(frechet_distance(a, b), rel=1e-9)


def test_stays_real_where_features_are_constant_or_copies_of_each_other():
    """As with ReLU features that are always 0: the product of the covariances is singular, its root touchy."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(200, 10)), rng.normal(size=(200, 10)) + 1
    for x in (a, b):
        x[:, 4], x[:, 7] = 0, x[:, 2]
    kept = [0, 1, 2, 3, 5, 6, 8, 9]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(a[:, kept], b[:, kept])
                                                   + (a[:, 2].mean() - b[:, 2].mean()) ** 2, rel=0.05)
    assert frechet_distance(np.tile([[1.0, 2.0]], (9, 1)), np.tile([[4.0, 6.0]], (9, 1))) == pytest.approx(25)


def test_fewer_samples_score_worse():
    rng = np.random.default_rng(4)
    few, many = (np.mean([frechet_distance(rng.normal(size=(n, 8)), rng.normal(size=(n, 8))) for _ in range(5)])
                 for n in (30, 3000))
    assert many < few / 20


@pytest.mark.parametrize(("a", "b", "says"), [
    (np.zeros((5, 5)), np.zeros((9, 5)), "too few"),
    (np.zeros((9, 5)), np.zeros((9, 4)), "same features"),
    (np.zeros(9), np.zeros((9, 5)), "shape"),
    (np.full((9, 2), np.nan), np.zeros((9, 2)), "NaN"),
])
def test_bad_features_are_refused(a, b, says):
    with pytest.raises(ValueError, match=says):
        frechet_distance(a, b)


@pytest.mark.parametrize(("mean", "cov"), [
    (np.zeros(3), np.eye(2)), (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]])), (np.zeros(2), np.diag([1.0, -1.0]))])
def test_what_is_no_gaussian_is_refused(mean, cov):
    for arguments in ((mean, cov, np.zeros(2), np.eye(2)), (np.zeros(2), np.eye(2), mean, cov)):
        with pytest.raises(ValueError):
            gaussian_frechet_distance(*arguments)


def test_the_bias_on_a_line_is_that_of_the_mean_and_of_the_standard_deviation_of_normal_draws():
    """E s = c₄ σ exactly, so E (x̄ − μ_b)² + E (s − σ_b)² exceeds the distance by σ_a²/n + 2 σ_a σ_b (1 − c₄)."""
    n, a, b = 2000, 1.5, 0.7
    c4 = math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    assert frechet_bias(a**2, b**2, n) == pytest.approx(a**2 / n + 2 * a * b * (1 - c4), rel=1e-3)


def test_the_bias_is_the_mean_of_the_second_order_in_draws_of_the_covariance():
    """Σ̂ = L S Lᵀ; the entries of S on and above the diagonal are uncorrelated, with variances (1 + δ_ij)/(n − 1)."""
    rng, d, n, h = np.random.default_rng(2), 3, 50, 1e-3
    cov_a, cov_b, zero = covariance(d, rng), covariance(d, rng), np.zeros(d)
    L, expected = np.linalg.cholesky(cov_a), np.trace(cov_a) / n

    def moved(t, i, j):
        S = np.eye(d)
        S[i, j] += t
        S[j, i] += t * (i != j)
        return gaussian_frechet_distance(zero, L @ S @ L.T, zero, cov_b)

    for i in range(d):
        for j in range(i, d):
            curvature = (moved(h, i, j) - 2 * moved(0, i, j) + moved(-h, i, j)) / h**2
            expected += curvature * (1 + (i == j)) / (n - 1) / 2
    assert frechet_bias(cov_a, cov_b, n) == pytest.approx(expected, rel=1e-4)


def test_a_covariance_without_spread_in_one_direction_has_a_bias_too():
    assert frechet_bias(np.diag([4.0, 0.0]), np.eye(2), 101) == pytest.approx(4 / 101 + 2 * 1 / 200)
    with pytest.raises(ValueError, match="symmetric"):
        frechet_bias(np.array([[1.0, 2.0], [0.0, 1.0]]), np.eye(2), 10)
