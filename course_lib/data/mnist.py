"""MNIST, bundled with the course and verified byte by byte, and data sets of your own in the same files.

Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits* (1998); CC BY-SA 3.0.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data.idx import DataError, find_idx, parse_idx, read_sums, verify
from course_lib.files import require_folder

FOLDER = Path(__file__).resolve().parents[2] / "data" / "mnist"
SHA256 = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
SIDE = 28  # pixels: what the course's models of images take
PART = 4096  # images that are converted at a time

_loaded: dict[tuple[Path, str], MNIST] = {}
_lock = threading.Lock()


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
        ink = torch.empty(self.images.shape, dtype=torch.bool)
        for here, part in zip(ink.split(PART), self.split(PART), strict=True):
            torch.gt(part.floats(), threshold, out=here)
        return ink

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

    The files are verified by SHA-256 and decompressed on the first load in a process (about 0.25 s), then kept in
    memory; nothing is written to disk. The images are shared between calls: do not change them in place.

    Raises:
        ValueError: unknown split.
        DataError: a file is missing, cut short or altered, or the data folder was not installed.
    """
    names = _files(split)
    with _lock:
        key = (Path(folder), split)
        if key not in _loaded:
            require_folder(key[0], DataError)
            _loaded[key] = _parsed(*(_bundled(key[0] / f"{name}.gz") for name in names), classes=10)
        return _loaded[key]


def load_idx(folder: str | Path, split: str = "train", *, sha256: Mapping[str, str] | None = None,
             classes: int = 10) -> MNIST:
    """Load a data set of your own, in files like those of MNIST, Fashion-MNIST or KMNIST: 28x28 bytes an image.

    The folder holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` for 'train', `t10k-…` for 'test', each as
    it is or as `.gz`, and with a hyphen or a dot before `idx`; of several, the first in this order is taken. Headers,
    lengths, numbers and labels are verified. The files are read anew at each call, and nothing is written to disk.

    Args:
        folder: where the files are; `~` is your home.
        split: 'train' or 'test'.
        sha256: {file name: SHA-256 of the file as it lies there}, verified too. Without it those in the folder's
            `SHA256SUMS` are, if there is such a file.
        classes: labels are from 0 to `classes` − 1.

    Raises:
        ValueError: unknown split.
        DataError: a file is missing, damaged, or something else than it should be.
    """
    names, folder = _files(split), Path(folder).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name the one that holds the files {' and '.join(names)}")
    sums = read_sums(folder) if sha256 is None else sha256
    files = []
    for name in names:
        path = find_idx(folder, name)
        content = path.read_bytes()
        if sums is not None:
            verify(path, content, sums)
        files.append((path, content))
    return _parsed(*files, classes=classes)


def _files(split: str) -> tuple[str, str]:
    if split not in FILES:
        raise ValueError(f"unknown split {split!r}: use 'train' or 'test'")
    return FILES[split]


def _bundled(path: Path) -> tuple[Path, bytes]:
    """A file that was shipped, with its content."""
    mend = f"put the file back (`git checkout -- data/mnist/{path.name}`, or unpack the course again)"
    if not path.is_file():
        raise DataError(f"{path} is missing: {mend}")
    content = path.read_bytes()
    try:
        verify(path, content, SHA256)
    except DataError as error:
        raise DataError(f"{path} is not the file that was shipped (its SHA-256 differs): {mend}") from error
    return path, content


def _parsed(images: tuple[Path, bytes], labels: tuple[Path, bytes], classes: int) -> MNIST:
    """A data set from its two files, whose names go into messages."""
    pixels, y = parse_idx(*images, dimensions=3), parse_idx(*labels, dimensions=1)
    if pixels.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{images[0]} holds images of {pixels.shape[1]} x {pixels.shape[2]} pixels; the course's "
                        f"models take {SIDE} x {SIDE}: scale them first, as torchvision.transforms.v2.Resize does")
    if len(pixels) != len(y):
        raise DataError(f"{images[0]} holds {len(pixels):,} images and {labels[0].name} {len(y):,} labels: they do not "
                        "belong together. Get both from the same place")
    if y.max() >= classes:
        raise DataError(f"{labels[0]} has a label {y.max()}, and {classes} classes go from 0 to {classes - 1}: say "
                        f"classes={y.max() + 1}, if there are so many")
    return MNIST(pixels, y.long())
