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

FOLDER = Path(__file__).resolve().parents[2] / "data" / "mnist"
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
SIZE = {"train": 60_000, "test": 10_000}

_loaded: dict[tuple[Path, str], MNIST] = {}
_lock = threading.Lock()


class DataError(Exception):
    """A bundled data file is missing or is not what was shipped. The message says which, and how to mend it."""


@dataclass(frozen=True)
class MNIST:
    """Images with their labels, and the views of them that the course needs.

    Attributes:
        images: uint8 `[N, 28, 28]`, 0 is paper and 255 is ink. `[N, 14, 14]` after `halved()`.
        labels: int64 `[N]`, 0 to 9.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> MNIST:
        """The subset picked by a slice, a boolean mask `[N]` or an index tensor."""
        return MNIST(self.images[index], self.labels[index])

    def floats(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Images as float32 `[N, H, W]`, ink scaled to [low, high]: [0, 1], or [-1, 1] for a tanh generator."""
        return self.images.to(torch.float32).div_(255).mul_(high - low).add_(low)

    def flat(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """As `floats`, one row an image: float32 `[N, H·W]`."""
        return self.floats(low, high).flatten(1)

    def binarized(self, generator: torch.Generator | None = None, threshold: float = 0.5) -> Tensor:
        """Black-and-white images, float32 `[N, H, W]` of zeros and ones.

        With a `generator` each pixel is ink with the probability of its grey value: called anew for every batch this
        is the *dynamic* binarization of the literature; called once from a fixed seed, the *static* one. Without a
        generator a pixel is ink where its grey value in [0, 1] exceeds `threshold`.
        """
        grey = self.floats()
        return (grey > threshold).float() if generator is None else torch.bernoulli(grey, generator=generator)

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
        """Half the height and width: each pixel the rounded mean of a 2x2 block. `[N, 14, 14]` from 28x28."""
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
            sums = _sums(key[0])
            images, labels = (_read(key[0], name, sums) for name in FILES[split])
            _loaded[key] = MNIST(
                torch.frombuffer(images, dtype=torch.uint8, offset=16).view(SIZE[split], 28, 28),
                torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
            )
        return _loaded[key]


def _sums(folder: Path) -> dict[str, str]:
    path = folder / "SHA256SUMS"
    if not path.is_file():
        raise DataError(
            f"the course's data folder {folder} is not there or not whole. course_lib reads the data that lie beside "
            "it: work in the course's own folder and install it with `pip install -e .`, or unpack the course again")
    return {name: digest for digest, name in (line.split() for line in path.read_text().splitlines())}


def _read(folder: Path, name: str, sums: dict[str, str]) -> bytearray:
    path = folder / f"{name}.gz"
    mend = f"put the file back (`git checkout -- data/mnist/{path.name}`, or unpack the course again)"
    if not path.is_file():
        raise DataError(f"{path} is missing: {mend}")
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is cut short or damaged ({error}): {mend}") from error
    if hashlib.sha256(content).hexdigest() != sums.get(name):
        raise DataError(f"{path} is not the file that was shipped (its SHA-256 differs): {mend}")
    return bytearray(content)
