"""The 8x8 digits: what they are, and that the split never changes."""

import torch

from course_lib.data import load_digits8


def test_binary_images_in_a_fixed_split_without_overlap():
    d, again = load_digits8(), load_digits8()
    assert d.train.shape == (1437, 8, 8) and d.test.shape == (360, 8, 8)
    assert d.train.dtype == d.test.dtype == torch.uint8
    assert set(d.train.unique().tolist()) == {0, 1}
    assert all(torch.equal(a, b) for a, b in zip(d, again, strict=True))
    assert torch.bincount(torch.cat([d.train_labels, d.test_labels])).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as scikit-learn documents them


def test_labels_belong_to_their_images():
    """A nearest class mean, fitted to the training half, is right far more often than one in ten."""
    d = load_digits8()
    means = torch.stack([d.train[d.train_labels == k].float().mean(0) for k in range(10)])
    nearest = ((d.test[:, None].float() - means) ** 2).sum((2, 3)).argmin(1)
    assert (nearest == d.test_labels).float().mean() > 0.8


def test_grey_levels_are_the_same_images():
    ink, grey = load_digits8(), load_digits8(grey=True)
    assert grey.train.dtype == torch.uint8 and grey.train.max() == 16
    assert torch.equal(grey.train >= 8, ink.train.bool()) and torch.equal(grey.test >= 8, ink.test.bool())
    assert torch.equal(grey.test_labels, ink.test_labels)
