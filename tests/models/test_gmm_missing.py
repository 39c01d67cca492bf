"""EM with missing coordinates: against complete data, finite differences, and a likelihood that never falls."""

import numpy as np
import pytest
import torch

from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_em import COVARIANCES, fit, m_step, start
from course_lib.models.gmm_missing import em_step, fit_missing


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


TRUTH = GaussianMixture(torch.tensor([0.6, 0.4]), torch.tensor([[-2.0, 0, 0], [2, 1, -1]]), torch.tensor(
    [[[1.0, 0.8, 0.3], [0.8, 1.5, 0.2], [0.3, 0.2, 0.6]], [[1.2, -0.7, 0], [-0.7, 0.9, 0.1], [0, 0.1, 1.4]]]))
X = TRUTH.sample(600, seeded())[0]
OBSERVED = torch.rand(X.shape, generator=seeded(1)) < 0.5
OBSERVED[0] = False
HOLES = torch.where(OBSERVED, X, torch.nan)
BEGIN = start(X, 2, seeded(2), "random points")


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_with_nothing_hidden_it_is_plain_em(covariance):
    begin = m_step(X, BEGIN.log_posterior(X).exp(), covariance)
    missing, track = fit_missing(X, torch.ones_like(X), begin, 5, covariance, reg=0.01)
    plain, plain_track = fit(X, begin, 5, covariance, reg=0.01)
    np.testing.assert_allclose(track, plain_track, rtol=1e-12)
    torch.testing.assert_close(missing.mu, plain.mu)
    torch.testing.assert_close(missing.cov, plain.cov)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_likelihood_of_what_was_seen_never_falls(covariance):
    begin = m_step(X, BEGIN.log_posterior(X).exp(), covariance)
    model, track = fit_missing(HOLES, OBSERVED, begin, 30, covariance)
    assert np.diff(track).min() > -1e-12
    assert track[-1] == pytest.approx(model.log_prob(HOLES, OBSERVED).mean().item(), abs=0.01)


def test_at_convergence_the_gradient_of_the_observed_likelihood_is_zero():
    holes, observed = HOLES[:300], OBSERVED[:300]
    model, _ = fit_missing(holes, observed, BEGIN, 400)

    def objective(logits, mu, L):
        return GaussianMixture(logits.softmax(0), mu, L @ L.mT).log_prob(holes, observed).mean().item()

    parameters = [model.pi.log(), model.mu, model.L]
    for which, value in enumerate(parameters):
        for index in np.ndindex(*value.shape):
            if which == 2 and index[2] > index[1]:
                continue  # the upper half of L is zero
            ends = []
            for h in (1e-5, -1e-5):
                moved = [p.clone() for p in parameters]
                moved[which][index] += h
                ends.append(objective(*moved))
            assert abs(ends[0] - ends[1]) / 2e-5 < 1e-5


def test_exact_marginals_find_the_correlation_that_filled_in_averages_lose():
    exact, _ = fit_missing(HOLES, OBSERVED, BEGIN, 100)
    filled = torch.where(OBSERVED, X, HOLES.nanmean(dim=0))
    imputed, _ = fit(filled, BEGIN, 100, reg=1e-3)
    fresh = TRUTH.sample(20_000, seeded(3))[0]
    loss = {name: (TRUTH.log_prob(fresh) - m.log_prob(fresh)).mean().item()
            for name, m in (("exact", exact), ("imputed", imputed))}
    assert 0 < loss["exact"] < 0.1 and loss["imputed"] > 0.5


def test_without_the_covariance_of_the_hidden_part_it_would_be_too_narrow():
    one = GaussianMixture([1.0], TRUTH.mu[:1], TRUTH.cov[:1])
    x = one.sample(4_000, seeded())[0]
    observed = torch.rand(x.shape, generator=seeded(1)) < 0.5
    better, _ = em_step(one, x, observed)
    torch.testing.assert_close(better.cov, one.cov, atol=0.1, rtol=0)
    completed = one.inpaint(x, observed)
    assert completed.T.cov().diagonal().sum() < 0.75 * one.cov[0].diagonal().sum()
