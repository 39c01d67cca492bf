"""Predictions: kept while the kernel lives, compared when revealed, out of the way when nobody answers."""

import ipywidgets as widgets
import numpy as np
import pytest
import torch

from course_lib.teach import predict as ask
from course_lib.teach import reveal
from course_lib.teach.message import Message
from course_lib.teach.predict import _predictions


@pytest.fixture
def shown(monkeypatch):
    import sys

    _predictions.clear()
    out = []
    monkeypatch.setattr(sys.modules["course_lib.teach.predict"], "display", out.append)
    return out


def widget(shown, kind):
    return next(w for w in _walk(shown[-1]) if isinstance(w, kind))


def _walk(box):
    yield box
    for child in getattr(box, "children", ()):
        yield from _walk(child)


def test_number_is_kept_and_compared(shown):
    ask("t.x", "How many?", low=0, high=100)
    widget(shown, widgets.Text).value = "20"
    ask("t.x", "How many?", low=0, high=100)  # the cell is run again
    assert widget(shown, widgets.Text).value == "20"
    reveal("t.x", 25.5)
    assert repr(shown[-1]) == "you said 20, computed: 25.5 (you were 5.5 away)"


@pytest.mark.parametrize("entry", ["lots", "-1", "101", "nan"])
def test_what_is_not_an_answer_is_told(shown, entry):
    ask("t.x", "How many?", low=0, high=100)
    widget(shown, widgets.Text).value = entry
    *_, reply = (w.value for w in _walk(shown[-1]) if isinstance(w, widgets.HTML))
    assert reply == "please give a number from 0 to 100"
    reveal("t.x", 3)
    assert repr(shown[-1]) == "computed: 3"


def test_decimal_comma(shown):
    ask("t.x", "How many?", low=0, high=100)
    widget(shown, widgets.Text).value = "2,5"
    assert _predictions["t.x"].answer == 2.5


def test_choice(shown):
    ask("t.c", "Which?", options=["cat", "dog"])
    assert widget(shown, widgets.RadioButtons).value is None
    widget(shown, widgets.RadioButtons).value = "cat"
    reveal("t.c", None, lambda _: "dog")
    assert repr(shown[-1]) == "you said cat, computed: dog"
    reveal("t.c", None, lambda _: "cat")
    assert repr(shown[-1]) == "as you said: cat"


def test_an_edited_cell_asks_anew(shown):
    ask("t.c", "Which?", options=["cat", "dog"])
    widget(shown, widgets.RadioButtons).value = "cat"
    ask("t.c", "Which?", options=["cat", "dog", "cow"])
    assert widget(shown, widgets.RadioButtons).value is None
    reveal("t.c", None, lambda _: "cow")
    assert repr(shown[-1]) == "computed: cow"


def test_headless_shows_text_and_no_widget(shown, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    ask("t.x", "How many?", low=0, high=100)
    assert isinstance(shown[-1], Message)
    assert repr(shown[-1]) == "predict: How many?\na number from 0 to 100"
    reveal("t.x", 7)
    assert repr(shown[-1]) == "computed: 7"
    ask("t.c", "Which?", options=["cat", "dog"])
    assert repr(shown[-1]) == "predict: Which?\n– cat\n– dog" and isinstance(shown[-1], Message)


def test_misuse_is_told(shown):
    with pytest.raises(TypeError, match="give low= and high=, or options="):
        ask("t.x", "How many?")
    with pytest.raises(TypeError, match="give low= and high=, or options="):
        ask("t.x", "How many?", low=0, high=1, options=["a"])
    for wrong in ({"low": 0}, {"high": 1}, {"options": []}, {"low": 0, "options": ["a"]}):
        with pytest.raises(TypeError, match="give low= and high=, or options="):
            ask("t.x", "How many?", **wrong)
    with pytest.raises(KeyError, match="run the cell with predict"):
        reveal("t.never", 1)


@pytest.mark.parametrize("computed", [None, "lots", [1, 2], np.ones(2), torch.ones(2), 1j, object()],
                         ids=lambda value: type(value).__name__)
def test_what_cannot_be_revealed_is_told(shown, computed):
    ask("t.x", "How many?", low=0, high=100)
    with pytest.raises(TypeError, match=r"^one number is needed here, not (None|an? )"):
        reveal("t.x", computed)
    ask("t.c", "Which?", options=["cat", "dog"])
    with pytest.raises(TypeError, match="give the measurement and pick="):
        reveal("t.c", computed)
    if not isinstance(computed, str):
        with pytest.raises(ValueError, match="is not one of the options"):
            reveal("t.c", 1.0, lambda _: computed)


@pytest.mark.parametrize("computed", [25.5, np.float32(25.5), np.array([25.5]),
                                      torch.tensor(25.5, requires_grad=True) * 1], ids=repr)
def test_a_number_is_revealed_whatever_holds_it(shown, recwarn, computed):
    ask("t.x", "How many?", low=0, high=100)
    reveal("t.x", computed)
    assert repr(shown[-1]) == "computed: 25.5" and not recwarn


@pytest.mark.parametrize(("measured", "told"), [
    (-3.14159, "cat (-3.14)"), (torch.tensor(-2.0), "cat (-2)"), (np.array([-1.0, 2.0]), "cat"),
    ({"cats": -2.5, "dogs": torch.tensor(4.0)}, "cat (cats -2.5, dogs 4)")], ids=str)
def test_a_rule_picks_the_option_and_what_decided_is_told(shown, measured, told):
    ask("t.c", "Which?", options=["cat", "dog"])

    def rule(m):
        return "cat" if np.ravel(list(m.values()) if isinstance(m, dict) else m)[0] < 0 else "dog"

    reveal("t.c", measured, rule)
    assert repr(shown[-1]) == f"computed: {told}"
    _predictions["t.c"].answer = "dog"
    reveal("t.c", -1.0, rule)
    assert repr(shown[-1]) == "you said dog, computed: cat (-1)"


def test_a_rule_that_picks_no_option_is_told(shown):
    ask("t.c", "Which?", options=["cat", "dog"])
    with pytest.raises(ValueError, match="'cow' is not one of the options"):
        reveal("t.c", 1.0, lambda m: "cow")


def test_an_answer_that_was_typed_is_refused(shown):
    ask("t.c", "Which?", options=["cat", "dog"])
    with pytest.raises(TypeError, match="the rule that chooses one of them"):
        reveal("t.c", "cat")
    ask("t.x", "How many?", low=0, high=100)
    with pytest.raises(TypeError, match="the number alone"):
        reveal("t.x", 3, lambda x: x)
