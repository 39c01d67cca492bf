"""Hyperparameters that say what they are: a label, a range, a help text, and whether a change needs a restart.

The live labs make their controls of these declarations, and the command line its options.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from typing import Any

from course_lib.deprecated import old_members


@dataclass(frozen=True)
class Field:
    """What a hyperparameter declares about itself: its range, its words, and whether a change needs a restart."""

    label: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    unit: str = ""
    log: bool = False
    restart: bool = False


def hyperparameter(default: Any, *, label: str, help: str, **declared: Any) -> Any:
    """A dataclass field with its `Field`: `learning_rate: float = hyperparameter(1e-3, low=1e-5, high=1e-1, log=True,
    …)`."""
    return field(default=default, metadata={"hyperparameter": Field(label=label, help=help, **declared)})


@old_members(changed="replace")
@dataclass(frozen=True)
class Hyperparameters:
    """Base of every experiment's hyperparameters: a frozen dataclass whose fields are made with `hyperparameter`.

    Raises:
        TypeError: a value of another type than the default's.
        ValueError: a value outside the declared bounds or choices.
    """

    def __post_init__(self) -> None:
        for name, declared in self.fields().items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), self._default(name), declared))

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """The declaration of each hyperparameter, by name."""
        return {f.name: f.metadata["hyperparameter"] for f in dataclasses.fields(cls)}

    @classmethod
    def _default(cls, name: str) -> Any:
        return next(f.default for f in dataclasses.fields(cls) if f.name == name)

    def replace(self, **changes: Any) -> Hyperparameters:
        """A copy with these values changed. Raises ValueError for an unknown name, and says which was meant."""
        for name in changes:
            if name not in self.fields():
                close = difflib.get_close_matches(name, self.fields(), n=1)
                meant = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(self.fields())}"
                raise ValueError(f"unknown hyperparameter {name!r}: {meant}")
        return dataclasses.replace(self, **changes)


def _checked(name: str, value: Any, default: Any, declared: Field) -> Any:
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
