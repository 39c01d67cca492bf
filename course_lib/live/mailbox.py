"""Commands that any thread may post, carried out by one thread that lives only while there is something to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

LINGER = 0.7  # seconds that the thread waits for the next command before it ends


class Mailbox:
    """A queue of commands with the thread that empties it.

    The first command starts the thread; it ends by itself when nothing was asked for `LINGER` seconds and nothing runs.

    Args:
        turn: one round of work in the thread; it calls `carry_out` for what was posted.
        running: whether there is work without commands.
        rest: called in the thread before it ends, when nothing is left to do.
        fail: told, in the thread, what `turn` or `rest` raised.

    Attributes:
        closed: whether what is posted is ignored from now on.
    """

    def __init__(self, turn: Callable[[], None], running: Callable[[], bool], rest: Callable[[], None],
                 fail: Callable[[BaseException], None]) -> None:
        self._turn, self._running, self._rest, self._fail = turn, running, rest, fail
        self._lock = threading.Condition()
        self._commands: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self.closed = False

    def post(self, command: Callable[[], None]) -> bool:
        """Have it carried out soon; returns False if the mailbox is closed."""
        with self._lock:
            if self.closed:
                return False
            self._commands.append(command)
            self._lock.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="course-trainer", daemon=True)
                self._thread.start()
            return True

    def carry_out(self) -> bool:
        """In the thread: do what was posted. Returns whether there was anything."""
        found = bool(self._commands)
        while self._commands:
            try:
                self._commands[0]()
            finally:  # taken off only now, so that `wait` counts the command under way
                with self._lock:
                    self._commands.popleft()
        return found

    def has_commands(self) -> bool:
        """Whether commands wait to be carried out."""
        return bool(self._commands)

    def wait(self, timeout: float | None) -> bool:
        """Wait until all is done and nothing runs; returns False if that took longer than `timeout` seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._busy(), timeout)

    def wait_for_command(self, seconds: float) -> bool:
        """In the thread: wait for a command, but not longer than this. Returns whether one came."""
        with self._lock:
            return self._lock.wait_for(self.has_commands, seconds)

    def join(self) -> None:
        """Wait for the thread to end, unless this is called in it."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def owns_this_thread(self) -> bool:
        """Whether the caller runs in the mailbox's own thread."""
        return threading.current_thread() is self._thread

    def _busy(self) -> bool:
        return bool(self._commands) or self._running()

    def _work(self) -> None:
        with _one_torch_thread():
            while True:
                try:
                    self._turn()
                except BaseException as error:
                    self._fail(error)
                if not self._stay():
                    return

    def _stay(self) -> bool:
        """Whether there is more to do; if not, the thread is signed off when this returns."""
        if self._busy():
            return True
        with self._lock:
            if self._busy():  # asked again: nothing may be posted between a no and the notice
                return True
            self._lock.notify_all()
            if not self.closed and self._lock.wait_for(self._busy, LINGER):
                return True
        if not self.closed:
            try:
                self._rest()
            except Exception as error:
                self._fail(error)
        with self._lock:
            if not self._busy():
                self._thread = None
            return self._busy()


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Two threads are slower than one for tiny models; torch keeps the number per thread, with one default for all."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
