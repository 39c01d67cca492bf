"""Exact velocities against the table of kinds, the continuity equation, divergences by hand, and likelihoods."""

import math

import pytest
import torch

from course_lib.models.flow_matching import follow
from course_lib.models.noised import NoisedMixture
from course_lib.models.schedules import Straight
from course_lib.models.velocity import log_prob, marginal_velocity, trajectory, with_divergence
from course_lib.seeds import seeded

MIXTURE = NoisedMixture(torch.tensor([[-1.0, 0.5], [1.2, -0.3]]), torch.tensor([0.4, 0.6]), torch.tensor([0.3, 0.7]))
V = marginal_velocity(MIXTURE)
X = 1.5 * torch.randn(40, 2, generator=seeded(), dtype=torch.float64)
T = torch.rand(40, generator=seeded(1), dtype=torch.float64)
ONE = NoisedMixture(torch.tensor([[1.5]]), 0.4)  # one Gaussian, whose flow is a straight line in x at every time


def test_the_velocity_is_that_of_the_table_and_exists_at_both_ends():
    t = 0.05 + 0.9 * T
    torch.testing.assert_close(V(X, t), MIXTURE.field("velocity", X, t, Straight()), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(V(X, 0 * T), -X)  # E[ε] is 0, and x_0 is x
    mean = MIXTURE.pi @ MIXTURE.mu
    torch.testing.assert_close(V(X, 0 * T + 1), X - mean)


def test_density_and_velocity_obey_the_continuity_equation():
    t, path = (0.1 + 0.8 * T).requires_grad_(), Straight()
    x = X.clone().requires_grad_()
    log_p = MIXTURE.log_prob(x, path.alpha(t), path.sigma(t))
    slope_t, slope_x = torch.autograd.grad(log_p.sum(), (t, x))
    v, divergence = with_divergence(V, X, t.detach())
    left = slope_t + (v * slope_x).sum(dim=1) + divergence
    assert left.abs().max() < 1e-10 < slope_t.abs().max()


def test_divergence_of_a_linear_field():
    A = torch.tensor([[1.0, 2.0, 0.0], [0.5, -3.0, 1.0], [0.0, 4.0, 0.25]], dtype=torch.float64)
    x, t = torch.randn(7, 3, generator=seeded(), dtype=torch.float64), torch.full((7,), 0.5, dtype=torch.float64)
    v, divergence = with_divergence(lambda x, t: t[:, None] * x @ A.T, x, t)
    torch.testing.assert_close(v, 0.5 * x @ A.T)
    torch.testing.assert_close(divergence, torch.full((7,), 0.5 * A.trace().item(), dtype=torch.float64))
    probes = torch.randn(7, 3, generator=seeded(1), dtype=torch.float64)
    _, estimate = with_divergence(lambda x, t: t[:, None] * x @ A.T, x, t, probes)
    torch.testing.assert_close(estimate, 0.5 * (probes @ A * probes).sum(dim=1))


def test_hutchinsons_estimate_is_right_on_average():
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    both = [with_divergence(V, X, T, probe.expand(40, 2))[1] for probe in signs]  # all there are, up to their sign
    torch.testing.assert_close((both[0] + both[1]) / 2, with_divergence(V, X, T)[1])
    assert (both[0] - both[1]).abs().max() > 0.1


def test_the_flow_knows_the_density():
    exact = MIXTURE.log_prob(X, 1.0, 0.0)
    off = [(log_prob(V, X, steps) - exact).abs().max().item() for steps in (100, 200)]
    assert off[1] < 2e-3 and 3 < off[0] / off[1] < 5  # of order 2
    probes = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    mean = torch.stack([log_prob(V, X, 100, probes=p.expand(40, 2)) for p in probes]).mean(dim=0)
    torch.testing.assert_close(mean, log_prob(V, X, 100))


def test_the_flow_of_one_gaussian_is_known():
    x = torch.tensor([[1.0], [2.5]], dtype=torch.float64)
    exact = -0.5 * ((x[:, 0] - 1.5) / 0.4) ** 2 - math.log(0.4 * math.sqrt(2 * math.pi))
    torch.testing.assert_close(log_prob(marginal_velocity(ONE), x, 400), exact, rtol=1e-4, atol=1e-4)
    z = torch.tensor([[-1.0], [0.0], [2.0]], dtype=torch.float64)
    track = trajectory(marginal_velocity(ONE), z, 400)
    assert track.shape == (401, 3, 1) and torch.equal(track[0], z)
    torch.testing.assert_close(track[-1], 1.5 + 0.4 * z, rtol=1e-4, atol=1e-4)
    t = torch.tensor(0.5)
    std = math.hypot(0.5 * 0.4, 0.5)
    torch.testing.assert_close(track[200], 1.5 * t + std * z, rtol=1e-4, atol=1e-4, check_dtype=False)


@pytest.mark.parametrize("method", ["euler", "midpoint", "heun"])
def test_a_way_in_one_step_ends_where_following_does(method):
    torch.testing.assert_close(trajectory(V, X, 5, method)[-1], follow(V, X, 5, method))
