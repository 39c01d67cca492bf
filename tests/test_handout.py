"""What students get, and that nothing of theirs is ever overwritten."""

import zipfile
from pathlib import Path

import pytest

from course_lib.handout import COURSE, copy_notebooks, student_zip


@pytest.fixture
def course(tmp_path):
    """A course of two notebooks whose contents do not matter."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "notebooks" / "solutions" / "01_a.ipynb").write_text("solution")
    (tmp_path / "notebooks" / "01_a.ipynb").write_text("a, first")
    (tmp_path / "notebooks" / "02_b.ipynb").write_text("b, first")
    return tmp_path


def work(course: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted((course / "work").glob("*.ipynb"))}


def test_first_copy(course):
    assert copy_notebooks(course) == []
    assert work(course) == {"01_a.ipynb": "a, first", "02_b.ipynb": "b, first"}


def test_an_untouched_notebook_is_brought_up_to_date(course):
    copy_notebooks(course)
    (course / "notebooks" / "01_a.ipynb").write_text("a, second")
    assert copy_notebooks(course) == []
    assert work(course) == {"01_a.ipynb": "a, second", "02_b.ipynb": "b, first"}


def test_a_students_work_stays_and_the_new_version_comes_beside_it(course):
    copy_notebooks(course)
    (course / "work" / "01_a.ipynb").write_text("a, mine")
    assert copy_notebooks(course) == []  # nothing newer: nothing to tell
    assert len(work(course)) == 2
    (course / "notebooks" / "01_a.ipynb").write_text("a, second")
    told = copy_notebooks(course)
    assert told == ["01_a.ipynb has a newer version; yours was left as it is, the new one is 01_a_new_version.ipynb"]
    assert work(course)["01_a.ipynb"] == "a, mine" and work(course)["01_a_new_version.ipynb"] == "a, second"
    assert copy_notebooks(course) == []  # told once
    assert len(work(course)) == 3


def test_versions_pile_up_without_loss(course):
    copy_notebooks(course)
    for k in range(3):
        for path in (course / "work").glob("01*.ipynb"):
            path.write_text(f"mine in {path.stem}")
        (course / "notebooks" / "01_a.ipynb").write_text(f"a, version {k}")
        copy_notebooks(course)
    assert work(course) == {
        "01_a.ipynb": "mine in 01_a", "01_a_new_version.ipynb": "mine in 01_a_new_version",
        "01_a_new_version_2.ipynb": "mine in 01_a_new_version_2", "01_a_new_version_3.ipynb": "a, version 2",
        "02_b.ipynb": "b, first"}


def test_a_deleted_notebook_comes_back(course):
    copy_notebooks(course)
    (course / "work" / "01_a.ipynb").unlink()
    copy_notebooks(course)
    assert work(course)["01_a.ipynb"] == "a, first"


def test_without_its_record_nothing_is_overwritten(course):
    copy_notebooks(course)
    (course / "work" / ".copied.json").unlink()
    (course / "work" / "01_a.ipynb").write_text("a, mine")
    (course / "notebooks" / "02_b.ipynb").write_text("b, second")
    copy_notebooks(course)
    assert work(course)["01_a.ipynb"] == "a, mine"
    assert work(course)["02_b.ipynb"] == "b, first"  # for all we know, it is the student's
    assert work(course)["02_b_new_version.ipynb"] == "b, second"


def test_students_zip_has_what_runs_the_course_and_no_answers(tmp_path):
    names = student_zip(tmp_path / "a" / "course.zip")
    inside = {Path(n).relative_to("course") for n in names}
    assert {Path("Makefile"), Path("pyproject.toml"), Path("constraints.txt"), Path("README.md"), Path("LICENSE"),
            Path("course_lib/live/picture.js"), Path("data/mnist/SHA256SUMS")} <= inside
    assert {p.name for p in inside if p.suffix == ".ipynb"} == {p.name for p in (COURSE / "notebooks").glob("*.ipynb")}
    assert not [p for p in inside if {"source", "solutions", "tests", "__pycache__", ".git"} & set(p.parts[:-1])]
    with zipfile.ZipFile(tmp_path / "a" / "course.zip") as archive:
        assert not [n for n in archive.namelist() if b"BEGIN SOLUTION" in archive.read(n) and n.endswith(".ipynb")]
    first = (tmp_path / "a" / "course.zip").read_bytes()
    student_zip(tmp_path / "a" / "course.zip")
    assert (tmp_path / "a" / "course.zip").read_bytes() == first
