"""The bent model: its integrals against another quadrature, its closed forms against integrals, its optimum."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate
from torch.distributions import Normal

from course_lib.models.circle import Circle, Encoder

GRID = torch.linspace(-9, 9, 6_001, dtype=torch.float64)[:, None]


@pytest.fixture(scope="module")
def points():
    return Circle().sample(300, torch.Generator().manual_seed(0))[0]


@pytest.mark.parametrize("noise", [0.1, 0.4, 1.0])
def test_log_prob_by_adaptive_quadrature(points, noise):
    circle = Circle(noise=noise)
    for x in points[:5]:
        def joint(z, x=x):
            return circle.log_joint(x[None], torch.tensor([z], dtype=torch.float64)).exp().item()

        value, _ = integrate.quad(joint, -9, 9, epsabs=1e-13, limit=1000, points=np.linspace(-5, 5, 41))
        assert circle.log_prob(x[None]).item() == pytest.approx(math.log(value), abs=1e-9)


def test_p_of_x_integrates_to_one():
    circle, axis = Circle(), torch.linspace(-4, 4, 61, dtype=torch.float64)
    plane = torch.cartesian_prod(axis, axis)
    assert circle.log_prob(plane).exp().sum() * (8 / 60) ** 2 == pytest.approx(1, abs=1e-8)


def test_the_closed_elbo_is_the_integral(points):
    circle, generator = Circle(), torch.Generator().manual_seed(1)
    m = torch.randn(300, generator=generator, dtype=torch.float64).clamp(-1.5, 1.5)    # so that the grid holds q
    s = 0.1 + torch.rand(300, generator=generator, dtype=torch.float64)
    log_q = Normal(m, s).log_prob(GRID)
    by_integral = (log_q.exp() * (circle.log_joint(points, GRID) - log_q)).sum(dim=0) * 0.003
    torch.testing.assert_close(circle.elbo(points, m, s), by_integral, atol=1e-9, rtol=0)


def test_the_gap_is_the_kl_to_the_posterior(points):
    circle = Circle()
    m, s = circle.best_gaussian(points)
    log_posterior = circle.log_joint(points, GRID) - circle.log_prob(points)
    log_q = Normal(m, s).log_prob(GRID)
    kl = (log_q.exp() * (log_q - log_posterior)).sum(dim=0) * 0.003
    torch.testing.assert_close(circle.log_prob(points) - circle.elbo(points, m, s), kl, atol=1e-9, rtol=0)


def test_no_search_beats_the_best_gaussian(points):
    circle, generator = Circle(), torch.Generator().manual_seed(2)
    best = circle.elbo(points, *circle.best_gaussian(points))
    for _ in range(2):
        m = (1.5 * torch.randn(300, generator=generator, dtype=torch.float64)).requires_grad_()
        log_s = torch.full((300,), -1.5, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([m, log_s], lr=0.03)
        for _ in range(250):
            optimizer.zero_grad()
            (-circle.elbo(points, m, log_s.exp()).sum()).backward()
            optimizer.step()
        assert (circle.elbo(points, m, log_s.exp()) - best).max() < 1e-9


@pytest.mark.parametrize(("a", "noise"), [(2.0, 0.4), (1.0, 1.0), (2.0, 0.1)])
def test_the_best_gaussian_is_stationary(points, a, noise):
    circle = Circle(a, noise)
    m, s = (v.requires_grad_() for v in circle.best_gaussian(points))
    for slope in torch.autograd.grad(circle.elbo(points, m, s).sum(), (m, s)):
        assert slope.abs().max() < 1e-4


def test_behind_the_circle_half_the_posterior_is_missing():
    behind = torch.tensor([[-1.0, 0.0]], dtype=torch.float64)
    circle = Circle()
    gap = circle.log_prob(behind) - circle.elbo(behind, *circle.best_gaussian(behind))
    assert gap.item() == pytest.approx(math.log(2), abs=0.005)


def test_with_much_noise_the_posterior_is_the_prior_and_so_is_q():
    circle, x = Circle(noise=100.0), torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    m, s = circle.best_gaussian(x)
    assert m.item() == pytest.approx(0, abs=1e-3) and s.item() == pytest.approx(1, abs=1e-3)


def test_samples_follow_the_density():
    x, z = Circle().sample(100_000, torch.Generator().manual_seed(3))
    assert z.std().item() == pytest.approx(1, abs=0.01)
    expected = torch.stack([torch.tensor(math.exp(-2.0)), torch.tensor(0.0)]).double()     # E[cos 2z], E[sin 2z]
    torch.testing.assert_close(x.mean(dim=0), expected, atol=0.02, rtol=0)


def test_gradients_of_elbo_and_log_joint_against_finite_differences(points):
    circle, generator = Circle(), torch.Generator().manual_seed(4)
    m, s = (torch.rand(3, generator=generator, dtype=torch.float64).add(0.1).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(lambda m, s: circle.elbo(points[:3], m, s), (m, s))
    assert torch.autograd.gradcheck(lambda z: circle.log_joint(points[:3], z), (m,))


def test_the_encoder():
    encoder = Encoder((), torch.Generator().manual_seed(0))
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(1))
    m, s = encoder(x)
    assert m.shape == s.shape == (7,) and (s > 0).all()
    middle, _ = encoder((x[:1] + x[1:2]) / 2)
    torch.testing.assert_close(middle, (m[:1] + m[1:2]) / 2)            # affine
    deep = Encoder((8, 4), torch.Generator().manual_seed(0))
    middle, _ = deep((x[:1] + x[1:2]) / 2)
    assert not np.isclose(middle.item(), (deep(x)[0][:2].mean()).item())
    assert [tuple(layer.W.shape) for layer in deep.layers] == [(2, 8), (8, 4), (4, 2)]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: Circle(noise=0.0), "must be positive, not 2.0 and 0.0"),
    (lambda: Circle(a=-1.0), "must be positive"),
    (lambda: Circle().log_prob(torch.zeros(3)), r"shape \[n, 2\], not \[3\]"),
    (lambda: Circle().elbo(torch.zeros(3, 2, dtype=torch.int64), torch.zeros(3), torch.ones(3)), "torch.int64"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
