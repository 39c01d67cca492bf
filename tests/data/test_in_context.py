"""Sequences that hold their own rule: against counting by hand, and a posterior by quadrature."""

import math

import pytest
import torch

from course_lib.data.in_context import chain_predictor, chains, copies, successors


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_copies_repeat_a_piece_of_different_symbols():
    x = copies(50, 17, 5, 9, seeded())
    assert x.shape == (50, 17) and x.dtype == torch.int64 and x.max() == 8 and x.min() == 0
    assert torch.equal(x[:, 5:], x[:, :-5])
    assert all(len(set(row[:5].tolist())) == 5 for row in x)
    assert len({tuple(row.tolist()) for row in x}) > 45
    assert copies(3, 4, 9, 9, seeded()).shape == (3, 4)
    for period in (0, 10):
        with pytest.raises(ValueError, match="1 to 9 different symbols"):
            copies(3, 4, period, 9, seeded())


def test_each_chain_has_a_rule_of_its_own_and_keeps_it():
    x = chains(200, 400, 3, seeded())
    first, second = (torch.stack([torch.stack([(part[:, 1:] == j)[part[:, :-1] == i].double().mean()
                                               for j in range(3) for i in range(3)])
                                  for part in half.split(1)]) for half in (x[:, :200], x[:, 200:]))
    usable = ~(first.isnan() | second.isnan())
    rows = torch.stack([first[usable], second[usable]])
    assert torch.corrcoef(rows)[0, 1] > 0.9  # the same in both halves of a sequence
    assert rows[0].var() == pytest.approx(1 / 18, abs=0.02)  # of a coordinate of Dirichlet(1, 1, 1), and some noise
    assert torch.bincount(x[:, 0], minlength=3).min() > 40


def test_the_predictor_counts():
    x = torch.tensor([[0, 1, 0, 1, 0, 2, 0]])
    told = chain_predictor(x, 3)[0]
    assert told[0].tolist() == pytest.approx([1 / 3] * 3)
    assert told[1].tolist() == pytest.approx([1 / 3] * 3)  # nothing has followed 0 yet
    assert told[3].tolist() == pytest.approx([1 / 4, 2 / 4, 1 / 4])  # 1 has followed 0 once
    assert told[5].tolist() == pytest.approx([1 / 5, 3 / 5, 1 / 5])
    assert told[6].tolist() == pytest.approx([1 / 3] * 3)  # nothing has followed 2 yet


def test_the_predictor_is_the_posterior_mean_of_two_symbols():
    """With two symbols a row is one number: integrate over a grid of both."""
    grid = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    a, b = grid[:, None].expand(200, 200), grid[None].expand(200, 200)  # p(1 | 0), p(1 | 1)
    x = chains(4, 12, 2, seeded(3))
    for row, told in zip(x.tolist(), chain_predictor(x, 2), strict=True):
        likelihood = torch.ones(200, 200, dtype=torch.float64)
        for t in range(1, 12):
            p1 = b if row[t - 1] else a
            assert told[t, 1].item() == pytest.approx(((likelihood * p1).sum() / likelihood.sum()).item(), abs=1e-4)
            likelihood = likelihood * (p1 if row[t] else 1 - p1)


def test_no_other_predictor_does_better():
    x = chains(4000, 20, 3, seeded(1))
    told = chain_predictor(x, 3)

    def cost(p):
        return -p.gather(2, x[:, :, None]).log().mean().item()

    assert told.sum(2).allclose(torch.ones(4000, 20, dtype=torch.float64))
    others = (told**1.15, told**0.85, told + 0.05, torch.ones_like(told))
    assert all(cost(told) < cost(p / p.sum(2, keepdim=True)) for p in others) and cost(told) < math.log(3)


def test_successors_say_where_the_answer_stands():
    x = copies(6, 20, 6, 8, seeded())
    weights = successors(x)
    assert not weights[:, :6].any()  # all symbols are new
    places = weights[:, 6:].argmax(2)
    answers = x.gather(1, places)[:, :-1]
    assert torch.equal(answers, x[:, 7:]) and weights[:, 6:12].amax(2).allclose(torch.ones(1))
    x = chains(5, 30, 3, seeded())
    weights, told = successors(x).double(), chain_predictor(x, 3)
    share = weights @ torch.nn.functional.one_hot(x, 3).double()
    seen = torch.stack([(x[:, :t] == x[:, t:t + 1]).sum(1) for t in range(30)], dim=1)[..., None]
    bayes = (share * seen + 1) / (seen + 3)
    torch.testing.assert_close(bayes[:, :-1], told[:, 1:])
