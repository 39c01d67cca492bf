"""What is wrong with a request, told in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

NOT_DONE = 1  # the exit code when a run cannot go on
NOT_WRITTEN = 1  # the exit code when a file could not be written, also after Ctrl-C
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


class UsageError(Exception):
    """A mistake of the user, told in one line."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that tells a mistake in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def as_usage_error(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function whose ValueError or TypeError is a mistake of the user."""
    try:
        return function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers from `low` on, for argparse."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
        if value < low or (high is not None and value > high):
            upwards = f"at least {low}" if high is None else f"between {low} and {high}"
            raise argparse.ArgumentTypeError(f"must be {upwards}, not {value}")
        return value

    return parse
