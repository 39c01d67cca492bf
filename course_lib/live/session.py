"""What decided a run, written down: enough to run it again to the same digest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from course_lib.training.experiment import Experiment
from course_lib.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Change:
    """Hyperparameters that were set when `step` updates had been done."""

    step: int
    values: dict[str, Any]


@dataclass
class Session:
    """A run since it last began anew.

    Attributes:
        seed: the seed it began from.
        hyperparameters: the values in force at its beginning.
        because: why it began, in words for the reader.
        changes: what was set since then, in order.
        state: where it began, if the experiment had been trained before; None for a fresh start.
    """

    seed: int
    hyperparameters: Hyperparameters
    because: str
    changes: list[Change] = field(default_factory=list)
    state: dict[str, Any] | None = None

    def begin(self, experiment: Experiment) -> None:
        """Put the experiment where this session began."""
        experiment.hyperparameters = self.hyperparameters
        experiment.reset(self.seed)
        if self.state is not None:
            experiment.load_state_dict(self.state)

    def replay(self, experiment: Experiment, steps: int) -> None:
        """Run the session again, up to `steps` updates, with every change at its step."""
        replay = Replay(self, experiment, steps)
        while True:
            for values in replay.due():
                experiment.set(**values)
            if experiment.steps >= steps:
                return
            experiment.step()


class Replay:
    """A session on its way again, from its beginning to `end` updates.

    Attributes:
        end: where it has caught up.
        left: the changes that are still to come.
    """

    def __init__(self, session: Session, experiment: Experiment, end: int) -> None:
        session.begin(experiment)
        self._session, self._experiment, self.end = session, experiment, end
        self.left = deque(session.changes)

    def due(self) -> Iterator[dict[str, Any]]:
        """The values that are to be set at the step where the experiment is now."""
        while self.left and self.left[0].step == self._experiment.steps:
            yield self.left.popleft().values

    def leave(self) -> None:
        """Another history begins here: what had yet to be replayed never happened."""
        del self._session.changes[len(self._session.changes) - len(self.left):]
