"""Partition function by listing, gradient by finite differences and autograd, and its relatives at the edges."""

import itertools

import numpy as np
import pytest
import torch

from course_lib.data import TaggingWorld
from course_lib.models.crf import CRF
from course_lib.models.hmm import BernoulliHMM
from course_lib.models.logistic import SoftmaxRegression

SHAPES = {"W": (3, 5), "b": (3,), "u": (3,), "U": (3, 3)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_crf(seed=0):
    generator = seeded(seed)
    return CRF(**{name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()})


def data(n, T, seed=1):
    generator = seeded(seed)
    return (torch.randn(n, T, 5, generator=generator, dtype=torch.float64),
            torch.randint(3, (n, T), generator=generator))


@pytest.mark.parametrize("T", [1, 2, 6])
def test_all_paths_sum_to_one_and_log_partition_is_their_sum(T):
    crf, (x, _) = random_crf(), data(2, T)
    for row in x:
        paths = torch.tensor(list(itertools.product(range(3), repeat=T)))
        by_hand = []
        for path in paths.tolist():
            words = sum((crf.W @ row[t] + crf.b)[k] for t, k in enumerate(path))
            by_hand.append(crf.u[path[0]] + words + sum(crf.U[i, j] for i, j in itertools.pairwise(path)))
        by_hand = torch.stack(by_hand)
        features = row.expand(len(paths), T, 5)
        torch.testing.assert_close(crf.score(features, paths), by_hand)
        assert crf.log_partition(row).item() == pytest.approx(by_hand.logsumexp(0).item(), abs=1e-9)
        assert crf.log_prob(features, paths).exp().sum().item() == pytest.approx(1, abs=1e-9)
        assert crf.viterbi(row).tolist() == paths[by_hand.argmax()].tolist()
        torch.testing.assert_close(crf.log_posterior(row)[0].exp(), torch.stack(
            [by_hand.softmax(0)[paths[:, 0] == k].sum() for k in range(3)]))


@pytest.mark.parametrize("T", [1, 4])
def test_gradient_is_observed_minus_expected(T):
    crf, (x, y) = random_crf(), data(6, T)
    values, gradient = crf.log_prob_and_gradient(x, y)
    torch.testing.assert_close(values, crf.log_prob(x, y))
    h = 1e-6
    for name, by_hand in zip(SHAPES, gradient, strict=True):
        for place in np.ndindex(SHAPES[name]):
            slopes = []
            for sign in (1, -1):
                moved = {n: getattr(crf, n).clone() for n in SHAPES}
                moved[name][place] += sign * h
                slopes.append(CRF(**moved).log_prob(x, y).sum())
            assert by_hand[place].item() == pytest.approx(((slopes[0] - slopes[1]) / (2 * h)).item(), abs=1e-7)
    parameters = {n: getattr(crf, n).clone().requires_grad_() for n in SHAPES}
    CRF(**parameters).log_prob(x, y).sum().backward()
    for name, by_hand in zip(SHAPES, gradient, strict=True):
        torch.testing.assert_close(by_hand, parameters[name].grad)


def test_fit_ends_where_the_penalised_gradient_vanishes():
    x, y = TaggingWorld(0).sample(20, 6, seeded())
    crf = CRF.fit(x, y, K=3, l2=0.5, tolerance=1e-5)
    _, (W, b, u, U) = crf.log_prob_and_gradient(x, y)
    for g, p in ((W, crf.W), (u, crf.u), (U, crf.U)):
        assert (g - 0.5 * p).abs().max() < 1e-4
    assert b.abs().max() < 1e-4


def test_one_word_is_softmax_regression():
    x, y = TaggingWorld(0).sample(150, 1, seeded())
    crf = CRF.fit(x, y, K=3, l2=0.3, tolerance=1e-5)
    softmax = SoftmaxRegression(l2=0.3 / 150, tolerance=1e-8).fit(x[:, 0], y[:, 0])
    torch.testing.assert_close(crf.log_posterior(x)[:, 0], softmax.log_posterior(x[:, 0]), rtol=0, atol=1e-4)


def test_an_hmm_is_a_crf_with_its_weights():
    x, y = TaggingWorld(2).sample(40, 7, seeded())
    hmm = BernoulliHMM.fit(x, y, K=3)
    crf = CRF.of_hmm(hmm)
    torch.testing.assert_close(crf.log_posterior(x), hmm.log_posterior(x))
    torch.testing.assert_close(crf.log_partition(x), hmm.log_prob(x))
    assert torch.equal(crf.viterbi(x), hmm.viterbi(x))
    better = CRF.fit(x, y, K=3, l2=0.01)
    assert better.log_prob(x, y).sum() > crf.log_prob(x, y).sum() + 10  # conditional likelihood is what it is fitted to


def test_copies_do_not_mislead_it_and_do_mislead_the_hmm():
    world = TaggingWorld(0, copies=3)
    (x, y), (x_test, y_test) = world.sample(300, 10, seeded()), world.sample(1_000, 10, seeded(1))

    def sure_and_right(model, features):
        sure, chosen = model.log_posterior(features).exp().max(dim=-1)
        return sure.mean().item(), (chosen == y_test).double().mean().item()

    distinct = BernoulliHMM.fit(world.distinct(x), y, K=3)
    results = [sure_and_right(BernoulliHMM.fit(x, y, K=3), x_test), sure_and_right(CRF.fit(x, y, K=3, l2=0.1), x_test),
               sure_and_right(distinct, world.distinct(x_test))]
    surplus = [sure - right for sure, right in results]
    assert surplus[0] > 0.03 > 2 * abs(surplus[1]) and abs(surplus[2]) < 0.015
    assert results[1][1] > results[0][1] + 0.02 and results[2][1] > results[0][1] + 0.02


@pytest.mark.parametrize(("act", "message"), [
    (lambda: CRF.fit(torch.zeros(2, 3, 4), torch.zeros(2, 4).long(), K=2), r"x of shape \[n, T, D\]"),
    (lambda: CRF.fit(torch.zeros(2, 3, 4), torch.full((2, 3), 2), K=2), "tags must lie in 0 … 1"),
    (lambda: CRF.fit(torch.zeros(2, 3, 4), torch.zeros(2, 3).long(), K=2, l2=0.0), "l2 must be positive"),
    (lambda: random_crf().log_partition(torch.zeros(3, 4)), r"shape \[..., T, 5\], not \[3, 4\]"),
])
def test_bad_input_is_told(act, message):
    with pytest.raises(ValueError, match=message):
        act()
