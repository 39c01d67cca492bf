"""The notebooks' kernel is this environment's own, whatever other Pythons have left on the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course_commands import make

from course_lib.commands import lab
from course_lib.commands import main as cli
from course_lib.commands.own_python import own_environment

COURSE = Path(__file__).resolve().parents[2]
WHERE = "import sys, os, json; print(json.dumps([sys.executable, os.environ.get('PYTHONPATH')]))"
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook).execute()
print(notebook.cells[0].outputs[0].text)
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch) -> Path:
    """A kernel python3 of another Python, in the places where it is found first, and that Python's packages."""
    for data in ("path", "home/.local/share/jupyter", "home/Library/Jupyter"):
        spec = tmp_path / data / "kernels/python3/kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "Python 3", "language": "python"}),
                        encoding="utf-8")
    packages = tmp_path / "packages"
    packages.mkdir()
    for module in ("ipykernel", "IPython", "tornado", "jupyterlab"):
        (packages / f"{module}.py").write_text("raise SystemExit('a package of another Python')",
                                              encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(packages))
    return packages


@pytest.fixture
def notebook(tmp_path) -> Path:
    cells = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(WHERE)], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}})
    nbformat.write(cells, tmp_path / "where.ipynb")
    return tmp_path / "where.ipynb"


def test_without_it_the_foreign_kernel_is_started(foreign, notebook):
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", EXECUTE, notebook], env=bare, capture_output=True, text=True)
    assert done.returncode != 0  # or the next test shows nothing


def test_a_foreign_kernel_and_foreign_packages_stay_out(foreign, notebook):
    done = subprocess.run([sys.executable, "-c", EXECUTE, notebook], env=own_environment(), capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    executable, path = json.loads(done.stdout)
    assert Path(executable) == Path(sys.executable) and path is None


def test_lab_starts_jupyter_in_its_own_environment(foreign, monkeypatch, tmp_path):
    started = {}

    class Server:
        def __init__(self, command, env):
            started.update(env, command=command)

        def wait(self):
            return 0

    monkeypatch.setattr("course_lib.commands.lab.copy_notebooks", lambda *_, **__: [])
    monkeypatch.setattr(lab.subprocess, "Popen", Server)
    assert cli.main(["lab"]) == 0
    assert started.pop("command")[0] == sys.executable and started == own_environment()


@pytest.mark.thorough
def test_nbval_under_make_starts_the_kernel_of_venv(student_course, foreign, notebook):
    cells = nbformat.read(notebook, as_version=4)
    cells.cells.append(nbformat.v4.new_code_cell("import course_lib, sys; assert '.venv' in sys.executable"))
    nbformat.write(cells, notebook)
    (student_course / "one.mk").write_text("include Makefile\none:\n\t$(NBVAL) $(ONE)\n", encoding="utf-8")
    said = make(student_course, "-f", "one.mk", "one", f"ONE={notebook}")
    assert "2 passed" in said


@pytest.mark.parametrize(("before", "after"), [
    (["/foreign"], None), (["/foreign", str(COURSE)], str(COURSE)), ([f"{COURSE}/tests/.."], str(COURSE))])
def test_of_pythonpath_the_course_alone_stays(before, after):
    assert own_environment({"PYTHONPATH": os.pathsep.join(before)}).get("PYTHONPATH") == after


def test_what_the_reader_has_on_jupyter_path_is_still_found_later():
    own, theirs = own_environment({"JUPYTER_PATH": "/theirs"})["JUPYTER_PATH"].split(os.pathsep)
    assert theirs == "/theirs" and (Path(own) / "kernels/python3/kernel.json").is_file()
    assert own_environment({})["JUPYTER_PATH"] == own


def test_the_kernel_is_described_as_ipykernel_does():
    from ipykernel.kernelspec import get_kernel_dict

    spec = json.loads((COURSE / "course_lib/jupyter/kernels/python3/kernel.json").read_text(encoding="utf-8"))
    theirs = get_kernel_dict()
    assert spec["argv"][0] == "python"  # Jupyter puts its own Python in its place
    assert {k: spec[k] for k in ("display_name", "language", "metadata")} == {k: theirs[k] for k in (
        "display_name", "language", "metadata")}
    assert spec["argv"][1:] == [a for a in theirs["argv"][1:] if not a.startswith("-X")]
