import numpy as np
import pytest

from course_lib.models.bilinear import path, step


def radius2(places):
    return (places**2).sum(axis=1)


@pytest.mark.parametrize("eta", [0.01, 0.1, 0.7])
def test_simultaneous_descent_spirals_out(eta):
    places = path(1.0, 0.5, eta, "simultaneous", 60)
    np.testing.assert_allclose(radius2(places), 1.25 * (1 + eta**2) ** np.arange(61))


@pytest.mark.parametrize("eta", [0.1, 0.7, 1.9])
def test_alternating_descent_stays_on_an_ellipse(eta):
    x, y = path(1.0, 0.5, eta, "alternating", 2000).T
    np.testing.assert_allclose(x**2 + y**2 - eta * x * y, 1.25 - 0.5 * eta)
    assert radius2(np.stack([x, y], axis=1)).max() <= (1.25 - 0.5 * eta) / (1 - eta / 2) + 1e-9


def test_alternating_descent_leaves_once_the_step_is_above_2():
    assert radius2(path(1.0, 0.5, 2.1, "alternating", 100))[-1] > 1e6


@pytest.mark.parametrize("eta", [0.1, 0.5**0.5, 0.99, 1.0, 1.1])
def test_extragradient_follows_its_closed_form(eta):
    places = path(1.0, 0.5, eta, "extragradient", 60)
    np.testing.assert_allclose(radius2(places), 1.25 * (1 - eta**2 + eta**4) ** np.arange(61))


def test_extragradient_comes_in_exactly_for_steps_between_0_and_1():
    after = {eta: radius2(path(1.0, 0.5, eta, "extragradient", 50))[-1] for eta in (0.05, 0.5**0.5, 0.95, 1.05)}
    assert after[0.05] < 1.25 and after[0.95] < 1.25 < after[1.05]
    assert after[0.5**0.5] == min(after.values())


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="must be one of simultaneous"):
        step(1.0, 0.0, 0.1, "momentum")
