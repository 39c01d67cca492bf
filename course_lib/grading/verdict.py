"""The verdict on one exercise of one submission."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from course_lib.grading.extract import Code
from course_lib.teach.exercises import exercises as exercises_of
from course_lib.teach.exercises import judge, share_of_cases
from course_lib.teach.surroundings import own_surroundings

CHATTY = 2**20  # characters


class _Counted(io.TextIOBase):
    """Takes what is printed and keeps none of it."""

    count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        return len(text)


def verdict(name: str, function: str, code: Code, names: dict[str, Any], seed: int) -> dict[str, Any]:
    """Judge what a submission holds for one exercise, in this process.

    Args:
        name: of the exercise, "05.generator_losses".
        function: the name of the function that it asks for.
        code: what is run of the submission.
        names: what it finds: the course's imports. It gets a copy.
        seed: of the cases.

    Returns:
        status ("passed", "not yet", "not attempted", "error"), share (of cases that agree), mistake, error, told (the
        hint), flags.
    """
    flags = list(code.flags)
    if code.problem:
        return row_of("error", error=code.problem, flags=flags)
    if not code.source:
        return row_of("not attempted", flags=flags)
    printed = _Counted()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), own_surroundings():
        found = {**names, "__name__": "submission", "check": _no_check, "display": _no_check}
        try:
            exec(compile(code.source, "submission", "exec"), found)
        except BaseException as error:  # SystemExit, too
            return row_of("error", error=f"{type(error).__name__}: {error}"[:300], flags=flags)
        exercise = exercises_of(name.partition(".")[0])[name]
        said = judge(exercise, name, found.get(function), seed)
        share = 1.0 if said.passed else 0.0
        if said.status == "not yet" and callable(found.get(function)):
            with contextlib.suppress(Exception):  # it does not take these arguments: no case agrees
                share = share_of_cases(exercise, found[function], seed)
    if printed.count > CHATTY:
        flags.append(f"prints {printed.count // 2**20} MB")
    return row_of(said.status, share, said.mistake, said.error, said.text, flags)


def _no_check(*_: Any, **__: Any) -> None:
    """Stands in the place of what shows something in a page."""


def row_of(status: str, share: float = 0.0, mistake: str = "", error: str = "", told: str = "",
           flags: list[str] | None = None) -> dict[str, Any]:
    """A verdict as it is recorded: `verdict` says of what."""
    return {"status": status, "share": round(share, 3), "mistake": mistake, "error": error, "told": told,
            "flags": flags or []}
