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
SETTINGS = [{"COURSE_GRADING": "1"}, {"NBGRADER_EXECUTION": "autograde"}, {"NBGRADER_EXECUTION": "validate"}]
COURSE = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_grader(monkeypatch):
    for variable in ("COURSE_GRADING", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(variable, raising=False)


def ran(codes: list[str], settings: dict[str, str]) -> list:
    """Outputs of the check of each code, in a kernel of its own."""
    cells = ["import numpy as np\nfrom course_lib.teach import check"]
    for code in codes:
        cells += [code, 'check("00.kl", f)']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = os.pathsep.join(filter(None, (str(COURSE), os.environ.get("PYTHONPATH"))))
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute(
        env={**os.environ, "PYTHONPATH": path, **settings})
    assert not notebook.cells[0].outputs
    return [cell.outputs for cell in notebook.cells[2::2]]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_cells_raise_where_marks_are_given(settings):
    right, untouched, wrong = ran([RIGHT, UNTOUCHED, WRONG], settings)
    assert [output.output_type for output in right] == ["display_data"]
    for outputs, said in ((untouched, "not attempted"), (wrong, "not yet")):
        shown, error = outputs
        assert shown.output_type == "display_data" and shown.data["text/plain"].startswith(said)
        assert (error.output_type, error.ename, error.evalue) == ("error", "NotPassed", f"00.kl: {said}")


@pytest.mark.parametrize("settings", [{}, {"COURSE_GRADING": "0"}, {"NBGRADER_EXECUTION": ""}], ids=str)
def test_cells_show_their_message_otherwise(settings):
    for outputs, said in zip(ran([RIGHT, UNTOUCHED, WRONG], settings), ("passed", "not attempted", "not yet"),
                             strict=True):
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


def test_a_warning_and_an_error_stream_cost_no_marks():
    noisy = "import sys, warnings\n" + RIGHT.replace(
        "    s =", "    warnings.warn('!'); print('!', file=sys.stderr); np.log(np.zeros(1))\n    s =")
    (outputs,) = ran([noisy], SETTINGS[1])
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
