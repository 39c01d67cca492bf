"""binder/: what repo2docker makes of it, and its own script, run in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.authoring.handout import NOT_FOR_STUDENTS, student_zip

COURSE = Path(__file__).resolve().parents[2]
REPO2DOCKER = shutil.which("repo2docker")


def post_build(course: Path, **variables: str) -> subprocess.CompletedProcess:
    (course / "bin").mkdir(exist_ok=True)
    python = course / "bin/python"
    if not python.exists():
        python.symlink_to(sys.executable)
    kept = {k: v for k, v in os.environ.items() if k not in ("REPO_DIR", "COURSE_WORK")}
    return subprocess.run(["sh", course / "binder/postBuild"], cwd=course.parent, text=True, capture_output=True,
                          env=kept | {"PATH": f"{course / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(course)}
                          | variables, timeout=120)


@pytest.fixture
def course(tmp_path) -> Path:
    """The course as git has it, without what is large: links will do."""
    course = tmp_path / "repository"
    (course / "notebooks/source").mkdir(parents=True)
    (course / "notebooks/solutions").mkdir()
    shutil.copytree(COURSE / "binder", course / "binder")
    for path in COURSE.glob("notebooks/*.ipynb"):
        shutil.copy(path, course / "notebooks")
    for name in ("source/01.py", "solutions/01.ipynb"):
        (course / "notebooks" / name).write_text("solved", encoding="utf-8")
    shutil.copytree(COURSE / "course_lib", course / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    return course


@pytest.mark.skipif(os.name != "posix", reason="repo2docker builds on Linux")
def test_its_script_takes_solutions_away_and_hands_the_notebooks_out(course, tmp_path):
    done = post_build(course, REPO_DIR=str(course), NB_PYTHON_PREFIX=str(tmp_path / "env"))
    assert done.returncode == 0, done.stderr
    assert not (course / "notebooks/source").exists() and not (course / "notebooks/solutions").exists()
    handed = {path.name for path in (course / "work").glob("*.ipynb")}
    assert handed == {path.name for path in COURSE.glob("notebooks/*.ipynb")} and "00_start.ipynb" in handed
    settings = tmp_path / "env/share/jupyter/lab/settings/overrides.json"
    assert settings.read_bytes() == (COURSE / "course_lib/jupyter/overrides.json").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="repo2docker builds on Linux")
def test_run_by_hand_it_deletes_nothing(course):
    done = post_build(course)
    assert done.returncode != 0 and "REPO_DIR" in done.stderr
    assert (course / "notebooks/source/01.py").exists() and (course / "notebooks/solutions/01.ipynb").exists()


def test_its_script_takes_away_every_folder_that_is_not_for_students():
    tracked = subprocess.run(["git", "ls-files"], cwd=COURSE, capture_output=True, text=True).stdout.splitlines()
    folders = {str(parent) for path in map(Path, tracked) for parent in path.parents if parent.name in NOT_FOR_STUDENTS}
    if not folders:
        pytest.skip("this is no clone of the course's repository")
    (line,) = re.findall(r"^rm -rf (.*?)  #", (COURSE / "binder/postBuild").read_text(encoding="utf-8"), re.M)
    assert set(line.split()) == folders


def test_it_installs_what_a_student_needs_in_the_versions_that_are_pinned():
    binder = COURSE / "binder"
    constraint, course = (binder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert (binder / constraint.removeprefix("-c ")).resolve() == COURSE / "constraints.txt" and course == "-e ."
    python = (binder / "runtime.txt").read_text(encoding="utf-8").strip().replace("python-", "python=")
    assert f"- {python}\n" in (COURSE / "environment.yml").read_text(encoding="utf-8"), "one Python for both"
    assert os.access(binder / "postBuild", os.X_OK)


@pytest.mark.skipif(REPO2DOCKER is None, reason="repo2docker is not installed: pip install jupyter-repo2docker")
class TestRepo2Docker:
    def test_it_takes_this_folder_and_not_the_environment_for_conda_users(self, tmp_path):
        for path in COURSE.iterdir():
            if path.is_file():
                shutil.copy(path, tmp_path)
        shutil.copytree(COURSE / "binder", tmp_path / "binder")
        done = subprocess.run([REPO2DOCKER, "--no-build", "--debug", tmp_path], capture_output=True, text=True,
                              timeout=120)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert 'pip install --no-cache-dir -r "binder/requirements.txt"\n' in said and "RUN ./binder/postBuild" in said
        assert "for python=3.11" in said and "environment.yml" not in said

    def test_it_copies_what_students_get(self, tmp_path):
        code = ("import sys; from docker.utils.build import exclude_paths\n"
                "lines = [l for l in open('binder/.dockerignore').read().splitlines() if l and l[0] != '#']\n"
                "print(*exclude_paths('.', lines), sep='\\n')")  # as repo2docker does, which has no option to show it
        done = subprocess.run([Path(REPO2DOCKER).with_name("python"), "-c", code], cwd=COURSE, text=True, check=True,
                              capture_output=True)
        copied = {path for path in done.stdout.split("\n") if (COURSE / path).is_file()}
        in_the_zip = {name.removeprefix("course/") for name in student_zip(tmp_path / "course.zip")}
        assert {path for path in copied if not path.startswith("binder/")} == in_the_zip | {".dockerignore"}
        assert {path for path in copied if path.startswith("binder/")} == {
            f"binder/{path.name}" for path in (COURSE / "binder").iterdir()}
