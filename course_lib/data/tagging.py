"""Tagged sequences: a grammar of ten words that can be read by eye, and worlds of binary features, copied or not.

Both are hidden Markov chains whose parameters are given, so that what a model learns can be held against the truth.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.seeds import seeded


class TinyGrammar:
    """Ten English words with four tags, as a hidden Markov model small enough to read.

    Several words have two tags or three: 'man' may be a noun or a verb (to man the boats), 'her' stands before a noun
    or alone, and 'the old' may be people. Some steps never happen: no verb, for one, follows a determiner at once.

    Attributes:
        tags, words: their names.
        pi: p(first tag), float64 `[4]`.
        A: p(next tag | tag), float64 `[4, 4]`.
        B: p(word | tag), float64 `[4, 10]`.
    """

    tags = ("determiner", "adjective", "noun", "verb")
    words = ("the", "her", "old", "young", "calm", "man", "dog", "fish", "boats", "saw")

    def __init__(self) -> None:
        self.pi = torch.tensor([0.60, 0.10, 0.25, 0.05], dtype=torch.float64)
        self.A = torch.tensor([[0.00, 0.40, 0.60, 0.00],   # a determiner wants a noun, or an adjective first
                               [0.00, 0.20, 0.80, 0.00],
                               [0.00, 0.00, 0.25, 0.75],
                               [0.60, 0.10, 0.25, 0.05]], dtype=torch.float64)
        #                           the   her   old   young calm  man   dog   fish  boats saw
        self.B = torch.tensor([[0.75, 0.25, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
                               [0.00, 0.00, 0.60, 0.30, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00],
                               [0.00, 0.12, 0.20, 0.08, 0.05, 0.20, 0.15, 0.10, 0.10, 0.00],
                               [0.00, 0.00, 0.00, 0.00, 0.22, 0.05, 0.05, 0.20, 0.00, 0.48]], dtype=torch.float64)

    def encode(self, sentence: str) -> Tensor:
        """The places of a sentence's words in `words`, int64 `[T]`.

        Raises:
            ValueError: an empty sentence, or a word that is not among the ten.
        """
        unknown = [word for word in sentence.split() if word not in self.words]
        if unknown or not sentence.split():
            raise ValueError(f"{unknown or 'an empty sentence'}: this grammar knows only {', '.join(self.words)}")
        return torch.tensor([self.words.index(word) for word in sentence.split()])

    def decode(self, x: Tensor) -> str:
        """The sentence of word numbers `[T]`."""
        return " ".join(self.words[v] for v in x.tolist())


class TaggingWorld:
    """Sequences with K = 3 tags and D = 30 binary features a word, made by a hidden Markov chain.

    Feature 0 is a word-class bit, somewhat more often on with tag 0 than with the others. The last `copies` features
    repeat it, digit by digit, and tell nothing new. All other features depend on the tag, each a little, and are
    independent given it: with no copies the assumptions of a hidden Markov model hold exactly.

    Args:
        seed: draws the world, that is its parameters.
        copies: how many features repeat feature 0.

    Attributes:
        pi, A: p(first tag) and p(next tag | tag), float64 `[3]` and `[3, 3]`.
        theta: p(x_j = 1 | tag), float64 `[3, 30 − copies]`, of the features that are no copies.

    Raises:
        ValueError: fewer than 0 or more than 29 copies.
    """

    K = 3
    D = 30

    def __init__(self, seed: int, copies: int = 0) -> None:
        if not 0 <= copies < self.D:
            raise ValueError(f"copies must lie in 0 … {self.D - 1}, not {copies}")
        generator = seeded(seed)
        self.copies = copies
        self.pi = torch.full((self.K,), 1 / self.K, dtype=torch.float64)
        A = 0.1 + torch.rand(self.K, self.K, generator=generator, dtype=torch.float64) + 0.5 * torch.eye(self.K)
        self.A = A / A.sum(dim=1, keepdim=True)
        theta = torch.sigmoid(0.7 * torch.randn(self.K, self.D, generator=generator, dtype=torch.float64) - 1)
        theta[:, 0] = torch.tensor([0.6, 0.4, 0.4])
        self.theta = theta[:, : self.D - copies]

    def distinct(self, x: Tensor) -> Tensor:
        """The features `[..., 30 − copies]` that are no copies, of features `[..., 30]`."""
        return x[..., : self.D - self.copies]

    def sample(self, n: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`n` sequences of `T` words: features of zeros and ones, float64 `[n, T, 30]`, and tags int64 `[n, T]`."""
        y = [torch.multinomial(self.pi, n, replacement=True, generator=generator)]
        for _ in range(1, T):
            y.append(torch.multinomial(self.A[y[-1]], 1, generator=generator)[:, 0])
        path = torch.stack(y, dim=1)
        x = torch.bernoulli(self.theta[path], generator=generator)
        return torch.cat([x, x[..., :1].expand(n, T, self.copies)], dim=-1), path
