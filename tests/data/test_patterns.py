"""Bars and stripes against a search through all pictures."""

import itertools

import numpy as np
import pytest

from course_lib.data import bars_and_stripes


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
