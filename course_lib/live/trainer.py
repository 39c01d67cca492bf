"""Training in the background: one thread owns the experiment, everybody else posts commands.

Commands are applied between two updates, never within one, and each change is logged with its step, so that any
session can be run again to the same digest. The thread lives only while there is something to do: the first command
starts it, and it ends by itself when training pauses, so none is ever left behind.

    idle → running ⇄ paused → done | error | closed
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Literal

import torch

from course_lib.live.history import History
from course_lib.live.session import Change, Session
from course_lib.training.experiment import Experiment
from course_lib.training.phases import PhasedExperiment

REPLAYING = "replaying from the beginning"
READABLE = 40  # characters: a longer value, such as a drawing, is not told

State = Literal["idle", "running", "paused", "done", "error", "closed"]


class Trainer:
    """Drives one experiment in a thread of its own.

    Args:
        experiment: from now on it belongs to the trainer; read it through `ask`.
        limit: training is done after this many updates; None for no end.
        observe: called in the thread at step boundaries, with True when something changed that the reader waits to
            see, with False at most every `INTERVAL` seconds otherwise. What it raises counts as an error of training.
        rest: called in the thread when nothing was asked for `LINGER` seconds after a pause, before the thread ends.

    Attributes:
        state: one of idle, running, paused, done, error, closed.
        history: the metrics since the last start.
        sessions: every run since the trainer was made; the last one is under way.
        changed: why it stands as it does, in words, or else what was changed last in this session. A reason such as
            'reset' goes when something else happens.
        rate: updates per second while running, else 0.
        error: the exception that stopped training, or None.
    """

    INTERVAL = 0.115  # seconds between two looks: more than 8 a second
    SHARE = 0.04  # of the thread's time that looking may take
    EAGER = 0.05  # seconds between two looks while a slider is dragged
    LINGER = 0.7  # seconds that the thread waits for the next command

    def __init__(
        self,
        experiment: Experiment,
        limit: int | None = None,
        observe: Callable[[bool], None] = lambda urgent: None,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._experiment, self._observe, self._rest = experiment, observe, rest
        self._limit = math.inf if limit is None else limit
        self._lock = threading.Condition()
        self._commands: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._until: float = 0  # running means: fewer updates than this have been done
        self._script: deque[Change] = deque()  # what a replay has yet to change
        self._replay_end: int | None = None
        self._looked, self._look_at, self._urgent = 0.0, 0.0, False
        self._meter = (0.0, 0)
        self._period, self._next_at = 0.0, 0.0
        self.state: State = "idle"
        self.history = History()
        self._reason, self._last_change = "", ""
        self.rate = 0.0
        self.error: BaseException | None = None
        trained = copy.deepcopy(experiment.state_dict()) if experiment.steps else None
        self.sessions = [Session(experiment.seed, experiment.hyperparameters, "start", state=trained)]

    @property
    def steps(self) -> int:
        """Updates done since the last start."""
        return self._experiment.steps

    @property
    def changed(self) -> str:
        return self._reason or self._last_change

    # Commands: they return at once, and may come from any thread.

    def start(self) -> None:
        """Train until told otherwise."""
        self._post(self._start)

    def pause(self, because: str = "") -> None:
        """Stop after the update under way."""
        self._post(lambda: self._pause(because))

    def step(self) -> None:
        """Do one update, then pause."""
        self._post(lambda: self._train_until(self.steps + 1))

    def phase(self) -> None:
        """Do the next phase of an update, of a `PhasedExperiment`, then pause. Whatever else is done or changed after
        it finishes that update first, so that slow motion leads where full speed does."""
        self._post(self._phase)

    def reset(self) -> None:
        """Begin anew from the same seed with the hyperparameters in force; ends an error, too."""
        self._post(self._reset)

    def set(self, **changes: Any) -> None:
        """Change hyperparameters. Raises ValueError or TypeError at once for a name or value that is not allowed."""
        self._experiment.hyperparameters.replace(**changes)
        self._post(lambda: self._set(changes))

    def replay(self) -> None:
        """Run the session so far again, from its beginning, with every change at its step."""
        self._post(self._replay)

    def pace(self, steps_per_second: float) -> None:
        """Slow motion: do no more updates than this in a second; `math.inf` for full speed. Changes no result."""
        self._post(lambda: setattr(self, "_period", 1 / steps_per_second))

    def refresh(self) -> None:
        """Have a look without training."""
        self._post(lambda: None)

    # Commands that wait: never call them from a handler.

    def run(self, steps: int) -> None:
        """Do `steps` updates and wait for them. Raises the exception that stopped training, if one did."""
        self._post(lambda: self._train_until(self.steps + steps))
        self.wait()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all commands are done and training has stopped; raise again the exception that stopped it.

        Raises:
            TimeoutError: it has not stopped after `timeout` seconds.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: not self._busy(), timeout):
                raise TimeoutError(f"still {self.state} after {timeout} s")
        if self.error is not None:
            raise self.error

    def ask(self, question: Callable[[Experiment], Any]) -> Any:
        """The answer to `question(experiment)`, between two updates: `trainer.ask(lambda e: e.digest())`."""
        answer: Future = Future()

        def command() -> None:
            try:
                answer.set_result(question(self._experiment))
            except Exception as error:
                answer.set_exception(error)

        if not self._post(command):
            command()  # closed: no thread owns the experiment any more
        return answer.result()

    def close(self) -> None:
        """Stop for good and wait for the thread to end. What is posted later is ignored."""
        self._post(lambda: self._halt("closed"))
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def owns_this_thread(self) -> bool:
        """Whether the caller runs in the trainer's own thread."""
        return threading.current_thread() is self._thread

    def has_commands(self) -> bool:
        """Whether commands wait to be applied."""
        return bool(self._commands)

    # The thread.

    def _post(self, command: Callable[[], None]) -> bool:
        with self._lock:
            if self.state == "closed":
                return False
            self._commands.append(command)
            self._lock.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="course-trainer", daemon=True)
                self._thread.start()
            return True

    def _busy(self) -> bool:
        return bool(self._commands) or self.state == "running"

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
            if self.state != "closed" and self._lock.wait_for(self._busy, self.LINGER):
                return True
        if self.state != "closed":
            try:
                self._rest()
            except Exception as error:
                self._fail(error)
        with self._lock:
            if not self._busy():
                self._thread = None
            return self._busy()

    def _turn(self) -> None:
        """Apply what was posted, do one update, and let the observer look."""
        urgent = bool(self._commands)
        while self._commands:
            try:
                self._commands[0]()
            finally:  # taken off only now, so that `wait` counts the command under way
                with self._lock:
                    self._commands.popleft()
        if self.state == "running" and self._in_time():
            self._update()
            urgent |= self._follow_script()
            urgent |= self._arrive()
        if self.state != "closed":
            self._look(urgent)

    def _update(self) -> None:
        metrics = self._experiment.step()
        self.history.append(self.steps, metrics)

    def _in_time(self) -> bool:
        """In slow motion, wait until the next update is due; False if a command came first."""
        if not self._period:
            return True
        with self._lock:
            wait = self._next_at - time.monotonic()
            if wait > 0 and self._lock.wait_for(self.has_commands, wait):
                return False
        self._next_at = time.monotonic() + self._period
        return True

    def _arrive(self) -> bool:
        """Stop running if this was the last update asked for."""
        if self.steps < self._until:
            return False
        if self.steps == self._replay_end:
            self._replay_end, self._reason = None, "the replay has caught up"
        self._halt("done" if self.steps >= self._limit else "paused")
        return True

    def _halt(self, state: State) -> None:
        self.state, self.rate = state, 0.0

    def _look(self, urgent: bool) -> None:
        now = time.monotonic()
        if urgent:
            self._urgent, self._look_at = True, min(self._look_at, self._looked + self.EAGER)
        if self.state == "running" and now < self._look_at:
            return
        self._measure_rate(now)
        urgent, self._urgent = self._urgent, False
        before = time.thread_time()
        self._observe(urgent)
        cost = time.thread_time() - before
        self._looked, self._look_at = now, now + max(self.INTERVAL, cost / self.SHARE)

    def _measure_rate(self, now: float) -> None:
        since, steps = self._meter
        if self.state != "running" or self.steps < steps:
            self._meter = (now, self.steps)
        elif now - since >= 0.5:
            self.rate = (self.steps - steps) / (now - since)
            self._meter = (now, self.steps)

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self._script.clear()
        self._replay_end, self._reason = None, ""
        self._halt("error")
        with suppress(Exception):  # the first error is the one to tell; the observer may well be what raised it
            self._observe(True)

    # What commands do, in the thread.

    def _start(self) -> None:
        self._train_until(self._limit)

    def _train_until(self, steps: float) -> None:
        if self.state not in ("idle", "running", "paused"):
            return
        self._until = min(steps, self._limit, math.inf if self._replay_end is None else self._replay_end)
        self._meter = (time.monotonic(), self.steps)
        self._reason = "" if self._replay_end is None else REPLAYING
        self.state = "running"
        self._arrive()

    def _phase(self) -> None:
        if self.state not in ("idle", "running", "paused"):
            return
        self._halt("paused")
        self._reason = ""
        metrics = self._experiment.advance()
        if metrics is not None:
            self.history.append(self.steps, metrics)
            self._follow_script()
            self._until = self.steps
            self._arrive()

    def _pause(self, because: str) -> None:
        if self.state == "running":
            self._halt("paused")
            self._reason = because

    def _reset(self) -> None:
        if self.state == "closed":
            return
        self._halt("idle")
        self.error = None
        self._experiment.reset(self._experiment.seed)
        self._begin_session("reset")
        self._reason, self._last_change = "reset", ""

    def _begin_session(self, because: str) -> None:
        self.sessions.append(Session(self._experiment.seed, self._experiment.hyperparameters, because))
        self._forget_run()
        self._until = self._limit

    def _forget_run(self) -> None:
        self.history.clear()
        self._script.clear()
        self._replay_end = None

    def _set(self, changes: dict[str, Any]) -> None:
        before = self._experiment.hyperparameters
        if self.state == "closed" or before.replace(**changes) == before:
            return
        if self.state == "error":  # the experiment may be half-updated: only note the values, for the reset to come
            self._experiment.hyperparameters = before.replace(**changes)
            return
        if isinstance(self._experiment, PhasedExperiment) and self._experiment.done:
            self._update()  # somebody was walking through it: values change between updates only
        if self._replay_end is not None:
            self._leave_replay()
        words = self._words(changes)
        self._reason, self._last_change = "", words
        restarted = self._experiment.set(**changes)
        if restarted:
            self._begin_session(words)
            self._reason, self._last_change = f"{words}: began anew", ""
            if self.state != "running":
                self._halt("idle")
        else:
            self.sessions[-1].changes.append(Change(self.steps, changes))

    def _words(self, changes: dict[str, Any]) -> str:
        now, knobs = self._experiment.hyperparameters, self._experiment.hyperparameters.fields()
        said = (f"{knobs[name].label} {shown(getattr(now, name))} → {shown(value)}"
                if len(shown(value)) <= READABLE else knobs[name].label for name, value in changes.items())
        return f"{', '.join(said)} at step {self.steps:,}"

    def _leave_replay(self) -> None:
        """A change made during a replay begins another history from here: what had yet to be replayed is dropped."""
        session = self.sessions[-1]
        session.changes = session.changes[: len(session.changes) - len(self._script)]
        self._script.clear()
        self._replay_end = None
        self._until = self._limit

    def _replay(self) -> None:
        if self.state == "closed":
            return
        end = self.steps if self._replay_end is None else self._replay_end
        self.error = None
        self._halt("idle")
        self._forget_run()
        self.sessions[-1].begin(self._experiment)
        self._script.extend(self.sessions[-1].changes)
        self._replay_end, self._reason, self._last_change = end, REPLAYING, ""
        self._follow_script()
        self._train_until(end)

    def _follow_script(self) -> bool:
        """Make the changes that a replay has at this step."""
        followed = False
        while self._script and self._script[0].step == self.steps:
            values = self._script.popleft().values
            self._reason, self._last_change = "", f"replay: {self._words(values)}"
            self._experiment.set(**values)
            followed = True
        return followed


def shown(value: Any) -> str:
    """A hyperparameter's value in words: `on`, `0.001`, `64`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Two threads are slower than one for tiny models; torch keeps the number per thread, with one default for all."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
