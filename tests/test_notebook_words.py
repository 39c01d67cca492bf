"""Running a notebook under nbval decides whether its words of comparison and cause are supported."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_source import edit, write

from course_lib.authoring.build import build

COURSE = Path(__file__).resolve().parents[1]
ONE, SEVERAL = 'claim("a", 1.0, above=0)', 'claim("a", [1.0, 2.0], above=0)'


def notebook(folder: Path, code: str, *, source: bool = True, text: str = "Doubling beats tripling.") -> Path:
    """The notebook with this text, and this code in the cell before."""
    folder.mkdir()
    path = write(folder)
    edit(path, "Doubling.", text)
    edit(path, 'check("07.double", double)', f"from course_lib.teach import claim\n{code}")
    build(folder)
    if not source:
        shutil.rmtree(folder / "source")
    return folder / "07_double.ipynb"


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[dict[str, str], str]:
    """What pytest does with each cell of each notebook, "PF…", and all that it says."""
    root = tmp_path_factory.mktemp("words")
    shutil.copy(COURSE / "notebooks" / "conftest.py", root)
    paths = [notebook(root / "one", ONE), notebook(root / "several", SEVERAL),
             notebook(root / "student", ONE, source=False), notebook(root / "broken", f"{ONE}\n1 / 0")]
    env = {name: value for name, value in os.environ.items() if name != "CI"}  # with CI, pytest says each error twice
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "-rA",
         "--rootdir", str(root), *map(str, paths)], capture_output=True, text=True, cwd=root,
        env=env | {"PYTHONPATH": str(COURSE), "COURSE_STRICT": "1", "COURSE_HEADLESS": "1"}).stdout
    cells = sorted(re.findall(r"^(PASSED|FAILED) (\w+)/07_double\.ipynb::Cell (\d)", said, re.M), key=lambda c: c[2])
    return {path.parent.name: "".join(result[0] for result, name, _ in cells if name == path.parent.name)
            for path in paths}, said


@pytest.mark.thorough
def test_a_word_without_a_claim_about_several_values_fails_the_last_cell(ran):
    cells, said = ran
    assert cells["one"] == "PPF", said
    assert said.count("'beats': no claim about several values") == 1, said
    assert "cell 4 (## What to keep Doubling beats tripling." in said


def test_supported_words_pass_and_so_does_a_students_copy_which_has_no_source(ran):
    assert ran[0]["several"] == ran[0]["student"] == "PPP", ran[1]


def test_a_notebook_that_broke_off_is_not_judged(ran):
    cells, said = ran
    assert cells["broken"] == "PPF" and "ZeroDivisionError" in said and said.count("no claim about") == 1, said
