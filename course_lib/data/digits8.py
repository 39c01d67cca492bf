"""Handwritten digits of 8x8 pixels: scikit-learn's copy of the test half of UCI's Optical Recognition of Handwritten
Digits (E. Alpaydin, C. Kaynak, 1998), 1,797 images, as black and white or with their grey levels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

INK = 8  # of 16 grey values: from here on a pixel is ink
TEST, SPLIT_SEED = 360, 0


class Digits8(NamedTuple):
    """Images `[n, 8, 8]`, uint8, and labels `[n]`, int64, in a fixed random order."""

    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor


def load_digits8(grey: bool = False) -> Digits8:
    """1,437 training and 360 test images; the same split at every call.

    Args:
        grey: pixels are the 17 levels 0 … 16 (how much of 4 x 4 finer pixels is ink); else 0 paper and 1 ink.
    """
    from sklearn.datasets import load_digits  # here, since the import takes most of a second and few need it

    bunch = load_digits()
    order = torch.randperm(len(bunch.images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    levels = torch.from_numpy(bunch.images)[order]
    images = (levels if grey else levels >= INK).to(torch.uint8)
    labels = torch.from_numpy(bunch.target)[order].long()
    return Digits8(images[TEST:], images[:TEST], labels[TEST:], labels[:TEST])
