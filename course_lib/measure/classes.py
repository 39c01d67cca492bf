"""What a classifier sees in generated images: whether each is of one class, and whether all classes are there.

Reference: T. Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 4: the score (of a network
    trained on other images there, hence 'inception score').
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import float_array, whole_array, whole_number


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
