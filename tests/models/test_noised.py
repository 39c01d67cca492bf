"""Noised mixtures against autograd, quadrature, the general Gaussian mixture and draws."""

import math

import pytest
import torch

from course_lib.models.gmm import GaussianMixture
from course_lib.models.noised import NoisedMixture, least_error, plane_grid
from course_lib.seeds import seeded

LEVELS = [(1.0, 0.3), (0.7, 0.4), (0.05, 1.0), (0.0, 1.0)]
PI, S = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64), torch.tensor([0.1, 0.6, 0.0], dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def mixture(D):
    return NoisedMixture(2 * normal(3, D), S, PI)


@pytest.mark.parametrize("D", [1, 2, 5, 20])
@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_the_density_is_that_of_the_general_mixture_and_the_score_its_gradient(D, alpha, sigma):
    m, x = mixture(D), normal(7, D, seed=1).requires_grad_()
    v = alpha**2 * S**2 + sigma**2
    general = GaussianMixture(PI, alpha * m.mu, v[:, None, None] * torch.eye(D))
    log_p = m.log_prob(x, alpha, sigma)
    torch.testing.assert_close(log_p.detach(), general.log_prob(x.detach()), rtol=1e-10, atol=1e-10)
    (slope,) = torch.autograd.grad(log_p.sum(), x)
    x = x.detach()
    torch.testing.assert_close(m.score(x, alpha, sigma), slope, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(m.posterior(x, alpha, sigma), general.log_posterior(x).exp(), rtol=1e-9, atol=1e-10)
    if alpha > 0:  # Tweedie
        torch.testing.assert_close(m.denoiser(x, alpha, sigma), (x + sigma**2 * slope) / alpha, rtol=1e-9, atol=1e-9)


def test_levels_may_differ_from_point_to_point():
    m, x = mixture(2), normal(4, 2, seed=1)
    alpha, sigma = (torch.tensor(level, dtype=torch.float64) for level in zip(*LEVELS, strict=True))
    for ask in (m.log_prob, m.posterior, m.score, m.denoiser, m.spread):
        together = ask(x, alpha, sigma)
        for i, level in enumerate(LEVELS):
            torch.testing.assert_close(together[[i]], ask(x[[i]], *level))


@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_denoiser_and_spread_are_the_moments_of_the_posterior_by_quadrature(alpha, sigma):
    m = NoisedMixture(torch.tensor([[-1.0], [0.5]]), torch.tensor([0.3, 0.8]), torch.tensor([0.3, 0.7]))
    x_0 = torch.linspace(-8, 8, 8001, dtype=torch.float64)[:, None]
    for x in (-1.5, 0.2, 3.0):
        joint = m.log_prob(x_0) - 0.5 * ((x - alpha * x_0[:, 0]) / sigma) ** 2
        p = joint.softmax(dim=0)
        mean = (p * x_0[:, 0]).sum()
        at = torch.tensor([[x]], dtype=torch.float64)
        assert m.denoiser(at, alpha, sigma).item() == pytest.approx(mean.item(), abs=1e-8)
        assert m.spread(at, alpha, sigma).item() == pytest.approx((p * (x_0[:, 0] - mean) ** 2).sum().item(), abs=1e-8)


def test_a_finite_set_is_a_softmax_over_its_points_and_many_dimensions_are_the_same():
    points, x = normal(6, 12), normal(5, 12, seed=1)
    m = NoisedMixture(points, 0.0)
    r = (-0.5 * torch.cdist(x, 0.8 * points) ** 2 / 0.36).softmax(dim=1)
    torch.testing.assert_close(m.posterior(x, 0.8, 0.6), r)
    torch.testing.assert_close(m.denoiser(x, 0.8, 0.6), r @ points)
    few = NoisedMixture(points[:, :4], 0.1)
    padded = NoisedMixture(torch.cat([points[:, :4], torch.zeros(6, 8, dtype=torch.float64)], dim=1), 0.1)
    wide = torch.cat([x[:, :4], torch.zeros(5, 8, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(few.denoiser(x[:, :4], 0.8, 0.6), padded.denoiser(wide, 0.8, 0.6)[:, :4])


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_the_least_error_is_the_mean_spread_of_draws_and_exact_for_one_gaussian(D, alpha, sigma):
    one = NoisedMixture(torch.ones(1, D, dtype=torch.float64), 0.5)
    assert least_error(one, alpha, sigma) == pytest.approx(D * 0.25 * sigma**2 / (0.25 * alpha**2 + sigma**2), rel=1e-8)
    m = mixture(D)
    x_0, eps = m.sample(40_000, seeded(3)).double(), normal(40_000, D, seed=4)
    off = (m.denoiser(alpha * x_0 + sigma * eps, alpha, sigma) - x_0).square().sum(dim=1)
    error = off.std() / math.sqrt(len(off))
    assert abs(least_error(m, alpha, sigma) - off.mean()) < 4 * error + 1e-9
    points, cell = plane_grid(m, alpha, sigma)
    assert m.log_prob(points, alpha, sigma).exp().sum().item() * cell == pytest.approx(1, abs=1e-6)


def test_without_noise_nothing_is_to_guess():
    assert least_error(mixture(2), 1.0, 0.0) == 0
    with pytest.raises(ValueError, match="a density that is no point"):
        plane_grid(mixture(2), 1.0, 0.0)
    with pytest.raises(ValueError, match="a point and has no density"):
        mixture(2).score(normal(3, 2), 1.0, 0.0)
    with pytest.raises(ValueError, match="one or two dimensions"):
        least_error(mixture(3), 1.0, 0.5)


def test_draws_have_the_mixtures_moments():
    x = mixture(2).sample(50_000, seeded())
    mean = PI @ mixture(2).mu
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.double().mean(dim=0), mean, atol=0.03, rtol=0)
    second = (PI * (2 * S**2 + mixture(2).mu.square().sum(dim=1))).sum()
    assert x.square().sum(dim=1).mean().item() == pytest.approx(second.item(), rel=0.02)


@pytest.mark.parametrize(("mu", "s", "pi", "message"), [
    (torch.zeros(2), 0.1, None, r"mu must have shape \[K, D\]"),
    (torch.zeros(2, 1), -0.1, None, "not negative"),
    (torch.zeros(2, 1), torch.ones(2), torch.tensor([0.5, 0.6]), "must sum to 1"),
    (torch.zeros(2, 1), 0.1, torch.ones(3) / 3, r"pi must have shape \[2\]"),
])
def test_mixtures_that_are_none_are_refused(mu, s, pi, message):
    with pytest.raises(ValueError, match=message):
        NoisedMixture(mu, s, pi)
    with pytest.raises(ValueError, match=r"x must have shape \[n, 1\]"):
        NoisedMixture(torch.zeros(2, 1), 0.1).log_prob(torch.zeros(3, 2))
