import math

import numpy as np
import pytest

from course_lib.measure import js, kl, normal_density, optimal_discriminator

X = np.linspace(-20, 30, 50_001)
P, Q = normal_density(X, 4, 0.5), normal_density(X, 3, 1)


def test_kl_of_two_normals_is_the_closed_form():
    assert kl(P, Q, X) == pytest.approx(math.log(1 / 0.5) + (0.25 + 1) / 2 - 0.5, abs=1e-6)
    assert kl(Q, P, X) == pytest.approx(math.log(0.5) + (1 + 1) / (2 * 0.25) - 0.5, abs=1e-6)


def test_kl_is_infinite_where_q_forbids_what_p_does():
    half = np.where(X > 4, Q, 0)
    assert kl(P, half, X) == math.inf and kl(half, P, X) < math.inf
    assert kl(np.where(X > 4, P, 0), Q, X) < kl(P, half, X)


def test_js_is_0_for_equal_and_log_2_for_disjoint_densities():
    left, right = ((X > 0) & (X < 1)).astype(float), ((X > 5) & (X < 6)).astype(float)
    left, right = left / np.trapezoid(left, X), right / np.trapezoid(right, X)
    assert js(P, P, X) == pytest.approx(0, abs=1e-12)
    assert js(left, right, X) == pytest.approx(math.log(2))


def test_js_of_two_half_overlapping_uniforms():
    a, b = ((X >= 0) & (X <= 2)) / 2, ((X >= 1) & (X <= 3)) / 2
    assert js(a, b, X) == pytest.approx(math.log(2) / 2, abs=1e-3)


def test_js_is_symmetric_and_between_0_and_log_2():
    for mean in (3.0, 3.9, 8.0):
        for std in (0.1, 0.5, 2.0):
            q = normal_density(X, mean, std)
            assert js(P, q, X) == pytest.approx(js(q, P, X)) and 0 <= js(P, q, X) <= math.log(2) + 1e-9


def test_the_value_of_the_game_at_the_optimal_discriminator_is_2_js_minus_log_4():
    D = optimal_discriminator(P, Q)
    inside = (P > 1e-300) & (Q > 1e-300)
    value = np.zeros_like(X)
    value[inside] = P[inside] * np.log(D[inside])
    value[D < 1] += Q[D < 1] * np.log(1 - D[D < 1])
    assert np.trapezoid(value, X) == pytest.approx(2 * js(P, Q, X) - math.log(4), abs=1e-6)


def test_no_other_discriminator_scores_better_than_the_optimal_one():
    D = np.clip(optimal_discriminator(P, Q), 1e-12, 1 - 1e-12)

    def value(d):
        return np.trapezoid(P * np.log(d) + Q * np.log(1 - d), X)

    for seed in range(5):
        bent = np.clip(D + 0.1 * np.sin(X * (1 + seed)), 1e-12, 1 - 1e-12)
        assert value(bent) < value(D)


def test_the_optimal_discriminator_is_a_half_where_nothing_lies():
    np.testing.assert_array_equal(optimal_discriminator([0, 1, 0, 2], [0, 0, 3, 2]), [0.5, 1, 0, 0.5])


@pytest.mark.parametrize("measure", [lambda p, q: js(p, q, X), lambda p, q: kl(p, q, X), optimal_discriminator])
def test_bad_densities_are_refused(measure):
    with pytest.raises(ValueError, match="one shape"):
        measure(P, Q[:-1])
    with pytest.raises(ValueError, match="negative"):
        measure(P, -Q)
