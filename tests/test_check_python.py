"""Before anything is installed, a Python or a machine that the pinned packages do not exist for is told what to do."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[1]


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, COURSE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load("check_python")
MAC = check.Machine(platform="macosx-11.0-universal2", processor="arm64", macos=(15, 1))
WINDOWS = check.Machine(platform="win-amd64", processor="AMD64")
LINUX = check.Machine(glibc=(2, 36))


@pytest.mark.parametrize("machine", [
    LINUX, LINUX._replace(glibc=(2, 28)), LINUX._replace(platform="linux-aarch64", processor="aarch64"),
    WINDOWS, WINDOWS._replace(processor="ARM64"),  # a Python for x64 that Windows on ARM runs
    MAC, MAC._replace(macos=(14, 0)), MAC._replace(macos=(26, 0)), MAC._replace(macos=(10, 16)),
    *(LINUX._replace(python=(3, minor)) for minor in (11, 12, 13, 14)),
], ids=str)
def test_promised_machines_pass(machine):
    assert check.problem(machine) == ""


@pytest.mark.parametrize(("machine", "wrong", "what_to_do"), [
    (LINUX._replace(python=(3, 6)), "3.6 is too old", "PYTHON=python3.13"),
    (WINDOWS._replace(python=(3, 10)), "3.10 is too old", "py -3.13 install.py"),
    (WINDOWS._replace(python=(3, 15)), "3.15 is newer than the course's packages", "py -3.13"),
    (MAC._replace(python=(4, 0)), "4.0 is newer", "python3.13 install.py"),
    (LINUX._replace(implementation="pypy"), "is pypy", "CPython"),
    (LINUX._replace(python=(3, 14), free_threaded=True), "free-threaded", "the usual build"),
    (WINDOWS._replace(platform="win32", bits=32), "32-bit", "64-bit Python"),
    (LINUX._replace(platform="linux-armv7l", processor="armv7l", bits=32), "32-bit", "64-bit system"),
    (WINDOWS._replace(platform="win-arm64", processor="ARM64"), "Windows on ARM", "WSL 2"),
    (MAC._replace(platform="macosx-10.13-x86_64", processor="x86_64"), "Intel", "virtual machine"),
    (MAC._replace(processor="x86_64"), "Intel Python on Apple silicon", "install Python from python.org"),
    (MAC._replace(macos=(13, 7)), "macOS 13.7 is too old", "Update macOS"),
    (MAC._replace(macos=(12, 6)), "needs 14 or newer", "Update macOS"),
    (LINUX._replace(glibc=(2, 27)), "glibc 2.27", "Ubuntu 20.04"),
    (LINUX._replace(glibc=(2, 9)), "glibc 2.9,", "needs 2.28"),
    (LINUX._replace(glibc=()), "musl", "without `alpine`"),
    (LINUX._replace(platform="linux-riscv64", processor="riscv64"), "Linux on riscv64", "another machine"),
    (LINUX._replace(platform="freebsd-14.1-release-amd64"), "freebsd", "another machine"),
    (WINDOWS._replace(platform="mingw_x86_64_ucrt_gnu"), "mingw", "python.org"),
], ids=str)
def test_others_are_told_what_is_wrong_and_what_to_do_in_a_line(machine, wrong, what_to_do):
    told = check.problem(machine)
    assert wrong in told and what_to_do in told and "\n" not in told


def test_this_machine_passes():
    assert check.main() == 0 and check.this_machine().python == sys.version_info[:2]


def test_the_promise_is_the_readmes_and_pyprojects():
    assert check.PROMISE in " ".join((COURSE / "README.md").read_text(encoding="utf-8").split())
    (_, oldest), (_, beyond) = check.promised_pythons()
    assert f"3.{oldest} to 3.{beyond - 1}" in check.PROMISE
    assert all(".".join(map(str, v)) in check.PROMISE for v in (check.MACOS[:1], check.GLIBC))


@pytest.mark.parametrize("name", ["check_python", "install"])
def test_an_old_python_can_read_it(name):
    ast.parse((COURSE / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_nothing_is_installed_where_it_would_fail(tmp_path):
    for name in ("check_python.py", "install.py", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((COURSE / name).read_bytes())
    too_old = (tmp_path / "pyproject.toml").read_text(encoding="utf-8").replace(">=3.11,<3.15", ">=3.98,<3.99")
    (tmp_path / "pyproject.toml").write_text(too_old, encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "install.py"], capture_output=True, text=True)
    assert done.returncode == 1 and "too old" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "" and not (tmp_path / ".venv").exists()
