"""Exercises of notebook 01: naive Bayes."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _posterior(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    return (log_prior + log_likelihood).softmax(dim=1)


def _posterior_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = []
    for n, K, level in ((4, 3, -2.0), (7, 2, -5.0), (3, 10, -800.0), (1, 4, -1500.0)):
        log_prior = _tensor(rng.dirichlet(np.ones(K))).log()
        cases.append((log_prior, _tensor(level + 3 * rng.normal(size=(n, K)))))
    uneven = _tensor(np.array([[-800.0], [-100.0], [-3.0]]) + rng.normal(size=(3, 4)))  # one page after another
    return [*cases, (log_prior, uneven)]


def _shared(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=1, keepdim=True)


def _naive_softmax(logs: Tensor) -> Tensor:
    return _shared(logs.exp())


POSTERIOR = Exercise(
    reference=_posterior,
    cases=_posterior_cases,
    mistakes=(
        Mistake(lambda prior, lik: lik.softmax(dim=1),
                ("the prior is missing: a rare class needs stronger evidence. Think of the dog and the floppy ears.",
                 "the joint is p(y)·p(x|y); for logs that is `log_prior + log_likelihood`.")),
        Mistake(lambda prior, lik: (prior + lik).exp(),
                ("these are joint probabilities: they do not sum to one over the classes. Divide by p(x).",
                 "p(x) is the sum of the joint over the classes, `dim=1` with `keepdim=True`. Mind the underflow.")),
        Mistake(lambda prior, lik: prior + lik,
                ("this is log p(x, y). Asked for is p(y | x): normalise over the classes, then leave the logs.",
                 "subtract `logsumexp` over the classes, then take `exp`.")),
        Mistake(lambda prior, lik: (prior + lik).log_softmax(dim=1),
                ("these are log posteriors: right, but asked for are probabilities. One `exp` is missing.",)),
        Mistake(lambda prior, lik: (prior + lik).softmax(dim=0),
                ("you normalise over the pictures (`dim=0`). Each *row* must sum to one: the classes are `dim=1`.",)),
        Mistake(lambda prior, lik: (prior.exp() + lik).softmax(dim=1),
                ("you add a probability to a log. `log_prior` is a log already: add it as it is.",)),
        Mistake(lambda prior, lik: (prior + lik) / (prior + lik).sum(dim=1, keepdim=True),
                ("you divided the logs by their sum. The rows add up to one, but a log is no probability: the least "
                 "probable class gets the most. Probabilities are divided; of logs, subtract.",
                 "`log_joint - log_joint.logsumexp(dim=1, keepdim=True)`, then `exp`.")),
        Mistake(lambda prior, lik: _shared((prior + lik).exp() + 1e-12),
                ("the small number that you add to each probability avoids 0/0, but not the underflow: exp(−800) is 0 "
                 "for each class, so that all classes look alike. Normalise *before* you leave the logs.",)),
        Mistake(lambda prior, lik: (prior + lik).exp() / ((prior + lik).exp().sum(dim=1, keepdim=True) + 1e-12),
                ("the small number that you add to p(x) avoids 0/0, but not the underflow: exp(−800) is 0, so some "
                 "rows are all zeros. Normalise *before* you leave the logs.",)),
        Mistake(lambda prior, lik: _naive_softmax((prior + lik) - (prior + lik).max()),
                ("you subtract one maximum from all pictures; the picture that is furthest below it still underflows. "
                 "Each row has its own maximum.",)),
        Mistake(lambda prior, lik: _naive_softmax(prior + lik),
                ("it returns NaN for some inputs: exp(−800) is 0 on a computer, and 0/0 is NaN. Normalise *before* "
                 "you leave the logs.",
                 "log(a/b) = log a − log b, and `logsumexp` computes the log of a sum without leaving the logs.",
                 "`log_joint - log_joint.logsumexp(dim=1, keepdim=True)`, then `exp`.")),
    ),
    hints=("Bayes' rule in logs: add the prior, then subtract log p(x), the `logsumexp` over the classes.",
           "each row of the answer must sum to one: print `posterior(...).sum(dim=1)`.",
           "try it on the dog of the first cells: the answer there is 0.47."),
)


def _fit_bernoulli(x: Tensor, y: Tensor, K: int, alpha: float) -> Tensor:
    ones, n = _counts(x, y, K)
    return (ones + alpha) / (n + 2 * alpha)


def _fit_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, int, float]]:
    cases = []
    for n, D, K, alpha in ((12, 5, 2, 1.0), (30, 3, 4, 0.5), (40, 7, 3, 2.0)):
        y = torch.tensor(np.concatenate([np.arange(K), rng.integers(K, size=n - K)]))
        cases.append((_tensor(rng.random((n, D)) < 0.3), y, K, alpha))
    x, y, K, alpha = cases[0]
    return [*cases, (x, y, K + 1, alpha)]  # a class without an example: the imaginary ones decide


def _counts(x: Tensor, y: Tensor, K: int) -> tuple[Tensor, Tensor]:
    ones = torch.stack([x[y == k].sum(dim=0) for k in range(K)])
    return ones, torch.stack([(y == k).sum() for k in range(K)])[:, None]


def _share(x: Tensor, y: Tensor, K: int) -> Tensor:
    ones, n = _counts(x, y, K)
    return ones / n


FIT_BERNOULLI = Exercise(
    reference=_fit_bernoulli,
    cases=_fit_cases,
    mistakes=(
        Mistake(lambda x, y, K, alpha: _fit_bernoulli(x, y, len(y.unique()), alpha),
                ("a class that has no example is missing from your answer: go through `range(K)`, not the labels.",)),
        Mistake(lambda x, y, K, alpha: _share(x, y, K),
                ("the imaginary examples are missing: a pixel never inked in training would get probability 0, and "
                 "one drop of ink there would make a picture impossible.",
                 "add `alpha` to the count of ones, and what that makes to the number of examples.")),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) / _counts(x, y, K)[1],
                ("you added `alpha` to the inked count but not to the number of examples: a probability can exceed 1.",
                 "`alpha` inked and `alpha` white examples were imagined: how many is that in all?")),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) / (_counts(x, y, K)[1] + alpha),
                ("the number of examples grows by `alpha` inked AND `alpha` white ones.",)),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) / (len(x) + 2 * alpha),
                ("you divide by all examples: that estimates p(pixel, y). Divide by those of the class.",)),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + 1) / (_counts(x, y, K)[1] + 2),
                ("you always imagine one example of each: use `alpha`.",)),
        Mistake(lambda x, y, K, alpha: ((x.sum(dim=0) + alpha) / (len(x) + 2 * alpha)).expand(K, -1),
                ("every class got the same answer: pick the examples of class k first, `x[y == k]`.",)),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) / (_counts(x, y, K)[1] + K * alpha),
                ("a pixel has two possible values, not K: imagine 2·`alpha` examples in all.",)),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) / (_counts(x, y, K)[1] + x.shape[1] * alpha),
                ("each pixel is counted on its own: it has two values, whatever the number of pixels D.",)),
        Mistake(lambda x, y, K, alpha: _share(x, y, K) + alpha,
                ("you add `alpha` to the probability; it is a number of examples, to be added to the counts.",)),
        Mistake(lambda x, y, K, alpha: (_share(x, y, K) + alpha) / (1 + 2 * alpha),
                ("you add `alpha` to the share, as if each class had one example; `alpha` is a number of examples. "
                 "Count first, add, then divide. (And of a class without an example the share is 0/0.)",)),
        Mistake(lambda x, y, K, alpha: (_share(x, y, K) + alpha) / (_counts(x, y, K)[1] + 2 * alpha),
                ("you divide by the number of examples twice: `alpha` belongs to the *count* of inked pixels, `sum`, "
                 "not to their share, `mean`.",)),
        Mistake(lambda x, y, K, alpha: _fit_bernoulli(x, y, K, alpha).log(),
                ("these are the logs of the right answer: asked for are the probabilities, without `log`.",)),
        Mistake(lambda x, y, K, alpha: _fit_bernoulli(1 - x, y, K, alpha),
                ("this is the probability of a white pixel: count the ones, which are ink, not the zeros.",)),
        Mistake(lambda x, y, K, alpha: (_counts(x, y, K)[0] + alpha) /
                (_counts(x, y, K)[0].sum(dim=1, keepdim=True) + 2 * alpha),
                ("you divide by all the ink of the class. A pixel's share is of *examples*: divide by how many "
                 "the class has.",)),
        Mistake(lambda x, y, K, alpha: _shared(_counts(x, y, K)[0] + alpha),
                ("your rows sum to one over the pixels. Each pixel is a coin of its own, inked or white: divide by the "
                 "number of examples of the class.",)),
    ),
    hints=("count, class by class: the rows `x[y == k]` hold the examples of class k.",
           "a share is a count over a count: which imaginary examples belong to the upper one, which to the lower?",
           "`x[y == k].sum(dim=0)` counts the ink of class k; `torch.stack` puts the classes in rows."),
)


def _log_factors(x: Tensor, theta: Tensor) -> Tensor:
    return x[:, None] * theta.log() + (1 - x[:, None]) * (1 - theta).log()


def _log_joint(observed: Tensor, log_prior: Tensor, log_factors: Tensor) -> Tensor:
    return log_prior + (observed[:, None] * log_factors).sum(dim=2)


def _log_prob_observed(x: Tensor, observed: Tensor, log_prior: Tensor, theta: Tensor) -> Tensor:
    return _log_joint(observed, log_prior, _log_factors(x, theta)).logsumexp(dim=1)


def _observed_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, D, K in ((5, 4, 3), (3, 9, 2), (4, 784, 10)):
        x, observed = _tensor(rng.random((n, D)) < 0.4), _tensor(rng.random((n, D)) < 0.5)
        observed[0, :2] = 0
        x[0, :2] = torch.tensor([0.0, 1.0])
        log_prior, theta = _tensor(rng.dirichlet(np.ones(K))).log(), _tensor(rng.uniform(0.05, 0.95, size=(K, D)))
        cases.append((x, observed, log_prior, theta))
    cases.append((x[:2], torch.zeros_like(x[:2]), log_prior, theta))  # nothing seen: probability one
    return cases


LOG_PROB_OBSERVED = Exercise(
    reference=_log_prob_observed,
    cases=_observed_cases,
    mistakes=(
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, torch.ones_like(o), prior, theta),
                ("the hidden pixels still count. A hidden pixel is summed out: its factor is p(0) + p(1) = 1.",
                 "a factor of 1 adds log 1 = 0: multiply each pixel's log factor by `observed`.")),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x * o, torch.ones_like(o), prior, theta),
                ("you made the hidden pixels white: then they are evidence for white. They should not count at all.",
                 "mask the log factors with `observed`, not the pixels.")),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(torch.where(o > 0, x, 0.5), torch.ones_like(o), prior,
                                                              theta),
                ("you made the hidden pixels half ink: then they still are evidence, for a θ near ½. They should not "
                 "count at all.",
                 "mask the log factors with `observed`, not the pixels.")),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, o, prior, theta) + (1 - o).sum(dim=1) * math.log(0.5),
                ("you gave each hidden pixel the factor ½. Summed out, it has the factor p(0) + p(1) = 1.",)),
        Mistake(lambda x, o, prior, theta: (o[:, None] * _log_factors(x, theta)).sum(dim=2).logsumexp(dim=1),
                ("the prior is missing: p(x) = Σ p(y)·p(x|y). With nothing seen, log p must be 0.",)),
        Mistake(lambda x, o, prior, theta: _log_joint(o, prior, _log_factors(x, theta)),
                ("this is log p(x, y), one number for each class. The class is unknown too: sum it out.",
                 "`logsumexp(dim=1)`.")),
        Mistake(lambda x, o, prior, theta: _log_joint(o, prior, _log_factors(x, theta)).amax(dim=1),
                ("you took the most probable class; the classes must be summed, each with its probability.",
                 "`logsumexp(dim=1)` in place of the maximum.")),
        Mistake(lambda x, o, prior, theta: _log_joint(o, prior, _log_factors(x, theta)).sum(dim=1),
                ("you added the *logs* of the classes, which multiplies their probabilities. Add the probabilities.",
                 "`logsumexp(dim=1)`: out of the logs, sum, back into the logs, safely.")),
        Mistake(lambda x, o, prior, theta: (o * _log_factors(x, prior.exp()[None] @ theta)[:, 0]).sum(dim=1),
                ("you averaged theta over the classes and then multiplied pixels: they are independent only *given* "
                 "the class. Sum over classes last.",)),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, o[:1].expand_as(o), prior, theta),
                ("you use the first picture's mask for all: each row of `observed` belongs to its own picture.",)),
        Mistake(lambda x, o, prior, theta: _log_joint(o, prior, x[:, None] * theta.log()).logsumexp(dim=1),
                ("white pixels are evidence too: a pixel that was seen to be white has the factor 1 − θ.",)),
        Mistake(lambda x, o, prior, theta: -_log_prob_observed(x, o, prior, theta),
                ("the sign is turned: this is the cost, −log p. Asked for is log p, which here is 0 at most.",)),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, 1 - o, prior, theta),
                ("the mask is inverted: you scored the hidden pixels. In `observed` a one means that it is seen.",)),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, o, prior, theta).exp(),
                ("this is p, asked for is log p: leave out the last `exp`. With hundreds of pixels p is 0 on a "
                 "computer.",)),
        Mistake(lambda x, o, prior, theta: _log_prob_observed(x, o, prior, theta) / o.sum(dim=1),
                ("you divided by the number of seen pixels. That is an average for one pixel; asked for is log p of "
                 "the picture, without a division.",)),
        Mistake(lambda x, o, prior, theta: (prior + (o[:, None] * _log_factors(x, theta)).mean(dim=2)).logsumexp(dim=1),
                ("you took the mean over the pixels. Their factors are multiplied, so their logs add up: `sum`.",)),
        Mistake(lambda x, o, prior, theta: _log_joint(o, prior, _log_factors(x, theta)).exp().sum(1).log(),
                ("it returns −inf for large pictures: the product of hundreds of factors is 0 on a computer. Use "
                 "`logsumexp`.",)),
    ),
    hints=("three steps: log factors of each pixel and class; sum over observed pixels and add the prior; "
           "logsumexp over classes.",
           "check a picture of which nothing is seen (its log probability is 0), then one of a single pixel by hand."),
    rtol=1e-3,
)

EXERCISES = {"01.posterior": POSTERIOR, "01.fit_bernoulli": FIT_BERNOULLI, "01.log_prob_observed": LOG_PROB_OBSERVED}
