"""How much one thing tells of another: mutual information of tables, its bound by a guess, and purity of a code.

References:
    D. Barber, F. Agakov, The IM Algorithm: A Variational Approach to Information Maximization, NIPS 2003: the bound.
    C. D. Manning, P. Raghavan, H. Schütze, Introduction to Information Retrieval, 2008, section 16.3: purity.
"""

from __future__ import annotations

import numpy as np

from course_lib.validation import finite_result, float_array, whole_array


def mutual_information(joint: np.ndarray) -> float:
    """I(c; x) = KL(p(c, x) ‖ p(c) p(x)) in nats, from a table p(c, x) `[C, X]` of probabilities, or of counts.

    0 where c and x are independent; at most the entropy of either.

    Raises:
        ValueError: a table that is not `[C, X]`, is empty or has a negative number in it.
    """
    p = _table(joint)
    with np.errstate(divide="ignore"):  # a row or column of zeros has nothing seen in it
        log_independent = np.log(p.sum(1, keepdims=True)) + np.log(p.sum(0, keepdims=True))  # a product may underflow
    seen = p > 0
    return float((p[seen] * (np.log(p[seen]) - log_independent[seen])).sum())


def information_bound(joint: np.ndarray, q: np.ndarray) -> float:
    """H(c) + E[log q(c | x)] in nats: at most I(c; x), and equal to it where q is the posterior p(c | x).

    Args:
        joint: the table p(c, x) `[C, X]`, probabilities or counts.
        q: a guess of c from x: `[C, X]`, each column a distribution over c.

    Raises:
        ValueError: as in `mutual_information`; or columns of q that are no distributions.
    """
    p, q = _table(joint), float_array(q, "q")
    if q.shape != p.shape or not ((q >= 0).all() and np.allclose(q.sum(0), 1)):
        raise ValueError(f"q must have the table's shape {list(p.shape)}, and each column must add up to 1")
    c, seen = p.sum(1), p > 0
    with np.errstate(divide="ignore"):  # −inf where q rules out what happens
        return float((p[seen] * np.log(q)[seen]).sum() - (c[c > 0] * np.log(c[c > 0])).sum())


def purity(codes: np.ndarray, classes: np.ndarray) -> float:
    """Share of examples whose class `[n]` is the most frequent one of their code `[n]` (whole numbers from 0).

    1 where each code means one class; but many codes may mean the same. Codes that mean nothing get about the share of
    the largest class.

    Raises:
        ValueError: anything but as many codes as classes.
    """
    table = counts(codes, classes)
    return float(table.max(1).sum() / table.sum())


def counts(codes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """How often each code `[n]` goes with each class `[n]`, as a table `[codes, classes]`. Raises as `purity`."""
    codes, classes = whole_array(codes, "codes"), whole_array(classes, "classes")
    if codes.shape != classes.shape or codes.ndim != 1 or len(codes) == 0:
        raise ValueError(f"give a code and a class for each example, not {list(codes.shape)} and {list(classes.shape)}")
    if min(codes.min(), classes.min()) < 0:
        raise ValueError("codes and classes are whole numbers from 0 on")
    table = np.zeros((codes.max() + 1, classes.max() + 1), dtype=np.int64)
    np.add.at(table, (codes, classes), 1)
    return table


def _table(joint: np.ndarray) -> np.ndarray:
    p = float_array(joint, "the table")
    if p.ndim != 2 or not ((p >= 0).all() and p.any()):
        raise ValueError(f"a table [C, X] of probabilities or counts is needed, none negative; this is {list(p.shape)}")
    with np.errstate(over="ignore"):
        return p / finite_result(p.sum(), "the sum of the table")
