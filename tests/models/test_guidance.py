"""Guidance on the line against closed forms: of Gaussians, and where it must change nothing."""

import pytest
import torch

from course_lib.models.flow_matching import follow
from course_lib.models.guidance import guided_line, mean_and_deviation, pushed, tilted
from course_lib.models.noised import NoisedMixture

LINE = torch.linspace(-9, 9, 3001, dtype=torch.float64)
MODES = torch.tensor([[-1.2], [1.2]])
WHOLE, PART = NoisedMixture(MODES, 0.7), NoisedMixture(MODES[1:], 0.7)


@pytest.mark.parametrize(("w", "goal"), [(0.0, WHOLE), (1.0, PART)])
def test_without_guidance_noise_is_carried_to_the_density_itself(w, goal):
    x, density = pushed(guided_line(WHOLE, PART, w))
    torch.testing.assert_close(density, goal.log_prob(x[:, None]).exp(), rtol=0, atol=3e-5)
    torch.testing.assert_close(tilted(WHOLE, PART, w, LINE), goal.log_prob(LINE[:, None]).exp(), rtol=0, atol=1e-9)


def test_the_figures_of_two_gaussians():
    x, density = pushed(guided_line(WHOLE, PART, 3.0))
    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-9)
    assert mean_and_deviation(x, density) == pytest.approx((1.9347, 0.4418), abs=2e-4)
    assert mean_and_deviation(LINE, tilted(WHOLE, PART, 3.0, LINE)) == pytest.approx((1.3194, 0.6134), abs=2e-4)
    assert mean_and_deviation(*pushed(guided_line(WHOLE, PART, 3.0), steps=1600)) == pytest.approx(
        mean_and_deviation(x, density), abs=2e-5)


def test_two_gaussians_of_one_width_at_one_place_are_not_moved_by_guidance():
    same = NoisedMixture(torch.tensor([[0.5]]), 0.4)
    x, density = pushed(guided_line(same, same, 7.0))
    assert mean_and_deviation(x, density) == pytest.approx((0.5, 0.4), abs=1e-4)


def test_the_tilted_density_of_two_gaussians_is_a_gaussian():
    """p = N(0, 1), p(x | y) = N(m, 1): p(x)(p(x | y)/p(x))^w is N(w m, 1), and guidance reaches the same mean: here the
    velocities differ by a function of t alone."""
    whole, part = NoisedMixture(torch.tensor([[0.0]]), 1.0), NoisedMixture(torch.tensor([[0.6]]), 1.0)
    assert mean_and_deviation(LINE, tilted(whole, part, 2.5, LINE)) == pytest.approx((1.5, 1.0), abs=1e-6)
    x, density = pushed(guided_line(whole, part, 2.5))
    assert mean_and_deviation(x, density) == pytest.approx((1.5, 1.0), abs=1e-3)


def test_the_field_is_a_difference_gone_on(w=2.5):
    x, t = torch.tensor([[0.3], [-1.0]], dtype=torch.float64), torch.tensor([0.4, 0.9], dtype=torch.float64)
    none, asked, beyond = (guided_line(WHOLE, PART, at)(x, t) for at in (0.0, 1.0, w))
    torch.testing.assert_close(beyond, none + w * (asked - none))


def test_trajectories_that_cross_are_refused():
    with pytest.raises(ValueError, match="take more"):
        pushed(lambda x, t: 5 * torch.sin(3 * x), steps=1)


def test_the_same_way_is_taken_by_the_solver():
    x, _ = pushed(guided_line(WHOLE, PART, 2.0), steps=50)
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)[::400, None]
    torch.testing.assert_close(follow(guided_line(WHOLE, PART, 2.0), z, 50, "midpoint")[:, 0], x[::400])
