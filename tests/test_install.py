"""The set-up of `.venv` under the settings that people have, on a course of one module with an index on loopback."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from package_index import PackageIndex

COURSE = Path(__file__).resolve().parents[1]
PYPROJECT = """\
requires-python = ">=3.11,<3.15"
[build-system]
requires = ["small"]
build-backend = "tiny_wheel"
backend-path = ["."]
"""


@pytest.fixture(scope="module")
def empty_venv(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("empty") / ".venv"
    venv.create(path, with_pip=True)
    return path


@pytest.fixture
def course(tmp_path, empty_venv) -> Path:
    """A folder with the course's own set-up, a package that needs torch, and a `.venv` with pip alone."""
    course = tmp_path / "a course"
    course.mkdir()
    for name in ("Makefile", "install.py", "check_python.py", "tests/tiny_wheel.py"):
        shutil.copy(COURSE / name, course)
    (course / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (course / "constraints.txt").write_text("torch==9.9\ntorchvision==9.9\n", encoding="utf-8")
    shutil.copytree(empty_venv, course / ".venv", symlinks=True)
    return course


@pytest.fixture
def index(tmp_path):
    """The reader's usual index: a mirror on campus, say. Its torch is the build that brings CUDA."""
    with PackageIndex(tmp_path / "mirror") as index:
        for name in ("small", "tool"):
            index.add(name, "1.0")
        for name in ("torch", "torchvision"):
            index.add(name, "9.9", "small")
        yield index


def clean(home: Path, **variables: object) -> dict[str, str]:
    """This process's variables without those of pip and Python, for a reader whose home is `home`."""
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "MAKE", "MFLAGS", "XDG_"))}
    return kept | {"HOME": str(home), "NO_PROXY": "127.0.0.1"} | {k: str(v) for k, v in variables.items()}


def set_up(course: Path, env: dict[str, str], *arguments: str) -> str:
    """What `make setup` said; fails where it fails."""
    done = subprocess.run(["make", "setup", f"PYTHON={sys.executable}", *arguments], cwd=course, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout
    return done.stdout


def installed(course: Path) -> dict[str, str]:
    """Name and version of what lies in `.venv` itself, without pip."""
    found = (p.name.removesuffix(".dist-info").split("-") for p in course.glob(".venv/lib/*/site-packages/*.dist-info"))
    return {name: version for name, version in found if name not in ("pip", "setuptools")}


STUDENT = {"tiny_course": "1.0", "small": "1.0", "torch": "9.9", "torchvision": "9.9"}


def test_settings_that_lead_elsewhere_are_overruled_and_those_of_the_network_kept(course, index, tmp_path):
    elsewhere, foreign = tmp_path / "elsewhere", tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "pip.py").write_text("raise SystemExit('the wrong pip')", encoding="utf-8")
    env = clean(tmp_path / "home", PIP_USER=1, PIP_TARGET=elsewhere, PIP_PREFIX=elsewhere, PIP_REQUIRE_VIRTUALENV=1,
                PIP_INDEX_URL=index.url, PYTHONPATH=foreign, PYTHONHOME=foreign, PYTHONUSERBASE=foreign,
                CONDA_PREFIX=foreign, CONDA_DEFAULT_ENV="base", VIRTUAL_ENV=foreign)
    set_up(course, env)
    assert installed(course) == STUDENT and not elsewhere.exists()
    assert [p.name for p in foreign.iterdir()] == ["pip.py"]


@pytest.mark.thorough
@pytest.mark.parametrize(("section", "named"), [("install", False), ("global", True)], ids=["home", "PIP_CONFIG_FILE"])
def test_so_are_those_of_pips_own_files(course, index, tmp_path, section, named):
    elsewhere, home, caps = tmp_path / "elsewhere", tmp_path / "home", tmp_path / "caps.txt"
    caps.write_text("torch<9\n", encoding="utf-8")
    file = tmp_path / "my.conf" if named else home / ".pip/pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    header = "" if section == "global" else f"[{section}]\n"
    file.write_text(f"[global]\nindex-url = {index.url}\n{header}user = true\ntarget = {elsewhere}\n"
                    f"prefix = {elsewhere}\nroot = {elsewhere}\nconstraint = {caps}\nno_deps = yes\nquiet = 3\n"
                    "timeout = 77\nretries = 7\n", encoding="utf-8")
    assert "Collecting torch" in set_up(course, clean(home, **({"PIP_CONFIG_FILE": file} if named else {})))
    assert installed(course) == STUDENT and not elsewhere.exists()
    config = subprocess.run([course / ".venv/bin/python", "-m", "pip", "config", "list"], env=clean(home), text=True,
                            capture_output=True).stdout  # as for a later `%pip install` in a notebook
    kept = dict(re.findall(r"^\w+\.([\w-]+)='(.+)'$", config, re.M))
    assert (kept["index-url"], kept["timeout"], kept["retries"]) == (index.url, "77", "7")


@pytest.mark.thorough
def test_the_further_index_is_asked_for_torch_alone_and_a_slow_one_may_be_silent(course, index, tmp_path):
    with PackageIndex(tmp_path / "builds", pause=16.0, dribble=2.0) as builds:  # pip by itself gives up after 15 s
        builds.add("torch", "9.9+cpu", "small", padding=300_000)
        builds.add("torchvision", "9.9+cpu", "small")
        builds.add("small", "6.6")  # what nobody meant to install
        said = set_up(course, clean(tmp_path / "home", PIP_INDEX_URL=index.url, PIP_RETRIES=0),
                      f"TORCH_INDEX={builds.url}")
    assert installed(course) == STUDENT | {"torch": "9.9+cpu", "torchvision": "9.9+cpu"}
    assert {path.split("/")[1] for path in builds.asked} == {"torch", "torchvision"}
    assert f"Downloading {builds.url}/torch/" in said and "small-1.0" in said


@pytest.mark.thorough
def test_dev_adds_to_the_same_venv_satisfies_students_and_is_taken_up_again(course, index, tmp_path):
    env, stamp = clean(tmp_path / "home", PIP_INDEX_URL=index.url), course / ".venv/installed"
    set_up(course, env)
    assert "tool" not in installed(course) and stamp.read_text(encoding="utf-8").endswith(" student\n")
    (index.folder / "tool").rename(index.folder / "tool_away")
    with pytest.raises(AssertionError, match="No matching distribution found for tool"):
        set_up(course, env, "setup-dev")  # as on a network that breaks off
    assert not stamp.exists()
    (index.folder / "tool_away").rename(index.folder / "tool")
    assert "Setting up" in set_up(course, env, "setup-dev")
    assert installed(course) == STUDENT | {"tool": "1.0"} and stamp.read_text(encoding="utf-8").endswith(" dev\n")
    assert "Setting up" not in set_up(course, env, "setup-dev")
    with (course / "constraints.txt").open("a") as file:
        file.write("# other pins\n")
    assert "Setting up" in set_up(course, env)


@pytest.mark.thorough
def test_a_venv_that_does_not_run_is_made_anew(course, index, tmp_path):
    env = clean(tmp_path / "home", PIP_INDEX_URL=index.url)
    set_up(course, env)
    for link in course.glob(".venv/bin/python*"):
        link.unlink()
    (course / ".venv/bin/python").symlink_to(tmp_path / "gone")  # as after an upgrade of the system's Python
    assert "Setting up" in set_up(course, env)
    assert installed(course) == STUDENT


def test_a_damaged_configuration_is_told_in_a_line(course, tmp_path):
    (tmp_path / "bad.conf").write_text("index-url = nowhere\n", encoding="utf-8")
    with pytest.raises(AssertionError) as failed:
        set_up(course, clean(tmp_path / "home", PIP_CONFIG_FILE=tmp_path / "bad.conf"))
    assert "Cannot set up" in str(failed.value) and "Traceback" not in str(failed.value)
