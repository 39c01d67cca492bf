"""Whatever a student's function returns, does or raises, `check` answers: odd kinds of answer × all exercises."""

import asyncio
import dataclasses
import decimal
import functools
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, check, exercises
from course_lib.teach.message import Message

CHAPTERS = Path(__file__).resolve().parents[2] / "course_lib" / "chapters"
NUMBERS = sorted(path.parent.name.removeprefix("nb") for path in CHAPTERS.glob("nb*/exercises.py"))
ALL = {name: exercise for number in NUMBERS for name, exercise in exercises(number).items()}


class Hostile:
    """Raises whatever is done to it."""

    def _refuse(self, *arguments: object, **more: object) -> None:
        raise RuntimeError("hands off")

    __array__ = __eq__ = __ne__ = __repr__ = __str__ = __len__ = __iter__ = __bool__ = __float__ = __hash__ = _refuse
    __getattr__ = __getitem__ = __copy__ = __deepcopy__ = __reduce_ex__ = __torch_function__ = _refuse


class Disguised(Hostile):
    """Also raises when it is asked what it is."""

    @property
    def __class__(self) -> type:
        raise RuntimeError("hands off")


class Exits:
    def __array__(self, *arguments: object, **more: object) -> None:
        raise SystemExit


class Endless(list):
    """A list that says it is very long."""

    def __len__(self) -> int:
        return 2**62


def quantized() -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch will drop them
        return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


async def soon(value: object = 1) -> object:
    return value


def _hostile_array() -> np.ndarray:
    array = np.empty(3, dtype=object)
    array.fill(Hostile())
    return array


def parts(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)


def each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change every value of a tuple, or the one there is."""
    return lambda value: tuple(change(v) for v in value) if isinstance(value, tuple) else change(value)


def tensor(value: Any) -> Tensor:
    return torch.as_tensor(value).detach()


def array(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


# Made of the right answer: the second says whether it may still pass, as what differs is no fault everywhere.
MADE = {
    "a list": (lambda v: list(parts(v)), True),
    "a comma too many": (lambda v: (v,), False),
    "two commas too many": (lambda v: ((v,),), False),
    "a tuple in a list": (lambda v: [v], False),
    "the answer twice": (lambda v: (v, v), False),
    "its first value alone": (lambda v: next(parts(v)), True),
    "one value more": (lambda v: (*parts(v), 0), False),
    "None beside it": (lambda v: (*parts(v), None), False),
    "None in its place": (each(lambda v: (None,)), False),
    "None for the last": (lambda v: (*tuple(parts(v))[:-1], None), False),
    "a dict": (lambda v: dict(enumerate(parts(v))), False),
    "a generator": (lambda v: (p for p in parts(v)), False),
    "numpy": (each(array), True),
    "torch": (each(tensor), True),
    "a tensor that requires grad": (each(lambda v: tensor(v).double().requires_grad_()), True),
    "a numpy scalar": (each(lambda v: array(v).reshape(-1)[0]), True),
    "Python numbers": (each(lambda v: array(v).tolist()), True),
    "text": (each(str), False),
    "bytes": (each(lambda v: array(v).tobytes()), False),
    "complex": (each(lambda v: tensor(v) + 0j), False),
    "a complex array": (each(lambda v: array(v) + 0j), False),
    "sparse": (each(lambda v: tensor(v).float().to_sparse()), False),
    "meta": (each(lambda v: tensor(v).to("meta")), False),
    "bfloat16": (each(lambda v: tensor(v).bfloat16()), False),
    "objects": (each(lambda v: array(v).astype(object)), False),
    "NaN": (each(lambda v: tensor(v) * np.nan), False),
    "infinity": (each(lambda v: tensor(v).double() + np.inf), False),
    "a negated view": (each(lambda v: torch.complex(tensor(v).double(), -tensor(v).double()).conj().imag), True),
    "one dimension more": (each(lambda v: tensor(v)[None]), False),
    "an expanded view": (each(lambda v: torch.zeros(()).expand(2**40)), False),
    "masked": (each(lambda v: np.ma.masked_all(array(v).shape)), False),
    "a structured array": (each(lambda v: np.zeros(array(v).shape, dtype=[("a", float)])), False),
}
CONSTANT = {
    "nothing": (), "an empty list": [], "an empty dict": {}, "an empty tensor": torch.empty(0), "a set": {1, 2},
    "text": "seven", "a number": 7, "True": True, "a huge int": 10**400, "a decimal": decimal.Decimal(1),
    "NotImplemented": NotImplemented, "ellipsis": ..., "a ragged list": [[1.0], [1.0, 2.0]],
    "a ragged list of tensors": [torch.ones(1), torch.ones(2)], "an endless range": range(2**62),
    "a list that says it is endless": Endless(), "a long list": [0.0] * 2_000_000, "a type": int, "a function": len,
    "a method": torch.ones(3).mean, "a module": np, "an error": ValueError("returned"),
    "dates": np.array(["2020"], "M8"),
    "texts": np.array(["a"]), "object": object(), "hostile": Hostile(), "hostile pair": (Hostile(), Hostile()),
    "hostile list": [Hostile()], "an array of hostile ones": _hostile_array(),
    "disguised": Disguised(), "exits": Exits(), "quantized": quantized(),
    "nested": torch.nested.as_nested_tensor([torch.ones(1), torch.ones(2)], layout=torch.jagged),
    "a parameter": torch.nn.Parameter(torch.ones(3)), "a layer": torch.nn.Linear(2, 2), "a pair of None": (None, None),
    "a matrix": np.eye(2).view(np.matrix), "a named pair": types.SimpleNamespace(a=1), "a file": sys.stdin,
    "max": torch.ones(2, 3).max(dim=1),
}


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("hands off")


class NoException(BaseException):
    """Such as that of a test runner, or of a task that is cancelled."""


def raising(error: BaseException | type[BaseException]) -> Callable[..., Any]:
    def mine(*arguments: object) -> None:
        raise error
    return mine


def without_end(*arguments: object) -> None:
    without_end(*arguments)


def warning_as_error(*arguments: object) -> object:
    warnings.simplefilter("error")
    return np.log(np.zeros(3))


def strict_numpy(*arguments: object) -> object:
    np.seterr(all="raise")
    return np.log(np.zeros(3))


RAISED = {
    "an error": raising(ValueError("no")), "an error without words": raising(KeyError), "exits": raising(SystemExit(1)),
    "unprintable": raising(Unprintable), "no exception": raising(NoException),
    "cancelled": raising(asyncio.CancelledError), "stops": raising(StopIteration),
    "closes": raising(GeneratorExit), "memory": raising(MemoryError()),
    "many words": raising(ValueError("`a` " * 100_000)), "half a character": raising(ValueError("\ud800")),
    "several": raising(ExceptionGroup("two", [ValueError("1"), ValueError("2")])), "without end": without_end,
    "a warning as an error": warning_as_error, "strict numpy": strict_numpy,
}


class Refuses:
    """May be called, but raises when it is asked how, or who it is."""

    @property
    def __signature__(self) -> None:
        raise RuntimeError("hands off")

    def __call__(self, *arguments: object) -> None:
        raise RuntimeError("hands off")

    def __getattr__(self, name: str) -> None:
        raise RuntimeError("hands off")

    def __repr__(self) -> str:
        raise RuntimeError("hands off")


class OddSignature:
    __signature__ = "a, b"

    def __call__(self, *arguments: object) -> int:
        return 1


class Plain:
    def __init__(self, *arguments: object) -> None:
        self.kept = arguments


def hostile_default(*arguments: object, more: object = Hostile()) -> int:
    return 1


def only_names(*, x: object) -> object:
    return x


@functools.wraps(hostile_default)
def wrapped(*arguments: object) -> object:
    return hostile_default(*arguments)


def circle(*arguments: object) -> int:
    return 1


circle.__wrapped__ = circle

CALLED = {
    "nothing": None, "a result": torch.ones(3), "text": "posterior", "hostile": Hostile(), "disguised": Disguised(),
    "a class": Plain, "a built-in class": dict, "a class that raises": Hostile,
    "a partial": functools.partial(circle, 1),
    "a built-in": len, "another": print, "a ufunc": np.add, "of torch": torch.add, "without a signature": min,
    "refuses": Refuses(), "an odd signature": OddSignature(), "an instance": Plain, "a layer": torch.nn.Linear(2, 2),
    "hostile default": hostile_default, "only names": only_names, "wrapped": wrapped, "a circle": circle,
    "a coroutine": lambda *arguments: soon(), "a coroutine function": soon, "no arguments": lambda: 1,
    "a vectorized one": np.vectorize(lambda *arguments: 1.0), "a bound method": [].append,
    "a cached one": functools.lru_cache(lambda *arguments: 1.0),
}


@pytest.fixture(scope="module", autouse=True)
def short():
    """One case and three mistakes of each exercise: the judge is tried here, not the exercises."""
    with pytest.MonkeyPatch.context() as patch:
        for name, exercise in ALL.items():
            short = dataclasses.replace(exercise, cases=functools.partial(_first, exercise),
                                        mistakes=exercise.mistakes[:3])
            patch.setitem(exercises(name.partition(".")[0]), name, short)
        yield


def _first(exercise: Exercise, rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return list(exercise.cases(rng))[:1]


def answered(name: str, function: Any) -> Message:
    verdict = check(name, function)
    assert verdict.status in ("passed", "not yet", "not attempted") and len(verdict.text) > 10
    assert "<div" in verdict._repr_html_() and len(repr(verdict)) < 3_000
    repr(verdict).encode("utf-8")
    return verdict


def returning(name: str, make: Callable[[Any], Any]) -> Callable[..., Any]:
    reference = ALL[name].reference
    return lambda *arguments: make(reference(*arguments))


@pytest.mark.parametrize("kind", MADE)
def test_an_answer_of_another_kind_is_told(kind):
    make, may_pass = MADE[kind]
    for name in ALL:
        verdict = answered(name, returning(name, make))
        assert verdict.status != "not attempted", name
        assert may_pass or verdict.status == "not yet", name


@pytest.mark.parametrize("kind", CONSTANT)
def test_whatever_is_returned_is_told(kind):
    for name in ALL:
        assert answered(name, lambda *arguments: CONSTANT[kind]).status == "not yet", name


@pytest.mark.parametrize("kind", RAISED)
def test_whatever_is_raised_is_told(kind):
    for name in ALL:
        verdict = answered(name, RAISED[kind])
        assert verdict.status == "not yet" and verdict.text.startswith("it raised `"), name


@pytest.mark.parametrize("kind", CALLED)
def test_whatever_is_given_for_a_function_is_told(kind, recwarn):
    for name in ALL:
        assert answered(name, CALLED[kind]).status in ("not yet", "not attempted"), name
    assert not [w for w in recwarn if "never awaited" in str(w.message)]


COMMA, BRACKETS, COMMAS = "a comma too many", "leave its brackets away", "write the values with commas between them"
TORCH, NUMPY, ITEM = "makes a tensor of a list", "turn it back by `torch.as_tensor`", "leave `.item()` or `float(…)`"
CONTAINERS = [  # how the right values are put, for which right answers that is wrong, what is said of it
    ("a list", lambda v: isinstance(v, tuple), COMMAS),
    ("a list", lambda v: not isinstance(v, (tuple, np.ndarray)), BRACKETS),
    ("a comma too many", lambda v: True, COMMA),
    ("two commas too many", lambda v: True, COMMA),
    ("a tuple in a list", lambda v: True, BRACKETS),
    ("a dict", lambda v: isinstance(v, tuple), COMMAS),
    ("numpy", lambda v: isinstance(v, Tensor), NUMPY),
    ("Python numbers", lambda v: isinstance(v, Tensor) and v.ndim == 0, ITEM),
    ("Python numbers", lambda v: isinstance(v, Tensor) and v.ndim > 0, TORCH),
]


@pytest.mark.parametrize(("kind", "wrong_for", "said"), CONTAINERS, ids=lambda value: value if value in MADE else "")
def test_right_values_in_a_wrong_container_are_called_right(kind, wrong_for, said):
    tried = 0
    for name, exercise in ALL.items():
        if wrong_for(exercise.reference(*_first(exercise, np.random.default_rng(0))[0])):
            text = answered(name, returning(name, MADE[kind][0])).text
            assert text.startswith("the values are right, but ") and said in text, (name, text)
            tried += 1
    assert tried > 3
