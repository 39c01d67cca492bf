"""Byte-pair encoding: tokens for a text, learned by merging the pair that occurs most often, again and again.

Reference:
    R. Sennrich, B. Haddow, A. Birch, Neural Machine Translation of Rare Words with Subword Units, ACL 2016, section
        3.2; on bytes: A. Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.validation import whole_number

BYTES = 256  # tokens that there are from the start


@dataclass(frozen=True)
class BytePairs:
    """A tokeniser: the bytes of a text in UTF-8, and tokens that stand for two tokens each.

    Attributes:
        merges: the pairs; number k of them makes token 256 + k. Without any, tokens are bytes.
    """

    merges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def learn(cls, text: str, n_merges: int) -> BytePairs:
        """Merge the pair of neighbours that is most frequent, of equally frequent ones the smallest, so many times.

        Stops early once no pair occurs twice. Raises ValueError for fewer than 0 merges.
        """
        tokens, merges = list(text.encode()), []
        for new in range(BYTES, BYTES + whole_number(n_merges, "n_merges", least=0)):
            counts = Counter(itertools.pairwise(tokens))
            pair = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
            if pair is None or counts[pair] < 2:
                break
            merges.append(pair)
            tokens = merged(tokens, pair, new)
        return cls(tuple(merges))

    def __len__(self) -> int:
        return BYTES + len(self.merges)

    def encode(self, text: str) -> Tensor:
        """The tokens of a text, int64 `[T]`: all merges, in the order in which they were learned."""
        tokens = list(text.encode())
        for new, pair in enumerate(self.merges, BYTES):
            tokens = merged(tokens, pair, new)
        return torch.tensor(tokens, dtype=torch.int64)

    def spellings(self) -> list[bytes]:
        """The bytes that each token stands for."""
        spelled = [bytes([byte]) for byte in range(BYTES)]
        for first, second in self.merges:
            spelled.append(spelled[first] + spelled[second])
        return spelled

    def decode(self, x: Tensor) -> str:
        """The text of tokens `[T]`; bytes that are no UTF-8 become �.

        Raises ValueError for tokens that there are not.
        """
        if len(x) and not 0 <= int(x.min()) <= int(x.max()) < len(self):
            raise ValueError(f"tokens must be from 0 to {len(self) - 1}, not from {int(x.min())} to {int(x.max())}")
        spelled = self.spellings()
        return b"".join(spelled[token] for token in x.tolist()).decode(errors="replace")


def merged(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """The tokens with `new` in the place of each pair, from left to right: of `a a a` the first two."""
    out: list[int] = []
    for token in tokens:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return out
