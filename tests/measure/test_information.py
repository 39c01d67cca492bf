import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from course_lib.measure import counts, information_bound, mutual_information, purity


def drawn(seed, n=400):
    rng = np.random.default_rng(seed)
    codes = rng.integers(5, size=n)
    return codes, np.where(rng.uniform(size=n) < 0.6, codes % 4, rng.integers(4, size=n))


def table(seed, shape=(3, 5)):
    p = np.random.default_rng(seed).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    return p


@pytest.mark.parametrize("seed", range(3))
def test_information_and_counts_are_sklearns(seed):
    codes, classes = drawn(seed)
    np.testing.assert_array_equal(counts(codes, classes), contingency_matrix(codes, classes))
    assert mutual_information(counts(codes, classes)) == pytest.approx(mutual_info_score(codes, classes))


def test_information_at_its_ends():
    assert mutual_information(np.outer([0.2, 0.8], [0.5, 0.3, 0.2])) == pytest.approx(0, abs=1e-12)
    assert mutual_information(np.eye(4)) == pytest.approx(np.log(4))
    p = table(0)
    by_entropies = entropy(p.sum(0)) + entropy(p.sum(1)) - entropy(p.ravel())
    assert mutual_information(p) == pytest.approx(by_entropies) == pytest.approx(mutual_information(p.T))


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_is_a_bound_and_what_it_lacks_is_the_mean_kl(seed):
    p = table(seed)
    q = np.random.default_rng(100 + seed).dirichlet(np.ones(3), size=5).T
    posterior = p / p.sum(0)
    missing = (p.sum(0) * [entropy(posterior[:, x], q[:, x]) for x in range(5)]).sum()
    assert information_bound(p, q) <= mutual_information(p)
    assert information_bound(p, q) + missing == pytest.approx(mutual_information(p))


def test_the_bound_is_tight_at_the_posterior_and_minus_infinity_where_q_excludes_what_happens():
    p = table(1)
    p[0, 0] = 0
    assert information_bound(p, p / p.sum(0)) == pytest.approx(mutual_information(p))
    assert information_bound(np.full((2, 2), 0.25), np.eye(2)) == -np.inf
    assert information_bound(table(2), np.full((3, 5), 1 / 3)) == pytest.approx(entropy(table(2).sum(1)) - np.log(3))


def test_purity_is_the_share_of_the_commonest_class():
    assert purity([0, 0, 0, 1, 1], [2, 2, 0, 1, 1]) == pytest.approx(0.8)
    assert purity(np.arange(10), np.arange(10)[::-1]) == 1  # names do not matter
    assert purity(np.zeros(10, int), np.arange(10) % 5) == pytest.approx(0.2)
    codes, classes = drawn(0)
    by_hand = sum(np.bincount(classes[codes == k]).max() for k in range(5)) / len(codes)
    assert purity(codes, classes) == pytest.approx(by_hand)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: mutual_information([0.5, 0.5]), r"table \[C, X\]"),
    (lambda: mutual_information([[0.5, -0.5]]), "none negative"),
    (lambda: mutual_information(np.zeros((2, 2))), "none negative"),
    (lambda: information_bound(np.eye(2), np.full((2, 2), 0.7)), "add up to 1"),
    (lambda: information_bound(np.eye(2), np.full((2, 3), 0.5)), r"shape \[2, 2\]"),
    (lambda: purity([0, 1], [0]), r"not \[2\] and \[1\]"),
    (lambda: purity([0.5, 1.0], [0, 1]), "whole numbers"),
    (lambda: purity([0, -1], [0, 1]), "whole numbers from 0"),
])
def test_mistakes_are_told(make, says):
    with pytest.raises(ValueError, match=says):
        make()
