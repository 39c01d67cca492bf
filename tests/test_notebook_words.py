"""Running a notebook under nbval decides whether its words of comparison and cause are supported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_source import edit, write

from course_lib.authoring.build import build

COURSE = Path(__file__).resolve().parents[1]
ONE, SEVERAL = 'claim("a", 1.0, above=0)', 'claim("a", [1.0, 2.0], above=0)'


def run(folder: Path, code: str, *, source: bool = True, text: str = "Doubling beats tripling.") -> str:
    """What pytest says of the notebook with this text, and this code in the cell before."""
    path = write(folder)
    edit(path, "Doubling.", text)
    edit(path, 'check("07.double", double)', f"from course_lib.teach import claim\n{code}")
    build(folder)
    shutil.copy(COURSE / "notebooks" / "conftest.py", folder)
    if not source:
        shutil.rmtree(folder / "source")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider", "--rootdir",
         str(folder), str(folder / "07_double.ipynb")], capture_output=True, text=True, cwd=folder,
        env=os.environ | {"PYTHONPATH": str(COURSE), "COURSE_STRICT": "1", "COURSE_HEADLESS": "1"}).stdout


def test_a_word_without_a_claim_about_several_values_fails_the_last_cell(tmp_path):
    said = run(tmp_path, ONE)
    assert "1 failed, 2 passed" in said and "'beats': no claim about several values" in said, said
    assert "cell 4 (## What to keep Doubling beats tripling." in said


@pytest.mark.parametrize(("code", "options"), [(SEVERAL, {}), (ONE, {"source": False})])
def test_supported_words_pass_and_so_does_a_students_copy_which_has_no_source(tmp_path, code, options):
    assert "3 passed" in run(tmp_path, code, **options)


def test_a_notebook_that_broke_off_is_not_judged(tmp_path):
    said = run(tmp_path, f"{ONE}\n1 / 0")
    assert "1 failed, 2 passed" in said and "ZeroDivisionError" in said and "no claim about" not in said
