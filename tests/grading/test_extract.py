"""Of a submission only the last definition of a function is run, with what it calls; the rest comes from the course."""

import numpy as np
import pytest

from course_lib.grading.extract import asked, code_cells, extract, imports

COURSE = ["import numpy as np\nfrom course_lib.teach import check", "def given(x):\n    return 2 * x",
          "def f(x):\n    pass", 'check("00.f", f)', 'check("00.g", given)']
GIVEN = frozenset({"np", "check"})


def value(*cells: str, at: float = 3.0):
    code = extract(cells, "f", COURSE, GIVEN)
    assert not code.problem, code
    names = {"np": np}
    exec(code.source, names)
    return names["f"](at)


def test_the_functions_that_are_asked_for_and_the_imports_are_the_course_s():
    assert asked(COURSE) == {"00.f": "f", "00.g": "given"}
    assert imports(COURSE) == "import numpy as np\nfrom course_lib.teach import check"


@pytest.mark.parametrize(("cells", "expected"), [
    (["def f(x):\n    return x", "def f(x):\n    return -x"], -3),  # the last one
    (["def f(x):\n    return -x", "def f(x:\n    return"], -3),  # the last that parses
    (["def half(x):\n    return x / 2", "def f(x):\n    return half(x)"], 1.5),
    (["def f(x):\n    return half(x)", "def half(x):\n    return x / 2"], 1.5),  # in any order
    (["def f(x):\n    return a(x)", "def a(x):\n    return b(x)", "def b(x):\n    return f.__name__ and x + 1"], 4),
    (["EPS = 1.0", "def f(x):\n    return x + EPS"], 4), (["import math as m", "def f(x):\n    return m.sqrt(9)"], 3),
    (["from math import sqrt", "def f(x):\n    return sqrt(x + 6)"], 3),
    (["def f(x):\n    return given(x)"], 6),  # the course's
    (["def given(x):\n    return 100", "def f(x):\n    return given(x)"], 6),  # also where the student's is another
    (["def given(x):\n    return 100\ndef f(x):\n    return given(x)"], 100),  # unless it is the answer's own
    (["x = 1 / 0", "def f(x):\n    y = x\n    return [x for x in (y,)][0]", "y = 1 / 0"], 3),  # its own variables
    (["k = 2", "def f(x):\n    def g():\n        return x * k\n    return g()"], 6),
    (["a, (b, c) = 1, (2, 3)", "def f(x):\n    return x + c"], 6),
    (["for i in range(3):\n    k = i", "def f(x):\n    return x + k"], 5),
    (["np = None", "def f(x):\n    return np.abs(-x)"], 3), (["f = lambda x: x * x"], 9),
    (["import time", "while True:\n    time.sleep(1)", "1 / 0", "def f(x):\n    return x"], 3),  # is not run
    (["%matplotlib inline\n!ls", "%timeit f\ndef f(x):\n    return x"], 3),
    (["class A:\n    def of(self, x):\n        return x", "def f(x):\n    return A().of(x)"], 3),
    (["list = None", "def f(x):\n    return sum([x, x])"], 6)])
def test_what_is_run_of_a_submission(cells, expected):
    assert value(*cells) == expected


def test_what_is_not_there_or_does_not_parse():
    assert extract(["x = 1"], "f", COURSE, GIVEN).source == extract([], "f", COURSE, GIVEN).problem == ""
    assert "line 1" in extract(["def f(x:\n    return"], "f", COURSE, GIVEN).problem
    deep = "def f(x):\n    return " + "(" * 500 + "x" + ")" * 500
    assert extract([deep], "f", COURSE, GIVEN).problem


@pytest.mark.parametrize(("body", "flag"), [
    ("return x", None), ("import os\n    os._exit(0)", "uses os"), ("return np.sys", "uses sys"),
    ("from course_lib.chapters.nb00.exercises import EXERCISES\n    return 1", "looks at the course's own answers"),
    ("import course_lib.teach.exercises as e\n    return e", "looks at the course's own answers"),
    ("return f.__globals__", "uses __globals__"), ("import subprocess", "uses subprocess")])
def test_what_no_answer_needs_is_flagged(body, flag):
    assert extract([f"def f(x):\n    {body}"], "f", COURSE, GIVEN).flags == ((flag,) if flag else ())


def test_a_check_of_one_s_own_is_flagged_where_it_is_used():
    assert extract(["def check(*a):\n    return 1\ndef f(x):\n    return check(x)"], "f", COURSE, GIVEN).flags == (
        "redefines check",)


def test_code_cells_of_old_and_odd_notebooks():
    assert code_cells({"worksheets": [{"cells": [{"cell_type": "code", "input": ["a\n", "b"]}]}]}) == ["a\nb"]
    odd = [3, None, {}, {"cell_type": "code"}, {"cell_type": "code", "source": None}, {"cell_type": "markdown"}]
    assert code_cells({"cells": odd}) == ["", ""]
