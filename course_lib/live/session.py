"""What decided a run, written down: enough to run it again to the same digest."""

from __future__ import annotations

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
        self.begin(experiment)
        changes = list(self.changes)
        while True:
            while changes and changes[0].step == experiment.steps:
                experiment.set(**changes.pop(0).values)
            if experiment.steps >= steps:
                return
            experiment.step()
