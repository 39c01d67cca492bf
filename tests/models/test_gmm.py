"""Gaussian mixtures and EM against scikit-learn, torch.distributions, quadrature and their own definitions."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn import mixture as sklearn_mixture
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from course_lib.models.gmm import CollapsedError, GaussianMixture
from course_lib.models.gmm_em import COVARIANCES, STARTS, bic, constrain, fit, m_step, n_parameters, start


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def a_mixture(K=3, D=4, seed=0):
    generator = seeded(seed)
    factor = torch.randn(K, D, D, generator=generator, dtype=torch.float64)
    pi = torch.rand(K, generator=generator, dtype=torch.float64) + 0.2
    return GaussianMixture(pi / pi.sum(), 2 * torch.randn(K, D, generator=generator, dtype=torch.float64),
                           factor @ factor.mT + 0.3 * torch.eye(D))


MODEL = a_mixture()
X = MODEL.sample(400, seeded(1))[0]


def as_torch(model):
    return MixtureSameFamily(Categorical(model.pi), MultivariateNormal(model.mu, model.cov))


def test_densities_equal_torch_distributions():
    torch.testing.assert_close(MODEL.log_prob(X), as_torch(MODEL).log_prob(X), rtol=1e-12, atol=0)
    components = MultivariateNormal(MODEL.mu, MODEL.cov).log_prob(X[:, None]) + MODEL.pi.log()
    torch.testing.assert_close(MODEL.log_joint(X), components, rtol=1e-12, atol=0)
    torch.testing.assert_close(MODEL.log_posterior(X).exp().sum(dim=1), torch.ones(400, dtype=torch.float64))


def test_far_points_have_finite_responsibilities():
    far = torch.full((1, 4), 1e4, dtype=torch.float64)
    assert MODEL.log_joint(far).exp().sum() == 0
    assert MODEL.log_posterior(far).exp().sum().item() == pytest.approx(1)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_each_iteration_equals_scikit_learn(covariance):
    begin = m_step(X, start(X, 3, seeded(2), "random points").log_posterior(X).exp(), covariance)
    precisions = torch.linalg.inv(begin.cov)
    if covariance == "diag":
        precisions = precisions.diagonal(dim1=1, dim2=2)
    elif covariance == "spherical":
        precisions = precisions[:, 0, 0]
    _, track = fit(X, begin, 26, covariance)
    assert track[20] - track[0] > 1e-3  # there is something to compare
    for steps in range(1, 26):
        theirs = sklearn_mixture.GaussianMixture(
            3, covariance_type=covariance, reg_covar=0, max_iter=steps, tol=0, weights_init=begin.pi,
            means_init=begin.mu, precisions_init=precisions)
        with pytest.warns(Warning):  # not converged: that is wanted
            theirs.fit(X.numpy())
        assert theirs.lower_bound_ == pytest.approx(track[steps - 1], rel=1e-8)
        assert theirs.score(X.numpy()) == pytest.approx(track[steps], rel=1e-8)
    model, _ = fit(X, begin, 25, covariance)
    np.testing.assert_allclose(model.mu, theirs.means_, rtol=1e-7)
    np.testing.assert_allclose(model.pi, theirs.weights_, rtol=1e-7)
    assert bic(model, X, covariance) == pytest.approx(theirs.bic(X.numpy()), rel=1e-8)
    assert n_parameters(3, 4, covariance) == theirs._n_parameters()


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("how", STARTS)
def test_the_likelihood_never_falls(covariance, how):
    for seed in range(3):
        _, track = fit(X, start(X, 3, seeded(seed), how, covariance), 60, covariance)
        assert np.diff(track).min() > -1e-12
        assert track[-1] > track[0]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_m_step_beats_its_neighbours(covariance):
    r = MODEL.log_posterior(X).exp()
    best = m_step(X, r, covariance)

    def Q(model):
        return (r * model.log_joint(X)).sum().item()

    for seed in range(20):
        generator = seeded(seed)
        pi = (best.pi.log() + 0.05 * torch.randn(3, generator=generator)).softmax(dim=0)
        mu = best.mu + 0.05 * torch.randn(3, 4, generator=generator)
        noise = 0.05 * torch.randn(3, 4, 4, generator=generator, dtype=torch.float64)
        cov = constrain(best.cov @ torch.matrix_exp(noise) @ torch.eye(4, dtype=torch.float64), covariance, 0)
        near = (GaussianMixture(pi, best.mu, best.cov), GaussianMixture(best.pi, mu, best.cov),
                GaussianMixture(best.pi, best.mu, constrain((cov + cov.mT) / 2, covariance, 0)))
        assert all(Q(model) < Q(best) for model in near)


def test_the_constraints():
    diag, spherical = (m_step(X, MODEL.log_posterior(X).exp(), c).cov for c in ("diag", "spherical"))
    assert (diag - torch.diag_embed(diag.diagonal(dim1=1, dim2=2)) == 0).all()
    assert (spherical == spherical[:, :1, :1] * torch.eye(4)).all()
    torch.testing.assert_close(m_step(X, MODEL.log_posterior(X).exp(), reg=0.5).cov,
                               m_step(X, MODEL.log_posterior(X).exp()).cov + 0.5 * torch.eye(4))
    with pytest.raises(ValueError, match="covariance must be one of"):
        m_step(X, MODEL.log_posterior(X).exp(), "tied")


def test_samples_have_the_moments_and_the_shares():
    x, k = MODEL.sample(200_000, seeded())
    assert (k.bincount() / 200_000).numpy() == pytest.approx(MODEL.pi.numpy(), abs=0.005)
    for j in range(3):
        assert (x[k == j].mean(dim=0) - MODEL.mu[j]).abs().max() < 0.06
        assert ((x[k == j].T.cov() - MODEL.cov[j]).abs() / MODEL.cov[j].diagonal().max()).max() < 0.03
    again, _ = MODEL.sample(200_000, seeded())
    assert (again == x).all()


# ------------------------------------------------------------------------------------------- hidden coordinates


@pytest.mark.parametrize("hidden", [(0,), (3,), (0, 2), (1, 2)])
def test_marginals_and_conditional_means_by_quadrature(hidden):
    nodes = torch.linspace(-25, 25, 501, dtype=torch.float64)
    h = nodes[1] - nodes[0]
    observed = torch.tensor([j not in hidden for j in range(4)])
    grid = torch.tensor(list(itertools.product(nodes.tolist(), repeat=len(hidden))), dtype=torch.float64)
    for point in X[:2]:
        filled = point.repeat(len(grid), 1)
        filled[:, ~observed] = grid
        weight = MODEL.log_prob(filled).exp() * h ** len(hidden)
        x = point.clone()
        x[~observed] = torch.nan  # what is hidden must not be looked at
        assert MODEL.log_prob(x[None], observed).item() == pytest.approx(weight.sum().log().item(), abs=1e-9)
        expected = (weight[:, None] * grid).sum(dim=0) / weight.sum()
        completed = MODEL.inpaint(x[None], observed)[0]
        torch.testing.assert_close(completed[~observed], expected, rtol=1e-8, atol=1e-8)
        assert (completed[observed] == point[observed]).all()


def test_a_conditional_is_joint_over_marginal():
    for point, mask in zip(X[:16], itertools.product((True, False), repeat=4), strict=True):
        o = torch.tensor(mask)
        if o.all():
            continue
        conditional = MODEL.condition(point, o)
        expected = MODEL.log_prob(point[None]) - MODEL.log_prob(point[None], o)
        torch.testing.assert_close(conditional.log_prob(point[None, ~o]), expected, rtol=1e-9, atol=1e-9)
        mean = conditional.pi @ conditional.mu
        torch.testing.assert_close(mean, MODEL.inpaint(point[None], o)[0, ~o], rtol=1e-10, atol=1e-10)


def test_a_mask_for_each_point_is_each_point_alone():
    observed = torch.rand(30, 4, generator=seeded()) < 0.5
    observed[0], observed[1] = False, True
    together, completed = MODEL.log_joint(X[:30], observed), MODEL.inpaint(X[:30], observed)
    for i in range(30):
        torch.testing.assert_close(together[i], MODEL.log_joint(X[i : i + 1], observed[i])[0])
        torch.testing.assert_close(completed[i], MODEL.inpaint(X[i : i + 1], observed[i])[0])
    torch.testing.assert_close(together[0], MODEL.pi.log())        # nothing seen: the prior
    torch.testing.assert_close(completed[0], MODEL.pi @ MODEL.mu)
    torch.testing.assert_close(together[1], MODEL.log_joint(X[1:2])[0])
    assert (completed[1] == X[1]).all()


# --------------------------------------------------------------------------------------------------------- input


def test_bad_parameters_are_told():
    one = torch.ones(1)
    with pytest.raises(ValueError, match=r"shapes \[K\], \[K, D\] and \[K, D, D\], not \[1\], \[2, 3\]"):
        GaussianMixture(one, torch.zeros(2, 3), torch.eye(3).expand(2, 3, 3))
    with pytest.raises(CollapsedError, match="component 1 is not positive definite"):
        GaussianMixture(torch.tensor([0.5, 0.5]), torch.zeros(2, 2), torch.stack([torch.eye(2), torch.zeros(2, 2)]))
    with pytest.raises(ValueError, match=r"must sum to 1, not to 0\.6"):
        GaussianMixture(0.6 * one, torch.zeros(1, 1), torch.ones(1, 1, 1))
    with pytest.raises(ValueError, match=r"x must have shape \[n, 4\], not \[5, 3\]"):
        MODEL.log_prob(torch.zeros(5, 3))
    with pytest.raises(ValueError, match=r"observed must have shape \[4\] or \[5, 4\], not \[3\]"):
        MODEL.log_prob(torch.zeros(5, 4), torch.ones(3))
    with pytest.raises(ValueError, match="how must be one of"):
        start(X, 2, seeded(), "somewhere")


def test_a_collapse_is_told_and_reg_prevents_it():
    x = torch.cat([X[:1].expand(1, 4), X[1:300]])
    spike = GaussianMixture([0.5, 0.5], torch.stack([x.mean(dim=0), x[0]]),
                            torch.stack([x.T.cov(), 1e-8 * torch.eye(4, dtype=torch.float64)]))
    with pytest.raises(CollapsedError):
        fit(x, spike, 10)
    model, _ = fit(x, spike, 10, reg=1e-3)
    assert model.cov[1].diagonal().min() >= 1e-3


def test_equal_components_stay_equal():
    begin = GaussianMixture(torch.full((3,), 1 / 3), X.mean(dim=0).expand(3, 4), X.T.cov().expand(3, 4, 4))
    model, _ = fit(X, begin, 20)
    assert model.mu.std(dim=0).max() < 1e-12


def test_a_halved_sigma_gains_d_log_2():
    def total(sigma):
        cov = torch.stack([X.T.cov(), sigma**2 * torch.eye(4)])
        return GaussianMixture([0.99, 0.01], torch.stack([X.mean(dim=0), X[0]]), cov).log_prob(X).sum().item()

    assert total(1e-5) - total(2e-5) == pytest.approx(4 * math.log(2), rel=1e-9)
