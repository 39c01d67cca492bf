"""The judge of exercises, on an exercise made for the purpose."""

import sys
import types

import numpy as np
import pytest
import torch

from course_lib.teach import check
from course_lib.teach.exercises import Exercise, Mistake, _tries
from course_lib.teach.message import Message

ROOT = Exercise(
    reference=lambda x: x.sqrt(),
    cases=lambda rng: [(torch.tensor(rng.uniform(0.1, 9, size=shape)),) for shape in ((3,), (2, 2))],
    mistakes=(Mistake(lambda x: x**2, ("you squared", "the other way round", "x ** 0.5")),
              Mistake(lambda x: x.sqrt().sum(), ("you summed",))),
    hints=("look again", "it has to do with powers"),
)
PAIR = Exercise(
    reference=lambda x, n: (x.mean(), n + 1),
    cases=lambda rng: [(rng.normal(size=4), 3), (rng.normal(size=2), 5)],
    mistakes=(),
    hints=("look again",),
)


@pytest.fixture(autouse=True)
def notebook(monkeypatch):
    module = types.ModuleType("course_lib.teach.checks.nb99")
    module.EXERCISES = {"99.root": ROOT, "99.pair": PAIR}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    _tries.clear()


def test_passed():
    assert check("99.root", lambda x: x**0.5).status == "passed"
    assert check("99.pair", lambda x, n: (float(np.mean(x)), 1 + n)).status == "passed"


def test_not_attempted():
    assert check("99.root", lambda x: None).status == "not attempted"


def test_hints_go_further_at_each_try_and_start_anew_after_a_pass():
    said = [check("99.root", lambda x: x**2).text for _ in range(4)]
    assert said == ["you squared", "the other way round", "x ** 0.5", "x ** 0.5"]
    said = [check("99.root", lambda x: x + 1).text for _ in range(3)]
    assert said == ["look again", "it has to do with powers", "it has to do with powers"]
    check("99.root", lambda x: x**0.5)
    assert check("99.root", lambda x: x**2).text == "you squared"


def test_a_mistake_of_another_shape_still_gets_its_own_hint():
    assert check("99.root", lambda x: x.sqrt().sum()).text == "you summed"


def in_place(x):
    x += 1
    return x


def crashes(x):
    return x.root()


@pytest.mark.parametrize(("function", "words"), [
    (3.0, "pass the function itself"),
    (None, "pass the function itself"),
    (lambda: 1, "the function should take `(x)`, yours takes `()`"),
    (lambda a, b: a, "yours takes `(a, b)`"),
    (lambda x: x.reshape(-1)[:1], "the shape [3] here, it returned [1]"),
    (lambda x: x * torch.nan, "returns NaN"),
    (lambda x: x > 0, "values of type float64, it returned bool"),
    (lambda x: "seven", "a tensor of shape [3], it returned a str"),
    (lambda x: x.sqrt().tolist(), "a tensor of shape [3], it returned a list"),
    (lambda x: None if x.ndim == 2 else x.sqrt(), "for some inputs it returns None"),
    (lambda x: x.root() if x.ndim == 2 else None, "AttributeError"),
    (lambda x: torch.softmax(x, dim=7), "IndexError: Dimension out of range"),
    (lambda x: (x - x).log(), "returns infinite values"),
    (lambda x: x.sqrt().bfloat16(), "it returned a Tensor of shape [3] and type torch.bfloat16"),
    (torch.add, "write a function of your own, which takes `(x)`"),
    (in_place, "changes its arguments in place"),
    (crashes, "`AttributeError: 'Tensor' object has no attribute 'root'` at line"),
])
def test_each_kind_of_wrong_form_has_its_message(function, words):
    verdict = check("99.root", function)
    assert verdict.status == "not yet" and words in verdict.text


@pytest.mark.parametrize(("function", "words"), [
    (lambda x, n: x.mean(), "a tuple of 2 values, it returned a float64"),
    (lambda x, n: (x.mean(), n + 1, 0), "a tuple of 2 values"),
    (lambda x, n: (x, n + 1), "the shape [] here, it returned [4]"),
    (lambda x, n: (x.mean(), float(n + 1)), "values of type int64, it returned float64"),
    (lambda x, n: (x.mean(), n), "look again"),
])
def test_tuples(function, words):
    assert words in check("99.pair", function).text


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match=r"unknown exercise '99\.rot': this notebook has 99\.root, 99\.pair"):
        check("99.rot", lambda x: x)
    with pytest.raises(ValueError, match="notebook '98' has no exercises"):
        check("98.root", lambda x: x)
    with pytest.raises(TypeError, match="the name comes first"):
        check(lambda x: x, "99.root")


def test_the_line_told_is_the_students_own_and_not_one_inside_the_library():
    told = check("99.root", lambda x: torch.nn.functional.softmax(x, dim=7)).text
    assert "softmax(x, dim=7)" in told and "ret = input" not in told


def test_extra_arguments_with_defaults_are_fine():
    assert check("99.root", lambda x, power=0.5: x**power).status == "passed"


def test_message_is_escaped_and_reads_without_colour():
    page = check("99.root", lambda: 1)._repr_html_()
    assert "<code>(x)</code>" in page and 'role="status"' in page and "<b>not yet:</b>" in page
    assert "a &lt; b &amp; <code>&lt;c&gt;</code>" in Message("told", "a < b & `<c>`")._repr_html_()
