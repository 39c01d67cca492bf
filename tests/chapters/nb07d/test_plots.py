"""The figure of notebook 07d: where tokens look."""

import numpy as np
from legible import check_legible

from course_lib.chapters.nb07d.plots import patterns

WEIGHTS = {"first": np.tril(np.ones((5, 5))) / 5, "second": np.eye(5)}


def test_the_figure_is_legible():
    check_legible(patterns(WEIGHTS, title="t"))


def test_each_token_that_looks_has_a_row_and_the_first_is_on_top():
    first, second = patterns(WEIGHTS, title="t").axes
    for ax, weights in ((first, WEIGHTS["first"]), (second, WEIGHTS["second"])):
        image = ax.get_images()[0]
        assert np.array_equal(image.get_array(), weights) and image.get_clim() == (0, 1)
        assert tuple(image.get_extent()) == (0.5, 5.5, 5.5, 0.5)
    assert first.get_ylabel() == "token that looks" and second.get_xlabel() == "looked at"
