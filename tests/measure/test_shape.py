import numpy as np
import pytest
from scipy import ndimage

from course_lib.data import load_mnist
from course_lib.measure import ink, slant, thickness


def bar(width, lean=0.0, size=40):
    """An upright grey-edged bar that leans by `lean` columns a row, in the middle of the picture."""
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    beside = column + lean * row  # rows count downwards
    inside = np.clip(width / 2 + 0.5 - np.abs(beside), 0, 1)
    return np.where(np.abs(row) < 14, inside, 0.0)[None]


def test_ink_is_the_sum_of_the_pixels():
    assert ink(np.stack([np.zeros((3, 4)), np.full((3, 4), 0.5)])).tolist() == [0, 6]


@pytest.mark.parametrize("lean", [-0.6, -0.2, 0.0, 0.1, 0.5, 1.0])
def test_slant_is_how_far_a_bar_leans_to_the_right(lean):
    assert slant(bar(3, lean))[0] == pytest.approx(lean, abs=0.02)


def test_slant_sees_neither_place_nor_ink_nor_thickness():
    x = bar(4, 0.4)
    for changed in (np.roll(x, (3, -5), (1, 2)), 0.3 * x, bar(2, 0.4)):
        assert slant(changed)[0] == pytest.approx(slant(x)[0], abs=0.02)
    assert slant(x[:, :, ::-1])[0] == pytest.approx(-slant(x)[0])


def test_shearing_a_digit_adds_to_its_slant():
    x = load_mnist("test").floats()[:20].numpy()
    sheared = np.stack([ndimage.affine_transform(np.pad(i, 10), [[1, 0], [0.3, 1]], offset=[0, -0.3 * 23.5], order=1)
                        for i in x])
    np.testing.assert_allclose(slant(sheared) - slant(x), 0.3, atol=0.03)


@pytest.mark.parametrize("width", [2, 3, 4, 5])
@pytest.mark.parametrize("lean", [0.0, 0.5])
def test_thickness_is_nearly_the_width_of_a_stroke(width, lean):
    across = width / np.hypot(1, lean)  # the bar's width was counted along a row
    assert across * 0.8 < thickness(bar(width, lean))[0] < across * 1.02


def test_a_digit_that_is_dilated_is_thicker():
    x = load_mnist("test").floats()[:50].numpy()
    fat = np.stack([ndimage.grey_dilation(i, size=(2, 2)) for i in x])
    assert (thickness(fat) > thickness(x) + 0.3).all()


@pytest.mark.parametrize("measure", [ink, slant, thickness])
def test_mistakes_are_told(measure):
    with pytest.raises(ValueError, match=r"\[n, height, width\], not \[28, 28\]"):
        measure(np.ones((28, 28)))
    with pytest.raises(ValueError, match="negative"):
        measure(np.full((1, 28, 28), -1.0))
    with pytest.raises(ValueError, match="negative, NaN"):
        measure(np.full((1, 28, 28), np.nan))


def test_without_ink_there_is_no_stroke():
    blank, line = np.zeros((1, 5, 5)), np.zeros((1, 5, 5))
    line[0, 2] = 1
    for measure in (slant, thickness):
        with pytest.raises(ValueError, match="without ink"):
            measure(blank)
    with pytest.raises(ValueError, match="one row"):
        slant(line)
