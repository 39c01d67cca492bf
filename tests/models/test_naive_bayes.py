"""Naive Bayes against scikit-learn, against enumeration, and against its own definition."""

import itertools

import numpy as np
import pytest
import torch
from sklearn import naive_bayes as sklearn_nb

from course_lib.data import TwoGaussians, load_mnist
from course_lib.models.naive_bayes import BernoulliNB, GaussianNB

RNG = np.random.default_rng(0)
LABELS = torch.tensor(np.concatenate([[2, 5, 9], RNG.choice([2, 5, 9], 197, p=[0.6, 0.3, 0.1])]))
REAL = torch.tensor(RNG.normal(size=(200, 6)) * [1, 2, 3, 0.1, 1, 5] + LABELS.numpy()[:, None])
BITS = torch.tensor((RNG.random((200, 6)) < 0.1 * LABELS.numpy()[:, None]).astype(np.float64))


@pytest.mark.parametrize("smoothing", [1e-9, 0.1])
def test_gaussian_equals_scikit_learn(smoothing):
    ours = GaussianNB(smoothing).fit(REAL, LABELS)
    theirs = sklearn_nb.GaussianNB(var_smoothing=smoothing).fit(REAL, LABELS)
    np.testing.assert_allclose(ours.mu, theirs.theta_, rtol=1e-6)
    np.testing.assert_allclose(ours.var, theirs.var_, rtol=1e-6)
    np.testing.assert_allclose(ours.log_prior.exp(), theirs.class_prior_, rtol=1e-6)
    np.testing.assert_allclose(ours.log_joint(REAL), theirs.predict_joint_log_proba(REAL), rtol=1e-6)
    np.testing.assert_allclose(ours.log_posterior(REAL), theirs.predict_log_proba(REAL), rtol=1e-6, atol=1e-9)
    assert (ours.predict(REAL).numpy() == theirs.predict(REAL)).all()


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_bernoulli_equals_scikit_learn(alpha):
    ours = BernoulliNB(alpha).fit(BITS, LABELS)
    theirs = sklearn_nb.BernoulliNB(alpha=alpha).fit(BITS, LABELS)
    np.testing.assert_allclose(ours.theta.log(), theirs.feature_log_prob_, rtol=1e-6)
    np.testing.assert_allclose(ours.log_prior, theirs.class_log_prior_, rtol=1e-6)
    np.testing.assert_allclose(ours.log_joint(BITS), theirs.predict_joint_log_proba(BITS), rtol=1e-6)
    assert (ours.predict(BITS).numpy() == theirs.predict(BITS)).all()


def test_bernoulli_sums_to_one_over_all_pictures():
    model = BernoulliNB().fit(BITS, LABELS)
    everything = torch.tensor(list(itertools.product((0.0, 1.0), repeat=6)), dtype=torch.float64)
    assert model.log_prob(everything).exp().sum().item() == pytest.approx(1, rel=1e-12)
    assert model.log_joint(everything).exp().sum(dim=0).numpy() == pytest.approx(model.log_prior.exp().numpy())


def test_hidden_bits_are_summed_out():
    model = BernoulliNB().fit(BITS, LABELS)
    observed = torch.tensor([1, 0, 1, 1, 0, 0])
    x = BITS[:20]
    fillings = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)), dtype=torch.float64)
    total = torch.zeros(20, 3, dtype=torch.float64)
    expected = torch.zeros_like(x)
    for filling in fillings:
        filled = x.clone()
        filled[:, observed == 0] = filling
        total += model.log_joint(filled).exp()
        expected += model.log_prob(filled).exp()[:, None] * filled
    torch.testing.assert_close(model.log_joint(x, observed), total.log())
    torch.testing.assert_close(model.inpaint(x, observed), expected / total.sum(dim=1, keepdim=True))
    per_row = observed.expand(20, 6)
    torch.testing.assert_close(model.log_posterior(x, per_row), model.log_posterior(x, observed))


def test_hidden_gaussian_features_are_those_of_a_smaller_model():
    observed = torch.tensor([1, 1, 0, 1, 0, 0])
    whole, part = GaussianNB().fit(REAL, LABELS), GaussianNB().fit(REAL[:, observed == 1], LABELS)
    part.var = whole.var[:, observed == 1]  # the smoothing depends on the largest variance, hidden or not
    torch.testing.assert_close(whole.log_prob(REAL, observed), part.log_prob(REAL[:, observed == 1]))


@pytest.mark.parametrize(("model", "x"), [(GaussianNB(), REAL), (BernoulliNB(), BITS)])
def test_what_a_hidden_feature_holds_is_ignored(model, x):
    model.fit(x, LABELS)
    observed = torch.tensor([True, False, True, True, False, True])
    unknown = torch.where(observed, x, torch.nan)
    torch.testing.assert_close(model.log_joint(unknown, observed), model.log_joint(x, observed))
    assert model.inpaint(unknown, observed).isfinite().all()


def test_without_imaginary_examples_the_unseen_is_impossible_and_not_nan():
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    model = BernoulliNB(alpha=0.0).fit(x, torch.tensor([0, 0, 1, 1]))
    expected = torch.tensor([[0.25, 0.0], [0.25, 0.0], [0.0, 0.25], [0.0, 0.25]])
    torch.testing.assert_close(model.log_joint(x).exp(), expected)


@pytest.mark.parametrize(("model", "x"), [(GaussianNB(), REAL), (BernoulliNB(), BITS)])
def test_samples_follow_the_model(model, x):
    model.fit(x, LABELS)
    drawn, y = model.sample(40_000, torch.Generator().manual_seed(0))
    shares = torch.stack([(y == k).double().mean() for k in model.classes])
    torch.testing.assert_close(shares, model.log_prior.exp(), rtol=0, atol=0.01)
    for k, label in enumerate(model.classes):
        torch.testing.assert_close(drawn[y == label].mean(dim=0), model._mean()[k], rtol=0.05, atol=0.1)
        of_class = drawn[y == label] - drawn[y == label].mean(dim=0)
        correlation = (of_class.T.corrcoef() - torch.eye(6)).abs().max()
        assert correlation < 0.06  # independent given the class
    only, y = model.sample(5, torch.Generator().manual_seed(0), label=5)
    assert y.tolist() == [5] * 5 and only.shape == (5, 6)
    again, _ = model.sample(40_000, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)


def test_maximum_likelihood_is_a_maximum():
    model = GaussianNB(0.0).fit(REAL, LABELS)
    rows = torch.arange(200)
    k = torch.searchsorted(model.classes, LABELS)
    at_best = model.log_joint(REAL)[rows, k].sum()
    for name, factor in (("mu", 1.01), ("mu", 0.99), ("var", 1.02), ("var", 0.98)):
        before = getattr(model, name)
        setattr(model, name, before * factor)
        assert model.log_joint(REAL)[rows, k].sum() < at_best
        setattr(model, name, before)


def test_recovers_the_exact_density():
    toy = TwoGaussians(separation=3)
    model = GaussianNB().fit(*toy.sample(100_000, torch.Generator().manual_seed(0)))
    x, _ = toy.sample(2_000, torch.Generator().manual_seed(1))
    kl = (toy.log_prob(x) - model.log_prob(x)).mean().item()
    assert abs(kl) < 1e-3


def test_a_fit_to_booleans_is_that_to_zeros_and_ones():
    bits = BITS.float()
    a, b = BernoulliNB().fit(bits.bool(), LABELS), BernoulliNB().fit(bits, LABELS)
    assert torch.equal(a.theta, b.theta) and torch.equal(a.log_prior, b.log_prior)
    assert torch.equal(a.log_posterior(bits), b.log_posterior(bits))


def test_mnist_accuracy():
    train, test = load_mnist("train"), load_mnist("test")
    model = BernoulliNB().fit(train.binarized().flatten(1), train.labels)
    accuracy = (model.predict(test.binarized().flatten(1)) == test.labels).float().mean().item()
    assert accuracy == pytest.approx(0.8427, abs=0.002)


@pytest.mark.parametrize(("act", "message"), [
    (lambda: GaussianNB().fit(REAL[:, 0], LABELS), r"x of shape \[n, D\]"),
    (lambda: GaussianNB().fit(REAL, LABELS[:5]), r"not \[200, 6\], \[5\]"),
    (lambda: GaussianNB().fit(REAL[:0], LABELS[:0]), "fit needs"),
    (lambda: GaussianNB().fit(REAL * torch.nan, LABELS), "x has NaN or infinite"),
    (lambda: GaussianNB().fit(REAL / 0, LABELS), "x has NaN or infinite"),
    (lambda: GaussianNB().fit(BITS.bool(), LABELS), "floating type, not torch.bool"),
    (lambda: BernoulliNB().fit(BITS.to(torch.uint8), LABELS), "floating type, not torch.uint8"),
    (lambda: BernoulliNB().fit(BITS, LABELS).log_prob(BITS, torch.full((6,), 2)), "must hold ones"),
    (lambda: BernoulliNB().fit(BITS, LABELS).log_prob(BITS, torch.tensor([1])), r"\[6\] or \[200, 6\], not \[1\]"),
    (lambda: GaussianNB(0.0).fit(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])), "zero variance"),
    (lambda: BernoulliNB().fit(REAL, LABELS), "0 or 1: binarize"),
    (lambda: BernoulliNB().fit(BITS, LABELS).log_prob(BITS[:, :4]), r"shape \[n, 6\], not \[200, 4\]"),
    (lambda: BernoulliNB().fit(BITS, LABELS).sample(1, torch.Generator(), label=7), r"label 7 was not .*\[2, 5, 9\]"),
])
def test_bad_input_is_told(act, message):
    with pytest.raises(ValueError, match=message):
        act()
