"""Exercises that say what is wrong.

An `Exercise` holds a reference, random cases, and the likely mistakes *as code*. `check(name, function)` runs the
student's function on copies of the cases and compares it with the reference; an answer that agrees with one of the
mistakes on every case gets the hint made for that mistake. No answer is stored anywhere: truth is computed each time.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from course_lib.teach.message import Message


@dataclass(frozen=True)
class Mistake:
    """A likely wrong answer.

    Attributes:
        wrong: the function a student who makes this mistake would write.
        hints: what to say to it: the first try gets the first hint, a repetition the next.
    """

    wrong: Callable[..., Any]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        reference: the right answer; its signature is the one that is asked for.
        cases: draws argument tuples from a seeded numpy generator: several shapes, edge values among them.
        mistakes: tried in order.
        hints: for an answer that is wrong in a way nobody foresaw, one a try, the last one repeated.
        rtol, atol: tolerance of the comparison.
        observe: what is compared, from the function and its arguments; what the function returns unless given. It
            returns None where the function did.
    """

    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[tuple[Any, ...]]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    rtol: float = 1e-4
    atol: float = 1e-6
    observe: Callable[..., Any] = lambda function, *arguments: function(*arguments)


_tries: Counter[tuple[str, str]] = Counter()


def exercises(number: str) -> dict[str, Exercise]:
    """The exercises of a notebook, by name: `exercises("01")`.

    Raises:
        ValueError: there is no such notebook, or it has no exercises.
    """
    try:
        return importlib.import_module(f"course_lib.teach.checks.nb{number}").EXERCISES
    except ModuleNotFoundError as error:
        raise ValueError(f"notebook {number!r} has no exercises") from error


def check(name: str, function: Callable[..., Any] | None) -> Message:
    """Say whether an exercise was not attempted, is passed, or what is wrong with it.

    Args:
        name: number of the notebook and name of the exercise, as "01.posterior".
        function: the student's function itself, not its result.

    Raises:
        ValueError: no exercise has this name (the message lists those there are).
    """
    if not isinstance(name, str):
        raise TypeError('the name comes first: check("01.posterior", posterior)')
    known = exercises(name.partition(".")[0])
    if name not in known:
        raise ValueError(f"unknown exercise {name!r}: this notebook has {', '.join(known)}")
    verdict = _judge(known[name], name, function)
    if verdict.status == "passed":
        for key in [key for key in _tries if key[0] == name]:
            del _tries[key]
    return verdict


def _judge(exercise: Exercise, name: str, function: Any) -> Message:
    if not callable(function):
        return _wrong("pass the function itself: `check(name, my_function)`, without calling it")
    wanted = inspect.signature(exercise.reference)
    cases = exercise.cases(np.random.default_rng(0))
    try:
        taken = inspect.signature(function)
        taken.bind(*cases[0])
    except TypeError:
        return _wrong(f"the function should take `{wanted}`, yours takes `{taken}`")
    except ValueError:
        return _wrong(f"write a function of your own, which takes `{wanted}`")

    answers, changed = [], False
    for case in cases:
        given = copy.deepcopy(case)
        try:
            answers.append(exercise.observe(function, *given))
        except Exception as error:
            return _wrong(f"it raised `{type(error).__name__}: {error}`{_where(function, error)}")
        changed = changed or not all(_unchanged(before, after) for before, after in zip(case, given, strict=True))
    if all(answer is None for answer in answers):
        return Message("not attempted", "it returns None: nothing written yet? Or is a `return` missing?")
    if any(answer is None for answer in answers):
        return _wrong("for some inputs it returns None: does every path end in a `return`?")
    if changed:
        return _wrong("it changes its arguments in place: work on a copy, others use them too")
    truths = _observed(exercise, exercise.reference, cases)

    complaint = _malformed(answers, truths)
    if not complaint and all(_same(t, a, exercise) for t, a in zip(truths, answers, strict=True)):
        return Message("passed", f"your answer agrees with the reference on {len(cases)} random cases", "good")
    for i, mistake in enumerate(exercise.mistakes):
        made = _observed(exercise, mistake.wrong, cases)
        if all(_same(m, a, exercise) for m, a in zip(made, answers, strict=True)):
            return _hint((name, f"mistake {i}"), mistake.hints)
    return _wrong(complaint) if complaint else _hint((name, "unforeseen"), exercise.hints)


def _observed(exercise: Exercise, function: Callable[..., Any], cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [exercise.observe(function, *copy.deepcopy(case)) for case in cases]


def _where(function: Callable[..., Any], error: Exception) -> str:
    """The last line of the student's own code that was running, if the source can be told."""
    code = getattr(function, "__code__", None)
    own = [f for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    return f" at line {own[-1].lineno} of the cell: `{own[-1].line}`" if own and own[-1].line else ""


def _hint(key: tuple[str, str], hints: tuple[str, ...]) -> Message:
    tried = _tries[key]
    _tries[key] += 1
    return _wrong(hints[min(tried, len(hints) - 1)])


def _wrong(text: str) -> Message:
    return Message("not yet", text, "bad")


def _malformed(answers: list[Any], truths: list[Any]) -> str | None:
    """What is wrong with the form of the answers (type, shape, dtype, NaN), or None."""
    for answer, truth in zip(answers, truths, strict=True):
        if isinstance(truth, tuple):
            if not isinstance(answer, tuple) or len(answer) != len(truth):
                return f"it should return a tuple of {len(truth)} values, it returned {_described(answer)}"
            if complaint := _malformed(list(answer), list(truth)):
                return complaint
            continue
        if isinstance(truth, torch.Tensor) and not isinstance(answer, torch.Tensor):
            return f"it should return a tensor of shape {list(truth.shape)}, it returned {_described(answer)}"
        try:
            a, t = _array(answer), _array(truth)
        except (TypeError, ValueError):
            return f"it should return {_described(truth)}, it returned {_described(answer)}"
        if a.shape != t.shape:
            return f"it should return the shape {list(t.shape)} here, it returned {list(a.shape)}"
        if t.dtype.kind != a.dtype.kind:
            return f"it should return values of type {t.dtype}, it returned {a.dtype}"
        if np.isnan(a).any() and not np.isnan(t).any():
            return "it returns NaN (not a number) for some inputs: look for 0/0, log(0)·0 or inf − inf"
        if np.isinf(a).any() and not np.isinf(t).any():
            return "it returns infinite values for some inputs: look for log(0), a division by 0, or a large exp"
    return None


def _array(value: Any) -> np.ndarray:
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.dtype.kind not in "bifu":
        raise TypeError(f"not numbers: {value!r}")
    return array


def _described(value: Any) -> str:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return f"a {type(value).__name__} of shape {list(value.shape)} and type {value.dtype}"
    return f"a {type(value).__name__}"


def _unchanged(before: Any, after: Any) -> bool:
    """Whether an array argument still holds what was given; other arguments cannot be changed in place."""
    arrays = (torch.Tensor, np.ndarray)
    return not isinstance(before, arrays) or np.array_equal(_array(before), _array(after), equal_nan=True)


def _same(truth: Any, answer: Any, exercise: Exercise) -> bool:
    if isinstance(truth, tuple):
        alike = isinstance(answer, tuple) and len(answer) == len(truth)
        return alike and all(_same(t, a, exercise) for t, a in zip(truth, answer, strict=True))
    try:
        t, a = _array(truth), _array(answer)
    except (TypeError, ValueError):
        return truth is answer
    return t.shape == a.shape and np.allclose(a, t, rtol=exercise.rtol, atol=exercise.atol, equal_nan=True)
