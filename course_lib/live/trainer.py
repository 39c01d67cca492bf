"""Training in the background: one thread owns the experiment, everybody else posts commands.

Commands are applied between two updates, never within one, and each change is logged with its step, so that any
session can be run again to the same digest. The thread lives only while there is something to do: the first command
starts it, and it ends by itself when training pauses, so none is ever left behind.

    idle → running ⇄ paused → done | error | closed
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Literal

from course_lib.live.history import History
from course_lib.live.mailbox import Mailbox
from course_lib.live.pacing import Lookout, Pace, RateMeter
from course_lib.live.session import Change, Replay, Session
from course_lib.training.experiment import Experiment
from course_lib.training.hyperparameters import Hyperparameters
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
            see, with False now and then otherwise (`Lookout`). What it raises counts as an error of training.
        rest: called in the thread when nothing was asked for a moment after a pause, before the thread ends.
        max_rate: updates a second that full speed does not exceed, for others need the machine, too; changes no result.

    Attributes:
        state: one of idle, running, paused, done, error, closed.
        history: the metrics since the last start.
        sessions: every run since the trainer was made; the last one is under way.
        changed: why it stands as it does, in words, or else what was changed last in this session. A reason such as
            'reset' goes when something else happens.
        error: the exception that stopped training, or None.
    """

    def __init__(
        self,
        experiment: Experiment,
        limit: int | None = None,
        observe: Callable[[bool], None] = lambda urgent: None,
        rest: Callable[[], None] = lambda: None,
        max_rate: float = math.inf,
    ) -> None:
        self._experiment = experiment
        self._limit = math.inf if limit is None else limit
        self._mailbox = Mailbox(self._turn, lambda: self.state == "running", rest, self._fail)
        self._pace, self._meter, self._lookout = Pace(max_rate), RateMeter(), Lookout(observe)
        self._until: float = 0  # running means: fewer updates than this have been done
        self._replaying: Replay | None = None
        self.state: State = "idle"
        self.history = History()
        self._reason, self._last_change = "", ""
        self.error: BaseException | None = None
        trained = copy.deepcopy(experiment.state_dict()) if experiment.steps else None
        self.sessions = [Session(experiment.seed, experiment.hyperparameters, "start", state=trained)]

    @property
    def steps(self) -> int:
        """Updates done since the last start."""
        return self._experiment.steps

    @property
    def rate(self) -> float:
        """Updates per second while running, else 0."""
        return self._meter.rate

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
        """Slow motion: do no more updates than this in a second; `math.inf` for full speed, which is `max_rate`
        at most. Changes no result."""
        self._post(lambda: self._pace.set(steps_per_second))

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
        if not self._mailbox.wait(timeout):
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
        self._post(self._close)
        self._mailbox.join()

    def owns_this_thread(self) -> bool:
        """Whether the caller runs in the trainer's own thread."""
        return self._mailbox.owns_this_thread()

    def has_commands(self) -> bool:
        """Whether commands wait to be applied."""
        return self._mailbox.has_commands()

    # The thread.

    def _post(self, command: Callable[[], None]) -> bool:
        return self._mailbox.post(command)

    def _turn(self) -> None:
        """Apply what was posted, do one update, and let the observer look."""
        urgent = self._mailbox.carry_out()
        if self.state == "running" and self._pace.in_time(self._mailbox.wait_for_command):
            self._update()
            urgent |= self._follow_replay()
            urgent |= self._arrive()
        if self.state == "running":
            self._meter.measure(self.steps)
        if self.state != "closed":
            self._lookout.look(urgent, self.state == "running")

    def _update(self) -> None:
        metrics = self._experiment.step()
        self.history.append(self.steps, metrics)

    def _arrive(self) -> bool:
        """Stop running if this was the last update asked for."""
        if self.steps < self._until:
            return False
        if self._replaying is not None and self.steps == self._replaying.end:
            self._replaying, self._reason = None, "the replay has caught up"
        self._halt("done" if self.steps >= self._limit else "paused")
        return True

    def _halt(self, state: State) -> None:
        self.state = state
        self._meter.stop()

    def _close(self) -> None:
        self._halt("closed")
        self._mailbox.closed = True

    def _fail(self, error: BaseException) -> None:
        self.error = self._experiment.explained(error)
        self._replaying, self._reason = None, ""
        self._halt("error")
        with suppress(Exception):  # the first error is the one to tell; the observer may well be what raised it
            self._lookout.observe(True)

    # What commands do, in the thread.

    def _start(self) -> None:
        self._train_until(self._limit)

    def _train_until(self, steps: float) -> None:
        if self.state not in ("idle", "running", "paused"):
            return
        self._until = min(steps, self._limit, math.inf if self._replaying is None else self._replaying.end)
        self._meter.begin(self.steps)
        self._reason = "" if self._replaying is None else REPLAYING
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
            self._follow_replay()
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
        self._replaying = None

    def _set(self, changes: dict[str, Any]) -> None:
        before = self._experiment.hyperparameters
        if self.state == "closed" or before.replace(**changes) == before:
            return
        if self.state == "error":  # the experiment may be half-updated: only note the values, for the reset to come
            self._experiment.hyperparameters = before.replace(**changes)
            return
        if isinstance(self._experiment, PhasedExperiment) and self._experiment.done:
            self._update()  # somebody was walking through it: values change between updates only
        if self._replaying is not None:  # a change made during a replay begins another history from here
            self._replaying.leave()
            self._replaying, self._until = None, self._limit
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
        return turned(self._experiment.hyperparameters, changes, self.steps)

    def _replay(self) -> None:
        if self.state == "closed":
            return
        end = self.steps if self._replaying is None else self._replaying.end
        self.error = None
        self._halt("idle")
        self._forget_run()
        self._replaying = Replay(self.sessions[-1], self._experiment, end)
        self._reason, self._last_change = REPLAYING, ""
        self._follow_replay()
        self._train_until(end)

    def _follow_replay(self) -> bool:
        """Make the changes that a replay has at this step."""
        followed = False
        for values in self._replaying.due() if self._replaying is not None else ():
            self._reason, self._last_change = "", f"replay: {self._words(values)}"
            self._experiment.set(**values)
            followed = True
        return followed


def turned(before: Hyperparameters, changes: Mapping[str, Any], step: int) -> str:
    """What a change of these values means, in words: `learning rate of D 0.002 → 0.05 at step 200`."""
    fields = before.fields()
    said = (f"{fields[name].label} {shown(getattr(before, name))} → {shown(value)}"
            if len(shown(value)) <= READABLE else fields[name].label for name, value in changes.items())
    return f"{', '.join(said)} at step {step:,}"


def shown(value: Any) -> str:
    """A hyperparameter's value in words: `on`, `0.001`, `64`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
