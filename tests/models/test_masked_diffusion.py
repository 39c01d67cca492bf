"""Masked diffusion: the step back against Bayes' rule, what is hidden how often, the bound, and what is drawn."""

import itertools

import pytest
import torch

from course_lib.chapters.nb11f.orders import EVERY, drawn_in_steps, table_of
from course_lib.data.patterns import OneBar
from course_lib.models.masked_diffusion import (
    ALPHAS,
    MaskedTransformer,
    bound,
    even_numbers,
    hidden_nll,
    hide,
    hide_number,
    shares,
    step_back,
    symbol_nll,
    unmask,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def exact(z):
    return OneBar().conditionals(z).log()


def test_the_step_back_is_bayes_rule_for_the_joint_distribution():
    for alpha_s, alpha_t in ((1.0, 0.3), (0.8, 0.5), (0.4, 0.0), (0.6, 0.6)):
        for x, z_t in itertools.product(range(3), (0, 1, 2, 3)):
            if z_t not in (x, 3):
                continue
            joint = torch.zeros(4, 4, dtype=torch.float64)  # q(z_s) q(z_t | z_s): a mask stays, a symbol is kept
            kept = alpha_t / alpha_s
            joint[x, x], joint[x, 3], joint[3, 3] = alpha_s * kept, alpha_s * (1 - kept), 1 - alpha_s
            if joint[:, z_t].sum() == 0:
                continue
            ours = step_back(torch.tensor([[[z_t]]]), torch.eye(3).double()[x].view(1, 3, 1, 1), alpha_s, alpha_t)
            torch.testing.assert_close(ours.flatten(), joint[:, z_t] / joint[:, z_t].sum(), atol=1e-14, rtol=0)


def test_a_step_back_keeps_what_is_seen_and_adds_up_to_one():
    z = torch.tensor([[[0, 1, 2], [2, 2, 0]]])
    p = torch.rand(1, 2, 2, 3, generator=seeded(), dtype=torch.float64).softmax(1)
    q = step_back(z, p, 0.7, 0.2)
    torch.testing.assert_close(q.sum(1), torch.ones(1, 2, 3, dtype=torch.float64))
    assert (q.argmax(1) == z)[z < 2].all() and q.amax(1)[z < 2].eq(1).all()
    for wrong in ((0.2, 0.7), (1.2, 0.1), (0.5, -0.1), (1.0, 1.0)):
        with pytest.raises(ValueError, match="a step back needs"):
            step_back(z, p, *wrong)


def test_symbols_are_hidden_as_often_as_they_should_be():
    x = torch.arange(12).view(1, 3, 4).expand(4000, 3, 4) % 5
    z = hide(x, torch.linspace(0, 1, 4000), 5, seeded())
    assert (z[0] == x[0]).all() and (z[-1] == 5).all() and ((z == x) | (z == 5)).all()
    assert (z == 5).double().mean((1, 2))[1000:3000].mean() == pytest.approx(0.5, abs=0.02)
    k = torch.arange(4000) % 13
    z = hide_number(x, k, 5, seeded())
    assert torch.equal((z == 5).sum((1, 2)), k) and ((z == x) | (z == 5)).all()
    often = (z == 5)[k == 4].double().mean(0)
    assert often.sub(4 / 12).abs().max() < 5 * (2 / 9 / (k == 4).sum()) ** 0.5


def test_every_number_is_hidden_as_often():
    counts = torch.cat([even_numbers(7, 10, seeded(s)) for s in range(3000)]).bincount(minlength=11)
    assert counts[0] == 0 and len(counts) == 11 and (counts[1:] - 2100).abs().max() < 5 * 2100**0.5
    assert sorted(even_numbers(10, 10, seeded()).tolist()) == list(range(1, 11))  # one of each: spread evenly


@pytest.mark.parametrize("name", ALPHAS)
def test_a_schedule_falls_from_one_to_zero(name):
    a = ALPHAS[name](torch.linspace(0, 1, 50, dtype=torch.float64))
    assert a[0] == 1 and abs(a[-1]) < 1e-12 and (a.diff() < 0).all()


def test_only_hidden_symbols_cost():
    logits = torch.randn(2, 3, 2, 2, generator=seeded(), dtype=torch.float64)
    x = torch.randint(3, (2, 2, 2), generator=seeded())
    z = x.clone()
    z[0, 0, 0] = z[0, 1, 1] = 3
    by_hand = -logits.log_softmax(1)[0, x[0, 0, 0], 0, 0] - logits.log_softmax(1)[0, x[0, 1, 1], 1, 1]
    torch.testing.assert_close(hidden_nll(logits, x, z), torch.stack([by_hand, 0 * by_hand]))
    assert symbol_nll(logits, x).shape == (2, 2, 2)


def test_the_bound_of_the_true_answers_is_the_log_probability_on_average():
    x = EVERY[[0, 56, 73, 300]].view(-1, 3, 3)
    with torch.no_grad():
        draws = torch.stack([bound(exact, x.repeat(500, 1, 1), 2, seeded(s)) for s in range(4)]).view(-1, 4)
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) + OneBar().log_prob(x)).abs() < 5 * error).all()


@pytest.mark.parametrize("shown", [[9], [4, 5], [2, 3, 3, 1]])
def test_pictures_are_drawn_as_often_as_all_ways_add_up_to(shown):
    n = 12_000
    states = unmask(exact, torch.full((n, 3, 3), 2), 2, shown, seeded())
    assert [int((state[0] == 2).sum()) for state in states] == [9 - sum(shown[:i]) for i in range(len(shown) + 1)]
    for before, after in itertools.pairwise(states):
        assert torch.equal(after[before < 2], before[before < 2])
    number = states[-1].flatten(1) @ 2 ** torch.arange(8, -1, -1)
    often, p = number.bincount(minlength=512) / n, drawn_in_steps(table_of(exact), shown)
    assert ((often - p).abs() < 5.5 * (p / n).sqrt() + 2 / n).all()


def test_what_is_seen_stays_in_a_completion():
    z = torch.full((5, 3, 3), 2)
    z[:, 2] = torch.tensor([1, 0, 1])
    done = unmask(exact, z, 2, [3, 3], seeded())[-1]
    assert (done < 2).all() and torch.equal(done[:, 2], z[:, 2])
    assert shares(9, 4) == [3, 2, 2, 2] and shares(72, 72) == [1] * 72


def test_every_symbol_is_seen_by_every_other_and_all_are_told():
    model = MaskedTransformer((4, 6), 3, 32, 1, 2, (2, 3), generator=seeded()).double()
    z = torch.full((1, 4, 6), 3)
    changed = z.expand(24, 4, 6).clone()
    changed.view(24, 24)[torch.arange(24), torch.arange(24)] = 1
    with torch.no_grad():
        reacts = (model(changed) - model(z)).abs().amax(1) > 1e-12
    assert reacts.all() and model(z).shape == (1, 3, 4, 6)


def test_a_patch_keeps_its_place():
    model = MaskedTransformer((4, 6), 3, 32, 1, 2, (2, 3), generator=seeded()).double()
    with torch.no_grad():
        model.tell.weight.zero_()
        model.tell.bias.copy_(torch.arange(18.0))  # symbol k of each patch tells 3k, 3k + 1, 3k + 2
        told = model(torch.zeros(1, 4, 6, dtype=torch.int64))[0]
    row, column = torch.meshgrid(torch.arange(4) % 2, torch.arange(6) % 3, indexing="ij")
    assert torch.equal(told[0], (3 * (3 * row + column)).double()) and torch.equal(told[2], told[0] + 2)


@pytest.mark.parametrize(("z", "words"), [
    (torch.zeros(2, 3, 4, dtype=torch.int64), r"must have shape \[n, 3, 3\]"),
    (torch.zeros(2, 3, 3), "whole numbers"),
    (torch.full((1, 3, 3), 3), "must lie in 0 … 2"),
])
def test_other_pictures_are_refused(z, words):
    with pytest.raises(ValueError, match=words):
        MaskedTransformer((3, 3), 2, 8, 1, 1, generator=seeded())(z)


def test_pictures_must_be_made_of_patches():
    with pytest.raises(ValueError, match="no patches of 2 x 2"):
        MaskedTransformer((3, 3), 2, 8, 1, 1, (2, 2), generator=seeded())
