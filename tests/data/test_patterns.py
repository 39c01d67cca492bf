"""Bars and stripes against a search through all pictures."""

import itertools

import numpy as np
import pytest
import torch

from course_lib.data import bars_and_stripes
from course_lib.data.patterns import OneBar


@pytest.mark.parametrize("side", [1, 2, 3])
def test_they_are_the_pictures_whose_rows_or_whose_columns_are_of_one_colour(side):
    found = {picture for picture in itertools.product((0, 1), repeat=side**2)
             for grid in (np.reshape(picture, (side, side)),)
             if (grid == grid[:, :1]).all() or (grid == grid[:1]).all()}
    made = bars_and_stripes(side)
    assert len(made) == len(found) == 2 ** (side + 1) - 2
    assert {tuple(map(int, row)) for row in made.tolist()} == found


@pytest.mark.parametrize("side", [0, 11])
def test_a_side_without_sense_is_refused(side):
    with pytest.raises(ValueError, match="between 1 and 10"):
        bars_and_stripes(side)


def test_one_bar_is_known_for_every_seen_set():
    bars, every = OneBar(), torch.tensor(list(itertools.product((0, 1), repeat=9))).view(-1, 3, 3)
    p = bars.log_prob(every).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    flips = (every[:, None] != bars.bars()).sum((2, 3))
    torch.testing.assert_close(p, (0.05**flips.double() * 0.95 ** (9 - flips.double())).mean(1))
    z = torch.tensor([[[2, 2, 1], [0, 2, 2], [2, 1, 2]]])
    fits = ((every == z) | (z == 2)).all((1, 2))
    assert bars.log_prob(z).exp().item() == pytest.approx(p[fits].sum().item())
    ink = (p[fits, None, None] * every[fits]).sum(0) / p[fits].sum()
    torch.testing.assert_close(bars.conditionals(z)[0, 1], ink)
    torch.testing.assert_close(bars.conditionals(z).sum(1), torch.ones(1, 3, 3, dtype=torch.float64))


def test_one_bar_is_drawn_as_often_as_it_is_probable():
    bars = OneBar(0.1)
    x = bars.sample(20_000, torch.Generator().manual_seed(0))
    for picture in bars.bars():
        p = bars.log_prob(picture[None]).exp().item()
        assert (x == picture).all((1, 2)).double().mean().item() == pytest.approx(p, abs=5 * (p / 20_000) ** 0.5)


@pytest.mark.parametrize("z", [torch.zeros(2, 9).long(), torch.zeros(1, 3, 3), torch.full((1, 3, 3), 3)])
def test_other_pictures_than_of_one_bar_are_refused(z):
    with pytest.raises(ValueError, match="whole numbers 0, 1, or 2 where hidden"):
        OneBar().log_prob(z)
