"""Exercises of notebook 02b: recursions along a sequence, and the gradient of a conditional random field."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_lib.models.hmm import forward, posteriors, viterbi
from course_lib.teach.exercises import Exercise, Mistake


def _logs(rng: np.random.Generator, *shape: int) -> Tensor:
    """Logarithms of probabilities that sum to one along the last dimension."""
    return torch.tensor(rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])).log()


def _scores(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.tensor(1.5 * rng.normal(size=shape))


def _forward_step(log_alpha: Tensor, log_A: Tensor, log_b: Tensor) -> Tensor:
    return (log_alpha[:, None] + log_A).logsumexp(dim=0) + log_b


def _step_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [(level + _scores(rng, K), _logs(rng, K, K), _logs(rng, 9)[:K])
            for K, level in ((3, -4.0), (2, -40.0), (5, -2000.0))]


FORWARD_STEP = Exercise(
    reference=_forward_step,
    cases=_step_cases,
    rtol=1e-9,
    atol=1e-9,
    mistakes=(
        Mistake(lambda a, A, b: (a.exp() @ A.exp()).log() + b,
                ("the recursion is right, but its numbers underflow: in a long text every exp is 0. Stay in log space.",
                 "`(log_alpha[:, None] + log_A).logsumexp(dim=0)` is the log of that product.")),
        Mistake(lambda a, A, b: (a[None] + A).logsumexp(dim=1) + b,
                ("you sum over the tag *after*: that is backward's sum. Here the tag before, i, is summed out; it runs "
                 "down the rows of A.", "α belongs to the rows: `log_alpha[:, None]`, and the sum to `dim=0`.")),
        Mistake(lambda a, A, b: (a[:, None] + A).logsumexp(dim=1) + b,
                ("log_alpha stands at the right place, but you sum along a row of A, over where the path goes next. "
                 "Sum over where it came from: `dim=0`.",)),
        Mistake(lambda a, A, b: (a[None] + A).logsumexp(dim=0) + b,
                ("the dimension summed is right, but α was added to the columns: α_{t−1}(i) belongs to row i. "
                 "`log_alpha[:, None]`.",)),
        Mistake(lambda a, A, b: (a[:, None] + A).amax(dim=0) + b,
                ("you took the best tag before: that is Viterbi. Forward adds all of them up.",)),
        Mistake(lambda a, A, b: (a[:, None] + A).logsumexp(dim=0),
                ("the new word is missing: add log p(x_t | y_t = j).",)),
        Mistake(lambda a, A, b: (a[:, None] + A + b[:, None]).logsumexp(dim=0),
                ("the new word was given to the tag *before*. It belongs to y_t, the columns, after the sum.",)),
        Mistake(lambda a, A, b: _forward_step(a, A, b).log_softmax(dim=0),
                ("you normalised: that is the belief p(y_t | x_1 … x_t). α_t is the joint, which also holds how "
                 "probable the words were.",)),
        Mistake(lambda a, A, b: (a[:, None] + A).sum(dim=0) + b,
                ("you added logs over the tags before, which multiplies probabilities: add the probabilities, with "
                 "`logsumexp`.",)),
    ),
    hints=("α_t(j) = b_j · Σ_i α_{t−1}(i) A_ij. Which letter is summed, and along which dimension of A does it run?",
           "make a table [K, K] of log α_{t−1}(i) + log A_ij, sum out i by `logsumexp(dim=0)`, and add log_b."),
)


def _trace_back(log_delta: Tensor, came_from: Tensor) -> Tensor:
    path = [log_delta.argmax()]
    for i in came_from.flip(0):
        path.insert(0, i[path[0]])
    return torch.stack(path)


def _memories(log_pi: Tensor, log_A: Tensor, log_b: Tensor) -> tuple[Tensor, Tensor]:
    """What the forward sweep of Viterbi leaves behind: the last scores, and where each maximum came from."""
    log_delta, came_from = log_pi + log_b[0], []
    for word in log_b[1:]:
        best, i = (log_delta[:, None] + log_A).max(dim=0)
        log_delta = best + word
        came_from.append(i)
    return log_delta, torch.stack(came_from)


def _memory_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = [(_scores(rng, K), torch.tensor(rng.integers(K, size=(T - 1, K)))) for K, T in ((3, 6), (4, 9), (2, 2))]
    return [*cases, _memories(_logs(rng, 5), _logs(rng, 5, 5), _scores(rng, 12, 5))]


def _forgets_to_follow(log_delta: Tensor, came_from: Tensor) -> Tensor:
    last = log_delta.argmax()
    return torch.stack([*came_from[:, last], last])


def _from_the_front(log_delta: Tensor, came_from: Tensor) -> Tensor:
    path = [log_delta.argmax()]
    for i in came_from:
        path.append(i[path[-1]])
    return torch.stack(path)


def _in_wrong_order(log_delta: Tensor, came_from: Tensor) -> Tensor:
    path = [log_delta.argmax()]
    for i in came_from:
        path.insert(0, i[path[0]])
    return torch.stack(path)


TRACE_BACK = Exercise(
    reference=_trace_back,
    cases=_memory_cases,
    mistakes=(
        Mistake(lambda d, c: _trace_back(d, c).flip(0),
                ("these are the right tags, last one first: turn the path round.",)),
        Mistake(lambda d, c: _trace_back(d, c)[:-1],
                ("the last tag is missing: a path has T tags, and `came_from` T − 1 rows.",)),
        Mistake(_forgets_to_follow,
                ("at every place you look up the *last* tag. Look up the tag that you have just found, one place "
                 "further on.",)),
        Mistake(_from_the_front,
                ("you start at the front of `came_from` with the last tag. Its last row belongs to the last step: "
                 "begin there.",)),
        Mistake(_in_wrong_order,
                ("you build the path backwards but read `came_from` forwards: read it from its last row on.",)),
        Mistake(lambda d, c: _trace_back(d.flip(0), c),
                ("the last tag is wrong: it is the place of the largest entry of `log_delta`.",)),
        Mistake(lambda d, c: _trace_back(-d, c),
                ("you start from the *worst* last tag: scores are logs of probabilities, and the largest is best.",)),
        Mistake(lambda d, c: torch.cat([c.mode(dim=1).values, d.argmax()[None]]),
                ("you took the memory that most tags share. Only one of them lies on the path.",)),
    ),
    hints=("which tag ends the best path? Then: which tag did `came_from` remember for it?",
           "start with `log_delta.argmax()`, go through `came_from` from its last row to its first, and put "
           "`row[path[0]]` in front each time."),
)


def _log_partition(u: Tensor, U: Tensor, scores: Tensor) -> Tensor:
    return forward(u, U, scores)[-1].logsumexp(dim=0)


def _partition_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = [(_scores(rng, K), _scores(rng, K, K), _scores(rng, T, K)) for K, T in ((3, 5), (4, 2), (3, 1))]
    return [*cases, (_scores(rng, 3), _scores(rng, 3, 3), 40 + _scores(rng, 30, 3))]  # Z itself is beyond float64


def _naive_partition(u: Tensor, U: Tensor, scores: Tensor) -> Tensor:
    alpha = (u + scores[0]).exp()
    for score in scores[1:]:
        alpha = (alpha @ U.exp()) * score.exp()
    return alpha.sum().log()


def _swept(u: Tensor, U: Tensor, scores: Tensor, arrive: Callable[[Tensor], Tensor]) -> Tensor:
    """log Z with another step of the recursion."""
    log_alpha = u + scores[0]
    for score in scores[1:]:
        log_alpha = arrive(log_alpha) + score
    return log_alpha.logsumexp(dim=0)


LOG_PARTITION = Exercise(
    reference=_log_partition,
    cases=_partition_cases,
    rtol=1e-9,
    atol=1e-9,
    mistakes=(
        Mistake(_naive_partition,
                ("right for short sentences, infinite for long ones: Z itself is too large for a computer. Keep its "
                 "log all along.",)),
        Mistake(lambda u, U, s: forward(u, U, s)[-1],
                ("these are K numbers, one for each last tag. Sum the last tag out, too: `logsumexp`.",)),
        Mistake(lambda u, U, s: viterbi(u, U, s)[1],
                ("this is the score of the best path alone. Z sums over all of them.",)),
        Mistake(lambda u, U, s: forward(torch.zeros_like(u), U, s)[-1].logsumexp(dim=0),
                ("u, the score of the first tag, is missing.",)),
        Mistake(lambda u, U, s: forward(u, U.T.contiguous(), s)[-1].logsumexp(dim=0),
                ("U is used the wrong way round: U[i, j] scores tag i *followed by* j.",)),
        Mistake(lambda u, U, s: s.logsumexp(dim=1).sum() + 0 * u.sum(),
                ("this normalises every word on its own: softmax regression. Neighbours are tied by U, and the first "
                 "tag by u.",)),
        Mistake(lambda u, U, s: forward(u, U.log_softmax(dim=1), s)[-1].logsumexp(dim=0),
                ("scores need not sum to one: do not normalise U. Z normalises once, over whole paths.",)),
        Mistake(lambda u, U, s: forward(u.log_softmax(dim=0), U.log_softmax(dim=1), s)[-1].logsumexp(dim=0),
                ("scores need not sum to one: do not normalise u and U. Z normalises once, over whole paths.",)),
        Mistake(lambda u, U, s: forward(u.log_softmax(dim=0), U.log_softmax(dim=1),
                                        s.log_softmax(dim=1))[-1].logsumexp(dim=0),
                ("scores need not sum to one: do not normalise u, U and `scores`. Made into probabilities they leave "
                 "nothing to divide by.",)),
        Mistake(lambda u, U, s: _swept(u, U, s, lambda a: (a[:, None] + U).logsumexp(dim=1)),
                ("you sum over the tag *after*. Sum out the tag before, i: it runs down the rows of U, `dim=0`.",)),
        Mistake(lambda u, U, s: _swept(u, U, s, lambda a: (a[None] + U).logsumexp(dim=0)),
                ("the dimension summed is right, but log α was added to the columns: it belongs to the tag before, "
                 "row i. `log_alpha[:, None]`.",)),
        Mistake(lambda u, U, s: forward(u, U, s)[-1].amax(dim=0),
                ("you took the best last tag; sum over all last tags.",)),
        Mistake(lambda u, U, s: _log_partition(u, U, torch.cat([torch.zeros_like(s[:1]), s[1:]])),
                ("the first word's scores are missing: start from u + scores[0].",)),
        Mistake(lambda u, U, s: _log_partition(u, U, s).exp(),
                ("this is Z; asked for is its logarithm.",)),
    ),
    hints=("it is forward with u, U and `scores`, as they are, where log π, log A and log b stood, and one last sum.",
           "start with `u + scores[0]`; for each further word `(log_alpha[:, None] + U).logsumexp(dim=0) + score`; end "
           "with a logsumexp over the last tag."),
)


def _observed(y: Tensor, K: int) -> Tensor:
    observed = torch.zeros(K, K, dtype=torch.float64)
    for i, j in itertools.pairwise(y.tolist()):
        observed[i, j] += 1
    return observed


def _gradient_U(y: Tensor, log_pair: Tensor) -> Tensor:
    return _observed(y, log_pair.shape[1]) - log_pair.exp().sum(dim=0)


def _pair_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = []
    for K, T in ((3, 7), (2, 12), (4, 2)):
        y = torch.tensor(rng.integers(K, size=T))
        cases.append((y, posteriors(_scores(rng, K), _scores(rng, K, K), _scores(rng, T, K))[1]))
    return cases


GRADIENT_U = Exercise(
    reference=_gradient_U,
    cases=_pair_cases,
    mistakes=(
        Mistake(lambda y, p: -_gradient_U(y, p),
                ("the sign is turned: that is the gradient of the *loss*, −log p(y | x).",)),
        Mistake(lambda y, p: _gradient_U(y, p).T,
                ("rows and columns are exchanged: row i is the tag before, column j the tag after.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]) - p.exp().prod(dim=0),
                ("you multiplied the probabilities over t, or added their logs: an expected count is a sum. Add the "
                 "probabilities over t.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]),
                ("these are the observed counts; subtract the expected ones, or the scores would grow for ever.",)),
        Mistake(lambda y, p: -p.exp().sum(dim=0),
                ("the observed pairs are missing.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]) - p.sum(dim=0),
                ("`log_pair` holds logarithms: an expected count is a sum of probabilities.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]) - p.logsumexp(dim=0),
                ("this subtracts the *log* of the expected counts; take the exponential first, then sum over t.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]) - p.exp().mean(dim=0),
                ("counts add up along the sentence: sum over t, do not average.",)),
        Mistake(lambda y, p: _gradient_U(y, p) / len(p),
                ("you divided by the number of pairs: the gradient of log p is a sum of counts.",)),
        Mistake(lambda y, p: _observed(y, p.shape[1]).T - p.exp().sum(dim=0),
                ("the observed pairs alone are turned round: row i is the tag before, column j the tag after.",)),
        Mistake(lambda y, p: (_observed(y, p.shape[1]) > 0).double() - p.exp().sum(dim=0),
                ("a pair that occurs twice counts twice. Indexing as in `observed[y[:-1], y[1:]] += 1` counts it once.",
                 "a loop over `itertools.pairwise(y)` counts every pair.")),
        Mistake(lambda y, p: torch.diag(one_hot(y, p.shape[1]).sum(dim=0).double()) - p.exp().sum(dim=0),
                ("you counted tags; U scores pairs of neighbours.",)),
    ),
    hints=("observed minus expected: how often is i followed by j in y, and how often does the model expect it?",
           "expected: `log_pair.exp().sum(dim=0)`; observed: go through `itertools.pairwise(y)` and count."),
)

EXERCISES = {"02b.forward_step": FORWARD_STEP, "02b.trace_back": TRACE_BACK, "02b.log_partition": LOG_PARTITION,
             "02b.gradient_U": GRADIENT_U}
