"""Numbers of the prose, recomputed: a claim shows what was measured just now beside what the text says of it."""

from __future__ import annotations

import math

from IPython.display import display

from course_lib.mode import strict
from course_lib.teach.answers import number
from course_lib.teach.message import Message


class ClaimFailed(AssertionError):
    """A claim does not hold. Raised under `COURSE_STRICT=1` only, which CI sets."""


def claim(text: str, value: float | bool, *, near: float | None = None, within: float | None = None,
          above: float | None = None, below: float | None = None) -> None:
    """Show a sentence of the text with the measured value and what is expected of it.

    Args:
        text: the sentence.
        value: a number, or anything `float` takes (a 0-d tensor); or True/False for a claim without a number.
        near, within: the value is expected to be `near ± within`.
        above, below: the value is expected to be strictly above, strictly below, or both.

    Raises:
        ClaimFailed: the claim does not hold (NaN holds for nothing) and `COURSE_STRICT=1`.
        TypeError: no expectation for a number, or one for a True/False; or the value is neither.
    """
    numeric = "bool" not in str(getattr(value, "dtype", type(value).__name__))  # numpy and torch have their own
    expectations = [near, above, below]
    if numeric == all(e is None for e in expectations) or (near is None) != (within is None):
        raise TypeError("give a number with near= and within=, above= or below=, or give True/False alone")
    if numeric:
        value = number(value)
        holds, expected = _compare(value, near, within, above, below)
        measured = f"measured {_rounded(value)}, expected {expected}"
    else:
        holds, measured = bool(number(value)), "checked just now"
    message = Message("holds" if holds else "does NOT hold", f"{text} ({measured})", "good" if holds else "bad")
    if not holds and strict():
        raise ClaimFailed(repr(message))
    display(message)


def _compare(value: float, near: float | None, within: float | None, above: float | None, below: float | None,
             ) -> tuple[bool, str]:
    holds, words = not math.isnan(value), []
    if near is not None:
        holds &= abs(value - near) <= within
        words.append(f"{near:g} ± {within:g}")
    if above is not None:
        holds &= value > above
        words.append(f"above {above:g}")
    if below is not None:
        holds &= value < below
        words.append(f"below {below:g}")
    return bool(holds), " and ".join(words)


def _rounded(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
