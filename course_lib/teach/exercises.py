"""Exercises that say what is wrong.

An `Exercise` holds a reference, random cases, and the likely mistakes *as code*. `check(name, function)` runs the
student's function on copies of the cases and compares it with the reference; an answer that agrees with one of the
mistakes on every case gets the hint made for that mistake. No answer is stored anywhere: truth is computed each time.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import CoroutineType
from typing import Any

import numpy as np
from IPython.display import display

from course_lib.mode import grading, partial
from course_lib.teach import answers, record
from course_lib.teach.message import Message
from course_lib.teach.surroundings import own_surroundings


class NotPassed(Exception):
    """An exercise is not passed. Raised only where marks are given: graders take a cell without an error for right."""


class Malformed(Exception):
    """Raised by an exercise's `observe` that knows what is wrong with the form of an answer: its text is shown."""


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
class Verdict:
    """What is said of an answer.

    Attributes:
        status: "passed", "not yet" or "not attempted".
        text: what follows it; parts in `backquotes` are code.
        mistake: the name of the likely mistake that it agrees with, or "".
        error: the error that it raised, in one line, or "".
    """

    status: str
    text: str
    mistake: str = ""
    error: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        reference: the right answer; its signature is the one that is asked for.
        cases: draws argument tuples from a seeded numpy generator: several shapes, edge values among them.
        mistakes: tried in order.
        hints: for an answer that is wrong in a way nobody foresaw, one a try, the last one repeated.
        rtol, atol: tolerance of the comparison.
        observe: what is compared, from the function and its arguments; what the function returns unless given. It may
            raise when it cannot work with an answer; then the answer itself is compared, and its form is told.
    """

    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[tuple[Any, ...]]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    rtol: float = 1e-4
    atol: float = 1e-6
    observe: Callable[..., Any] = lambda function, *arguments: function(*arguments)

    def names(self) -> tuple[str, ...]:
        """What to call each mistake in a table: how its first hint begins, as far as tells it from the others."""
        clauses = [re.split(r"(?<=[.:;,]) (?![^()]*\))", mistake.hints[0].replace("`", ""))
                   for mistake in self.mistakes]
        begun = [[" ".join(of_one[:n + 1]).rstrip(".:;,") for n in range(len(of_one))] for of_one in clauses]
        shared = Counter(words for of_one in begun for words in of_one)
        return tuple(next((words for words in of_one if shared[words] == 1), of_one[-1]) for of_one in begun)


MOODS = {"passed": "good", "not yet": "bad"}
_tries: Counter[tuple[str, str]] = Counter()


@dataclass
class _Run:
    """What one case showed of a function.

    Attributes:
        answers: what the function returned, call by call.
        raised: what came out of the function and was not coped with.
        stumbled: what `observe` raised over an answer.
        observed: what is compared: what `observe` made of the answers, or the first answer where it stumbled.
        changed: whether the function changed an argument in place.
    """

    answers: list[Any] = field(default_factory=list)
    raised: BaseException | None = None
    stumbled: BaseException | None = None
    observed: Any = None
    changed: bool = False


def exercises(number: str) -> dict[str, Exercise]:
    """The exercises of a notebook, by name: `exercises("01")`.

    Raises:
        ValueError: there is no such notebook, or it has no exercises.
    """
    module = f"course_lib.chapters.nb{number}.exercises"
    try:
        return importlib.import_module(module).EXERCISES
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or "?"):  # something that the exercises need is missing
            raise
        raise ValueError(f"notebook {number!r} has no exercises") from error


def check(name: str, function: Callable[..., Any] | None) -> Message | float | None:
    """Say whether an exercise was not attempted, is passed, or what is wrong with it.

    Whatever the function returns or raises is answered; a KeyboardInterrupt alone comes through. It is judged in
    surroundings of its own, on copies, so neither the notebook's settings nor what the function changes matter.

    Where marks are given, with `COURSE_GRADING=1` or under nbgrader, whose marks depend on whether a cell raises, the
    message is displayed and None is returned; or where nbgrader gives part of the points (`COURSE_PARTIAL=1`) the share
    of the cases, of an answer that is right for some of them.

    Args:
        name: number of the notebook and name of the exercise, as "01.posterior".
        function: the student's function itself, not its result.

    Raises:
        ValueError: no exercise has this name (the message lists those there are).
        TypeError: the name is no text.
        NotPassed: the exercise is not passed, and marks are given.
    """
    if not isinstance(name, str):
        raise TypeError('the name comes first: check("01.posterior", posterior)')
    with own_surroundings():
        known = exercises(name.partition(".")[0])
        if name not in known:
            raise ValueError(f"unknown exercise {name!r}: this notebook has {', '.join(known)}")
        verdict = judge(known[name], name, function)
    if verdict.passed:
        for key in [key for key in _tries if key[0] == name]:
            del _tries[key]
    record.keep("checked", name, verdict=verdict.status, mistake=verdict.mistake)
    message = Message(verdict.status, verdict.text, MOODS.get(verdict.status, "neutral"))
    if not grading():
        return message
    display(message)
    if partial() and verdict.status == "not yet" and not verdict.error:
        with own_surroundings():
            share = share_of_cases(known[name], function)
        if share > 0:
            return share
    if not verdict.passed:
        raise NotPassed(f"{name}: {verdict.status}")
    return None


def judge(exercise: Exercise, name: str, function: Any, seed: int = 0) -> Verdict:
    """What `check` says of a function, on the cases that this seed draws; to be called in surroundings of its own."""
    cases = exercise.cases(np.random.default_rng(seed))
    if misfit := _misfit(function, exercise, cases[0]):
        return _wrong(misfit)
    runs = []
    for case in cases:
        runs.append(_run(exercise, function, case))
        if error := runs[-1].raised:
            return replace(_wrong(f"it raised `{answers.told(error)}`{_where(function, error)}"),
                           error=answers.told(error))
    if refused := _refused(runs):
        return refused
    truths = [_truth(exercise, case) for case in cases]

    pairs = [pair for run, truth in zip(runs, truths, strict=True)
             for pair in zip(run.answers, truth.answers, strict=False)]  # `observe` may have stumbled over the first
    container = next(filter(None, (answers.wrong_container(*pair) for pair in pairs)), None)
    content = next(filter(None, (answers.wrong_content(*pair) for pair in pairs)), None)
    right = all(answers.same_but_for_the_form(*pair, exercise.rtol, exercise.atol) for pair in pairs)
    but = "the values are right, but " if right else ""
    if container and right:
        return _wrong(but + container)
    if not container and not content and _agree(exercise, runs, truths):
        return Verdict("passed", f"your answer agrees with the reference on {len(cases)} random cases")
    for i, mistake in enumerate(exercise.mistakes):
        if _agree(exercise, runs, (_run(exercise, mistake.wrong, case) for case in cases)):
            return replace(_hint((name, f"mistake {i}"), mistake.hints), mistake=exercise.names()[i])
    if form := container or content:
        return _wrong(but + form)
    if right and any(answers.lacks_gradient(*pair) for pair in pairs):
        return _wrong(f"{but}no gradient goes through them: `.item()`, `.detach()`, `torch.tensor` and `no_grad` cut "
                      "it off")
    if stumbled := next((run.stumbled for run in runs if run.stumbled), None):
        return _wrong(f"what it returned cannot be worked with: `{answers.told(stumbled)}`")
    if not _answers_alike(exercise, function, cases[0], runs[0]):
        return _wrong("called again with the same inputs, it answers otherwise: does it keep something from call to "
                      "call, in a list or a variable outside of it, or draw random numbers of its own?")
    return _hint((name, "unforeseen"), exercise.hints)


def share_of_cases(exercise: Exercise, function: Callable[..., Any], seed: int = 0) -> float:
    """In how many of the cases that this seed draws the function shows what the reference does, from 0 to 1."""
    cases = exercise.cases(np.random.default_rng(seed))
    agreed = 0
    for case in cases:
        run, truth = _run(exercise, function, case), _truth(exercise, case)
        agreed += not (run.raised or run.changed or any(map(answers.wrong_content, run.answers, truth.answers))
                       ) and _agree(exercise, [run], [truth])
    return agreed / len(cases)


def _refused(runs: Sequence[_Run]) -> Verdict | None:
    """What is said of answers that are not even compared with the right ones, or None."""
    returned = [answer for run in runs for answer in run.answers]
    if returned and all(answer is None for answer in returned):
        return Verdict("not attempted", "it returns None: nothing written yet? Or is a `return` missing?")
    if any(answer is None for answer in returned):
        return _wrong("for some inputs it returns None: does every path end in a `return`?")
    if any(run.changed for run in runs):
        return _wrong("it changes its arguments in place: work on a copy, others use them too")
    if advice := next((run.stumbled for run in runs if isinstance(run.stumbled, Malformed)), None):
        return _wrong(str(advice))
    return None


def _answers_alike(exercise: Exercise, function: Callable[..., Any], case: tuple[Any, ...], first: _Run) -> bool:
    """Whether a function shows the same on a case when it is called once more."""
    return answers.same(_run(exercise, function, case).observed, first.observed, exercise.rtol, exercise.atol)


def _misfit(function: Any, exercise: Exercise, case: tuple[Any, ...]) -> str | None:
    """Why this cannot be called as the exercise asks, or None if it can."""
    wanted = inspect.signature(exercise.reference)
    if not callable(function):
        return "pass the function itself: `check(name, my_function)`, without calling it"
    if issubclass(type(function), type):  # `isinstance` would ask the object
        return f"pass a function, which takes `{wanted}`: this is a class"
    try:
        taken = inspect.signature(function)
    except Exception:  # a built-in function, or an object that raises when it is asked
        return f"write a function of your own, which takes `{wanted}`"
    try:
        taken.bind(*case)
    except TypeError:
        return f"the function should take `{wanted}`, yours takes `{_in_words(taken)}`"
    return None


def _in_words(taken: inspect.Signature) -> str:
    try:
        words = str(taken)
    except Exception:  # a default that cannot be shown
        words = f"({', '.join(taken.parameters)})"
    return words if len(words) < 200 else f"{words[:200]}…"


def _run(exercise: Exercise, function: Callable[..., Any], case: tuple[Any, ...]) -> _Run:
    """Observe a function on a copy of a case, each call in surroundings that no other has touched."""
    run, given, raised = _Run(), copy.deepcopy(case), False

    def watched(*arguments: Any) -> Any:
        nonlocal raised
        try:
            with own_surroundings(seed=len(run.answers)):
                answer = function(*arguments)
        except BaseException:
            raised = True
            raise
        run.answers.append(answer)
        if answers.is_too_large(answer):
            raise Malformed(f"it returned {answers.described(answer)}, more than a million numbers: far too many")
        return answer

    try:
        run.observed = exercise.observe(watched, *given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: the notebook goes on
        if raised:
            run.raised = error  # as `observe` passed it on, perhaps with an explanation
        elif run.answers:
            run.stumbled, run.observed = error, run.answers[0]
        else:
            raise  # the course's own fault
    for answer in run.answers:
        if type(answer) is CoroutineType:
            answer.close()  # or Python warns that nobody has waited for it
    run.changed = not answers.unchanged(given, case)
    return run


def _truth(exercise: Exercise, case: tuple[Any, ...]) -> _Run:
    truth = _run(exercise, exercise.reference, case)
    if error := truth.raised or truth.stumbled:
        raise error  # the course's own fault
    return truth


def _agree(exercise: Exercise, runs: Sequence[_Run], others: Iterable[_Run]) -> bool:
    """Whether a function showed on every case what another one did."""
    return all(answers.same(run.observed, other.observed, exercise.rtol, exercise.atol)
               for run, other in zip(runs, others, strict=True))


def _where(function: Callable[..., Any], error: BaseException) -> str:
    """The last line of the student's own code that was running, if the source can be told."""
    try:
        code = getattr(inspect.unwrap(getattr(function, "func", function)), "__code__", None)
    except Exception:  # an object that raises when it is asked
        return ""
    own = [f for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    return f" at line {own[-1].lineno} of the cell: `{own[-1].line}`" if own and own[-1].line else ""


def _hint(key: tuple[str, str], hints: tuple[str, ...]) -> Verdict:
    tried = _tries[key]
    _tries[key] += 1
    return _wrong(hints[min(tried, len(hints) - 1)])


def _wrong(text: str) -> Verdict:
    return Verdict("not yet", text)
