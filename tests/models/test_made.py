"""MADE: it never looks ahead, is normalised whatever its weights, and draws what it says."""

from itertools import product

import pytest
import torch
from torch import nn

from course_lib.models.made import MADE, degrees, masks


def network(size=(3, 3), hidden=(16,), std=1.0):
    made = MADE(size, hidden, torch.Generator().manual_seed(0)).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=std, generator=torch.Generator().manual_seed(1))
    return made.requires_grad_(False)


EVERY = torch.tensor(list(product((0, 1), repeat=9))).view(512, 3, 3)


@pytest.mark.parametrize("hidden", [(16,), (7, 20), (3,)])
def test_all_512_pictures_have_probability_one_in_all(hidden):
    log_p = network(hidden=hidden).log_prob(EVERY)
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-9)
    assert log_p.std() > 0.5  # and not all the same


@pytest.mark.parametrize("hidden", [(24,), (24, 24)])
def test_each_pixel_reacts_to_all_earlier_ones_and_to_no_other(hidden):
    made = network(hidden=hidden)
    for j in range(9):
        seen = made.receptive_field(j // 3, j % 3, torch.Generator().manual_seed(2)).flatten()
        assert (seen[:j] > 0).all() and (seen[j:] == 0).all()


def test_one_pass_has_all_conditionals():
    made, x = network(), EVERY[77:78]
    told = made(x).log_softmax(dim=1)[0, 1].flatten()
    log_p = made.log_prob(EVERY)
    for j in range(9):
        same = (EVERY.flatten(1)[:, :j] == x.flatten(1)[:, :j]).all(dim=1)
        inked = same & (EVERY.flatten(1)[:, j] == 1)
        assert told[j].item() == pytest.approx((log_p[inked].logsumexp(0) - log_p[same].logsumexp(0)).item(), abs=1e-8)


def test_it_draws_what_it_says():
    made = network()
    drawn = made.sample(20_000, torch.Generator().manual_seed(3)).images
    counts = torch.bincount((drawn.flatten(1) * 2 ** torch.arange(8, -1, -1)).sum(dim=1), minlength=512) / 20_000
    assert (counts - made.log_prob(EVERY).exp()).abs().max() < 0.01


def test_masks_and_degrees():
    m = degrees(4, [5])
    assert [part.tolist() for part in m] == [[1, 2, 3, 4], [1, 2, 3, 1, 2], [1, 2, 3, 4]]
    first, last = masks(m)
    assert first.tolist()[2] == [1, 1, 1, 0] and last.tolist()[2] == [1, 1, 0, 1, 1] and last[0].sum() == 0
    paths = last @ first
    assert (paths.triu() == 0).all() and (paths + torch.ones(4, 4).triu() > 0).all()
    with pytest.raises(ValueError, match="two pixels or more, not 1"):
        degrees(1, [5])


def test_other_pictures_are_told():
    with pytest.raises(ValueError, match=r"shape \[n, 3, 3\]"):
        network().log_prob(torch.zeros(2, 4, 4, dtype=torch.int64))
