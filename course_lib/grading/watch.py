"""What a class answers, as it answers: the lines that `teach.record` keeps, read as they come and added up."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

BINS = 8  # of numbers that were predicted
SHOWN = 5  # mistakes of an exercise
AT_ONCE = 16 * 2**20  # bytes of one file: what is more comes the next time


class Class:
    """The answers in some folders, each file read once.

    Args:
        folders: what `COURSE_RECORD` named. They may still be empty, or not there.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = list(folders)
        self._read: dict[Path, int] = {}  # bytes
        self.asked: dict[str, dict[str, Any]] = {}
        self.votes: dict[str, dict[str, Any]] = defaultdict(dict)  # by session
        self.right: dict[str, Any] = {}
        self.verdicts: dict[str, dict[str, str]] = defaultdict(dict)
        self.mistakes: dict[str, Counter[str]] = defaultdict(Counter)
        self.last: dict[str, float] = {}
        self.sessions: set[str] = set()

    def read(self) -> None:
        """Take in what was written since the last time. Half-written lines wait; others that are none are left out."""
        for folder in self.folders:
            for path in sorted(folder.glob("*.jsonl")):
                try:
                    new = _from(path, self._read.get(path, 0))
                except OSError:
                    continue
                whole, _, _ = new.rpartition(b"\n")
                if whole:
                    self._read[path] = self._read.get(path, 0) + len(whole) + 1
                for line in whole.split(b"\n"):
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            key, session, kind = told["key"], told["session"], told["kind"]
            when = float(told["time"])
            if not (isinstance(key, str) and isinstance(session, str)):
                return
        except (ValueError, TypeError, KeyError):
            return
        self.sessions.add(session)
        if kind == "asked":
            self.asked[key] = {name: told.get(name) for name in ("question", "options", "low", "high")}
        elif kind == "predicted":
            self.votes[key][session] = told.get("answer")
        elif kind == "revealed":
            self.right[key] = told.get("answer")
        elif kind == "checked":
            if self.verdicts[key].get(session) != "passed":
                self.verdicts[key][session] = str(told.get("verdict"))
            if told.get("mistake"):
                self.mistakes[key][str(told["mistake"])] += 1
        else:
            return
        if kind != "revealed":  # by which a prediction is not the latest again
            self.last[key] = max(when, self.last.get(key, 0.0))

    def state(self) -> dict[str, Any]:
        """All that the page shows: predictions and exercises, the latest first."""
        latest = sorted(self.last, key=lambda key: -self.last[key])
        return {"students": len(self.sessions),
                "predictions": [self._prediction(key) for key in latest if key in self.asked],
                "exercises": [self._exercise(key) for key in latest if key in self.verdicts]}

    def _prediction(self, key: str) -> dict[str, Any]:
        asked, votes = self.asked[key], list(self.votes[key].values())
        right = self.right.get(key)
        if asked["options"]:
            counts = Counter(vote for vote in votes if isinstance(vote, str))
            bars = [{"label": option, "count": counts[option], "right": option == right}
                    for option in asked["options"]]
        else:
            bars = _bins([vote for vote in votes if _is_number(vote)], asked, right)
        return {"key": key, "question": asked["question"], "votes": len(votes), "bars": bars,
                "revealed": key in self.right}

    def _exercise(self, key: str) -> dict[str, Any]:
        counts = Counter(self.verdicts[key].values())
        return {"key": key, "passed": counts["passed"], "tried": sum(counts.values()),
                "mistakes": self.mistakes[key].most_common(SHOWN)}


def _from(path: Path, offset: int) -> bytes:
    """A file's bytes from `offset` on, `AT_ONCE` at most.

    Raises:
        OSError: it cannot be read, or is none: students write here, and a pipe or a link may wait for the reader.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        file.seek(offset)
        return file.read(AT_ONCE)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bins(votes: list[float], asked: dict[str, Any], right: Any) -> list[dict[str, Any]]:
    """Numbers that were predicted, in `BINS` equal parts of the range that was asked for."""
    low, high = asked["low"], asked["high"]
    if not (_is_number(low) and _is_number(high) and low < high):
        return []
    counts, edges = np.histogram(votes, bins=BINS, range=(low, high))
    inside = [_is_number(right) and (a <= right < b or b == high == right)
              for a, b in pairwise(edges)]
    return [{"label": f"{a:.3g} – {b:.3g}", "count": int(count), "right": bool(is_right)}
            for (a, b), count, is_right in zip(pairwise(edges), counts, inside, strict=True)]
