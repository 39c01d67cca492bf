"""Where marks are given a cell must raise unless its exercise is passed: graders read anything else as full marks."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.teach import NotPassed, check
from course_lib.teach import exercises as module

RIGHT = "def f(p, q):\n    s = p > 0\n    return float((p[s] * np.log(p[s] / q[s])).sum())"
UNTOUCHED = "def f(p, q):\n    pass"
WRONG = "def f(p, q):\n    return -(p * q).sum()"
NOISY = "import sys, warnings\n" + RIGHT.replace(
    "    s =", "    warnings.warn('!'); print('!', file=sys.stderr); np.log(np.zeros(1))\n    s =")
NAMES = ("COURSE_GRADING", "NBGRADER_EXECUTION")
SETTINGS = [{"COURSE_GRADING": "1"}, {"NBGRADER_EXECUTION": "autograde"}, {"NBGRADER_EXECUTION": "validate"}]
OTHERS = [{}, {"COURSE_GRADING": "0"}, {"NBGRADER_EXECUTION": ""}]
COURSE = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_grader(monkeypatch):
    for variable in NAMES:
        monkeypatch.delenv(variable, raising=False)


def cells_with(settings: dict[str, str], codes: list[str]) -> list[str]:
    """The check of each code, under these settings alone."""
    told = "".join(f"os.environ.pop({name!r}, None)\n" for name in NAMES)
    return [f"{told}os.environ.update({settings})", *(part for code in codes for part in (code, 'check("00.kl", f)'))]


@pytest.fixture(scope="module")
def ran() -> dict[str, list]:
    """Of each of the settings the outputs of the check of each code, all in one kernel; "noisy" stands for one more."""
    asked = [(str(settings), settings, [RIGHT, UNTOUCHED, WRONG]) for settings in (*SETTINGS, *OTHERS)]
    asked.append(("noisy", SETTINGS[1], [NOISY]))
    cells = ["import os\nimport numpy as np\nfrom course_lib.teach import check"]
    cells += [cell for _, settings, codes in asked for cell in cells_with(settings, codes)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = os.pathsep.join(filter(None, (str(COURSE), os.environ.get("PYTHONPATH"))))
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute(
        env={**os.environ, "PYTHONPATH": path})
    assert not notebook.cells[0].outputs
    outputs = iter(cell.outputs for cell in notebook.cells if cell.source.startswith("check("))
    return {name: [next(outputs) for _ in codes] for name, _, codes in asked}


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_cells_raise_where_marks_are_given(settings, ran):
    right, untouched, wrong = ran[str(settings)]
    assert [output.output_type for output in right] == ["display_data"]
    for outputs, said in ((untouched, "not attempted"), (wrong, "not yet")):
        shown, error = outputs
        assert shown.output_type == "display_data" and shown.data["text/plain"].startswith(said)
        assert (error.output_type, error.ename, error.evalue) == ("error", "NotPassed", f"00.kl: {said}")


@pytest.mark.parametrize("settings", OTHERS, ids=str)
def test_cells_show_their_message_otherwise(settings, ran):
    for outputs, said in zip(ran[str(settings)], ("passed", "not attempted", "not yet"), strict=True):
        (shown,) = outputs
        assert shown.output_type == "execute_result" and shown.data["text/plain"].startswith(said)


def right(p, q):
    import numpy as np
    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_is_returned_and_every_failure_raises(settings, monkeypatch):
    for variable, value in settings.items():
        monkeypatch.setenv(variable, value)
    shown = []
    monkeypatch.setattr(module, "display", shown.append)
    assert check("00.kl", right) is None
    for function in (None, 3, lambda p, q: None, lambda p, q: 1.0, lambda p, q: (right(p, q),), lambda: 1, sys.exit):
        with pytest.raises(NotPassed, match=r"^00\.kl: not (yet|attempted)$"):
            check("00.kl", function)
    assert [message.status for message in shown][:3] == ["passed", "not yet", "not yet"] and len(shown) == 8
    with pytest.raises(ValueError, match="unknown exercise"):
        check("00.kll", right)


def test_a_warning_and_an_error_stream_cost_no_marks(ran):
    (outputs,) = ran["noisy"]
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
