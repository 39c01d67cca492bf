"""What students get, and that nothing of theirs is ever overwritten."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from course_lib.handout import COURSE, SolvedNotebook, copy_notebooks, student_zip


@pytest.fixture
def course(tmp_path):
    """A course of two notebooks whose contents do not matter."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "notebooks" / "solutions" / "01_a.ipynb").write_text("solution", encoding="utf-8")
    (tmp_path / "notebooks" / "01_a.ipynb").write_text("a, first", encoding="utf-8")
    (tmp_path / "notebooks" / "02_b.ipynb").write_text("b, first", encoding="utf-8")
    return tmp_path


def work(course: Path) -> dict[str, str]:
    return {p.name: p.read_text(encoding="utf-8") for p in sorted((course / "work").glob("*.ipynb"))}


def test_first_copy(course):
    assert copy_notebooks(course) == []
    assert work(course) == {"01_a.ipynb": "a, first", "02_b.ipynb": "b, first"}


def test_an_untouched_notebook_is_brought_up_to_date(course):
    copy_notebooks(course)
    (course / "notebooks" / "01_a.ipynb").write_text("a, second", encoding="utf-8")
    assert copy_notebooks(course) == []
    assert work(course) == {"01_a.ipynb": "a, second", "02_b.ipynb": "b, first"}


def test_a_students_work_stays_and_the_new_version_comes_beside_it(course):
    copy_notebooks(course)
    (course / "work" / "01_a.ipynb").write_text("a, mine", encoding="utf-8")
    assert copy_notebooks(course) == []  # nothing newer: nothing to tell
    assert len(work(course)) == 2
    (course / "notebooks" / "01_a.ipynb").write_text("a, second", encoding="utf-8")
    told = copy_notebooks(course)
    assert told == ["01_a.ipynb has a newer version; yours was left as it is, the new one is 01_a_new_version.ipynb"]
    assert work(course)["01_a.ipynb"] == "a, mine" and work(course)["01_a_new_version.ipynb"] == "a, second"
    assert copy_notebooks(course) == []  # told once
    assert len(work(course)) == 3


def test_versions_pile_up_without_loss(course):
    copy_notebooks(course)
    for k in range(3):
        for path in (course / "work").glob("01*.ipynb"):
            path.write_text(f"mine in {path.stem}", encoding="utf-8")
        (course / "notebooks" / "01_a.ipynb").write_text(f"a, version {k}", encoding="utf-8")
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
    (course / "work" / "01_a.ipynb").write_text("a, mine", encoding="utf-8")
    (course / "notebooks" / "02_b.ipynb").write_text("b, second", encoding="utf-8")
    copy_notebooks(course)
    assert work(course)["01_a.ipynb"] == "a, mine"
    assert work(course)["02_b.ipynb"] == "b, first"  # for all we know, it is the student's
    assert work(course)["02_b_new_version.ipynb"] == "b, second"


def test_a_damaged_record_counts_as_none(course):
    copy_notebooks(course)
    (course / "work" / ".copied.json").write_text("{broken", encoding="utf-8")
    (course / "work" / "01_a.ipynb").write_text("a, mine", encoding="utf-8")
    copy_notebooks(course)
    assert work(course)["01_a.ipynb"] == "a, mine" and work(course)["01_a_new_version.ipynb"] == "a, first"


def test_students_zip_has_what_runs_the_course_and_no_answers(tmp_path):
    names = student_zip(tmp_path / "a" / "course.zip")
    inside = {Path(n).relative_to("course") for n in names}
    assert {Path("Makefile"), Path("pyproject.toml"), Path("constraints.txt"), Path("README.md"), Path("LICENSE"),
            Path("course_lib/live/picture.js"), Path("data/mnist/SHA256SUMS")} <= inside
    assert {p.name for p in inside if p.suffix == ".ipynb"} == {p.name for p in (COURSE / "notebooks").glob("*.ipynb")}
    assert not [p for p in inside if {"source", "solutions", "tests", "__pycache__", ".git"} & set(p.parts[:-1])]
    with zipfile.ZipFile(tmp_path / "a" / "course.zip") as archive:
        for name in (n for n in names if n.endswith(".ipynb")):
            cells = json.loads(archive.read(name))["cells"]
            exercises = [c for c in cells if "exercise" in c["metadata"].get("tags", [])]
            assert all("# your code here" in "".join(c["source"]) for c in exercises)
    first = (tmp_path / "a" / "course.zip").read_bytes()
    student_zip(tmp_path / "a" / "course.zip")
    assert (tmp_path / "a" / "course.zip").read_bytes() == first


@pytest.mark.parametrize("how", ["solved", "run"])
def test_a_notebook_with_answers_is_not_handed_out(tmp_path, how):
    shutil.copytree(COURSE / "notebooks", tmp_path / "notebooks")
    first = min((tmp_path / "notebooks").glob("*.ipynb"))
    if how == "solved":
        shutil.copy(tmp_path / "notebooks/solutions" / first.name, first)
    else:
        notebook = json.loads(first.read_text(encoding="utf-8"))
        notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "seven"}]
        first.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(SolvedNotebook, match=f"{first.name} was {how} by hand"):
        student_zip(tmp_path / "course.zip", course=tmp_path)
    assert not (tmp_path / "course.zip").exists()
