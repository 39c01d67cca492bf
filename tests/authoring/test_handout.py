"""What students get, and that nothing of theirs is ever overwritten."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from course_lib.authoring.handout import COURSE, SolvedNotebook, copy_notebooks, hidden_modules, student_zip


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


CELLS = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# One\n", "two"]},
         {"cell_type": "code", "id": "b", "metadata": {"tags": ["exercise"]}, "source": ["x = 1"], "outputs": [],
          "execution_count": None}]


def notebook(cells=CELLS, **metadata) -> dict:
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


SAME = {  # what tools do to a notebook that nobody changed
    "line ends of Windows": crlf(json.dumps(notebook(), indent=1)),
    "another layout": json.dumps(notebook(), indent=4, sort_keys=True) + "\n\n",
    "texts in one piece": json.dumps(notebook([c | {"source": "".join(c["source"])} for c in CELLS])),
    "line ends of Windows within texts": json.dumps(notebook([c | {"source": [crlf(x) for x in c["source"]]}
                                                              for c in CELLS])),
    "a kernel noted, ids anew": json.dumps(notebook([c | {"id": "z" + c["id"]} for c in CELLS],
                                                    language_info={"version": "3.12.1"})),
}


@pytest.mark.parametrize("how", SAME)
@pytest.mark.parametrize("where", ["work", "notebooks"])
def test_a_notebook_that_says_the_same_is_not_changed_and_is_no_newer_version(course, where, how):
    (course / "notebooks/01_a.ipynb").write_text(json.dumps(notebook(), indent=1), encoding="utf-8")
    copy_notebooks(course)
    if where == "notebooks":
        (course / "work/01_a.ipynb").write_text(json.dumps(notebook([])), encoding="utf-8")  # the student works in it
    (course / where / "01_a.ipynb").write_bytes(SAME[how].encode())
    assert copy_notebooks(course) == [] and len(work(course)) == 2  # nothing newer
    (course / "notebooks/01_a.ipynb").write_text(json.dumps(notebook(CELLS[:1])), encoding="utf-8")
    assert len(copy_notebooks(course)) == (where == "notebooks")  # a newer one replaces what nobody changed


@pytest.mark.parametrize("cell", [{"source": ["x = 2"]}, {"outputs": [{"output_type": "stream", "text": "1"}]},
                                  {"metadata": {"tags": []}}, {"cell_type": "raw"}, {"source": ["x = 1\n"]}])
def test_any_change_in_a_cell_makes_it_the_students(course, cell):
    (course / "notebooks/01_a.ipynb").write_text(json.dumps(notebook()), encoding="utf-8")
    copy_notebooks(course)
    theirs = json.dumps(notebook([CELLS[0], CELLS[1] | cell]))
    (course / "work/01_a.ipynb").write_text(theirs, encoding="utf-8")
    (course / "notebooks/01_a.ipynb").write_text(json.dumps(notebook(CELLS[:1])), encoding="utf-8")
    assert len(copy_notebooks(course)) == 1 and work(course)["01_a.ipynb"] == theirs


@pytest.mark.parametrize("touched", [False, True])
def test_a_record_of_bytes_from_an_earlier_copy_still_counts(course, touched):
    first = json.dumps(notebook(), indent=1)
    (course / "notebooks/01_a.ipynb").write_text(first, encoding="utf-8")
    copy_notebooks(course)
    record = {"01_a.ipynb": hashlib.sha256(first.encode()).hexdigest()}
    (course / "work/.copied.json").write_text(json.dumps(record), encoding="utf-8")
    if touched:
        (course / "work/01_a.ipynb").write_text(json.dumps(notebook([])), encoding="utf-8")
        assert copy_notebooks(course) == []  # the same version still
    else:
        (course / "notebooks/01_a.ipynb").write_text(json.dumps(notebook(CELLS[:1])), encoding="utf-8")
        assert copy_notebooks(course) == [] and json.loads(work(course)["01_a.ipynb"])["cells"] == CELLS[:1]


def test_a_clone_on_windows_gives_the_same_bytes_and_the_same_zip(tmp_path):
    """`core.autocrlf=true` is what Git for Windows sets."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=COURSE, capture_output=True, text=True, check=True).stdout
    kept = [f for f in files.split("\0") if f and (COURSE / f).is_file()]
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    for name in kept:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COURSE / name, origin / name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "course"]):
        subprocess.run([*git, *command], cwd=origin, check=True)
    subprocess.run(["git", "clone", "-q", "-c", "core.autocrlf=true", origin, clone], check=True)
    assert [f for f in kept if (clone / f).read_bytes() != (COURSE / f).read_bytes()] == []


def test_the_zip_has_one_kind_of_line_ends_whatever_the_course_has(tmp_path):
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns(
        ".*", "work", "tests", "mnist", "checkpoints", "solutions", "source", "__pycache__"))
    student_zip(tmp_path / "lf.zip", course=tmp_path / "course")
    for file in (p for p in (tmp_path / "course").rglob("*") if p.is_file() and b"\0" not in p.read_bytes()):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    student_zip(tmp_path / "crlf.zip", course=tmp_path / "course")
    assert (tmp_path / "crlf.zip").read_bytes() == (tmp_path / "lf.zip").read_bytes()


def test_students_zip_has_what_runs_the_course_and_no_answers(tmp_path):
    names = student_zip(tmp_path / "a" / "course.zip")
    inside = {Path(n).relative_to("course") for n in names}
    assert {Path("Makefile"), Path("pyproject.toml"), Path("constraints.txt"), Path("README.md"), Path("LICENSE"),
            Path("course_lib/live/picture.js"), Path("data/mnist/SHA256SUMS")} <= inside
    assert {p.name for p in inside if p.suffix == ".ipynb"} == {p.name for p in (COURSE / "notebooks").glob("*.ipynb")}
    withheld = {"source", "solutions", "teaching", "tests", "__pycache__", ".git"}
    assert not [p for p in inside if withheld & set(p.parts[:-1])]
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


def test_a_folder_of_a_notebooks_name_is_left_alone_and_stops_nothing(course):
    (course / "work" / "01_a.ipynb").mkdir(parents=True)
    told = copy_notebooks(course)
    assert (course / "work/01_a.ipynb").is_dir() and (course / "work/01_a_new_version.ipynb").is_file()
    assert len(told) == 1 and "01_a_new_version.ipynb" in told[0]


@pytest.mark.parametrize(("name", "hides"), [("random.py", True), ("torch.py", True), ("copy.py", True),
                                             ("numpy/__init__.py", True), ("helpers.py", False), ("torch.txt", False),
                                             ("numpy/notes.txt", False)])
def test_a_file_that_hides_a_module_is_told(tmp_path, name, hides):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("", encoding="utf-8")
    told = hidden_modules(tmp_path)
    assert bool(told) == hides and all(name.split("/")[0] in line and "rename it" in line for line in told)
