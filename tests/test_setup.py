"""The two commands' set-up, from the students' zip."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from course_commands import make


def in_course(course: Path, code: str) -> str:
    done = subprocess.run([course / ".venv/bin/python", "-c", code], cwd=course, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_installs_the_students_own_copy(student_course):
    where = in_course(student_course, "import course_lib, os; os.chdir('/'); print(course_lib.__file__)")
    assert Path(where) == student_course / "course_lib/__init__.py"
    assert in_course(student_course, "from course_lib.data import load_mnist; print(len(load_mnist()))") == "60000"


def test_a_second_start_installs_nothing(student_course):
    assert "Setting up" not in make(student_course, "setup")


def test_the_stamp_hashes_both_files_and_is_missing_until_the_end(student_course):
    stamp = student_course / ".venv/installed"
    files = b"".join((student_course / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    content = stamp.read_text(encoding="utf-8")
    assert content == f"{hashlib.sha256(files + str(student_course).encode()).hexdigest()} student\n"
    stamp.unlink()  # as after an install that was broken off
    assert "Setting up" in make(student_course, "setup")
    assert stamp.read_text(encoding="utf-8") == content


def test_a_failed_install_leaves_no_stamp(student_course):
    constraints, stamp = student_course / "constraints.txt", student_course / ".venv/installed"
    before = constraints.read_text(encoding="utf-8")
    constraints.write_text("this is no requirement ===\n", encoding="utf-8")
    failed = subprocess.run(["make", "setup"], cwd=student_course, capture_output=True, text=True)
    constraints.write_text(before, encoding="utf-8")
    assert failed.returncode != 0 and not stamp.exists()  # half an upgrade may have happened
    assert "Setting up" in make(student_course, "setup")


def test_make_test_runs_the_notebooks_there(student_course):
    planned = make(student_course, "test", "--dry-run")
    assert "--nbval-lax" in planned and "COURSE_STRICT=1" in planned
    assert "ruff" not in planned and "pytest tests" not in planned  # the zip has neither sources nor tests


def test_building_notebooks_there_is_told_to_be_impossible(student_course):
    done = subprocess.run(["make", "notebooks"], cwd=student_course, capture_output=True, text=True)
    assert done.returncode != 0 and "no notebook sources" in done.stderr


@pytest.mark.parametrize(("target", "dev"), [("lab", False), ("setup", False), ("test", True), ("notebooks", True),
                                             ("student-zip", True), ("pictures", True), ("bench", True),
                                             ("checkpoints", True), ("scoreboard", True)])
def test_who_reads_the_course_gets_no_tools_of_who_makes_it(student_course, target, dev):
    planned = make(student_course, target, "--dry-run")
    assert ("install.py --torch-index='' --dev" in planned) == dev and "install.py" in planned
    assert "quiet" not in planned


# Imports the course's package, each module of it, without what only the extra [dev] brings.
WITHOUT_DEV = """
import importlib, pkgutil, sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Nowhere())
import course_lib
for module in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
    if not module.name.endswith(".__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name, error.name)
"""


@pytest.mark.thorough
def test_a_student_needs_nothing_of_dev(student_course):
    dev = {"pytest", "xdist", "nbval", "jupytext", "ruff", "playwright", "axe_playwright_python", "imageio_ffmpeg",
           "hypothesis", "yaml", "distributed"}
    assert in_course(student_course, WITHOUT_DEV.format(missing=dev)) == ""


def test_only_nbval_gets_the_variables():
    makefile = (Path(__file__).resolve().parents[1] / "Makefile").read_text(encoding="utf-8")
    assert all(makefile.count(name) == 1 for name in ("COURSE_HEADLESS", "COURSE_STRICT", "OMP_NUM_THREADS"))
    assert all(line.startswith("NBVAL :=") or "tests/browser/test_" in line
               for line in makefile.splitlines() if "COURSE_" in line)


# The first cells of a notebook, and one that writes, in the kernel that JupyterLab would start for it.
FIRST_CELLS = """
import os, sys
import nbformat
from nbclient import NotebookClient
from course_lib.commands.own_python import own_environment
os.environ.update(own_environment())
path, last = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
code = [cell for cell in notebook.cells if cell.cell_type == "code"]
notebook.cells = [*code[:2], nbformat.v4.new_code_cell(last)]
NotebookClient(notebook, timeout=600, startup_timeout=600).execute()
nbformat.write(notebook, path)
print("".join(output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout"))
"""
LAST_CELL = """
import sys, course_lib
from course_lib.commands import main
files = ["--save", "第 1.pt", "--plot-path", "第 1.png", "--anim-path", "第 1.gif"]
assert main.main(["train", "gan1d", "--num-steps", "2", *files]) == 0
assert main.main(["train", "gan1d", "--num-steps", "4", "--resume", "第 1.pt", *files]) == 0
print(sys.prefix, course_lib.__file__, sep="\\n")
"""


def work_in(course: Path, home: Path, work: Path) -> None:
    """Copy the notebooks from `course` to `work`, run the first cells of one, and train, all with this home folder."""
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "XDG_", "JUPYTER", "PYTHONPATH"))}
    env = kept | {"HOME": str(home), "OMP_NUM_THREADS": "1"}
    notebook = work / "05_gan_1d.ipynb"

    def python(*arguments: str | Path, cwd: Path) -> str:
        done = subprocess.run([course / ".venv/bin/python", *arguments], cwd=cwd, env=env, capture_output=True,
                              text=True, encoding="utf-8", timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    python("-m", "course_lib", "handout", work, cwd=course)
    before = notebook.read_bytes()
    prefix, package = python("-c", FIRST_CELLS, notebook, LAST_CELL, cwd=work).strip().splitlines()[-2:]
    assert Path(prefix) == course / ".venv" and Path(package) == course / "course_lib/__init__.py"
    assert notebook.read_bytes() != before and before == (course / "notebooks" / notebook.name).read_bytes()
    assert {"第 1.pt", "第 1.png", "第 1.gif"} <= set(os.listdir(work))
    assert not [path for path in work.iterdir() if ".tmp" in path.name]


def moved(course: Path, place: Path) -> Path:
    """A copy of a student's course in another place, set up there."""
    shutil.copytree(course, place / "course", symlinks=True)
    assert "Setting up" in make(place / "course", "setup")  # what the copy brought along is for the old place
    return place / "course"


@pytest.mark.thorough
def test_the_course_works_in_a_folder_with_spaces_and_chinese_letters(student_course, tmp_path):
    place = tmp_path / "my own 生成模型 课程"
    course = moved(student_course, place)
    work_in(course, place / "home", course / "work")


@pytest.fixture
def other_disk(tmp_path) -> Iterator[Path]:
    """A folder on another file system than the course and the temporary files: nothing can be renamed to there."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.thorough
def test_a_home_folder_on_another_disk_will_do(student_course, other_disk):
    assert other_disk.stat().st_dev not in (student_course.stat().st_dev, Path(tempfile.gettempdir()).stat().st_dev)
    work_in(student_course, other_disk / "home", other_disk / "home/generative-models")
