"""A student's copy of the course, set up as the README says, and the browser that may be missing."""

import os
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import torch
from course_commands import make
from firefox import FIREFOX
from jupyter import CHROMIUM, Jupyter

from course_lib.authoring.handout import student_zip

ONLY_IF_NAMED = ("hub", "elsewhere", "thorough")

torch.set_num_threads(1)  # as in the notebooks; tests run side by side, and threads that wait for each other cost much

# A shell that starts the tests in the background, or `nohup`, has them ignore signals; some tests send them.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture(scope="session")
def student_course(tmp_path_factory) -> Path:
    """The students' zip, unpacked and set up by `make setup`.

    Its `.venv` sees the packages of the environment that runs the tests, so that the set-up, which is the real one,
    finds everything there at the right version and installs only the course itself.
    """
    top = tmp_path_factory.mktemp("student")
    student_zip(top / "course.zip")
    with zipfile.ZipFile(top / "course.zip") as archive:
        archive.extractall(top)
    course = top / "course"
    venv = course / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    (inside / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (venv / "share").symlink_to(Path(sys.prefix) / "share")
    make(course, "setup")
    return course


@pytest.fixture(scope="session")
def course_server(student_course):
    """JupyterLab as `make lab` starts it in the students' copy, and a browser: one for all, see `Jupyter.fresh`."""
    with Jupyter.make_lab(student_course) as server:
        yield server


def pytest_collection_modifyitems(config, items) -> None:
    """Who runs where.

    With `--dist loadfile` the tests of a file run in one process: what they share is made once. (A student's copy
    is made once a process. `loadgroup` would make it once in all, but pytest-xdist 3.8 finds no groups under pytest
    9.2.) No two tests share a file or a port, so another distribution only takes longer.

    Tests in a browser bear the mark `browser`. They need a Chromium, or a Firefox where they bear the mark `firefox`,
    too; with COURSE_REQUIRE_BROWSER=1, as in CI, what is absent is a failure, else it skips its tests and says so.
    Those in `tests/hub` need one, too. The ones that bear a mark of `ONLY_IF_NAMED` take minutes, and run only where
    `-m` names it, as `make test-hub`, `make test-elsewhere` and `make test-thorough` do.
    """
    for mark in ONLY_IF_NAMED:
        if mark not in config.option.markexpr:
            minutes = [item for item in items if item.get_closest_marker(mark)]
            config.hook.pytest_deselected(items=minutes)
            items[:] = [item for item in items if item not in minutes]
    in_browser = [item for item in items
                  if item.path.name == "test_browser.py" or {"browser", "hub"} & {*item.path.parts}]
    for item in in_browser:
        item.add_marker("browser")
    left_out: dict[str, list[pytest.Item]] = {}
    for item in in_browser:
        name, found = ("Firefox", FIREFOX) if item.get_closest_marker("firefox") else ("Chromium", CHROMIUM)
        if found is None:
            left_out.setdefault(name, []).append(item)
    if left_out and os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(f"COURSE_REQUIRE_BROWSER=1, and no {' and no '.join(left_out)} is found")
    for name, without in left_out.items():
        for item in without:
            item.add_marker(pytest.mark.skip(reason=f"no {name} found: browser tests are left out"))


@pytest.fixture
def as_in_ci(monkeypatch) -> None:
    """Notebook code runs as CI runs it: without a page, and a claim that fails raises."""
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    monkeypatch.setenv("COURSE_STRICT", "1")
