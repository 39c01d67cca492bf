"""Points in the plane for the 2-D lab: a line, clusters, a ring, disjoint spots, and what somebody draws.

All lie in the square [−3, 3]². As in `data.toy` each has `sample(n, generator)` and `log_prob(x)` in nats; those with
modes that can be counted are `Blobs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.data.toy import Blobs, Ring

EXTENT = 3.0  # the square is [−EXTENT, EXTENT]²
DRAWING_SIDE = 24  # pixels
LEVELS = "0123456789abcdef"


@dataclass(frozen=True)
class Segment:
    """A straight line from `start` to `end`, each of its points blurred by N(0, std²) in both coordinates.

    Raises:
        ValueError: a width that is not positive, or a line without length.
    """

    start: tuple[float, float] = (-1.8, -1.2)
    end: tuple[float, float] = (1.8, 1.2)
    std: float = 0.06

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"std must be positive, not {self.std}")
        if self.start == self.end:
            raise ValueError("the line needs two different ends")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points, float32 `[n, 2]`."""
        start, end = torch.tensor(self.start), torch.tensor(self.end)
        along = torch.rand(n, 1, generator=generator)
        return start + along * (end - start) + self.std * torch.randn(n, 2, generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, `[n]`, at points `[n, 2]`: a uniform blurred along the line, a Gaussian across it."""
        start, end = torch.tensor(self.start, dtype=x.dtype), torch.tensor(self.end, dtype=x.dtype)
        length = (end - start).norm()
        direction = (end - start) / length
        from_middle = x - (start + end) / 2
        along = (from_middle @ direction).abs()  # of two equal tails the lower one is exact
        across = from_middle[:, 0] * direction[1] - from_middle[:, 1] * direction[0]
        inside = _below((length / 2 - along) / self.std) - _below((-length / 2 - along) / self.std)
        normal = -0.5 * (across / self.std) ** 2 - math.log(self.std * math.sqrt(2 * math.pi))
        return inside.log() - length.log() + normal


@dataclass(frozen=True)
class Drawing:
    """What somebody drew: the darker a pixel, the more points fall into it; within it they are uniform.

    Attributes:
        ink: the pixels in rows from top to bottom, one hexadecimal digit each, 0 for paper and f for full ink, as
            `Drawing.of` makes it. Text, so that it can be a hyperparameter: saved, compared, and replayed.

    Raises:
        ValueError: not a square of such digits, or no ink at all.
    """

    ink: str

    def __post_init__(self) -> None:
        if set(self.ink) - set(LEVELS) or math.isqrt(len(self.ink)) ** 2 != len(self.ink):
            raise ValueError("a drawing is a square of hexadecimal digits, one a pixel: make it with Drawing.of")
        if not self.ink.strip("0"):
            raise ValueError("the drawing has no ink: draw something first")

    @classmethod
    def of(cls, pixels: Tensor) -> Drawing:
        """The drawing of grey pixels `[side, side]` from 0, paper, to 1, ink."""
        if pixels.ndim != 2 or pixels.shape[0] != pixels.shape[1]:
            raise ValueError(f"a drawing must have shape [side, side], not {list(pixels.shape)}")
        return cls("".join(LEVELS[level] for level in (pixels.clamp(0, 1) * 15).round().long().flatten().tolist()))

    @property
    def side(self) -> int:
        """Pixels in a row."""
        return math.isqrt(len(self.ink))

    @property
    def pixels(self) -> Tensor:
        """The drawing, float64 `[side, side]` from 0, paper, to 1, ink."""
        return torch.tensor([int(digit, 16) / 15 for digit in self.ink], dtype=torch.float64).view(self.side, -1)

    @property
    def shares(self) -> Tensor:
        """The probability of each pixel, float64 `[side · side]`, from the top left on."""
        return self.pixels.flatten() / self.pixels.sum()

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points, float32 `[n, 2]`."""
        pixel = torch.multinomial(self.shares, n, replacement=True, generator=generator)
        row, column = pixel // self.side, pixel % self.side
        place = torch.stack([column, self.side - 1 - row], dim=1) + torch.rand(n, 2, generator=generator)
        return (2 * place / self.side - 1) * EXTENT

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density in nats, `[n]`, at points `[n, 2]`; −inf on paper and outside the square."""
        place = torch.floor((x / EXTENT + 1) / 2 * self.side).long()
        outside = ((place < 0) | (place >= self.side)).any(dim=1)
        column, row = place.clamp(0, self.side - 1).unbind(dim=1)
        density = self.shares[(self.side - 1 - row) * self.side + column] * (self.side / (2 * EXTENT)) ** 2
        return torch.where(outside, 0.0, density).log().to(x.dtype)


def _below(x: Tensor) -> Tensor:
    """Φ(x), exact far below 0 as well, where torch.special.ndtr subtracts numbers near 1."""
    return torch.erfc(-x / math.sqrt(2)) / 2


def _example(x: Tensor, y: Tensor) -> str:
    """A stroke through the points (x, y) of the square, as the pad would have it."""
    axis = ((torch.arange(DRAWING_SIDE) + 0.5) / DRAWING_SIDE * 2 - 1) * EXTENT
    far = torch.hypot(axis - x[:, None, None], -axis[:, None] - y[:, None, None]).amin(0)
    return Drawing.of((1.5 - far * DRAWING_SIDE / (2 * EXTENT)).clamp(0, 1)).ink


_t = torch.linspace(-1, 1, 200)
WAVE = _example(2.2 * _t, 1.3 * torch.sin(math.pi * _t))
SPIRAL = _example(*(1.1 * (1 + _t) * f(1.6 * math.pi * _t) for f in (torch.cos, torch.sin)))
CLUSTERS = Blobs(((-1.4, 1.0), (1.5, 1.3), (0.1, -1.4)), std=0.35)
DISJOINT = Blobs(((-1.8, -1.5), (1.8, 1.5)), std=0.12)
PLANE = {"ring": Ring(), "clusters": CLUSTERS, "disjoint": DISJOINT, "line": Segment()}
