"""The judge of exercises, on an exercise made for the purpose."""

import functools
import sys
import types

import numpy as np
import pytest
import torch

from course_lib import chapters
from course_lib.teach import check
from course_lib.teach.exercises import Exercise, Malformed, Mistake, _tries
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


def slope(function, x):
    """What the function returns, and its gradient: stumbles over an answer that has none."""
    y = function(x.requires_grad_())
    if isinstance(y, str):
        raise Malformed("no text, please")
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]


SLOPE = Exercise(reference=lambda x: x**3, cases=ROOT.cases, mistakes=(Mistake(lambda x: (x, x), ("one is enough",)),),
                 hints=("look again",), observe=slope)
NESTED = Exercise(
    reference=lambda rows, named: sum(row.sum() for row in rows) + named["a"],
    cases=lambda rng: [([torch.tensor(rng.normal(size=n)), torch.ones(2)], {"a": 1.0}) for n in (2, 3)],
    mistakes=(),
    hints=("look again",),
)


@pytest.fixture(autouse=True)
def notebook(monkeypatch):
    module = types.ModuleType("course_lib.chapters.nb99.exercises")
    module.EXERCISES = {"99.root": ROOT, "99.pair": PAIR, "99.slope": SLOPE, "99.nested": NESTED}
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
    (lambda x: x.sqrt() + 0j, "the values are right, but it should return values of type float64, it returned complex"),
    (lambda x: x.sqrt() + 0.5j, "`.real` is their real part, if the other is 0"),
    (lambda x: x.sqrt().to_sparse(), "the values are right, but it should return a tensor of shape [3], it returned"),
    (lambda x: (-x.sqrt()).to_sparse(), "sparse: `.to_dense()` makes it a plain one"),
    (lambda x: torch.zeros(()).expand(2**40), "more than a million numbers"),
    (lambda x: x.mean, "are the brackets of a call missing, `()`?"),
    (lambda x: (y for y in x), "write `return`, not `yield`"),
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


@pytest.mark.parametrize(("function", "words"), [
    (lambda x: (x**3,), "the values are right, but it should return a tensor of shape [3], it returned a tuple of 1 "
                        "value: is there a comma too many"),
    (lambda x: (x**2,), "it should return a tensor of shape [3], it returned a tuple of 1 value: is there a comma too"),
    (lambda x: [x**3, x], "it should return a tensor of shape [3], it returned a list of 2 values"),
    (lambda x: (x**3).detach(), "the values are right, but no gradient goes through them"),
    (lambda x: torch.tensor((x**3).tolist()), "values are right, but no gradient"),
    (lambda x: (x**3).detach().numpy(), "the values are right, but it should return a tensor of shape [3], it returned "
                                        "an ndarray of shape [3] and type float64: stay with torch's functions"),
    (lambda x: x.detach() + 1, "what it returned cannot be worked with: `RuntimeError: element 0 of tensors does not"),
    (lambda x: x + 1, "look again"),
    (lambda x: (x, x), "one is enough"),
    (lambda x: "seven", "no text, please"),
    (lambda x: (x**3).sum().item(), "it returned a float"),
])
def test_an_observer_that_stumbles_blames_the_answer(function, words):
    verdict = check("99.slope", function)
    assert verdict.status == "not yet" and words in verdict.text and "it raised" not in verdict.text


def test_an_error_of_the_course_is_not_blamed_on_the_student(monkeypatch, tmp_path):
    broken = Exercise(reference=lambda x: 1 / 0, cases=ROOT.cases, mistakes=(), hints=("look again",))
    monkeypatch.setitem(sys.modules["course_lib.chapters.nb99.exercises"].EXERCISES, "99.root", broken)
    with pytest.raises(ZeroDivisionError):
        check("99.root", lambda x: x)
    (tmp_path / "nb97").mkdir()
    (tmp_path / "nb97" / "exercises.py").write_text("import no_such_package", encoding="utf-8")
    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        check("97.root", lambda x: x)


def appends(rows, named):
    rows.append(torch.ones(1))
    return NESTED.reference(rows[:-1], named)


def doubles(rows, named):
    total = NESTED.reference(rows, named)
    rows[0] *= 2
    return total


def forgets(rows, named):
    return sum(row.sum() for row in rows) + named.pop("a")


@pytest.mark.parametrize("function", [appends, doubles, forgets])
def test_arguments_changed_within_a_container_are_told(function):
    assert "changes its arguments in place" in check("99.nested", function).text
    assert check("99.nested", NESTED.reference).status == "passed"


def test_state_kept_from_call_to_call_is_told():
    seen = []

    def remembers(x):
        seen.append(x.sum())
        return x.sqrt() + len(seen)

    assert "called again with the same inputs, it answers otherwise" in check("99.root", remembers).text


def test_an_interrupt_of_the_reader_comes_through():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("99.root", interrupted)
    assert check("99.root", lambda x: sys.exit(3)).text.startswith("it raised `SystemExit: 3` at line")


def test_a_right_function_passes_whatever_its_signature_shows():
    class Silent:
        def __repr__(self):
            raise RuntimeError

    silent = Silent()

    def mine(x, more=silent):
        return x.sqrt()

    assert check("99.root", mine).status == check("99.root", functools.partial(mine, more=1)).status == "passed"
    assert "yours takes `(x, y, z, more)`" in check("99.root", lambda x, y, z, more=silent: x).text


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


@pytest.mark.parametrize(("function", "right"), [
    (lambda x: x.sqrt() + 0.5j, False), (lambda x: (-x,), False), (lambda x: -x.numpy(), False),
    (lambda x: [x.sqrt()], True), (lambda x: x.sqrt().numpy(), True), (lambda x: x.sqrt().tolist(), True),
])
def test_values_are_called_right_only_if_they_are(function, right):
    assert check("99.root", function).text.startswith("the values are right") is right
