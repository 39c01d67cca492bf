"""An experiment whose step is a list of phases: slow motion and full speed are one code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.training.experiment import Experiment


class Phase(NamedTuple):
    """One part of a step.

    player: whose turn it is, 'D' or 'G'; turn: which of its turns, from 0 on, and of: how many it has in a step; name:
    in a word; act: does it.
    """

    player: str
    turn: int
    of: int
    name: str
    act: Callable[[], None]


class PhasedExperiment(Experiment):
    """Its step is the composition of `phases()`; `advance` does one of them, `step` all that are left.

    Attributes:
        done: phases of the step under way that are done; 0 between two steps.
    """

    done = 0

    @abstractmethod
    def phases(self) -> list[Phase]:
        """The phases of a step, in order; the same ones until the step is whole."""

    @abstractmethod
    def metrics(self) -> dict[str, Tensor]:
        """The metrics of the step whose last phase was just done, as detached 0-d tensors."""

    def says(self, phase: Phase) -> str:
        """A sentence about what the phase done last has done, for slow motion."""
        return ""

    def reset(self, seed: int) -> None:
        self.done = 0
        super().reset(seed)

    def training_step(self) -> dict[str, Tensor]:
        """All phases that are left; returns the 0-d metrics."""
        for phase in self.phases()[self.done:]:
            phase.act()
        self.done = 0
        return self.metrics()

    def advance(self) -> dict[str, Tensor] | None:
        """The next phase of the step; returns its 0-d metrics if that was the last one, and it counts as a step
        then."""
        phases = self.phases()
        if self.done == len(phases) - 1:
            return self.step()
        phases[self.done].act()
        self.done += 1
        return None

    @torch.no_grad()
    def walk(self) -> dict[str, Any]:
        """Where in its step the experiment is, in plain data: `turns` [[network, [names]], …], each network once;
        `at` [turn, name] of the phase done last, or null; `turn` ('1 of 2'); and what that phase `says`."""
        phases = self.phases()
        names: dict[str, list[str]] = {}
        for phase in phases:
            if phase.name not in names.setdefault(phase.player, []):
                names[phase.player].append(phase.name)
        turns = [[player, list(of)] for player, of in names.items()]
        if self.done == 0:
            return {"turns": turns, "at": None, "turn": "", "says": ""}
        last = phases[self.done - 1]
        at = [list(names).index(last.player), names[last.player].index(last.name)]
        return {"turns": turns, "at": at, "turn": f"{last.turn + 1} of {last.of}", "says": self.says(last)}

    def state_dict(self) -> dict[str, Any]:
        if self.done:
            raise RuntimeError("this is the middle of a step: finish it first, by step()")
        return super().state_dict()
