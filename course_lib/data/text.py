"""Two small texts in verse that lie in `data/text`, and characters as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data.idx import DataError
from course_lib.files import require_folder

FOLDER = Path(__file__).resolve().parents[2] / "data" / "text"
TEXTS = ("rhymes", "poems")  # nursery rhymes; sonnets and poems by Shakespeare, Blake, Shelley and Wordsworth


@dataclass(frozen=True)
class Alphabet:
    """Characters as whole numbers and back.

    Attributes:
        characters: each once; its place is its number.
    """

    characters: str

    @classmethod
    def of(cls, text: str) -> Alphabet:
        """All characters that occur in a text, in order."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Tensor:
        """The numbers of a text's characters, int64 `[T]`. Raises ValueError for a character that it has not."""
        unknown = sorted(set(text) - set(self.characters))
        if unknown:
            raise ValueError(f"{unknown[0]!r} does not occur in the alphabet {self.characters!r}")
        return torch.tensor([self.characters.index(character) for character in text], dtype=torch.int64)

    def decode(self, x: Tensor) -> str:
        """The text of the numbers `[T]`."""
        return "".join(self.characters[k] for k in x.tolist())


def load_text(name: str, folder: Path = FOLDER) -> str:
    """One of the bundled texts: 'rhymes' or 'poems', verses divided by line breaks, stanzas by empty lines.

    Raises:
        ValueError: another name.
        DataError: the file is missing, or the data folder was not installed.
    """
    if name not in TEXTS:
        raise ValueError(f"unknown text {name!r}: use {' or '.join(TEXTS)}")
    require_folder(folder, DataError)
    path = folder / f"{name}.txt"
    if not path.is_file():
        raise DataError(f"{path} is missing: put the file back (`git checkout -- data/text/{name}.txt`, or unpack the "
                        "course again)")
    return path.read_text(encoding="utf-8")


def excerpts(x: Tensor, n: int, length: int, generator: torch.Generator) -> Tensor:
    """`n` pieces `[n, length]` of a sequence `[T]`, from random places.

    Raises:
        ValueError: the sequence is shorter than a piece.
    """
    if len(x) < length:
        raise ValueError(f"a sequence of {len(x)} has no piece of {length}")
    start = torch.randint(len(x) - length + 1, (n, 1), generator=generator)
    return x[start + torch.arange(length)]
