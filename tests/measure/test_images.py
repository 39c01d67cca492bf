import tracemalloc

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from course_lib.measure import ink, nearest_neighbours, sharpness, slant, thickness


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_neighbours_against_sklearn(batch_size):
    rng = np.random.default_rng(0)
    x, references = rng.random((23, 6, 5)), rng.random((80, 6, 5))
    distance, index = nearest_neighbours(x, references, batch_size)
    expected, which = NearestNeighbors(n_neighbors=1).fit(references.reshape(80, -1)).kneighbors(x.reshape(23, -1))
    np.testing.assert_allclose(distance, expected[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(index, which[:, 0])


def test_a_copy_is_found_at_distance_0():
    references = np.random.default_rng(1).random((50, 28, 28)).astype(np.float32)
    distance, index = nearest_neighbours(references[[31, 4]], references)
    assert distance.tolist() == [0, 0] and index.tolist() == [31, 4]


@pytest.mark.parametrize(("x", "references"), [
    (np.zeros((3, 4)), np.zeros((0, 4))), (np.zeros((3, 4)), np.zeros((3, 5))), (np.zeros(3), np.zeros(3))])
def test_neighbours_refuse_shapes_that_do_not_fit(x, references):
    with pytest.raises(ValueError):
        nearest_neighbours(x, references)


def test_sharpness_equals_a_plain_loop():
    x = np.random.default_rng(2).random((2, 5, 6))
    for image, found in zip(x, sharpness(x), strict=True):
        laplacian = [image[r - 1, c] + image[r + 1, c] + image[r, c - 1] + image[r, c + 1] - 4 * image[r, c]
                     for r in range(1, 4) for c in range(1, 5)]
        assert found == pytest.approx(np.var(laplacian))


def test_blur_makes_less_sharp_and_noise_sharper():
    image = np.zeros((1, 28, 28))
    image[:, 8:20, 12:16] = 1
    blurred = (image + np.roll(image, 1, 1) + np.roll(image, 1, 2) + np.roll(image, (1, 1), (1, 2))) / 4
    noisy = image + np.random.default_rng(3).normal(size=image.shape) * 0.3
    assert 0 < sharpness(blurred)[0] < sharpness(image)[0] < sharpness(noisy)[0]
    assert sharpness(np.ones((3, 4, 4))).tolist() == [0, 0, 0]


@pytest.mark.parametrize("images", [np.zeros((28, 28)), np.zeros((5, 2, 28))])
def test_sharpness_refuses_other_shapes(images):
    with pytest.raises(ValueError):
        sharpness(images)


@pytest.mark.parametrize("measure", [sharpness, ink, slant, thickness])
def test_many_images_are_measured_in_parts_to_the_same_numbers(measure):
    images = np.random.default_rng(5).integers(1, 256, (2345, 6, 5), dtype=np.uint8)
    assert measure(images).tolist() == [measure(image[None])[0] for image in images]


def test_bytes_are_measured_without_copies_of_all():
    """Of 60,000 MNIST images a float64 copy would be 376 MB."""
    images = np.random.default_rng(6).integers(1, 256, (20_000, 28, 28), dtype=np.uint8)
    some = images[:50].astype(float)
    for call in (lambda: nearest_neighbours(some, images), lambda: sharpness(images), lambda: thickness(images)):
        tracemalloc.start()
        call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 0.6 * 8 * images.size
