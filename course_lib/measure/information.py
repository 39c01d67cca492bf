"""How much one thing tells of another: mutual information of tables, its bound by a guess, and purity of a code.

References:
    D. Barber, F. Agakov, The IM Algorithm: A Variational Approach to Information Maximization, NIPS 2003: the bound.
    C. D. Manning, P. Raghavan, H. Schütze, Introduction to Information Retrieval, 2008, section 16.3: purity.
"""

from __future__ import annotations

import numpy as np


def mutual_information(joint: np.ndarray) -> float:
    """I(c; x) = KL(p(c, x) ‖ p(c) p(x)) in nats, from a table p(c, x) `[C, X]` of probabilities, or of counts.

    0 where c and x are independent; at most the entropy of either.

    Raises:
        ValueError: a table that is not `[C, X]`, is empty or has a negative number in it.
    """
    p = _table(joint)
    independent = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / independent[seen])).sum())


def information_bound(joint: np.ndarray, q: np.ndarray) -> float:
    """H(c) + E[log q(c | x)] in nats: at most I(c; x), and equal to it where q is the posterior p(c | x).

    Args:
        joint: the table p(c, x) `[C, X]`, probabilities or counts.
        q: a guess of c from x: `[C, X]`, each column a distribution over c.

    Raises:
        ValueError: as in `mutual_information`; or columns of q that are no distributions.
    """
    p, q = _table(joint), np.asarray(q, dtype=float)
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
    return float(counts(codes, classes).max(1).sum() / len(np.asarray(codes)))


def counts(codes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """How often each code `[n]` goes with each class `[n]`, as a table `[codes, classes]`. Raises as `purity`."""
    codes, classes = np.asarray(codes), np.asarray(classes)
    if codes.shape != classes.shape or codes.ndim != 1 or len(codes) == 0:
        raise ValueError(f"give a code and a class for each example, not {list(codes.shape)} and {list(classes.shape)}")
    if codes.dtype.kind not in "iu" or classes.dtype.kind not in "iu" or min(codes.min(), classes.min()) < 0:
        raise ValueError("codes and classes are whole numbers from 0 on")
    table = np.zeros((codes.max() + 1, classes.max() + 1), dtype=np.int64)
    np.add.at(table, (codes, classes), 1)
    return table


def _table(joint: np.ndarray) -> np.ndarray:
    p = np.asarray(joint, dtype=float)
    if p.ndim != 2 or not ((p >= 0).all() and np.isfinite(p).all() and p.sum() > 0):
        raise ValueError(f"a table [C, X] of probabilities or counts is needed, none negative; this is {list(p.shape)}")
    return p / p.sum()
