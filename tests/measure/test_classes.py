import math

import numpy as np
import pytest

from course_lib.measure import classifier_score, coverage_kl, within_class_variance


def test_score_is_the_number_of_classes_where_the_classifier_is_sure_and_all_are_there():
    assert classifier_score(np.eye(10)) == pytest.approx(10)
    assert classifier_score(np.eye(10)[:5]) == pytest.approx(5)


def test_score_is_one_where_every_image_looks_alike():
    assert classifier_score(np.full((7, 10), 0.1)) == pytest.approx(1)
    assert classifier_score(np.eye(10)[[3, 3, 3]]) == pytest.approx(1)


def test_score_is_the_mutual_information_of_image_and_class():
    p = np.random.default_rng(0).dirichlet(np.full(4, 0.3), size=50)

    def entropy(q):
        return -(q * np.log(q)).sum(-1)

    assert classifier_score(p) == pytest.approx(math.exp(entropy(p.mean(0)) - entropy(p).mean()))


def test_coverage_of_equal_shares_of_half_the_classes_and_of_one():
    assert coverage_kl(np.arange(1000) % 10) == pytest.approx(0)
    assert coverage_kl(np.arange(1000) % 5) == pytest.approx(math.log(2))
    assert coverage_kl(np.full(9, 7)) == pytest.approx(math.log(10))


def test_coverage_is_kl_of_the_shares():
    predicted = np.array([0, 0, 1, 2, 2, 2])
    shares = np.array([2, 1, 3]) / 6
    assert coverage_kl(predicted, 3) == pytest.approx((shares * np.log(shares * 3)).sum())


@pytest.mark.parametrize("probabilities", [np.zeros((0, 10)), np.ones((3, 1)), np.ones(10) / 10, np.ones((3, 10)),
                                           np.array([[1.5, -0.5]]), np.full((2, 2), np.nan)])
def test_what_is_no_distribution_is_refused(probabilities):
    with pytest.raises(ValueError):
        classifier_score(probabilities)


@pytest.mark.parametrize("predicted", [np.array([], dtype=int), np.array([10]), np.array([-1]), np.array([0.5]),
                                       np.eye(10, dtype=int)])
def test_what_is_no_class_is_refused(predicted):
    with pytest.raises(ValueError):
        coverage_kl(predicted)


def test_variance_within_classes_is_that_of_each_class_about_its_own_mean():
    rng = np.random.default_rng(0)
    deviations, means = np.array([1, 2, 3])[:, None, None], np.array([0, 300, -700])[:, None, None]
    features = means + deviations * rng.normal(size=(3, 40_000, 4))
    assert within_class_variance(features) == pytest.approx(4 * (1 + 4 + 9) / 3, rel=0.02)
    two = np.array([[[0.0, 1.0], [2.0, 5.0]], [[7.0, 7.0], [7.0, 7.0]]])
    assert within_class_variance(two) == pytest.approx((2 + 8) / 2)


def test_coverage_does_not_see_what_the_variance_within_classes_sees():
    alike = np.broadcast_to(np.eye(10)[:, None], (10, 100, 10))
    varied = alike + 0.1 * np.random.default_rng(0).normal(size=alike.shape)
    assert within_class_variance(alike) == 0 < within_class_variance(varied)
    assert [coverage_kl(x.argmax(-1).ravel()) for x in (alike, varied)] == pytest.approx([0, 0])


@pytest.mark.parametrize("features", [np.zeros((0, 2, 2)), np.zeros((3, 1, 2)), np.ones((3, 2)), np.ones((3, 2, 0))])
def test_a_variance_needs_two_of_each_class(features):
    with pytest.raises(ValueError):
        within_class_variance(features)
