"""A notebook of another version of the course than the package: told once, in a sentence, and never in the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib import __version__
from course_lib.authoring.build import convert
from course_lib.authoring.text import sources
from course_lib.teach import version
from course_lib.teach.version import tell_other_versions, version_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def said(monkeypatch):
    """What was displayed."""
    shown = []
    monkeypatch.setattr(version, "display", lambda message: shown.append(repr(message)))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return shown


def put(folder: Path, name: str, of: str | None = __version__, **course) -> Path:
    course = {"source": "source/x.py", "sha256": "0"} | ({} if of is None else {"version": of}) | course
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": [], "metadata": {"course": course}, "nbformat": 4, "nbformat_minor": 5}),
                    encoding="utf-8")
    return path


def test_every_notebook_carries_the_version():
    for teacher in (False, True):
        for source in sources(ROOT / "notebooks")[:2]:
            assert convert(source, teacher).metadata.course.version == __version__


def test_every_notebooks_first_code_cell_looks():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert "from course_lib.teach import" in first, path


def test_silent_where_all_is_of_this_version(tmp_path, said):
    put(tmp_path, "00_a")
    (tmp_path / "01_mine.ipynb").write_text('{"cells": [], "metadata": {}}', encoding="utf-8")
    (tmp_path / "02_broken.ipynb").write_bytes(b"\xff{")
    (tmp_path / "03_folder.ipynb").mkdir()
    (tmp_path / "04_list.ipynb").write_text("[]", encoding="utf-8")
    tell_other_versions(tmp_path)
    tell_other_versions(tmp_path / "nowhere")
    assert said == []


@pytest.mark.parametrize("of", ["0.9.0", "0.1", None])
def test_an_older_notebook_is_told_with_what_to_do(tmp_path, said, of):
    put(tmp_path, "00_a", of)
    tell_other_versions(tmp_path)
    (line,) = said
    assert "00_a.ipynb" in line and (of or "before 1.0") in line and __version__ in line and "make lab" in line
    assert line.count("\n") == 0


def test_its_new_version_is_named_if_it_is_there(tmp_path, said, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(put(tmp_path, "00_a", "0.9.0")))
    put(tmp_path, "00_a_new_version", "0.9.1")
    put(tmp_path, "00_a_new_version_2")
    tell_other_versions(tmp_path)
    assert len(said) == 1 and "go on in 00_a_new_version_2.ipynb" in said[0]


def test_a_newer_notebook_asks_for_a_newer_course(tmp_path, said):
    put(tmp_path, "00_a", "999.0.0")
    tell_other_versions(tmp_path)
    assert "bring the course's folder up to date" in said[0]


def test_only_the_open_notebook_counts_where_it_is_known(tmp_path, said, monkeypatch):
    old, new = put(tmp_path, "00_a", "0.9.0"), put(tmp_path, "01_b")
    monkeypatch.setenv("JPY_SESSION_NAME", str(new))
    tell_other_versions(tmp_path)
    assert said == []
    monkeypatch.setenv("JPY_SESSION_NAME", str(old))
    tell_other_versions(tmp_path)
    assert "00_a.ipynb is" in said[0]


def test_many_are_one_sentence(tmp_path, said):
    for k in range(6):
        put(tmp_path, f"0{k}_a", "0.9.0")
    tell_other_versions(tmp_path)
    assert len(said) == 1 and "and 3 more are of version 0.9.0" in said[0]


def test_nothing_that_goes_wrong_stops_the_notebook(tmp_path, said, monkeypatch):
    put(tmp_path, "00_a", "0.9.0")

    def fail(*_):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(version, "display", fail)
    tell_other_versions(tmp_path)
    monkeypatch.setattr(version.Path, "cwd", fail)
    tell_other_versions()


@pytest.mark.parametrize("of", ["0.9.0", __version__])
def test_a_kernel_says_it_in_its_first_cell(tmp_path, monkeypatch, of):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    path = put(tmp_path, "00_a", of)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("from course_lib.teach import claim")])
    done = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = [output["data"]["text/plain"] for output in done.cells[0].outputs]
    assert [of in line and path.name in line for line in told] == ([True] if of != __version__ else [])


def test_looking_is_cheap(tmp_path):
    for k in range(20):
        put(tmp_path, f"{k:02}_a", filler="x" * 100_000)
    code = ("import time, course_lib.teach.version as v\nt = time.process_time()\nv.tell_other_versions()\n"
            "assert time.process_time() - t < 0.3")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_a_version_is_read(tmp_path):
    assert version_of(put(tmp_path, "00_a", "1.2.3")) == "1.2.3" and version_of(tmp_path / "none.ipynb") is None
