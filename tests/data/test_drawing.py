"""Drawings in the form of MNIST."""

import pytest
import torch
from torch.nn.functional import interpolate, pad

from course_lib.data import like_mnist, load_mnist


@pytest.fixture(scope="module")
def digits():
    return load_mnist("test").floats()[:200]


def test_mnists_own_digits_stay_as_they_are(digits):
    changed = torch.stack([(like_mnist(x) - x).abs().sum() for x in digits])
    assert (changed < 1).float().mean() > 0.97  # faint pixels at the rim are cut; a rounding may fall the other way


def test_place_and_size_do_not_matter(digits):
    x = digits[3]
    moved = pad(x, (10, 3, 0, 15))
    assert torch.allclose(like_mnist(moved), like_mnist(x))
    large = interpolate(x[None, None], scale_factor=3, mode="bilinear")[0, 0].clamp(0, 1)
    assert (like_mnist(large) - x).abs().mean() < 0.05


def test_shape_range_and_box():
    drawing = torch.zeros(40, 60)
    drawing[5:9, 10:50] = 1
    x = like_mnist(drawing)
    assert x.shape == (28, 28) and x.min() >= 0 and x.max() <= 1
    inked = (x > 0.1).nonzero()
    assert (inked.amax(0) - inked.amin(0) + 1).tolist() == [2, 20]
    assert like_mnist(torch.eye(3)[:1]).shape == (28, 28)  # a single dot


@pytest.mark.parametrize(("drawing", "message"), [
    (torch.zeros(28, 28), "no ink: draw something first"),
    (torch.zeros(1, 28, 28), r"shape \[height, width\], not \[1, 28, 28\]"),
    (torch.full((28, 28), 255.0), r"must lie in \[0, 1\]"),
    (torch.full((28, 28), torch.nan), r"must lie in \[0, 1\]"),
])
def test_what_is_no_drawing_is_told(drawing, message):
    with pytest.raises(ValueError, match=message):
        like_mnist(drawing)
