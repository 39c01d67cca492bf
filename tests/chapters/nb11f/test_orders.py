"""All orders added up, against going through them one by one and against drawing."""

import itertools

import pytest
import torch

from course_lib.chapters.nb11f.orders import (
    EVERY,
    SEEN,
    drawn_by_confidence,
    drawn_in_steps,
    log_mixture,
    log_prob_in_order,
    log_probs_in_orders,
    table_of,
)
from course_lib.data.patterns import OneBar

BARS = OneBar()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def true_answers(z):
    return BARS.conditionals(z).log()


@pytest.fixture(scope="module")
def arbitrary():
    """Answers that agree on nothing, of each of the masked pictures."""
    logits = 2 * torch.randn(3**9, 2, 9, generator=seeded(), dtype=torch.float64)
    powers = 3 ** torch.arange(8, -1, -1)
    return table_of(lambda z: logits[z.flatten(1) @ powers].log_softmax(1).view(-1, 2, 3, 3))


@pytest.fixture(scope="module")
def exact():
    return table_of(true_answers)


def test_the_table_has_the_answer_to_each_question(exact):
    p = BARS.log_prob(EVERY.view(-1, 3, 3)).exp()
    for x, S, j in ((0, 0, 3), (73, 5, 0), (300, 448, 8), (511, 510, 8)):
        fits = (EVERY[:, SEEN[S]] == EVERY[x, SEEN[S]]).all(1)
        by_hand = p[fits & (EVERY[:, j] == EVERY[x, j])].sum() / p[fits].sum()
        assert exact[x, S, j].exp().item() == pytest.approx(by_hand.item(), abs=1e-12)
    assert (exact[:, SEEN] == 0).all()


def test_the_mixture_is_the_mean_over_all_orders_one_by_one(arbitrary):
    orders = torch.tensor(list(itertools.permutations(range(9))))
    seen = (2 ** (8 - orders)).cumsum(1) - 2 ** (8 - orders)
    for x in (0, 300):
        one_by_one = arbitrary[x, seen, orders].sum(1)
        assert log_mixture(arbitrary)[x].item() == pytest.approx(one_by_one.exp().mean().log().item(), abs=1e-10)
    order = (4, 2, 7, 0, 8, 1, 3, 6, 5)
    at = (orders == torch.tensor(order)).all(1)
    assert log_prob_in_order(arbitrary, order)[300].item() == pytest.approx(one_by_one[at].item(), abs=1e-12)


@pytest.mark.parametrize("shown", [[9], [1] * 9, [4, 1, 4]])
def test_every_way_to_draw_is_a_distribution(arbitrary, shown):
    for q in (drawn_in_steps(arbitrary, shown), drawn_by_confidence(arbitrary, shown, True),
              drawn_by_confidence(arbitrary, shown, False)):
        assert q.sum().item() == pytest.approx(1, abs=1e-10) and (q >= 0).all()


def test_one_step_is_independent_and_nine_are_the_mixture(arbitrary):
    torch.testing.assert_close(drawn_in_steps(arbitrary, [9]), arbitrary[:, 0].sum(1).exp())
    torch.testing.assert_close(drawn_in_steps(arbitrary, [1] * 9), log_mixture(arbitrary).exp())


@pytest.mark.parametrize("draw_first", [True, False])
def test_confident_pixels_are_drawn_as_often_as_all_ways_add_up_to(arbitrary, draw_first):
    n, powers = 8000, 3 ** torch.arange(8, -1, -1)
    logits = 2 * torch.randn(3**9, 2, 9, generator=seeded(), dtype=torch.float64)  # those of the table
    z, rng = torch.full((n, 9), 2), seeded(1)
    for count in (3, 3, 3):
        p = logits[z @ powers].softmax(1)
        drawn = (torch.rand(n, 9, generator=rng, dtype=torch.float64) < p[:, 1]).long()
        sure = p.gather(1, drawn[:, None])[:, 0] if draw_first else p.amax(1)
        kept = sure.masked_fill(z < 2, -1).argsort(1, descending=True)[:, :count]
        z = z.scatter(1, kept, drawn.gather(1, kept))
    often = (z @ 2 ** torch.arange(8, -1, -1)).bincount(minlength=512) / n
    q = drawn_by_confidence(arbitrary, [3, 3, 3], draw_first)
    assert ((often - q).abs() < 5.5 * (q / n).sqrt() + 2 / n).all()


@pytest.mark.parametrize("draw", [drawn_in_steps, lambda L, shown: drawn_by_confidence(L, shown, True)])
def test_all_pixels_must_be_shown(exact, draw):
    with pytest.raises(ValueError, match="must show 9 pixels in all, not 8"):
        draw(exact, [4, 4])


def test_random_orders_one_by_one_have_the_mean_and_the_mixture_of_all(arbitrary):
    logits = 2 * torch.randn(3**9, 2, 9, generator=seeded(), dtype=torch.float64)  # those of the table
    powers = 3 ** torch.arange(8, -1, -1)
    x = EVERY[[0, 300]].view(-1, 3, 3)
    log_p = log_probs_in_orders(lambda z: logits[z.flatten(1) @ powers].view(-1, 2, 3, 3), x, 2, 4000, seeded(1))
    orders = torch.tensor(list(itertools.permutations(range(9))))
    seen = (2 ** (8 - orders)).cumsum(1) - 2 ** (8 - orders)
    for row, picture in zip(log_p, (0, 300), strict=True):
        assert row.mean().item() == pytest.approx(arbitrary[picture, seen, orders].sum(1).mean().item(),
                                                  abs=5 * row.std().item() / 4000**0.5)
        p = row.exp()
        assert p.mean().item() == pytest.approx(log_mixture(arbitrary)[picture].exp().item(),
                                                abs=5 * p.std().item() / 4000**0.5)
    true = log_probs_in_orders(true_answers, x, 2, 3, seeded(1))
    torch.testing.assert_close(true, BARS.log_prob(x)[:, None].expand(-1, 3))
