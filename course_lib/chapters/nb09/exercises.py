"""Exercises of notebook 09: the logit of a projection discriminator, InfoGAN's bound, mutual information."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.measure import mutual_information
from course_lib.teach.exercises import Exercise, Mistake


def _logit(phi: Tensor, y: Tensor, v: Tensor, w: Tensor, b: float) -> Tensor:
    return phi @ w + b + (v[y] * phi).sum(dim=1)


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, Tensor, float]]:
    def normal(*shape: int) -> Tensor:
        return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

    def labels(n: int, K: int) -> Tensor:
        return torch.tensor(rng.integers(0, K, size=n))

    sizes = [(5, 4, 3), (3, 6, 10), (7, 2, 2), (4, 4, 4)]
    return [(normal(n, d), labels(n, K), normal(K, d), normal(d), float(rng.normal())) for n, d, K in sizes]


PROJECTION = Exercise(
    reference=_logit,
    cases=_logit_cases,
    atol=1e-5,
    mistakes=(
        Mistake(lambda phi, y, v, w, b: phi @ w + b + phi @ v.sum(0),
                ("you added the projections on *all* labels, so y plays no part. Only v[y] of each picture's own label "
                 "counts.", "v[y] has a row for each picture: multiply by φ and sum over the features.")),
        Mistake(lambda phi, y, v, w, b: phi @ w + b,
                ("this is the unconditional logit: y does nothing in it.",)),
        Mistake(lambda phi, y, v, w, b: (v[y] * phi).sum(dim=1),
                ("only v_y·φ is there. Without ψ(φ) = w·φ + b nothing asks whether the picture is real at all.",)),
        Mistake(lambda phi, y, v, w, b: (v[y] * phi).sum(dim=1) + phi @ w,
                ("the bias b is missing.",)),
        Mistake(lambda phi, y, v, w, b: phi @ w + b + v[y].sum(dim=1),
                ("this adds a number for each label, whatever the picture: a label never meets a feature. Multiply v_y "
                 "by φ first.",
                 "so does a label that is concatenated to the last features: that is what the projection avoids.")),
        Mistake(lambda phi, y, v, w, b: phi @ w + b + (v[y] * phi).mean(dim=1),
                ("a dot product is a *sum* over the features; you took their mean.",)),
        Mistake(lambda phi, y, v, w, b: phi @ w + b + (v[y] * phi).sum(),
                ("you summed over the pictures, too: each has a logit of its own. sum(dim=1).",)),
        Mistake(lambda phi, y, v, w, b: phi @ w + b - (v[y] * phi).sum(dim=1),
                ("the projection has the wrong sign: a picture that fits its label should look *more* real.",)),
        Mistake(lambda phi, y, v, w, b: torch.sigmoid(_logit(phi, y, v, w, b)),
                ("this is the probability; asked for is the logit.",)),
        Mistake(lambda phi, y, v, w, b: phi @ w + b + phi @ v[y].T,
                ("φ @ v[y].T is *every* picture with every picture's label, [n, n], as if you had n² pairs. Multiply "
                 "φ and v[y] elementwise, then sum(dim=1).",)),
        Mistake(lambda phi, y, v, w, b: (phi @ w + b)[:, None] + phi @ v[y].T,
                ("[n, n]: row i holds picture i with the label of each other picture. Only the diagonal is asked for: "
                 "multiply φ and v[y] elementwise, then sum(dim=1).",)),
        Mistake(lambda phi, y, v, w, b: phi @ v[y].T,
                ("two things: `@` takes every picture with every picture's label, where (φ * v[y]).sum(dim=1) takes "
                 "each with its own; and ψ(φ) = w·φ + b is missing.",)),
        Mistake(lambda phi, y, v, w, b: (phi @ w + b)[:, None] + phi @ v.T,
                ("this has a logit for every label, [n, K]; return that of each picture's own label, [n].",)),
    ),
    hints=("two terms: φ·w + b, and the dot product of φ with the row of v that belongs to its label.",
           "v[y] picks the rows: it has the shape of φ."),
)


def _bound(k: Tensor, log_q: Tensor) -> Tensor:
    return np.log(log_q.shape[1]) + log_q.gather(1, k[:, None]).mean()


def _bound_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = []
    for n, K in ((6, 10), (5, 3), (9, 4)):
        logits = torch.tensor(2 * rng.normal(size=(n, K)), dtype=torch.float32)
        cases.append((torch.tensor(rng.integers(0, K, size=n)), logits.log_softmax(1)))
    sure = torch.full((4, 4), -30.0).fill_diagonal_(0.0)
    return [*cases, (torch.arange(4), sure), (torch.tensor([1, 1, 0]), torch.full((3, 2), 0.5).log())]


def _with_counted_entropy(k: Tensor, log_q: Tensor) -> Tensor:
    p = torch.bincount(k, minlength=log_q.shape[1]) / len(k)
    return -torch.special.xlogy(p, p).sum() + _bound(k, log_q) - np.log(log_q.shape[1])


BOUND = Exercise(
    reference=_bound,
    cases=_bound_cases,
    atol=1e-5,
    mistakes=(
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) - log_q.gather(1, k[:, None]).mean(),
                ("the sign: log q is at most 0, and a *better* guess should raise the bound. Yours falls, and lies "
                 "above H(c).", "I = H(c) − H(c | x), and H(c | x) ≤ −E[log q].")),
        Mistake(lambda k, log_q: log_q.gather(1, k[:, None]).mean(),
                ("H(c) is missing: a perfect guess should give log K, a guess of 1/K everywhere 0.",)),
        Mistake(lambda k, log_q: -log_q.gather(1, k[:, None]).mean(),
                ("this is the loss that InfoGAN adds, the cross-entropy. The bound is H(c) minus it.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q.gather(1, k[:, None]).sum(),
                ("you summed over the pictures; the expectation is a mean.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + (log_q.exp() * log_q).sum(1).mean(),
                ("this averages log q over q itself: it rewards a guess for being sure, right or wrong. Take log q of "
                 "the category that was *used*.",
                 "the expectation is over (c, x) as they were made: log q(k | x), k the true one.")),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q.mean(),
                ("you averaged over all categories. Only log q of the one that was used counts.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q.amax(1).mean(),
                ("you took the *highest* log q, the category that Q prefers, instead of the one that was used.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q.gather(1, k[:, None]).exp().mean(),
                ("you averaged q, not log q.",)),
        Mistake(lambda k, log_q: np.log(10) + log_q.gather(1, k[:, None]).mean(),
                ("right for ten categories only, as in the notebook: K is log_q.shape[1].",)),
        Mistake(lambda k, log_q: 10 + log_q.gather(1, k[:, None]).mean(),
                ("H(c) of K equally likely categories is log K, not K; and K is log_q.shape[1].",)),
        Mistake(lambda k, log_q: np.log2(log_q.shape[1]) + log_q.gather(1, k[:, None]).mean(),
                ("H(k) is in bits and log q in nats: take the natural logarithm for both.",)),
        Mistake(_with_counted_entropy,
                ("you took H(k) from how often each category came in this batch. The code is drawn uniformly, so H(k) "
                 "is log K, whatever a batch holds.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q[:, k].mean(),
                ("log_q[:, k] takes the column k_i of *every* row, n x n numbers. Each row needs its own column only.",
                 "log_q[torch.arange(len(k)), k], or log_q.gather(1, k[:, None]).")),
        Mistake(lambda k, log_q: np.log(len(k)) + log_q.gather(1, k[:, None]).mean(),
                ("H(c) of a uniform category is the log of the number of *categories*, not of pictures.",)),
        Mistake(lambda k, log_q: np.log(log_q.shape[1]) + log_q.gather(1, k[:, None]).squeeze(1),
                ("this is the value of each picture: take the mean.",)),
    ),
    hints=("H(c) + mean of log q(k | x), with k the category that the picture was made from.",
           "log_q.gather(1, k[:, None]) picks that entry from each row."),
)


def _information_cases(rng: np.random.Generator) -> list[tuple[np.ndarray]]:
    def table(C: int, X: int) -> np.ndarray:
        p = rng.uniform(size=(C, X))
        return p / p.sum()

    sparse = table(4, 5)
    sparse[[0, 1, 2], [1, 3, 0]] = 0
    return [(table(3, 4),), (table(2, 6),), (sparse / sparse.sum(),), (np.eye(3) / 3,), (np.full((2, 2), 0.25),)]


def _entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


INFORMATION = Exercise(
    reference=mutual_information,
    cases=_information_cases,
    mistakes=(
        Mistake(lambda joint: _careless(joint),
                ("right where no probability is 0, not a number where one is: 0·log 0 counts as 0. Leave those places "
                 "out.", "p[p > 0] picks the others.")),
        Mistake(lambda joint: np.log(len(joint)) - _entropy(joint) + _entropy(joint.sum(0)),
                ("H(c) is log C only for equally likely c, as in the notebook's small world. Here take it from p(c), "
                 "the sums of the rows.",)),
        Mistake(lambda joint: _unweighted(joint),
                ("you added up the log ratios: each must be weighted by how often it happens, p(c, x).",)),
        Mistake(lambda joint: _entropy(joint.sum(1)) + _entropy(joint.sum(1)) - _entropy(joint),
                ("this has p(x | c), the table divided by the sums of its *rows*, where p(c | x) belongs: divide by "
                 "those of the columns.", "H(c) − H(c | x): what is left unknown of c once x is seen.")),
        Mistake(lambda joint: _shifted(joint, 1e-6),
                ("an ε inside the logarithm moves every entry. Leave out the places where p(c, x) is 0 instead.",
                 "p = joint > 0, then joint[p].")),
        Mistake(lambda joint: _shifted(joint, 1e-3),
                ("this ε is so large that the number is another one. A place with p(c, x) = 0 counts as 0: leave it "
                 "out.",)),
        Mistake(lambda joint: -mutual_information(joint),
                ("the sign is turned round: information is never negative.",)),
        Mistake(lambda joint: mutual_information(joint) / np.log(2),
                ("this is in bits. The course counts in nats: natural logarithms.",)),
        Mistake(lambda joint: _entropy(joint),
                ("this is the entropy of the pair, H(c, x). Subtract it from H(c) + H(x).",)),
        Mistake(lambda joint: _entropy(joint.sum(1)),
                ("this is H(c) alone: what there is to know of c, not what x tells of it.",)),
        Mistake(lambda joint: _entropy(joint) - _entropy(joint.sum(0)),
                ("this is H(c | x), what stays unknown of c. I(c; x) is H(c) less that.",)),
        Mistake(lambda joint: _entropy(joint) - _entropy(joint.sum(1)),
                ("this is H(x | c). I(c; x) is H(x) less that.",)),
        Mistake(lambda joint: _by_axis(joint),
                ("the table's *rows* are c: p(c) is the sum over columns, axis 1.",)),
    ),
    hints=("H(c) + H(x) − H(c, x), or the mean of log p(c, x) / (p(c) p(x)) under p(c, x).",
           "is there an ε in your logarithm, or p(c) taken to be 1/C? Leave out zeros instead, and sum the rows for "
           "p(c).",
           "p(c) = joint.sum(1), p(x) = joint.sum(0). Try a table in which x says c exactly: then I = H(c)."),
)


def _careless(joint: np.ndarray) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((joint * np.log(joint / (joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)))).sum())


def _unweighted(joint: np.ndarray) -> float:
    p = joint > 0
    return float(np.log(joint[p] / (joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True))[p]).sum())


def _shifted(joint: np.ndarray, epsilon: float) -> float:
    """With a small number added inside the logarithm, against log 0."""
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return float((joint * np.log((joint + epsilon) / independent)).sum())


def _by_axis(joint: np.ndarray) -> float:
    """Both marginals from the same axis."""
    p = joint.sum(0)
    return 2 * _entropy(p) - _entropy(joint)


EXERCISES = {"09.projection": PROJECTION, "09.bound": BOUND, "09.information": INFORMATION}
