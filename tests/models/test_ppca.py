"""Probabilistic PCA against scikit-learn, torch.distributions, quadrature, and the identity log p = ELBO + KL."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, kl_divergence

from course_lib.models.ppca import PPCA

SHAPES = [(5, 2), (3, 1), (7, 4)]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, generator):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def model_and_points(D, d, seed=0, n=200):
    generator = seeded(seed)
    model = PPCA(normal(D, d, generator=generator), normal(D, generator=generator), 0.3)
    return model, model.sample(n, generator)[0], generator


@pytest.mark.parametrize(("D", "d"), SHAPES)
def test_maximum_likelihood_is_scikit_learns(D, d):
    _, x, _ = model_and_points(D, d)
    model, n = PPCA.fit(x, d), len(x)
    covariance = torch.tensor(PCA(d).fit(x.numpy()).get_covariance()) * (n - 1) / n     # it divides by n − 1
    torch.testing.assert_close(model.C, covariance, atol=1e-10, rtol=0)
    torch.testing.assert_close(model.mu, x.mean(dim=0))


def test_no_step_from_the_fit_raises_the_likelihood():
    _, x, generator = model_and_points(5, 2)
    best = PPCA.fit(x, 2)
    top = best.log_prob(x).mean()
    for size in (1e-3, 0.1):
        for _ in range(10):
            moved = PPCA(best.W + size * normal(5, 2, generator=generator),
                         best.mu + size * normal(5, generator=generator),
                         best.sigma2 * math.exp(size * normal(1, generator=generator).item()))
            assert moved.log_prob(x).mean() < top


def test_parameters_are_recovered_from_many_points():
    model, x, _ = model_and_points(4, 2, n=100_000)
    fitted = PPCA.fit(x, 2)
    torch.testing.assert_close(fitted.C, model.C, atol=0.05, rtol=0)
    assert fitted.sigma2 == pytest.approx(0.3, abs=0.01)


def test_log_prob_and_posterior_by_quadrature():
    model, x, _ = model_and_points(3, 1, n=5)
    z = torch.linspace(-10, 10, 4_001, dtype=torch.float64)[:, None]
    noise = MultivariateNormal(torch.zeros(3, dtype=torch.float64), 0.3 * torch.eye(3, dtype=torch.float64))
    log_joint = noise.log_prob(x[:, None] - z @ model.W.T - model.mu) - 0.5 * z[:, 0] ** 2 - 0.5 * math.log(2 * math.pi)
    log_p = log_joint.logsumexp(dim=1) + math.log(0.005)
    torch.testing.assert_close(model.log_prob(x), log_p, atol=1e-10, rtol=0)
    weights = (log_joint - log_p[:, None]).exp() * 0.005
    mean, covariance = model.posterior(x)
    torch.testing.assert_close(mean[:, 0], (weights * z[:, 0]).sum(dim=1), atol=1e-9, rtol=0)
    torch.testing.assert_close(covariance[0, 0].expand(5), (weights * (z[:, 0] - mean) ** 2).sum(dim=1),
                               atol=1e-9, rtol=0)


@pytest.mark.parametrize(("D", "d"), SHAPES)
def test_the_elbo_touches_at_the_posterior_and_else_the_gap_is_the_kl(D, d):
    model, x, generator = model_and_points(D, d)
    mean, covariance = model.posterior(x)
    torch.testing.assert_close(model.elbo(x, mean, covariance), model.log_prob(x), atol=1e-9, rtol=0)
    m, root = mean + normal(len(x), d, generator=generator), normal(len(x), d, d, generator=generator)
    for S in (root[0] @ root[0].T + 0.1 * torch.eye(d, dtype=torch.float64),
              root @ root.mT + 0.1 * torch.eye(d, dtype=torch.float64)):
        kl = kl_divergence(MultivariateNormal(m, S), MultivariateNormal(mean, covariance))
        torch.testing.assert_close(model.log_prob(x) - model.elbo(x, m, S), kl, atol=1e-9, rtol=0)
        assert kl.min() > 0


def test_turning_the_latent_plane_changes_p_of_x_in_nothing_and_the_independent_gap_by_its_formula():
    model, x, _ = model_and_points(5, 2)
    R = torch.linalg.qr(normal(2, 2, generator=seeded(3)))[0]
    turned = PPCA(model.W @ R, model.mu, model.sigma2)
    torch.testing.assert_close(turned.log_prob(x), model.log_prob(x), atol=1e-9, rtol=0)
    mean, covariance = turned.posterior(x)
    precision = torch.linalg.inv(covariance)
    best = 1 / precision.diagonal()
    gap = turned.log_prob(x) - turned.elbo(x, mean, best.diag())
    expected = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
    torch.testing.assert_close(gap, expected.expand(len(x)), atol=1e-9, rtol=0)
    for factor in (0.8, 1.2):
        for j in range(2):
            worse = best.clone()
            worse[j] *= factor
            assert (turned.elbo(x, mean, worse.diag()) < turned.elbo(x, mean, best.diag())).all()


def test_samples_have_the_models_moments():
    model, x, _ = model_and_points(4, 2, n=200_000)
    torch.testing.assert_close(x.mean(dim=0), model.mu, atol=0.03, rtol=0)
    torch.testing.assert_close(x.T.cov(), model.C, atol=0.08, rtol=0)
    same = [model.sample(3, seeded(5))[0] for _ in range(2)]
    assert torch.equal(*same)


def test_the_gradient_of_the_elbo_against_finite_differences():
    model, x, generator = model_and_points(4, 2, n=3)
    m, root = normal(3, 2, generator=generator).requires_grad_(), normal(2, 2, generator=generator).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, root: model.elbo(x, m, root @ root.T + 0.1 * torch.eye(2).double()),
                                    (m, root))


@pytest.mark.parametrize(("call", "words"), [
    (lambda: PPCA(torch.zeros(3), torch.zeros(3), 1.0), r"W of shape \[D, d\]"),
    (lambda: PPCA(torch.zeros(3, 1), torch.zeros(2), 1.0), r"not \[3, 1\], \[2\]"),
    (lambda: PPCA(torch.zeros(3, 1), torch.zeros(3), 0.0), "sigma2 must be a positive variance"),
    (lambda: PPCA.fit(torch.ones(9, 3) * torch.nan, 1), "finite"),
    (lambda: PPCA.fit(torch.ones(1, 3), 1), "at least two rows"),
    (lambda: PPCA.fit(torch.ones(9, 3, dtype=torch.int64), 1), "floating"),
    (lambda: PPCA.fit(torch.rand(9, 3, generator=seeded()), 3), "between 1 and D - 1 = 2, not 3"),
    (lambda: PPCA.fit(torch.rand(9, 1, generator=seeded()) @ torch.ones(1, 3), 1), "take a smaller d"),
    (lambda: PPCA(torch.zeros(3, 1), torch.zeros(3), 1.0).log_prob(torch.zeros(2, 4)), r"shape \[n, 3\]"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
