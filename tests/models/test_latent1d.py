"""The 1-D latent model against other ways to the same numbers, and every identity of notebook 03."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm

from course_lib.measure import kl, normal_density
from course_lib.models.latent1d import DZ, NODES, WEIGHTS, Latent1D, Z

X = 2.0
MODELS = [Latent1D(theta, sigma_x) for theta, sigma_x in ((0.0, 0.7), (0.4, 0.5), (1.0, 0.7), (2.0, 0.7), (-0.6, 1.2))]
QS = [(-0.5, 0.8), (1.0, 0.6), (0.0, 1.0), (2.0, 1.2)]


def log_q(mu, sigma):
    return norm.logpdf(Z, mu, sigma)


def integral(values):
    return (values * DZ).sum()


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("x", [-1.5, 0.3, 2.0, 4.0])
def test_evidence_agrees_with_adaptive_quadrature_to_1e_10(model, x):
    value = sum(quad(lambda z: norm.pdf(z) * norm.pdf(x, z + model.theta * z**2, model.sigma_x), low, high,
                     epsabs=1e-15, epsrel=1e-13, limit=200)[0] for low, high in ((-12, -2), (-2, 0), (0, 2), (2, 12)))
    assert model.log_evidence(x) == pytest.approx(math.log(value), abs=1e-10)


def test_linear_model_is_a_gaussian_in_closed_form():
    model, x = Latent1D(0.0, 0.7), np.array([-3.0, 0.0, 2.0])
    var = 1 + 0.7**2
    np.testing.assert_allclose(model.log_evidence(x), norm.logpdf(x, 0, math.sqrt(var)), atol=1e-12)
    np.testing.assert_allclose(model.posterior(2.0), norm.pdf(Z, 2 / var, 0.7 / math.sqrt(var)), atol=1e-11)
    assert model.best_gaussian(2.0) == pytest.approx((2 / var, 0.7 / math.sqrt(var)), abs=1e-5)


def test_evidence_is_a_density_of_x():
    x = np.linspace(-8, 70, 1_561)
    assert np.trapezoid(np.exp(Latent1D(1.0, 0.7).log_evidence(x)), x) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize(("mu", "sigma"), QS)
def test_evidence_is_bound_plus_kl_for_every_q(model, mu, sigma):
    q, log_posterior = np.exp(log_q(mu, sigma)), model.log_joint(X, Z) - model.log_evidence(X)
    gap = integral(q * (log_q(mu, sigma) - log_posterior))
    assert gap >= 0
    assert model.elbo(q, X) + gap == pytest.approx(model.log_evidence(X), abs=1e-8)
    assert model.elbo(q, X) == pytest.approx(integral(q * (model.log_joint(X, Z) - log_q(mu, sigma))), abs=1e-8)
    assert model.gaussian_elbo(mu, sigma, X) == pytest.approx(model.elbo(q, X), abs=1e-8)


def test_bound_is_fit_less_the_distance_to_the_prior():
    model, q = Latent1D(1.0, 0.7), normal_density(Z, -0.5, 0.8)
    fit = quad(lambda z: norm.pdf(z, -0.5, 0.8) * norm.logpdf(X, z + z**2, 0.7), -10, 10, epsabs=1e-12)[0]
    to_prior = kl(q, normal_density(Z, 0, 1), Z)
    assert model.elbo(q, X) == pytest.approx(fit - to_prior, abs=1e-8)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_exact_posterior_leaves_no_gap(model):
    posterior = model.posterior(X)
    assert integral(posterior) == pytest.approx(1, abs=1e-12)
    assert model.elbo(posterior, X) == pytest.approx(model.log_evidence(X), abs=1e-10)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_best_gaussian_is_where_a_general_optimiser_ends(model):
    best = model.best_gaussian(X)
    ends = [minimize(lambda p: -model.gaussian_elbo(p[0], np.exp(p[1]), X), start, method="BFGS", tol=1e-10)
            for start in ((-2, -1), (0, 0), (1, -1), (2, -1))]
    end = min(ends, key=lambda e: e.fun)
    assert model.gaussian_elbo(*best, X) == pytest.approx(-end.fun, abs=1e-8)
    assert best == pytest.approx((end.x[0], np.exp(end.x[1])), abs=1e-4)


def test_after_an_exact_e_step_the_evidence_rises_at_least_as_much_as_the_bound():
    for start in (Latent1D(0.3), Latent1D(1.0)):
        q = start.posterior(X)
        for theta in np.linspace(0, 2, 41):
            moved = Latent1D(theta)
            gain = moved.log_evidence(X) - start.log_evidence(X)
            assert gain >= moved.elbo(q, X) - start.elbo(q, X) - 1e-10


def test_with_a_poor_q_the_bound_rises_while_the_evidence_falls():
    q, before, after = normal_density(Z, 1.4, 0.3), Latent1D(1.0), Latent1D(0.2)
    assert after.elbo(q, X) > before.elbo(q, X) + 2 and after.log_evidence(X) < before.log_evidence(X) - 0.1


def test_three_nodes_integrate_polynomials_of_degree_five():
    moments = [1, 0, 1, 0, 3, 0]  # E[e^k] of a standard normal
    np.testing.assert_allclose([WEIGHTS @ NODES**k for k in range(6)], moments, atol=1e-12)
    assert WEIGHTS @ NODES**6 < 14  # and no further: it is 15


def test_gradient_of_the_expected_fit_against_finite_differences():
    model, mu, sigma, h = Latent1D(1.0, 0.7), 0.4, 0.6, 1e-5
    z = mu + sigma * NODES
    residual = (X - z - z**2) * (1 + 2 * z) / 0.7**2

    def fit(mu, sigma):
        return WEIGHTS @ model.log_likelihood(X, mu + sigma * NODES)

    assert WEIGHTS @ residual == pytest.approx((fit(mu + h, sigma) - fit(mu - h, sigma)) / (2 * h), rel=1e-6)
    assert WEIGHTS @ (residual * NODES) == pytest.approx((fit(mu, sigma + h) - fit(mu, sigma - h)) / (2 * h), rel=1e-6)


def test_evidence_and_posterior_take_many_x():
    model, x = Latent1D(), np.array([[0.0, 1.0], [2.0, 3.0]])
    assert model.log_evidence(x).shape == (2, 2) and model.posterior(x).shape == (2, 2, len(Z))
    np.testing.assert_allclose(model.posterior(x)[1, 0], model.posterior(2.0))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Latent1D(sigma_x=0.0), "sigma_x is a standard deviation and must be positive, not 0"),
    (lambda: Latent1D(sigma_x=float("nan")), "must be positive, not nan"),
    (lambda: Latent1D(theta=float("inf")), "theta must be a finite number"),
    (lambda: Latent1D(0.0).log_evidence(30.0), "reaches beyond the grid"),
    (lambda: Latent1D(0.0, 0.001).log_evidence(1.0), "narrower than the grid's step"),
    (lambda: Latent1D().log_evidence(np.nan), "x has NaN or infinite"),
    (lambda: Latent1D().elbo(np.ones(3), X), r"of shape \(4801,\), not \(3,\)"),
    (lambda: Latent1D().elbo(normal_density(Z, 12, 1), X), "integrate to 1 over the grid"),
    (lambda: Latent1D().elbo(normal_density(Z, 0, 1) - 1e-3, X), "nowhere negative"),
    (lambda: Latent1D().gaussian_elbo(0.0, -1.0, X), "standard deviation and must be positive"),
])
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_shared_grid_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Z[0] = 1
