"""The contract that notebooks, live labs, the command line, tests and benchmarks all drive.

An `Experiment` is a model together with its data, optimisers and random generators. Whoever drives it calls
`step()`; `run()` is the one loop that does so. Everything that decides the future of a run is listed by `parts()`,
so saving, resuming and the `digest()` that says 'same run?' are written once, here.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import hashlib
import io
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.files import atomic_write


@dataclass(frozen=True)
class Knob:
    """What a hyperparameter declares about itself: its range, its words, and whether a change needs a restart."""

    label: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    unit: str = ""
    log: bool = False
    restart: bool = False


def knob(default: Any, *, label: str, help: str, **declared: Any) -> Any:
    """A dataclass field with its `Knob`: `learning_rate: float = knob(1e-3, low=1e-5, high=1e-1, log=True, …)`."""
    return field(default=default, metadata={"knob": Knob(label=label, help=help, **declared)})


@dataclass(frozen=True)
class Hyperparameters:
    """Base of every experiment's hyperparameters: a frozen dataclass whose fields are made with `knob`.

    Raises:
        TypeError: a value of another type than the default's.
        ValueError: a value outside the declared bounds or choices.
    """

    def __post_init__(self) -> None:
        for name, declared in self.knobs().items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), self._default(name), declared))

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """The declaration of each hyperparameter, by name."""
        return {f.name: f.metadata["knob"] for f in dataclasses.fields(cls)}

    @classmethod
    def _default(cls, name: str) -> Any:
        return next(f.default for f in dataclasses.fields(cls) if f.name == name)

    def changed(self, **changes: Any) -> Hyperparameters:
        """A copy with these values changed. Raises ValueError for an unknown name, and says which was meant."""
        for name in changes:
            if name not in self.knobs():
                close = difflib.get_close_matches(name, self.knobs(), n=1)
                meant = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(self.knobs())}"
                raise ValueError(f"unknown hyperparameter {name!r}: {meant}")
        return dataclasses.replace(self, **changes)


def _checked(name: str, value: Any, default: Any, declared: Knob) -> Any:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        raise TypeError(f"{name} must be {type(default).__name__}, not {value!r}")
    if declared.choices is not None and value not in declared.choices:
        raise ValueError(f"{name} must be one of {', '.join(declared.choices)}, not {value!r}")
    too_low = declared.low is not None and not value >= declared.low
    too_high = declared.high is not None and not value <= declared.high
    if too_low or too_high:
        raise ValueError(f"{name} must lie between {declared.low} and {declared.high}, not {value!r}")
    return value


class Experiment(ABC):
    """A model in training. Subclasses build their parts in `build` and do one optimiser update in `update`.

    Attributes:
        hyperparameters: the values in force, a `Hyperparameters`.
        seed: the seed of the last `reset`.
        steps: updates done since then.
        seconds: processor time of the thread that did them: what the clock says on a machine with nothing else to do.
            It is saved, but decides nothing, so the digest leaves it out.
    """

    Hyperparameters: ClassVar[type[Hyperparameters]]

    def __init__(self, hyperparameters: Hyperparameters | None = None, seed: int = 0) -> None:
        self.hyperparameters = self.Hyperparameters() if hyperparameters is None else hyperparameters
        self.reset(seed)

    @abstractmethod
    def build(self, generator: torch.Generator) -> None:
        """Make networks, optimisers and generators anew; all their randomness comes from `generator`."""

    @abstractmethod
    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        """Everything that decides the future of the run, by name.

        Where one network is what training is for, its name is 'model': that is what a shipped checkpoint holds.
        """

    @abstractmethod
    def update(self) -> dict[str, Tensor]:
        """One optimiser update; returns its metrics as detached 0-d tensors."""

    @abstractmethod
    def snapshot(self) -> dict[str, np.ndarray]:
        """What the views draw. Has its own generator and never disturbs training."""

    def evaluate(self, thorough: bool) -> dict[str, float]:
        """How good the model is, on held-out data and always on the same; `thorough` adds what takes minutes."""
        return {}

    def apply(self, hyperparameters: Hyperparameters) -> None:  # noqa: B027 (not every subclass needs it)
        """Hook for a subclass: take over values that optimisers keep a copy of, such as learning rates."""

    def reset(self, seed: int) -> None:
        """Start anew from `seed` with the hyperparameters in force."""
        self.seed, self.steps, self.seconds = int(seed), 0, 0.0
        self.build(torch.Generator().manual_seed(self.seed))
        self.apply(self.hyperparameters)

    def set(self, **changes: Any) -> bool:
        """Change hyperparameters; if one of them needs a restart, reset with the same seed. Returns whether it did."""
        before, self.hyperparameters = self.hyperparameters, self.hyperparameters.changed(**changes)
        knobs = self.hyperparameters.knobs()
        restart = any(knobs[n].restart and getattr(before, n) != getattr(self.hyperparameters, n) for n in changes)
        if restart:
            self.reset(self.seed)
        else:
            self.apply(self.hyperparameters)
        return restart

    def step(self) -> dict[str, Tensor]:
        """One optimiser update; counts it."""
        start = time.thread_time()
        metrics = self.update()
        self.steps += 1
        self.seconds += time.thread_time() - start
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """The whole state, in plain types and tensors that `torch.load(weights_only=True)` takes.

        As everywhere in torch its tensors are the live ones: copy them (`copy.deepcopy`) to keep a moment.
        """
        parts = {name: part.get_state() if isinstance(part, torch.Generator) else part.state_dict()
                 for name, part in self.parts().items()}
        return {"experiment": type(self).__name__, "hyperparameters": dataclasses.asdict(self.hyperparameters),
                "seed": self.seed, "steps": self.steps, "seconds": self.seconds, "parts": parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a `state_dict`. Raises ValueError if it belongs to another kind of experiment."""
        if state["experiment"] != type(self).__name__:
            raise ValueError(f"this is the state of a {state['experiment']}, not of a {type(self).__name__}")
        self.hyperparameters = self.Hyperparameters(**state["hyperparameters"])
        self.reset(state["seed"])
        for name, part in self.parts().items():
            load_part = part.set_state if isinstance(part, torch.Generator) else part.load_state_dict
            load_part(copy.deepcopy(state["parts"][name]))  # optimisers would go on to train in the state's own tensors
        self.steps, self.seconds = state["steps"], state["seconds"]

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


@contextmanager
def _interrupt_between_steps() -> Iterator[threading.Event]:
    """Ctrl-C sets the event instead of breaking off in the middle of an update. Only the main thread gets signals."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def run(experiment: Experiment, steps: int, progress: bool = True) -> Iterator[dict[str, Tensor]]:
    """Train for `steps` updates, yielding each one's metrics: the only training loop of the course.

    Ctrl-C (Interrupt in Jupyter) takes effect after the update under way, so the experiment stays whole: it can be
    drawn, saved, or run on.
    """
    for _ in tqdm(range(steps), disable=not progress, unit="step", leave=False):
        with _interrupt_between_steps() as asked:
            metrics = experiment.step()
        if asked.is_set():
            raise KeyboardInterrupt(f"stopped after step {experiment.steps}; the experiment is whole")
        yield metrics


def save(experiment: Experiment, path: str | Path) -> None:
    """Write a checkpoint; the old one stays whole until the new one is. Raises OSError if it cannot be written."""
    buffer = io.BytesIO()  # torch makes other errors of a full disk
    torch.save(experiment.state_dict(), buffer)
    atomic_write(Path(path), buffer.getbuffer())


def load(experiment: Experiment, path: str | Path) -> None:
    """Resume from a checkpoint written by `save`, bit for bit."""
    experiment.load_state_dict(torch.load(path, weights_only=True))
