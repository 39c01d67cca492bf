"""deploy/Dockerfile, as far as a machine without Docker can say: its one step is run, its text is read."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from package_index import PackageIndex

from course_lib.authoring.handout import FOR_STUDENTS, NOT_FOR_STUDENTS

COURSE = Path(__file__).resolve().parents[2]
PYPROJECT = """\
requires-python = ">=3.11,<3.15"
[build-system]
requires = ["small"]
build-backend = "tiny_wheel"
backend-path = ["data"]
"""
STUB = {"cells": [{"cell_type": "code", "metadata": {"tags": ["exercise"]}, "source": "# your code here",
                   "outputs": []}]}
NOBODY = 65534
ROOT = os.name == "posix" and os.geteuid() == 0
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a server for a class runs Linux")


def usable(python: str) -> bool:
    """Whether another user can run this Python and it makes environments: one under root's home is for root alone."""
    try:
        return subprocess.run([python, "-c", "import ensurepip"], **as_nobody(), capture_output=True).returncode == 0
    except OSError:
        return False


def as_nobody() -> dict:
    """How to start a program as a user who owns nothing; as oneself where one is not root."""
    if not ROOT:
        return {"cwd": "/"}
    return {"cwd": "/", "user": NOBODY, "group": NOBODY, "extra_groups": []}


PYTHON = next((python for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3") if usable(python)),
              None)


@pytest.fixture
def source(tmp_path) -> Path:
    return make_source(tmp_path)


def make_source(folder: Path) -> Path:
    """A course of one notebook, with what students must not see."""
    source = folder / "source"
    for name in ("install.py", "check_python.py", "deploy/build_image.py", "course_lib/__init__.py",
                 "course_lib/deprecated.py", "course_lib/files.py", "course_lib/authoring/__init__.py",
                 "course_lib/authoring/handout.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COURSE / name, source / name)
    for name, text in {"pyproject.toml": PYPROJECT, "deploy/start-student": "#!/bin/sh\n",
                       "constraints.txt": "jupyterhub==6.1.1\ntorch==9.9\ntorchvision==9.9\n",
                       "deploy/requirements-hub.txt": "-c ../constraints.txt\njupyterhub\n",
                       "deploy/jupyterhub_config.py": "", "tests/test_a.py": "", "notebooks/source/01_a.py": "",
                       "notebooks/solutions/01_a.ipynb": "{}", "notebooks/01_a.ipynb": json.dumps(STUB)}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")
    (source / "data").mkdir()
    shutil.copy(COURSE / "tests/tiny_wheel.py", source / "data")
    return source


def mirror(folder: Path) -> PackageIndex:
    """An index with what the tiny course needs."""
    index = PackageIndex(folder / "mirror")
    for name, version, *needs in [("small", "1.0"), ("jupyterhub", "5.5.4"), ("jupyterhub", "6.1.1"),
                                  ("torch", "9.9", "small"), ("torchvision", "9.9", "small")]:
        index.add(name, version, *needs)
    return index


def build(source: Path, course: Path, *options: str, **variables: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "XDG_"))}
    (source.parent / "home").mkdir(exist_ok=True)
    return subprocess.run([PYTHON or sys.executable, source / "deploy/build_image.py", course, *options], text=True,
                          env=kept | {"HOME": str(source.parent / "home"), "NO_PROXY": "127.0.0.1"} | variables,
                          capture_output=True, cwd=source.parent, timeout=300)


@pytest.fixture(scope="module")
def course() -> Iterator[Path]:
    """The tiny course, built with PyTorch of another index and for an older hub, in a folder that others reach."""
    with tempfile.TemporaryDirectory() as name:  # pytest keeps its own folders to itself
        folder = Path(name)
        folder.chmod(0o755)
        with mirror(folder) as index, PackageIndex(folder / "builds") as builds:
            for package in ("torch", "torchvision"):
                builds.add(package, "9.9+cpu", "small")
            done = build(make_source(folder), folder / "opt/course", f"--torch-index={builds.url}",
                         "--jupyterhub=5.5.4", PIP_INDEX_URL=index.url)
        assert done.returncode == 0, done.stdout + done.stderr
        yield folder / "opt/course"


@pytest.mark.thorough
def test_it_has_the_packages_that_are_pinned_with_the_torch_and_the_hub_that_were_asked_for(course):
    found = (p.name.removesuffix(".dist-info").split("-") for p in course.glob(".venv/lib/*/site-packages/*.dist-info"))
    assert {name: version for name, version in found if name not in ("pip", "setuptools")} == {
        "tiny_course": "1.0", "small": "1.0", "torch": "9.9+cpu", "torchvision": "9.9+cpu", "jupyterhub": "5.5.4"}


def test_it_has_what_students_get_and_what_starts_their_server_and_nothing_else(course):
    assert {p.name for p in course.iterdir()} == {
        ".venv", "check_python.py", "constraints.txt", "course_lib", "data", "deploy", "install.py", "notebooks",
        "pyproject.toml"}
    assert [p.name for p in (course / "notebooks").iterdir()] == ["01_a.ipynb"]
    assert {p.name for p in (course / "deploy").iterdir()} == {"start-student", "requirements-hub.txt"}
    assert list(course.glob("course_lib/**/*.pyc")), "students can write none, and would compile it at each start"


def test_everybody_reads_it_and_nobody_else_writes_it(course):
    for path in (course, *course.rglob("*")):
        if not path.is_symlink():
            found = path.stat()
            assert found.st_uid == os.getuid() and found.st_mode & 0o022 == 0, f"{path} can be changed by others"
            assert found.st_mode & 0o044 == 0o044, f"{path} cannot be read by others"
            assert not path.is_dir() or found.st_mode & 0o011 == 0o011
    assert os.access(course / "deploy/start-student", os.X_OK) and os.access(course / ".venv/bin/pip", os.X_OK)


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
@pytest.mark.skipif(PYTHON is None, reason="every Python of this machine is for root alone")
def test_another_user_runs_it_and_changes_nothing(course):
    code = ("import torch, jupyterhub, course_lib; print(torch.version, jupyterhub.version, course_lib.__file__)\n"
            f"try: open('{course}/course_lib/mine.py', 'w')\nexcept PermissionError: print('read-only')")
    done = subprocess.run([course / ".venv/bin/python", "-c", code], **as_nobody(), text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(course)})
    assert done.stdout.splitlines() == [f"9.9+cpu 5.5.4 {course / 'course_lib/__init__.py'}", "read-only"], done.stderr


def test_a_folder_that_holds_something_is_left_alone(source, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = build(source, tmp_path)
    assert done.returncode == 2 and "is not empty" in done.stderr and (tmp_path / "mine.txt").exists()


def test_a_solved_notebook_is_no_image(source, tmp_path):
    solved = STUB["cells"][0] | {"source": "answer = 1"}
    (source / "notebooks/01_a.ipynb").write_text(json.dumps({"cells": [solved]}), encoding="utf-8")
    done = build(source, tmp_path / "course")
    assert done.returncode == 1 and "solved by hand" in done.stderr and "Traceback" not in done.stderr


def test_a_version_of_jupyterhub_that_cannot_be_set_is_told(source, tmp_path):
    (source / "constraints.txt").write_text("torch==9.9\n", encoding="utf-8")
    done = build(source, tmp_path / "course", "--jupyterhub=5.5.4")
    assert done.returncode == 1 and "pins no jupyterhub" in done.stderr


@pytest.mark.thorough
def test_a_step_that_fails_fails_the_build(source, tmp_path):
    with mirror(tmp_path) as index:
        shutil.rmtree(index.folder / "torch")
        done = build(source, tmp_path / "course", PIP_INDEX_URL=index.url)
    assert done.returncode == 1 and "ERROR: " in done.stderr and "jupyterhub" not in done.stdout + done.stderr


# What the Dockerfile says.

DOCKERFILE = [line.split(maxsplit=1) for line in
              re.sub(r"\\\n", "", (COURSE / "deploy/Dockerfile").read_text(encoding="utf-8")).splitlines()
              if line and not line.startswith("#")]
STAGES = [i for i, (word, _) in enumerate(DOCKERFILE) if word == "FROM"]
LAST = DOCKERFILE[STAGES[-1]:]


def of(word: str, instructions: list = LAST) -> list[str]:
    return [rest for found, rest in instructions if found == word]


def test_it_has_known_instructions_only():
    assert {word for word, _ in DOCKERFILE} <= {"FROM", "ARG", "COPY", "RUN", "ENV", "USER", "WORKDIR", "EXPOSE", "CMD"}


def test_both_stages_begin_with_one_python_that_is_promised():
    images = {rest.split()[0] for rest in of("FROM", DOCKERFILE)}
    (image,) = images  # .venv holds a link to the Python it was made with
    minor = int(re.fullmatch(r"python:3\.(\d+)-slim-bookworm", image)[1])
    oldest, beyond = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"',
                               (COURSE / "pyproject.toml").read_text(encoding="utf-8")).groups()
    assert int(oldest) <= minor < int(beyond)


def test_what_goes_out_has_no_layer_with_the_sources():
    copies = of("COPY")
    assert copies == ["--from=built /opt/course /opt/course"] and DOCKERFILE[STAGES[0]][1].endswith(" AS built")
    assert of("COPY", DOCKERFILE[:STAGES[-1]]) == [". /source"]


def test_its_one_step_is_the_script_with_its_options():
    (run,) = of("RUN", DOCKERFILE[:STAGES[-1]])
    python, script, folder, *options = shlex.split(run)
    assert python == "python" and folder == "/opt/course" and (COURSE / script.removeprefix("/source/")).is_file()
    helped = subprocess.run([sys.executable, COURSE / script.removeprefix("/source/"), "--help"], text=True,
                            capture_output=True, check=True).stdout
    arguments = {rest.split("=")[0] for rest in of("ARG", DOCKERFILE)}
    for option in options:
        name, value = option.split("=")
        assert name in helped and value.removeprefix("$") in arguments
    assert len(options) == len(arguments)


def test_it_runs_as_a_user_by_number_who_is_not_root():
    (user,) = of("USER")
    assert int(user) > 0
    assert f"--uid {user} " in of("RUN")[0] and LAST.index(["USER", user]) < [w for w, _ in LAST].index("CMD")


def test_it_starts_what_the_course_has():
    (command,) = map(json.loads, of("CMD"))
    assert command[:4] == ["python", "-m", "course_lib", "lab"]
    assert of("ENV") == ['PATH="/opt/course/.venv/bin:$PATH"']
    done = subprocess.run([sys.executable, *command[1:command.index("--")], "--help"], capture_output=True, cwd=COURSE)
    assert done.returncode == 0


@pytest.mark.parametrize(("path", "beside"), [(".dockerignore", "deploy"), ("binder/.dockerignore", "binder")])
def test_what_a_build_sees_is_what_students_get(path, beside):
    lines = [line for line in (COURSE / path).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines == ["*", *(f"!{name}" for name in (*FOR_STUDENTS, beside)),
                     *(f"**/{name}" for name in (*NOT_FOR_STUDENTS, "node_modules"))]


def test_no_dockerfile_lies_where_repo2docker_would_take_it():
    assert not (COURSE / "Dockerfile").exists() and not (COURSE / "binder/Dockerfile").exists()
