"""When the next update is due in slow motion, when it is time to look, and how fast training goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Pace:
    """Slow motion: so many updates a second and no more. It decides when, never what.

    Args:
        limit: updates a second that full speed does not exceed either; `math.inf` for no limit.
    """

    def __init__(self, limit: float = math.inf) -> None:
        self._limit, self._next_at = limit, 0.0
        self.set(math.inf)

    def set(self, steps_per_second: float) -> None:
        """`math.inf` for full speed."""
        self._period = 1 / min(steps_per_second, self._limit)

    def in_time(self, interrupted: Callable[[float], bool]) -> bool:
        """Wait until the next update is due; False if `interrupted(seconds)`, which waits so long, says so first."""
        if not self._period:
            return True
        wait = self._next_at - time.monotonic()
        if wait > 0 and interrupted(wait):
            return False
        self._next_at = time.monotonic() + self._period
        return True


class Lookout:
    """Calls the observer often enough for the eye, and seldom enough for training.

    Args:
        observe: is told whether something changed that the reader waits to see.
    """

    INTERVAL = 0.115  # seconds between two looks: more than 8 a second
    SHARE = 0.04  # of the thread's time that looking may take
    EAGER = 0.05  # seconds between two looks while a slider is dragged

    def __init__(self, observe: Callable[[bool], None]) -> None:
        self.observe = observe
        self._looked, self._look_at, self._urgent = 0.0, 0.0, False

    def look(self, urgent: bool, running: bool) -> None:
        """Observe, if it is time: while nothing runs it always is."""
        now = time.monotonic()
        if urgent:
            self._urgent, self._look_at = True, min(self._look_at, self._looked + self.EAGER)
        if running and now < self._look_at:
            return
        urgent, self._urgent = self._urgent, False
        before = time.thread_time()
        self.observe(urgent)
        cost = time.thread_time() - before
        self._looked, self._look_at = now, now + max(self.INTERVAL, cost / self.SHARE)


class RateMeter:
    """Updates per second, over the last half second.

    Attributes:
        rate: 0 while nothing runs.
    """

    WINDOW = 0.5  # seconds

    def __init__(self) -> None:
        self.rate = 0.0
        self._since, self._steps = -math.inf, 0

    def begin(self, steps: int) -> None:
        """From here on it is measured."""
        self._since, self._steps = time.monotonic(), steps

    def stop(self) -> None:
        self.rate = 0.0

    def measure(self, steps: int) -> None:
        """Note how many updates have been done."""
        now = time.monotonic()
        if steps < self._steps:
            self.begin(steps)
        elif now - self._since >= self.WINDOW:
            self.rate = (steps - self._steps) / (now - self._since)
            self._since, self._steps = now, steps
