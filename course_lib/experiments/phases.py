"""An experiment whose update can be walked through, phase by phase: slow motion that trains as full speed does."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.experiments.base import Experiment


class Phase(NamedTuple):
    """One part of an update.

    network: whose turn it is, 'D' or 'G'; turn: which of its turns, as '1 of 2'; name: in a word; act: does it and
    returns a sentence, made only when somebody reads it, about what was done.
    """

    network: str
    turn: str
    name: str
    act: Callable[[], Callable[[], str]]


class PhasedExperiment(Experiment):
    """Its update is the composition of `phases()`; `advance` does one of them, `step` all that are left.

    Attributes:
        done: phases of the update under way that are done; 0 between two updates.
    """

    done = 0
    _says: Callable[[], str] = str

    @abstractmethod
    def phases(self) -> list[Phase]:
        """The phases of an update, in order; the same ones until the update is whole."""

    @abstractmethod
    def metrics(self) -> dict[str, Tensor]:
        """The metrics of the update whose last phase was just done, as detached 0-d tensors."""

    def reset(self, seed: int) -> None:
        self.done, self._says = 0, str
        super().reset(seed)

    def update(self) -> dict[str, Tensor]:
        for phase in self.phases()[self.done:]:
            self._says = phase.act()
        self.done = 0
        return self.metrics()

    def advance(self) -> dict[str, Tensor] | None:
        """The next phase of the update; returns its metrics if that was the last one, and it counts as a step then."""
        phases = self.phases()
        if self.done == len(phases) - 1:
            return self.step()
        self._says = phases[self.done].act()
        self.done += 1
        return None

    @torch.no_grad()
    def walk(self) -> dict[str, Any]:
        """Where in its update the experiment is, in plain data: `turns` [[network, [names]], …], each network once;
        `at` [turn, name] of the phase done last, or null; `turn` ('1 of 2'); and what that phase `says`."""
        phases = self.phases()
        names: dict[str, list[str]] = {}
        for phase in phases:
            if phase.name not in names.setdefault(phase.network, []):
                names[phase.network].append(phase.name)
        turns = [[network, list(of)] for network, of in names.items()]
        if self.done == 0:
            return {"turns": turns, "at": None, "turn": "", "says": ""}
        last = phases[self.done - 1]
        at = [list(names).index(last.network), names[last.network].index(last.name)]
        return {"turns": turns, "at": at, "turn": last.turn, "says": self._says()}

    def state_dict(self) -> dict[str, Any]:
        if self.done:
            raise RuntimeError("this is the middle of an update: finish it first, by step()")
        return super().state_dict()
