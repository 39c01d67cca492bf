"""The register of families: each is known by the name of its file in `course_lib/experiments`.

A family says what it is where it is defined, `@register("vae", summary="…", ships={…})`. Lists of all families, for
`--help` or for the shipped checkpoints, are read from those lines without importing anything; a family's own module,
and with it torch, is imported when that family is wanted.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.training.experiment import Experiment

FAMILIES = Path(__file__).resolve().parents[1] / "experiments"


@dataclass(frozen=True)
class Family:
    """What a family says about itself.

    Attributes:
        name: as the command line and cards know it.
        summary: what it is, to follow 'Train'.
        prints: what its metrics are, in a sentence.
        ships: for each checkpoint that comes with the course the options of `train` that make it, as cards have them.
        trained_first: whether other families' checkpoints are measured by one of this family.
        formerly: an older name, which commands and cards may still use.
    """

    name: str
    summary: str
    prints: str = ""
    ships: dict[str, str] = field(default_factory=dict)
    trained_first: bool = False
    formerly: str = ""


_classes: dict[str, type[Experiment]] = {}


def register(name: str, *, summary: str, **declared: object) -> Callable[[type[Experiment]], type[Experiment]]:
    """Make a family's experiment known: a decorator of its class, whose arguments are those of `Family`, as literals.

    Raises:
        ValueError: the class stands in a file of another name, where nobody would look for it.
    """
    def note(experiment: type[Experiment]) -> type[Experiment]:
        if experiment.__module__.rpartition(".")[2] != name:
            raise ValueError(f"{experiment.__name__} is registered as {name!r}, so its file must be {name}.py")
        _classes[name] = experiment
        return experiment

    return note


@functools.cache
def families() -> dict[str, Family]:
    """All families by name, as their files declare them; nothing is imported."""
    found = [family for path in sorted(FAMILIES.glob("[a-z]*.py")) for family in _declared(path)]
    return {family.name: family for family in sorted(found, key=lambda family: not family.trained_first)}


def _declared(path: Path) -> list[Family]:
    """What one file registers."""
    classes = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef))
    calls = (d for node in classes for d in node.decorator_list
             if isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id == "register")
    return [Family(*map(ast.literal_eval, call.args), **{k.arg: ast.literal_eval(k.value) for k in call.keywords})
            for call in calls]


def experiment_class(name: str) -> type[Experiment]:
    """The experiment of a family, named as it is or as it was; imported now.

    Raises:
        KeyError: no family has this name.
    """
    name = next((family.name for family in families().values() if name == family.formerly), name)
    if name not in families():
        raise KeyError(f"there is no model {name!r}; known: {', '.join(families())}")
    importlib.import_module(f"course_lib.experiments.{name}")
    return _classes[name]


def shipped() -> dict[str, str]:
    """The options of `train` that make each checkpoint which comes with the course, by its name."""
    return {name: options for family in families().values() for name, options in family.ships.items()}
