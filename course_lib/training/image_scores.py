"""Generated images before the shipped classifier: what it makes of them, and how far they are from real ones."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from course_lib.data import load_mnist
from course_lib.measure import classifier_score, coverage_kl, frechet_distance
from course_lib.models.classifier import PART, Classifier
from course_lib.models.layers import joined
from course_lib.models.naive_bayes import BernoulliNB
from course_lib.seeds import seeded
from course_lib.training import checkpoints

IMAGES = 10_000  # of each kind, in every Fréchet distance of the course: as many as there are test images


@functools.cache
def classifier() -> Classifier:
    """The shipped classifier. Raises CheckpointError if its file is missing or damaged."""
    weights, _ = checkpoints.read("classifier")
    network = Classifier(generator=torch.Generator())
    network.load_state_dict(weights)
    return network.requires_grad_(False).eval()


def features_and_probabilities(images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The classifier's features `[n, 64]` and p(y | x) `[n, 10]`, for images `[n, 28, 28]` in [0, 1], or as bytes."""
    features = joined((classifier().features(in_unit_range(part)) for part in images.split(PART)), len(images))
    return features.numpy(), classifier().head(features).softmax(-1).numpy()


def in_unit_range(images: Tensor) -> Tensor:
    """Images of any shape in [0, 1]: bytes divided by 255, others as they are."""
    return images / 255 if images.dtype == torch.uint8 else images


def as_bytes(images: Tensor) -> Tensor:
    """Images `[n, …]` in [0, 1] as greys from 0 to 255, the nearest, as in a picture file: a quarter of the memory."""
    return joined(((255 * part).round().byte() for part in images.split(PART)), len(images))


@functools.cache
def reference_features() -> np.ndarray:
    """The classifier's features of the 10,000 test images, `[10000, 64]`: shared, do not change them in place."""
    return features_and_probabilities(load_mnist("test").images)[0]


def scores(images: Tensor) -> dict[str, float]:
    """How 10,000 images `[10000, 28, 28]` in [0, 1], or as bytes, score.

    Returns:
        frechet: Fréchet distance of their features to those of the 10,000 test images.
        classifier_score: from 1 to 10.
        coverage_kl: KL of the shares of predicted digits from uniform, nats.

    Raises:
        ValueError: another number of images (fewer score worse, so numbers would not compare), or other pixels.
    """
    if len(images) != IMAGES:
        raise ValueError(f"scores are of {IMAGES:,} images, as everywhere in the course, not of {len(images):,}")
    features, probabilities = features_and_probabilities(images)
    return {"frechet": frechet_distance(features, reference_features()),
            "classifier_score": classifier_score(probabilities),
            "coverage_kl": coverage_kl(probabilities.argmax(1))}


def stand_ins(seed: int = 0) -> dict[str, Tensor]:
    """What to hold a model's scores against: 10,000 images, bytes `[10000, 28, 28]`, of each of three kinds.

    'training images': real ones, picked at random, so the best that can be expected. 'naive Bayes': samples of it, each
    pixel on its own given the digit. 'ten class means': the mean image of each digit a thousand times.
    """
    generator, train = seeded(seed), load_mnist("train")
    picked = torch.randperm(len(train), generator=generator)[:IMAGES]
    means = torch.stack([train[train.labels == k].floats().mean(0) for k in range(10)])
    naive_bayes, _ = BernoulliNB().fit(train.ink().flatten(1), train.labels).sample(IMAGES, generator)
    return {"training images": train.images[picked], "naive Bayes": as_bytes(naive_bayes.view(-1, 28, 28)),
            "ten class means": as_bytes(means).repeat(IMAGES // 10, 1, 1)}
