"""The three data sets of the scoreboard, each to be had in three ways: whole numbers, bits, features.

**Whole numbers** `[n, H, W]` from 0 to N − 1 are what all families draw and what all are measured by. **Bits** `[n, D]`
say the same: black and white pixels are bits, and a colour of 16 is four of them (T. Chen, R. Zhang, G. Hinton, Analog
Bits, ICLR 2023). One picture has one row of bits and the other way round, so that log p of the bits is log p of the
picture, and a family that knows only bits is compared with those that know colours without any loss. **Features**
`[n, 64]` are where samples are compared with held-out pictures: of MNIST those of the shipped classifier; of sprites 64
fixed random directions of the pixels' colours, in which distances are what they were, on average; of 8x8 digits the
pixels.

All are held out in the same way: what is trained on comes from `batch`; `test` is what log p and completions are
measured on; `reference` what samples are compared with; `train` a fixed set, which copiers copy and nearest neighbours
are sought in.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.data import MNIST as Digits
from course_lib.data import Sprites, load_digits8, load_mnist
from course_lib.data.sprites import HALF, N_COLOURS, SCHEMES
from course_lib.experiments.pixelrnn import held_out
from course_lib.seeds import seeded
from course_lib.training.image_scores import features_and_probabilities

TEST = 2000  # pictures, where there are as many
TRAIN_SPRITES = 10_000  # of the fixed set: families get ever new ones
FEATURES = 64
SPLIT, BINARIZED, DRAWN, DIRECTIONS = 101, 102, 103, 104  # seeds of what is fixed


class Pictures(ABC):
    """A data set.

    Attributes:
        name: in the record.
        size: (H, W) of a picture.
        n_classes: N, the values of a pixel.
        seen_rows: upper rows that are given where a picture is completed. The transformer's patches end there.
        n_labels: labels go from 0 to this number − 1.
        truth: the distribution that pictures come from, where it is known.
    """

    name: ClassVar[str]
    size: ClassVar[tuple[int, int]]
    n_classes: ClassVar[int] = 2
    seen_rows: ClassVar[int]
    n_labels: ClassVar[int] = 10
    truth: ClassVar[Sprites | None] = None

    @abstractmethod
    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Training pictures, int64 `[n, H, W]`, and their labels `[n]`."""

    @functools.cached_property
    @abstractmethod
    def train(self) -> tuple[Tensor, Tensor]:
        """The fixed set: pictures as bytes, uint8 `[n, H, W]`, and their labels `[n]`. Do not change it in place."""

    @functools.cached_property
    @abstractmethod
    def held_out(self) -> tuple[Tensor, Tensor]:
        """`test` and `reference`, int64 `[n, H, W]`. Do not change them in place."""

    @abstractmethod
    def features(self, x: Tensor) -> np.ndarray:
        """Features `[n, 64]` of pictures `[n, H, W]`."""

    @property
    def labels(self) -> Tensor:
        """Of the training pictures, int64 `[n]`."""
        return self.train[1]

    def draw_labels(self, n: int, generator: torch.Generator) -> Tensor:
        """Labels int64 `[n]`, as often as in training."""
        return self.labels[torch.randint(len(self.labels), (n,), generator=generator)]

    @property
    def test(self) -> Tensor:
        """Pictures int64 `[n, H, W]` that log p and completions are measured on."""
        return self.held_out[0]

    @property
    def reference(self) -> Tensor:
        """Pictures int64 `[n, H, W]` that samples are compared with."""
        return self.held_out[1]

    @functools.cached_property
    def reference_features(self) -> np.ndarray:
        """Features `[n, 64]` of the reference."""
        return self.features(self.reference)

    @property
    def pixels(self) -> int:
        """Of a picture."""
        return self.size[0] * self.size[1]

    @property
    def depth(self) -> int:
        """Bits of a pixel."""
        return (self.n_classes - 1).bit_length()

    @property
    def D(self) -> int:
        """Bits of a picture."""
        return self.pixels * self.depth

    @property
    def seen(self) -> Tensor:
        """Which pixels are given where a picture is completed, bool `[H, W]`."""
        return (torch.arange(self.size[0]) < self.seen_rows)[:, None].expand(self.size)

    @property
    def seen_bits(self) -> Tensor:
        """Which bits these are, bool `[D]`."""
        return self.seen.flatten().repeat_interleave(self.depth)

    def bits(self, x: Tensor) -> Tensor:
        """Pictures `[n, H, W]` as zeros and ones, float32 `[n, D]`: the bits of one pixel after the other."""
        return (x.flatten(1)[..., None] >> torch.arange(self.depth) & 1).flatten(1).float()

    def from_bits(self, bits: Tensor) -> Tensor:
        """Pictures int64 `[n, H, W]` of zeros and ones `[n, D]`."""
        weights = 2 ** torch.arange(self.depth)
        return (bits.long().view(len(bits), self.pixels, self.depth) * weights).sum(2).view(-1, *self.size)

    def one_hot(self, x: Tensor) -> Tensor:
        """Pictures `[n, H, W]` as float32 `[n, pixels · N]`, whose squared distances count the pixels that differ."""
        return F.one_hot(x.flatten(1).long(), self.n_classes).flatten(1).float() / 2**0.5


@dataclass(frozen=True)
class Stream:
    """Training pictures as bits, drawn anew at each call: a `digits8.Source`.

    Attributes:
        pictures: the data set.
        low: what a 0 becomes: 0, or −1.
    """

    pictures: Pictures
    low: float = 0.0

    @property
    def D(self) -> int:
        """Bits of a picture."""
        return self.pictures.D

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        """Float32 `[n, D]`."""
        return self.low + (1 - self.low) * self.pictures.bits(self.pictures.batch(n, generator)[0])


class MNISTPictures(Pictures):
    """MNIST in black and white: each pixel is ink with the probability of its grey value, drawn anew in each batch and
    once for all fixed sets. Families of grey pictures draw ink in the same way."""

    name, size, seen_rows = "mnist", (28, 28), 16

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        train = load_mnist("train")
        picked = train[torch.randint(len(train), (n,), generator=generator)]
        return _ink(picked, generator).long(), picked.labels

    @property
    def labels(self) -> Tensor:
        return load_mnist("train").labels  # without the ink of all pictures

    @functools.cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        return _ink(load_mnist("train"), seeded(BINARIZED)), self.labels

    @functools.cached_property
    def held_out(self) -> tuple[Tensor, Tensor]:
        x = held_out("mnist")
        x = x[torch.randperm(len(x), generator=seeded(SPLIT))]  # the first ones of the test set are the easier ones
        return x[:TEST], x[TEST:]

    def features(self, x: Tensor) -> np.ndarray:
        return features_and_probabilities(x.float())[0]


class SpritePictures(Pictures):
    """Sprites, ever new ones in training. Their labels are the colour schemes."""

    name, size, n_classes, seen_rows, n_labels, truth = "sprites", HALF, N_COLOURS, 6, len(SCHEMES), Sprites()

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        parts = self.truth.sample_parts(n, generator)
        return self.truth.paint(parts, generator), parts[:, 0]

    @functools.cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        x, y = self.batch(TRAIN_SPRITES, seeded(DRAWN))
        return x.byte(), y

    @functools.cached_property
    def held_out(self) -> tuple[Tensor, Tensor]:
        x = held_out("sprites")
        return x[:TEST], x[TEST:]

    def features(self, x: Tensor) -> np.ndarray:
        return (self.one_hot(x) @ self._directions).numpy()

    @functools.cached_property
    def _directions(self) -> Tensor:
        shape = self.pixels * self.n_classes, FEATURES
        return torch.randn(shape, generator=seeded(DIRECTIONS)) / FEATURES**0.5


class Digits8Pictures(Pictures):
    """Handwritten digits of 8x8 pixels in black and white. They are few: test and reference are the same 360,
    15 of which are the same as some training picture."""

    name, size, seen_rows = "digits8", (8, 8), 4

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = self.train
        picked = torch.randint(len(x), (n,), generator=generator)
        return x[picked].long(), y[picked]

    @functools.cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        digits = load_digits8()
        return digits.train, digits.train_labels

    @functools.cached_property
    def held_out(self) -> tuple[Tensor, Tensor]:
        test = load_digits8().test.long()
        return test, test

    def features(self, x: Tensor) -> np.ndarray:
        return x.flatten(1).float().numpy()


PICTURES: dict[str, Pictures] = {data.name: data for data in (SpritePictures(), Digits8Pictures(), MNISTPictures())}


def _ink(grey: Digits, generator: torch.Generator) -> Tensor:
    return torch.cat([part.binarized(generator).byte() for part in grey.split(4096)])
