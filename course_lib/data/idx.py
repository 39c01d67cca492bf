"""The IDX format, in which MNIST and the data sets made in its likeness come: a header, then numbers.

The header is two zeros, the type of a number (8 for bytes), how many dimensions there are, and the size of each as four
bytes, the largest first. Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits* (1998).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from course_lib.files import CourseFileError

SUMS = "SHA256SUMS"  # as `sha256sum * > SHA256SUMS` writes it
TYPES = {0x08: "bytes", 0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers", 0x0D: "32-bit floats",
         0x0E: "64-bit floats"}
DENSEST = 1032  # zlib makes no file smaller than its content by more than this factor
PART = 2**20  # bytes that are decompressed at a time, so that no header decides how much memory is asked for


class DataError(CourseFileError):
    """A data file is missing or is not what it should be. The message says which file, and how to mend it."""


def find_idx(folder: Path, name: str) -> Path:
    """The file `train-images-idx3-ubyte`, say, as it may be called: also with a dot for the second hyphen, or `.gz`.

    Raises:
        DataError: it is there under none of these names.
    """
    stem, _, kind = name.rpartition("-idx")
    names = [f"{stem}{mark}idx{kind}{ending}" for ending in ("", ".gz") for mark in "-."]
    for candidate in names:
        if (folder / candidate).is_file():  # some archives hold a folder of that name, with the file in it
            return folder / candidate
    raise DataError(f"{folder} has no file {name}: put it there, under this name or as {', '.join(names[1:])}")


def read_sums(folder: Path) -> dict[str, str] | None:
    """{file name: SHA-256} as a folder's `SHA256SUMS` lists them; None where there is no such file.

    Raises:
        DataError: a line is not a digest and a name.
    """
    path = folder / SUMS
    if not path.is_file():
        return None
    sums = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.strip().partition(" ")
        if line.strip() and (len(digest) != 64 or not name.strip(" *")):
            raise DataError(f"{path} has a line that is no SHA-256 and file name, {line[:80]!r}: write it anew by "
                            "`sha256sum`, or remove it")
        sums[name.strip(" *")] = digest
    return sums


def verify(path: Path, content: bytes, sums: Mapping[str, str]) -> None:
    """Raises DataError unless a file's content, as it lies on disk, has the SHA-256 that `sums` has for its name."""
    digest = hashlib.sha256(content).hexdigest()
    if path.name not in sums:
        raise DataError(f"{path} is not among the files whose SHA-256 is given ({', '.join(sums) or 'none'}): add "
                        f"{digest}, if you trust the file")
    if digest != sums[path.name].lower():
        raise DataError(f"{path} has SHA-256 {digest}, not {sums[path.name]}: it was damaged or changed. Get it again, "
                        "or give the right digest")


def parse_idx(path: Path, content: bytes, dimensions: int) -> Tensor:
    """The numbers of an IDX file, uint8: images `[n, H, W]`, or labels `[n]`. Its header is checked before it is used.

    Args:
        path: the file's name, for messages; where it ends in `.gz` the content is decompressed.
        content: the whole file, as it lies on disk.
        dimensions: 3 for images, 1 for labels.

    Raises:
        DataError: no gzip file, no IDX file, numbers of another type, another number of dimensions, nothing in it,
            too short or too long for its header.
    """
    zipped = path.suffix == ".gz"
    if zipped and content[:2] != b"\x1f\x8b":
        raise DataError(f"{path} is no gzip file, it begins with {content[:8]!r}: get it again, or if something has "
                        "unpacked it already, take the .gz off its name")
    if not zipped and content[:2] == b"\x1f\x8b":
        raise DataError(f"{path} is a gzip file: add .gz to its name")
    try:
        return _checked(path, gzip.GzipFile(fileobj=io.BytesIO(content)) if zipped else io.BytesIO(content), dimensions,
                        len(content) * (DENSEST if zipped else 1))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is cut short or damaged ({error}): get it again") from error


def _checked(path: Path, file: gzip.GzipFile | io.BytesIO, dimensions: int, most: int) -> Tensor:
    """The numbers of an IDX file of which there cannot be more than `most` bytes."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise DataError(f"{path} is no IDX file, it begins with {start!r}: is it a web page, or another format? Get "
                        "the file again")
    if start[2] != 0x08:
        raise DataError(f"{path} holds {TYPES[start[2]]}: write it anew with bytes, from 0 to 255")
    if start[3] != dimensions:
        kinds = {1: "labels", 3: "images"}
        raise DataError(f"{path} holds numbers in {start[3]} dimensions; {kinds[dimensions]} have {dimensions}"
                        + (f": have the two files been swapped? This one holds {kinds[start[3]]}"
                           if start[3] in kinds else ": get the file again"))
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DataError(f"{path} is cut short within its header: get it again")
    shape = struct.unpack(f">{dimensions}I", header)
    size, claim = math.prod(shape), f"its header says {' x '.join(f'{length:,}' for length in shape)} bytes"
    if size == 0:
        raise DataError(f"{path} is empty, {claim}: write it anew, with something in it")
    if size > most:
        raise DataError(f"{path} is cut short, or its header is damaged: {claim}, more than there are in a file so "
                        "small. Get it again")
    numbers = bytearray()
    while part := file.read(min(PART, size + 1 - len(numbers))):
        numbers += part
    if len(numbers) < size:
        raise DataError(f"{path} is cut short: {claim}, and there are {len(numbers):,}. Get it again")
    if len(numbers) > size:
        raise DataError(f"{path} is longer than its header says: {claim}. Get it again, or write it anew")
    return torch.frombuffer(numbers, dtype=torch.uint8).view(shape)
