"""What a classifier sees in generated images: whether each is of one class, whether all classes are there, and how much
those of one class differ.

Reference: T. Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 4: the score (of a network
    trained on other images there, hence 'inception score').
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import finite_result, float_array, whole_array, whole_number


def classifier_score(probabilities: np.ndarray) -> float:
    """exp of the mean over images of KL(p(y | x) ‖ p(y)), for p(y | x) as rows `[n, K]`; p(y) is their mean.

    From 1 (the classifier says the same of each image) to K (it is sure of each, and all classes are equally many). It
    knows nothing of variety within a class: one perfect image per class gets K.

    Raises:
        ValueError: rows that are not probabilities of at least two classes.
    """
    p = float_array(probabilities, "probabilities", finite=False)
    if p.ndim != 2 or len(p) == 0 or p.shape[1] < 2:
        raise ValueError(f"probabilities must have shape [n, K], not {list(p.shape)}")
    if not ((p >= 0).all() and np.allclose(p.sum(1), 1, atol=1e-3)):
        raise ValueError("each row must hold probabilities that add up to 1: use the softmax, not logits")
    log_ratio = np.log(p, out=np.zeros_like(p), where=p > 0) - np.log(np.where(p > 0, p.mean(0), 1))
    return float(np.exp((p * log_ratio).sum(1).mean()))


def coverage_kl(predicted: np.ndarray, classes: int = 10) -> float:
    """KL(q ‖ uniform) in nats, where q are the shares of the classes 0 … K − 1 among predicted classes `[n]`.

    0 where all are equally many, log K where only one is there, log 2 where half of them are, equally.

    Raises:
        ValueError: none, or numbers that are no class.
    """
    predicted, classes = whole_array(predicted, "predicted", ("n",), rows=1), whole_number(classes, "classes")
    if not (predicted.min() >= 0 and predicted.max() < classes):
        raise ValueError(f"classes run from 0 to {classes - 1}; there is a {predicted.max()} or a {predicted.min()}")
    q = np.bincount(predicted, minlength=classes) / len(predicted)
    q = q[q > 0]
    return float((q * np.log(q * classes)).sum())


@np.errstate(over="ignore", invalid="ignore")
def within_class_variance(features: np.ndarray) -> float:
    """Σ_j Var(feature j | class), mean over classes, of n images of each of K classes, features `[K, n, d]`; in squared
    units of the features.

    What `coverage_kl` and `classifier_score` cannot see: whether the images of one class are all alike. Each variance
    is divided by n − 1, so that sets of different sizes can be compared.

    Raises:
        ValueError: another shape, fewer than two images a class, or numbers whose squares overflow.
    """
    features = float_array(features, "features")
    if features.ndim != 3 or features.shape[0] < 1 or features.shape[1] < 2 or features.shape[2] < 1:
        raise ValueError("features must have shape [K, n, d], at least two images of each class, not "
                         f"{list(features.shape)}")
    variances = features.var(axis=1, ddof=1).sum(axis=1)
    return finite_result(float(np.mean(variances)), "the variance within classes")
