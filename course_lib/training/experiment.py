"""The contract that notebooks, live labs, the command line, tests and benchmarks all drive.

An `Experiment` is a model together with its data, optimisers and random generators. Whoever drives it calls
`step()`; `loop.run` is the loop that does so, `live.trainer` the one that can be paused. Everything that decides the
future of a run is listed by `components()`, so saving, resuming and the `digest()` that says 'same run?' are written
once, here.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.deprecated import old_members
from course_lib.seeds import seeded
from course_lib.training.device import resolve_device
from course_lib.training.hyperparameters import Hyperparameters
from course_lib.training.parallel import shared_step

SNAPSHOT_SEED = 2**32  # seeds of runs are smaller, so that a picture never uses a run's own random numbers


def snapshot_generator() -> torch.Generator:
    """A generator for a picture, which shows the same noise each time."""
    return seeded(SNAPSHOT_SEED)


class Diverged(ValueError):
    """Parameters have become NaN or infinite: no update can make numbers of them again."""


@old_members(rng="generator")
class Experiment(ABC):
    """A model in training. Subclasses build their parts in `build` and learn a little in `training_step`.

    Most families need not write `training_step`: a `LossExperiment` brings its batch and its loss, an
    `AdversarialExperiment` the two batches and two losses of its game (`training.step`).

    Args:
        hyperparameters: the values to begin with; the defaults if None.
        seed: decides all random numbers.
        device: where networks and batches lie: "cpu", "cuda", "mps", "auto"; None for `COURSE_DEVICE`, else the CPU.
            Random numbers are always drawn on the CPU and moved, so that a seed means the same noise everywhere.

    Raises:
        ValueError: a device that is not there.

    Attributes:
        hyperparameters: the values in force, a `Hyperparameters`.
        device: a `torch.device`; it decides how fast a run is, not which one, so the digest leaves it out.
        seed: the seed of the last `reset`.
        steps: updates done since then.
        seconds: processor time of the thread that did them: what the clock says on a machine with nothing else to do.
            It is saved, but decides nothing, so the digest leaves it out.
    """

    Hyperparameters: ClassVar[type[Hyperparameters]]
    saved_as: ClassVar[str] = ""  # what states and digests call a class that was renamed since: its old name
    shareable: ClassVar[bool] = False  # whether several processes can share its steps, as in `training.parallel`
    walkable: ClassVar[bool] = False  # whether a lab offers slow motion within a step, phase by phase

    def __init__(self, hyperparameters: Hyperparameters | None = None, seed: int = 0,
                 device: str | torch.device | None = None) -> None:
        self.device = resolve_device(device)
        self.hyperparameters = self.Hyperparameters() if hyperparameters is None else hyperparameters
        self.reset(seed)

    @abstractmethod
    def build(self, generator: torch.Generator) -> None:
        """Make networks, optimisers and generators anew; all their randomness comes from `generator`."""

    @abstractmethod
    def components(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        """Everything that decides the future of the run, by name.

        Where one network is what training is for, its name is 'model': that is what a shipped checkpoint holds. The
        generator's name is 'rng', although the attribute is called `generator`: saved states have it so.
        """

    @abstractmethod
    def training_step(self) -> dict[str, Tensor]:
        """One update of the parameters; returns its metrics as detached 0-d tensors."""

    @abstractmethod
    def snapshot(self) -> dict[str, np.ndarray]:
        """What the views draw: arrays by name, of any shape. Has its own generator and never disturbs training."""

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """How good the model is, on held-out data and always on the same; `thorough` adds what takes minutes."""
        return {}

    def apply(self, hyperparameters: Hyperparameters) -> None:  # noqa: B027 (not every subclass needs it)
        """Hook for a subclass: take over values that a network keeps a copy of, such as the rate of dropout."""

    def reset(self, seed: int) -> None:
        """Start anew from `seed` with the hyperparameters in force."""
        self.seed, self.steps, self.seconds = int(seed), 0, 0.0
        self.build(seeded(self.seed))
        self.apply(self.hyperparameters)

    def set(self, **changes: Any) -> bool:
        """Change hyperparameters; if one of them needs a restart, reset with the same seed. Returns whether it did."""
        before, self.hyperparameters = self.hyperparameters, self.hyperparameters.replace(**changes)
        fields = self.hyperparameters.fields()
        restart = any(fields[n].restart and getattr(before, n) != getattr(self.hyperparameters, n) for n in changes)
        if restart:
            self.reset(self.seed)
        else:
            self.apply(self.hyperparameters)
        return restart

    def step(self) -> dict[str, Tensor]:
        """One `training_step`; counts it and returns its 0-d metrics.

        Raises:
            Diverged: it broke off because the parameters are no finite numbers any more.
        """
        start = time.thread_time()
        try:
            with shared_step(self):
                metrics = self.training_step()
        except ValueError as error:
            raise self.explained(error)  # noqa: B904 (which says what it came from)
        self.steps += 1
        self.seconds += time.thread_time() - start
        return metrics

    def explained(self, error: BaseException) -> BaseException:
        """The error to tell of one that broke off a step or a picture: `Diverged`, with it as its cause, where the
        parameters are why."""
        for name, part in self.components().items():
            if isinstance(part, nn.Module) and not all(p.isfinite().all() for p in part.parameters()):
                diverged = Diverged(f"training has diverged: after {self.steps:,} steps {name} has parameters that are "
                                    "NaN or infinite. Reset it, and lower the learning rate")
                diverged.__cause__ = error
                return diverged
        return error

    def state_dict(self) -> dict[str, Any]:
        """The whole state, in plain types and tensors that `torch.load(weights_only=True)` takes.

        As everywhere in torch its tensors are the live ones: copy them (`copy.deepcopy`) to keep a moment.
        """
        parts = {name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
                 for name, part in self.components().items()}
        return {"experiment": self._kind(), "hyperparameters": dataclasses.asdict(self.hyperparameters),
                "seed": self.seed, "steps": self.steps, "seconds": self.seconds, "parts": parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a `state_dict`. Raises ValueError if it belongs to another kind of experiment."""
        if state["experiment"] != self._kind():
            raise ValueError(f"this is the state of a {state['experiment']}, not of a {self._kind()}")
        self.hyperparameters = self.Hyperparameters(**state["hyperparameters"])
        self.reset(state["seed"])
        for name, part in self.components().items():
            load_part = part.set_state if isinstance(part, torch.Generator) else part.load_state_dict
            load_part(copy.deepcopy(state["parts"][name]))  # optimisers would go on to train in the state's own tensors
        self.steps, self.seconds = state["steps"], state["seconds"]

    def _kind(self) -> str:
        return vars(type(self)).get("saved_as", type(self).__name__)  # a subclass is another kind, with its own name

    def digest(self) -> str:
        """Hash of parameters, buffers, optimiser state, generators and hyperparameters: 'same run?' in one word."""
        sha = hashlib.sha256()
        _feed(sha, {name: value for name, value in self.state_dict().items() if name != "seconds"})
        return sha.hexdigest()[:16]


def _feed(sha: Any, value: Any) -> None:
    if isinstance(value, dict):
        sha.update(f"{{{len(value)}".encode())
        for key in value:
            sha.update(repr(key).encode())
            _feed(sha, value[key])
    elif isinstance(value, (list, tuple)):
        sha.update(f"[{len(value)}".encode())
        for item in value:
            _feed(sha, item)
    elif isinstance(value, Tensor):
        sha.update(f"{value.dtype}{tuple(value.shape)}".encode())
        sha.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    else:
        sha.update(repr(value).encode())
