"""Every exercise of every notebook: the solution, nothing, and each foreseen mistake."""

import contextlib
import io
import itertools
from pathlib import Path

import numpy as np
import pytest

from course_lib.authoring.build import convert, solutions
from course_lib.authoring.text import sources
from course_lib.teach.exercises import _tries, check, exercises

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SOURCES = [s for s in sources(NOTEBOOKS) if solutions(s)]
KNOWN = [(name, exercise) for source in SOURCES for name, exercise in exercises(source.stem.split("_")[0]).items()]


def verdict_of(code: str):
    """Run code whose last line is a check; returns what the check says."""
    *body, last = code.splitlines()
    namespace: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec("\n".join(body), namespace)
        return eval(last, namespace)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_the_notebook_has_at_least_three_and_each_is_known(source):
    assert len(solutions(source)) >= 3
    assert set(solutions(source)) == set(exercises(source.stem.split("_")[0]))


@pytest.mark.parametrize(("name", "code"), [item for s in SOURCES for item in solutions(s).items()],
                         ids=lambda value: value if "\n" not in value else "")
def test_the_solution_passes_with_nothing_but_the_imports(name, code):
    assert verdict_of(code).status == "passed"


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.stem)
def test_the_stub_is_not_attempted(source):
    cells = [c for c in convert(source, teacher=False).cells if c.cell_type == "code"]
    imports = cells[0].source
    for stub, checked in itertools.pairwise(cells):
        if "exercise" in stub.metadata.get("tags", []):
            assert verdict_of("\n\n".join((imports, stub.source, checked.source))).status == "not attempted"


@pytest.mark.parametrize(("name", "exercise"), KNOWN, ids=lambda value: value if isinstance(value, str) else "")
def test_each_mistake_gets_its_own_hints_in_order(name, exercise):
    said = []
    for mistake in exercise.mistakes:
        _tries.clear()
        hints = [check(name, mistake.wrong) for _ in mistake.hints]
        assert all(h.status == "not yet" for h in hints)
        assert tuple(h.text for h in hints) == mistake.hints
        said.append(hints[0].text)
    assert len(set(said)) == len(exercise.mistakes) >= 3


@pytest.mark.parametrize(("name", "exercise"), KNOWN, ids=lambda value: value if isinstance(value, str) else "")
def test_random_cases_differ_and_have_several_shapes(name, exercise):
    cases = exercise.cases(np.random.default_rng(0))
    assert len(cases) >= 3
    assert len({tuple(np.shape(a) for a in case) for case in cases}) >= 2
