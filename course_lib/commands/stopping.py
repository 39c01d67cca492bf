"""Ctrl-C and the other signals that ask a command to end: taken once, and never in the middle of a file."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

ASKED_TO_END = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C; `kill`, batch systems and a shut-down; a terminal that closes
BURST = 1.0  # seconds: signals that follow each other faster say the same thing


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end. `code` is what a shell reports for it: 130 for Ctrl-C, 143 for SIGTERM."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class Stopper:
    """The first signal raises `Stopped`; those that follow within a second are dropped.

    So what the first one began, such as leaving a half-done import, is not broken off by the second. A later one
    raises again: the first may have been swallowed.

    While a module loads, the command ends at once instead. There is nothing to lose yet, and an exception that lands
    in a callback of the import system, or in a library that tries one import after another, is swallowed.

    Attributes:
        code: exit code of the last signal that was raised; 0 if none was.
    """

    _last = float("-inf")  # of all stoppers: a burst may outlast the inner one of two

    def __init__(self) -> None:
        self.code = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if importing(frame):
            leave(128 + number)
        before, Stopper._last = Stopper._last, time.monotonic()
        if Stopper._last - before >= BURST:
            self.code = 128 + number
            raise Stopped(number)


def importing(frame: FrameType | None) -> bool:
    """Whether what a signal interrupted is the import of a module."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(("importlib._bootstrap", "_frozen_importlib")):
            return True
        frame = frame.f_back
    return False


def leave(code: int) -> None:
    """End the process now, with what was printed so far and without running any more of it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, a broken pipe, or interrupted while it was being written
            stream.flush()
    os._exit(code)


class Note:
    """The signals that came are noted, and whoever does the work looks at the note.

    Attributes:
        number: of the first signal, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self, number: int, frame: Any = None) -> None:
        self.number = self.number or number

    @property
    def code(self) -> int:
        return 0 if self.number is None else 128 + self.number

    @property
    def word(self) -> str:
        return "Ctrl-C" if self.number == signal.SIGINT else signal.Signals(self.number or 0).name


def install(handler: Callable[[int, Any], None] | signal.Handlers) -> dict[int, Any]:
    """Set the handler of each signal that asks to end; returns those that were there.

    A signal that is ignored stays ignored: that is how `nohup` and `&` protect a command. Only the main thread can
    set handlers; elsewhere nothing is done.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in ASKED_TO_END if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    return before


@contextlib.contextmanager
def handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """The handler is in force within, and those before it afterwards."""
    before = install(handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
