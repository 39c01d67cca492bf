"""Guess before you run: `predict` keeps what the student said, `reveal` compares it with what was computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from course_lib.mode import headless
from course_lib.teach import record
from course_lib.teach.answers import described, number
from course_lib.teach.message import Message


@dataclass
class _Prediction:
    question: str
    low: float | None
    high: float | None
    options: tuple[str, ...] | None
    answer: float | str | None = None


_predictions: dict[str, _Prediction] = {}


def predict(key: str, question: str, *, low: float | None = None, high: float | None = None,
            options: Sequence[str] | None = None) -> None:
    """Ask for a prediction: a number between `low` and `high`, or one of `options`.

    The answer is kept while the kernel lives, also when the cell is run again. Headless, where nobody can answer, the
    question is shown with its range or its options.

    Raises:
        TypeError: neither a range nor options were given, or both.
    """
    if (low is None) != (high is None) or (low is None) == (not options):
        raise TypeError("give low= and high=, or options=")
    asked = _Prediction(question, low, high, tuple(options) if options else None)
    prediction = _predictions.get(key)
    if prediction is None or replace(prediction, answer=None) != asked:  # a cell that was edited asks anew
        prediction = _predictions[key] = asked
    record.keep("asked", key, question=question, options=prediction.options, low=low, high=high)
    if headless():
        display(Message("predict", "\n".join([question, *_choices(prediction)])))
        return
    box = _choice(key, prediction) if prediction.options else _number(key, prediction)
    display(widgets.VBox([widgets.HTMLMath(f"<b>Predict:</b> {question}"), *box]))


def _choices(prediction: _Prediction) -> list[str]:
    """What may be answered, in lines of plain text."""
    return [f"– {option}" for option in prediction.options] if prediction.options else [_range(prediction)]


def _range(prediction: _Prediction) -> str:
    return f"a number from {prediction.low:g} to {prediction.high:g}"


def _choice(key: str, prediction: _Prediction) -> list[widgets.Widget]:
    buttons = widgets.RadioButtons(options=prediction.options, value=prediction.answer,
                                   layout={"width": "max-content"})

    def keep(change: dict) -> None:
        prediction.answer = change["new"]
        record.keep("predicted", key, answer=change["new"])

    buttons.observe(keep, names="value")
    return [buttons]


def _number(key: str, prediction: _Prediction) -> list[widgets.Widget]:
    hint = _range(prediction)
    text = widgets.Text(value="" if prediction.answer is None else f"{prediction.answer:g}", placeholder=hint,
                        description="your guess", continuous_update=False)
    reply = widgets.HTML(layout={"margin": "0 0 0 1em"})

    def keep(change: dict) -> None:
        try:
            answer = float(change["new"].replace(",", "."))
            if not prediction.low <= answer <= prediction.high:
                raise ValueError
        except ValueError:
            prediction.answer = None
            reply.value = f"please give {hint}" if change["new"].strip() else ""
        else:
            prediction.answer = answer
            reply.value = f"kept: {answer:g}"
            record.keep("predicted", key, answer=answer)

    text.observe(keep, names="value")
    return [widgets.HBox([text, reply])]


def reveal(key: str, measured: Any, pick: Callable[[Any], str] | None = None) -> None:
    """Show what was measured, beside the prediction if one was made.

    Args:
        measured: a number; or where options were offered, whatever decides between them.
        pick: the rule that chooses an option: `pick(measured)` is the right one. So no answer is typed.

    Raises:
        KeyError: nothing was asked under this key.
        ValueError: the rule picked none of the options that were offered.
        TypeError: `measured` is no number where one was asked for; options without a rule, or a rule without options.
    """
    if key not in _predictions:
        raise KeyError(f"no prediction {key!r} was asked for: run the cell with predict({key!r}, …) first")
    prediction = _predictions[key]
    if (pick is None) == bool(prediction.options):
        raise TypeError("where options were offered give the measurement and pick=, the rule that chooses one of them; "
                        "where a number was asked for, the number alone")
    if pick is not None:
        shown = right = pick(measured)
        if not isinstance(right, str) or right not in prediction.options:
            given = repr(right) if isinstance(right, str) else described(right)
            raise ValueError(f"{given} is not one of the options {prediction.options}")
        if told := _told(measured):
            shown = f"{right} ({told})"
        status = "computed" if prediction.answer is None else (
            "as you said" if prediction.answer == right else f"you said {prediction.answer}, computed")
        record.keep("revealed", key, answer=right, measured=told)
        display(Message(status, shown))
        return
    measured = number(measured)
    record.keep("revealed", key, answer=measured)
    if prediction.answer is None:
        display(Message("computed", f"{measured:.3g}"))
    else:
        off = abs(prediction.answer - measured)
        display(Message(f"you said {prediction.answer:g}, computed", f"{measured:.3g} (you were {off:.2g} away)"))


def _told(measured: Any) -> str:
    """The numbers that decided, if they are few: one, or a dictionary of them; else nothing."""
    if isinstance(measured, dict):
        return ", ".join(f"{name} {told}" for name, value in measured.items() if (told := _told(value)))
    try:
        return f"{number(measured):.3g}"
    except TypeError:
        return ""
