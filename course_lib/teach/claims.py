"""Numbers of the prose, recomputed: a claim shows what was measured just now beside what the text says of it."""

from __future__ import annotations

import contextlib
import html
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import NamedTuple, Self

import numpy as np
from IPython.display import display
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.mode import strict
from course_lib.teach.answers import number
from course_lib.teach.message import COLOURS, Message
from course_lib.validation import float_array


@dataclass(frozen=True)
class Outcome:
    """What became of a claim.

    Attributes:
        text, limits, exact: the sentence, and what was expected; of a True or False there are no limits.
        values: what was measured, `[n]`; of a True or False 1 or 0.
        holds: whether it is as expected.
        frame: where `claim` was called.
    """

    text: str
    limits: Limits
    exact: bool
    values: np.ndarray
    holds: bool
    frame: FrameType


listeners: list[Callable[[Outcome], None]] = []  # are told of every claim, before one that fails raises
# How a claim about the mean of several values tells what it measured: for those who look at a notebook's outputs.
SEVERAL = re.compile(r"[(\[](?:measured )?mean \S+ ± \S+ of n = \d+, standard deviation ")

_open_tables: list[list[tuple[str, str, str, bool]]] = []  # the innermost claim_table last


class ClaimFailed(AssertionError):
    """A claim does not hold. Raised under `COURSE_STRICT=1` only, which CI sets."""


def claim(text: str, value: ArrayLike | Tensor | bool, *, near: float | None = None, within: float | None = None,
          above: float | None = None, below: float | None = None, exact: bool = False) -> None:
    """Show a sentence of the text with the measured value and what is expected of it.

    A comparison ("beats", "no better", "as well as") wants many values: one for each seed, draw or picture. Then it is
    their mean that is claimed, and it must be clear of the limit by two standard errors; beside it stand their
    standard deviation, their number n, and, of `above` and `below`, how many of them keep the limit alone (`near` is
    asked of the mean, not of single values). A single measured number carries no error, so its limit has to leave room
    for other seeds and processors.

    Args:
        text: the sentence.
        value: a number, or anything `float` takes (a 0-d tensor); or several, `[n]`, from independent repetitions; or
            True/False for a claim without a number.
        near, within: the value is expected to be `near ± within`; of several, the mean and two standard errors on both
            sides of it, which is what "as well as" and "level" need.
        above, below: the value is expected to be strictly above, strictly below, or both.
        exact: an identity, whose limits come from arithmetic alone: every one of several values must hold.

    Raises:
        ClaimFailed: the claim does not hold (NaN holds for nothing) and `COURSE_STRICT=1`.
        TypeError: no expectation for a number, or one for a True/False; or the value is neither.
        ValueError: several values in another shape than `[n]`, or a single one in a list.
    """
    numeric = "bool" not in str(getattr(value, "dtype", type(value).__name__))  # numpy and torch have their own
    expectations = [near, above, below]
    if numeric == all(e is None for e in expectations) or (near is None) != (within is None):
        raise TypeError("give a number with near= and within=, above= or below=, or give True/False alone")
    limits = Limits(near, within, above, below)
    several = numeric and _is_several(value)
    if several:
        values = float_array(value, "the values of a claim", ("n",), rows=2, finite=False)
        measured, expected = (_all_of if exact else _mean_of)(values, limits)
    else:
        values = np.array([number(value)])
        measured, expected = (_rounded(values[0]), str(limits)) if numeric else (str(bool(values[0])), "True")
    holds = limits.judge(Summary.of(values), exact)
    for listener in listeners:
        listener(Outcome(text, limits, exact or not numeric, values, holds, sys._getframe(1)))
    told = (f"{measured}; expected {expected}" if several and not exact
            else f"measured {measured}, expected {expected}" if numeric else "checked just now")
    message = Message(_verdict(holds), f"{text} ({told})", "good" if holds else "bad")
    if _open_tables:
        _open_tables[-1].append((text, measured, expected, holds))
    if not holds and strict():
        raise ClaimFailed(repr(message))
    if not _open_tables:
        display(message)


@contextlib.contextmanager
def claim_table() -> Iterator[None]:
    """Show the claims made within `with claim_table():` as the rows of one table, in place of a line for each.

    Each is checked as it would be alone; where an error ends the block, the rows so far are shown.
    """
    rows: list[tuple[str, str, str, bool]] = []
    _open_tables.append(rows)
    try:
        yield
    finally:
        _open_tables.remove(rows)
        if rows:
            display(ClaimTable(tuple(rows)))


@dataclass(frozen=True)
class ClaimTable:
    """Claims as rows, in HTML in a page and as aligned plain text elsewhere.

    Attributes:
        rows: of each claim its sentence, what was measured, what was expected, and whether it holds.
    """

    rows: tuple[tuple[str, str, str, bool], ...]

    def __repr__(self) -> str:
        return "\n".join(f"{_verdict(holds)}: {text}  [measured {measured}, expected {expected}]"
                         for text, measured, expected, holds in self.rows)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align:left">{name}</th>'
                       for name in ("claim", "measured", "expected", "verdict"))
        body = "".join("<tr>" + "".join(f'<td style="text-align:left;white-space:normal">{html.escape(part)}</td>'
                                        for part in (text, measured, expected)) +
                       f'<td style="text-align:left;border-left:5px solid {COLOURS["good" if holds else "bad"]}">'
                       f"<b>{_verdict(holds)}</b></td></tr>" for text, measured, expected, holds in self.rows)
        return f'<table role="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _verdict(holds: bool) -> str:
    return "holds" if holds else "does NOT hold"


@dataclass(frozen=True)
class Limits:
    """What is expected of a number, as `claim` takes it."""

    near: float | None = None
    within: float | None = None
    above: float | None = None
    below: float | None = None

    def judge(self, found: Summary, exact: bool) -> bool:
        """Whether a claim holds whose values are these; without any limit, whether they are all True."""
        if self == Limits():
            return found.low == 1
        return bool(self.hold(np.array([found.low, found.high])).all() if exact
                    else self.hold(found.mean, 2 * found.error))

    def bounds(self) -> list[tuple[float, int]]:
        """The finite numbers that a value must not pass, each with 1 if it must stay above and -1 if below."""
        both = [] if self.near is None else [(self.near - self.within, 1), (self.near + self.within, -1)]
        both += [(limit, side) for limit, side in ((self.above, 1), (self.below, -1)) if limit is not None]
        return [(limit, side) for limit, side in both if math.isfinite(limit)]

    def hold(self, value: float | np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Whether a value and all numbers up to `margin` from it are as expected, of values `[n]` each; NaN is not."""
        holds = ~np.isnan(value + margin)
        if self.near is not None:
            holds &= np.abs(value - self.near) + margin <= self.within
        if self.above is not None:
            holds &= value - margin > self.above
        if self.below is not None:
            holds &= value + margin < self.below
        return holds

    def __str__(self) -> str:
        words = [f"{self.near:g} ± {self.within:g}"] if self.near is not None else []
        words += [f"{word} {limit:g}" for word, limit in (("above", self.above), ("below", self.below))
                  if limit is not None]
        return " and ".join(words)


def _is_several(value: ArrayLike | Tensor) -> bool:
    if isinstance(value, Tensor):
        return value.ndim > 0 and value.numel() != 1
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0 and value.size != 1)


class Summary(NamedTuple):
    """What a claim is judged by: mean, standard error of the mean (0 of a single value), least and greatest value."""

    mean: float
    error: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """That of values `[n]`."""
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        return cls(float(values.mean()), float(error), float(values.min()), float(values.max()))


def _mean_of(values: np.ndarray, limits: Limits) -> tuple[str, str]:
    """What is told of several values, and of the limits that their mean is held to."""
    n, found = len(values), Summary.of(values)
    told = (f"mean {_rounded(found.mean)} ± {_rounded(found.error)} of n = {n}, standard deviation "
            f"{_rounded(values.std(ddof=1))}")
    alone = f", {limits.hold(values).sum()} of {n} alone" if limits.near is None else ""
    return told + alone, f"{limits}, by two standard errors"


def _all_of(values: np.ndarray, limits: Limits) -> tuple[str, str]:
    return f"{_rounded(values.min())} to {_rounded(values.max())}, n = {len(values)}", f"of each {limits}"


def _rounded(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
