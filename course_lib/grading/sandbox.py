"""A function run in a process of its own, with limits on time, memory, processes and files.

On Linux the process is a fork of this one, in which all is imported already: it costs milliseconds. It works in an
empty folder, as the user `nobody` where we are root, and it inherits that there is no network. What it starts ends with
it. Elsewhere the caller judges in its own process, and whoever waits for it ends it by the clock: see `grade`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAN_FORK = sys.platform == "linux"
NOBODY = 65534
CLONE_NEWNET, CLONE_NEWUSER, PR_SET_CHILD_SUBREAPER = 0x40000000, 0x10000000, 36
LARGEST_RESULT = 2**20  # bytes


@dataclass(frozen=True)
class Limits:
    """What a verdict may take.

    Attributes:
        seconds: by the clock; of the processor the same.
        megabytes: of memory, more than the course itself takes.
        file_megabytes: of each file that it writes.
        processes: that it may start, as another user.
    """

    seconds: float = 10.0
    megabytes: int = 1500
    file_megabytes: int = 10
    processes: int = 32


class Ended(Exception):
    """The process ended without a result; the text says how."""


def without_network() -> bool:
    """Take the network away from this process and all that it starts; returns whether that was possible."""
    if not CAN_FORK:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a verdict leaves behind becomes ours, and is ended
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    return libc.unshare(flags) == 0


def can_be_nobody(*needed: str) -> bool:
    """Whether a fork may become the user `nobody` and can still read these files."""
    if not CAN_FORK or os.geteuid() != 0:
        return False
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            _become_nobody()
            os._exit(0 if all(os.access(path, os.R_OK) for path in needed) else 1)
        os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def in_a_fork(job: Callable[[], Any], limits: Limits, nobody: bool = False) -> Any:
    """What `job()` returns, by way of JSON.

    Raises:
        Ended: it took too long, too much, or ended its process.
    """
    others = set(_children())  # of whoever grades: they live on
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if nobody:
            os.chown(folder, NOBODY, NOBODY)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                _confine(folder, limits, nobody)
                told = {"result": job()}
            except BaseException as error:  # MemoryError and SystemExit, too
                told = {"ended": f"{type(error).__name__}: {error}"}
            try:
                try:
                    answer = json.dumps(told)
                except Exception as error:
                    answer = json.dumps({"ended": f"its result cannot be written as JSON: {error}"})
                with os.fdopen(writing, "wb") as out:
                    out.write(answer.encode())
            finally:
                os._exit(0)
        os.close(writing)
        try:
            told = _read(reading, time.monotonic() + limits.seconds)
        finally:
            os.close(reading)
            status = _end(pid, others)
    if told is None:
        raise Ended(f"it took longer than {limits.seconds:g} seconds")
    try:
        answer = json.loads(told)
        if "ended" in answer:
            raise Ended(answer["ended"])
        return answer["result"]
    except (ValueError, TypeError, KeyError):
        raise Ended(_how(status)) from None


def _confine(folder: str, limits: Limits, nobody: bool) -> None:
    """What the fork does before anything of a student's runs in it."""
    import resource

    os.setsid()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the handlers are the grader's
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.chdir(folder)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    seconds, file_size = max(1, round(limits.seconds)), limits.file_megabytes * 2**20
    for kind, limit in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, size + limits.megabytes * 2**20),
                        (resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (limit, limit))
    if nobody:
        resource.setrlimit(resource.RLIMIT_NPROC, (limits.processes, limits.processes))
        _become_nobody()
    os.environ["HOME"] = os.environ["TMPDIR"] = folder
    tempfile.tempdir = folder


def _read(descriptor: int, end: float) -> bytes | None:
    """All that is written to a pipe; None if it is not closed in time. Raises Ended if it is more than any result."""
    told = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, end - time.monotonic())):
                return None
            if not (part := os.read(descriptor, 2**16)):
                return told
            told += part
            if len(told) > LARGEST_RESULT:
                raise Ended(f"it told more than {LARGEST_RESULT // 2**20} MB")


def _end(pid: int, others: set[int]) -> int:
    """End a process and all that it has started, which is no child that was there before; returns its status."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # it may not have had the time to lead a group
    status = os.waitpid(pid, 0)[1]
    for _ in range(100):  # what left the group became a child of this process; each pass ends one generation
        left = [child for child in _children() if child not in others]
        if not left:
            break
        for child in left:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    return status


def _children() -> Iterator[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        yield from map(int, file.read().split())


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "it took too much time of the processor"
        return f"its process was ended by {signal.Signals(number).name}"
    return f"it ended its process, with code {os.WEXITSTATUS(status)}"
