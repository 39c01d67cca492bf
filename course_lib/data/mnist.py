"""MNIST, bundled with the course and verified byte by byte.

Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits* (1998); CC BY-SA 3.0.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_lib.files import CourseFileError, require_folder

FOLDER = Path(__file__).resolve().parents[2] / "data" / "mnist"
SHA256 = {  # of the decompressed files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
SIZE = {"train": 60_000, "test": 10_000}
PART = 4096  # images that are converted at a time

_loaded: dict[tuple[Path, str], MNIST] = {}
_lock = threading.Lock()


class DataError(CourseFileError):
    """A bundled data file is missing or is not what was shipped. The message says which, and how to mend it."""


@dataclass(frozen=True)
class MNIST:
    """Images with their labels, and the views of them that the course needs.

    Attributes:
        images: uint8 `[n, 28, 28]`, 0 is paper and 255 is ink. `[n, 14, 14]` after `halved()`.
        labels: int64 `[n]`, 0 to 9.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> MNIST:
        """The subset picked by a slice, a boolean mask `[n]` or an index tensor."""
        return MNIST(self.images[index], self.labels[index])

    def floats(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Images as float32 `[n, H, W]`, ink scaled to [low, high]: [0, 1], or [-1, 1] for a tanh generator."""
        return self.images.to(torch.float32).div_(255).mul_(high - low).add_(low)

    def flat(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """As `floats`, one row an image: float32 `[n, H·W]`."""
        return self.floats(low, high).flatten(1)

    def binarized(self, generator: torch.Generator | None = None, threshold: float = 0.5) -> Tensor:
        """Black-and-white images, float32 `[n, H, W]` of zeros and ones.

        With a `generator` each pixel is ink with the probability of its grey value: called anew for every batch this
        is the *dynamic* binarization of the literature; called once from a fixed seed, the *static* one. Without a
        generator a pixel is ink where its grey value in [0, 1] exceeds `threshold`.
        """
        if generator is None:
            return self.ink(threshold).float()
        ink = torch.empty(self.images.shape, dtype=torch.float32)
        for here, part in zip(ink.split(PART), self.split(PART), strict=True):  # all greys at once are as much again
            here.copy_(torch.bernoulli(part.floats(), generator=generator))
        return ink

    def ink(self, threshold: float = 0.5) -> Tensor:
        """Where there is ink, a grey value in [0, 1] above `threshold`: bool `[n, H, W]`, a byte each."""
        return torch.cat([part.floats() > threshold for part in self.split(PART)])

    def split(self, size: int) -> list[MNIST]:
        """Parts of so many images, the last one perhaps of fewer: all 60,000 as float32 take 188 MB, a part does not.
        """
        return [self[first:first + size] for first in range(0, max(len(self), 1), size)]

    def balanced(self, n_per_class: int, generator: torch.Generator) -> MNIST:
        """A random subset with `n_per_class` images of every class present, shuffled.

        Raises:
            ValueError: a class has fewer images than asked for.
        """
        order = torch.randperm(len(self), generator=generator)
        picks = []
        for label in self.labels.unique():
            of_label = order[self.labels[order] == label]
            if len(of_label) < n_per_class:
                raise ValueError(f"class {label} has {len(of_label)} images, {n_per_class} were asked for")
            picks.append(of_label[:n_per_class])
        picked = torch.cat(picks)
        return self[picked[torch.randperm(len(picked), generator=generator)]]

    def halved(self) -> MNIST:
        """Half the height and width: each pixel the rounded mean of a 2x2 block. `[n, 14, 14]` from 28x28."""
        n, height, width = self.images.shape
        blocks = self.images.view(n, height // 2, 2, width // 2, 2).to(torch.float32)
        return MNIST(blocks.mean(dim=(2, 4)).round().to(torch.uint8), self.labels)


def load_mnist(split: str = "train", folder: Path = FOLDER) -> MNIST:
    """Load the bundled MNIST: 60,000 'train' or 10,000 'test' images.

    The files are decompressed and verified by SHA-256 on the first load in a process (about 0.25 s), then kept in
    memory; nothing is written to disk. The images are shared between calls: do not change them in place.

    Raises:
        ValueError: unknown split.
        DataError: a file is missing, cut short or altered, or the data folder was not installed.
    """
    if split not in FILES:
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    with _lock:
        key = (Path(folder), split)
        if key not in _loaded:
            require_folder(key[0], DataError)
            images, labels = (_read(key[0], name) for name in FILES[split])
            _loaded[key] = MNIST(
                torch.frombuffer(images, dtype=torch.uint8, offset=16).view(SIZE[split], 28, 28),
                torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
            )
        return _loaded[key]


def _read(folder: Path, name: str) -> bytearray:
    path = folder / f"{name}.gz"
    mend = f"put the file back (`git checkout -- data/mnist/{path.name}`, or unpack the course again)"
    if not path.is_file():
        raise DataError(f"{path} is missing: {mend}")
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is cut short or damaged ({error}): {mend}") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DataError(f"{path} is not the file that was shipped (its SHA-256 differs): {mend}")
    return bytearray(content)
