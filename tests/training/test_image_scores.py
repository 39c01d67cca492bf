"""What the judge makes of images that are real, and of three that only look so to one of the measures."""

import numpy as np
import pytest
import torch

from course_lib.data import load_mnist
from course_lib.training import checkpoints
from course_lib.training.image_scores import (
    IMAGES,
    as_bytes,
    classifier,
    features_and_probabilities,
    reference_features,
    scores,
    stand_ins,
)


@pytest.fixture(scope="module")
def kinds():
    return stand_ins()


@pytest.fixture(scope="module")
def rows(kinds):
    return {name: scores(images) for name, images in kinds.items()}


@pytest.mark.thorough
def test_each_cheat_fools_one_measure_and_none_the_distance(rows):
    real, naive, means = rows["training images"], rows["naive Bayes"], rows["ten class means"]
    assert real["frechet"] < 10 and real["classifier_score"] > 9.5 and real["coverage_kl"] < 0.01
    assert means["classifier_score"] > 8 and means["coverage_kl"] < 1e-6  # although there are only ten images
    assert means["frechet"] > naive["frechet"] > 50 * real["frechet"]
    assert naive["classifier_score"] < means["classifier_score"] < real["classifier_score"]


def test_the_test_images_are_at_distance_0_of_themselves():
    assert scores(load_mnist("test").floats())["frechet"] == pytest.approx(0, abs=1e-6)


def test_features_and_probabilities_are_the_shipped_judges():
    assert checkpoints.read("classifier")[1].metrics["test_accuracy"] >= 0.99
    images = load_mnist("test").floats()[:7]
    features, probabilities = features_and_probabilities(images)
    assert features.shape == (7, 64) and np.allclose(features, reference_features()[:7], atol=1e-4)
    np.testing.assert_allclose(np.log(probabilities), classifier().log_posterior(images).numpy(), atol=1e-4)


def test_bytes_are_judged_as_the_greys_that_they_stand_for():
    images = load_mnist("test").images[:300]
    assert as_bytes(images / 255).equal(images)
    assert as_bytes(torch.tensor([[0.0, 0.4999 / 255, 0.5001 / 255, 1.0]])).tolist() == [[0, 0, 1, 255]]
    for of_bytes, of_greys in zip(features_and_probabilities(images), features_and_probabilities(images / 255),
                                  strict=True):
        assert np.array_equal(of_bytes, of_greys)


def test_another_number_of_images_is_refused():
    with pytest.raises(ValueError, match="10,000 images"):
        scores(torch.zeros(500, 28, 28))


def test_stand_ins_are_images(kinds):
    assert all(x.shape == (IMAGES, 28, 28) and x.dtype == torch.uint8 for x in kinds.values())
    assert len(kinds["ten class means"].unique(dim=0)) == 10
    again, other = stand_ins(seed=0), stand_ins(seed=4)
    assert all(torch.equal(kinds[name], again[name]) for name in kinds)
    assert not torch.equal(kinds["naive Bayes"], other["naive Bayes"])
