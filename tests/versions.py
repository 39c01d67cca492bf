"""Try other Pythons and other versions of the packages: `python tests/versions.py [3.13] [lowest] [-- OPTIONS]`.

Each Python that pyproject.toml promises is tried twice: with the lowest versions that its `dependencies` allow, and
with the newest that pip finds. What these packages need themselves is in its newest version either way. Each
combination has an environment of its own in `build/versions`. It is kept while pyproject.toml and the Python are the
same and, with the newest versions, until the week is over. In it run the unit tests of TESTS and the notebooks of
NOTEBOOKS. The options after `--` are pytest's, for the unit tests; files among them are run in place of TESTS.

The table at the end has a row for each combination. A Python that this machine lacks has a row that says so. The exit
code is 0 where whatever could be tried passed, and something could. It needs no package, only a Python of its own.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import check_python  # noqa: E402
import install  # noqa: E402
from course_lib.commands.own_python import own_environment  # noqa: E402

BUILD = ROOT / "build/versions"
VERSIONS = ("lowest", "newest")
# The rooms that call the packages themselves: tensors, arrays, figures, widgets, files of weights. The others call
# these rooms, need the packages of an extra, or train for minutes.
TESTS = ("tests/data", "tests/measure", "tests/models", "tests/plots", "tests/training", "tests/live", "tests/teach",
         "tests/test_deprecated.py", "tests/test_torchvision_guard.py")
SLOW = ("tests/training/test_checkpoints.py", "tests/teach/test_odd_answers.py")
NOTEBOOKS = ("00", "02", "05")  # predictions; EM beside scikit-learn's; a lab that trains
ABSENT, PASSED = "not installed here", "passed"


class Combination(NamedTuple):
    """A Python, by its minor version such as "3.12", and which versions of the packages, one of VERSIONS."""

    minor: str
    versions: str


class Row(NamedTuple):
    """What came of a combination: its Python and its packages are "" where there was no Python to try."""

    tried: Combination
    outcome: str
    python: str = ""
    packages: str = ""
    seconds: float = 0.0


class Failed(Exception):
    """A combination that cannot be set up or does not pass; the message is its outcome."""


def project() -> dict:
    """The table [project] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def promised() -> list[str]:
    """The minor versions of Python that are promised: "3.11" and so on."""
    (major, oldest), (_, beyond) = check_python.promised_pythons()
    return [f"{major}.{minor}" for minor in range(oldest, beyond)]


def lowest(requirements: Sequence[str]) -> dict[str, str]:
    """For each package the lowest version that its requirement allows.

    Raises:
        ValueError: a requirement is not of the form `name>=version` or `name>=version,<version`.
    """
    bounds = {}
    for requirement in requirements:
        match = re.fullmatch(r"([A-Za-z][\w.-]*)>=([\d.]+)(?:,<[\d.]+)?", requirement)
        if match is None:
            raise ValueError(f"{requirement!r} has no lower bound of the form name>=version")
        bounds[match[1]] = match[2]
    return bounds


def tools() -> list[str]:
    """What TESTS and nbval need: the extra `dev` without the other extras that it brings along."""
    return [line for line in project()["optional-dependencies"]["dev"] if not line.startswith("course_lib[")]


def candidates(minor: str) -> Iterator[str]:
    """Where a Python of this minor version may lie: on PATH, in pyenv's folder, or where Windows' `py` says."""
    for folder in os.get_exec_path():
        if found := shutil.which(f"python{minor}", path=folder):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{minor}.*/bin/python"), reverse=True))
    if launcher := shutil.which("py"):
        yield subprocess.run([launcher, f"-{minor}", "-c", "import sys; print(sys.executable)"], capture_output=True,
                             text=True).stdout.strip()


def version_of(python: str) -> str:
    """Its version, such as "3.12.1"; "" where it does not run or the course's packages are not built for it."""
    code = "import check_python, sys; print('%d.%d.%d' % sys.version_info[:3]); sys.exit(check_python.main())"
    try:
        done = subprocess.run([python, "-c", code], cwd=ROOT, env=install.environment(), capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def interpreters(named: Sequence[str] = ()) -> dict[str, str]:
    """For each minor version that is promised, a Python of it if there is one; those that are named come first.

    Raises:
        ValueError: one that is named does not run, or the course's packages are not built for it.
    """
    found: dict[str, str] = {}
    for python in named:
        version = version_of(python)
        if not version:
            raise ValueError(f"{python} cannot be tried: it does not run, or is not {check_python.PROMISE}")
        found.setdefault(version.rpartition(".")[0], python)
    for minor in promised():
        if minor not in found:
            fitting = (python for python in candidates(minor) if version_of(python).startswith(f"{minor}."))
            if python := next(fitting, ""):
                found[minor] = python
    return found


def key(combination: Combination, version: str, today: datetime.date) -> str:
    """What a finished environment says of itself; one that says otherwise is made anew."""
    week = "-".join(map(str, today.isocalendar()[:2])) if combination.versions == "newest" else ""
    said = [(ROOT / "pyproject.toml").read_text(encoding="utf-8"), str(ROOT), version, week]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def environment_of(combination: Combination, python: str, torch_index: str) -> Path:
    """The Python of the combination's environment, which is made unless it is there.

    pip's own settings hold, such as an index or a cap on a version. Nothing is compiled: a package that is not built
    for this Python counts as missing.

    Raises:
        Failed: a step of it failed; what it said has been printed.
    """
    folder, version = BUILD / "-".join(combination), version_of(python)
    inside, stamp = folder / install.PYTHON.relative_to(install.VENV), folder / "key"
    wanted = key(combination, version, datetime.date.today())
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and version_of(str(inside)) == version:
        return inside
    bounds = lowest(project()["dependencies"]) if combination.versions == "lowest" else {}
    try:
        install.step(python, "-m", "venv", "--clear", str(folder))
        constraints = folder / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in bounds.items()), encoding="utf-8")
        install.add(str(inside), ("--only-binary=:all:", "-c", str(constraints)), ("-e", ".", *tools()), torch_index)
    except SystemExit as stopped:
        raise Failed("set-up failed") from stopped
    stamp.write_text(wanted, encoding="utf-8")
    return inside


def nbval() -> tuple[dict[str, str], list[str]]:
    """The variables and the arguments with which the Makefile runs notebooks, from its own line."""
    line = re.search(r"^NBVAL := (.+) \$\(VENV\) (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    return dict(word.split("=", 1) for word in line[1].split()), line[2].split()


def run_tests(python: Path, options: Sequence[str]) -> None:
    """Run the unit tests, with these options, then the notebooks.

    Raises:
        Failed: some did not pass, or none was found.
    """
    named = any((ROOT / option.partition("::")[0]).is_file() for option in options)
    files = [] if named else [*TESTS, *(f"--ignore={path}" for path in SLOW)]
    unit = ["-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", "-m", "not browser"]
    variables, as_in_make = nbval()
    notebooks = [str(path) for number in NOTEBOOKS for path in ROOT.glob(f"notebooks/{number}_*.ipynb")]
    clean = {name: value for name, value in own_environment().items() if name != "PYTHONPATH"}
    for what, arguments, more in [("unit tests", [*unit, *files, *options], {}),
                                  ("notebooks", [*as_in_make, "-q", *notebooks], variables)]:
        if subprocess.call([str(python), *arguments], cwd=ROOT, env=clean | more):
            raise Failed(f"{what} failed")


def packages_of(python: Path) -> str:
    """The run-time packages of pyproject.toml with the versions that the environment has, in a line."""
    code = ("import sys; from importlib.metadata import version; "
            "print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')")
    names = lowest(project()["dependencies"])
    return subprocess.run([str(python), "-c", code, *names], env=install.environment(), capture_output=True, text=True,
                          check=True).stdout.strip()


def attempt(combination: Combination, python: str | None, torch_index: str = "", options: Sequence[str] = ()) -> Row:
    """Try a combination; what fails there becomes its row's outcome."""
    if python is None:
        return Row(combination, ABSENT)
    print(f"== {' '.join(combination)}: {python}", flush=True)
    outcome, packages, start = PASSED, "", time.monotonic()
    try:
        inside = environment_of(combination, python, torch_index)
        packages = packages_of(inside)
        run_tests(inside, options)
    except Failed as failed:
        outcome = str(failed)
    return Row(combination, outcome, version_of(python), packages, time.monotonic() - start)


def table(rows: Sequence[Row]) -> str:
    """The rows as a table of Markdown."""
    lines = ["| Python | Versions | Outcome | Seconds | Packages |", "|---|---|---|---|---|"]
    for row in rows:
        cells = (row.python or row.tried.minor, row.tried.versions, row.outcome, f"{row.seconds:.0f}",
                 row.packages or "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Try what was asked for, and show the table; returns an exit code."""
    parser = argparse.ArgumentParser(description="Try other Pythons and other versions of the packages.")
    parser.add_argument("only", nargs="*", metavar="3.13|lowest|newest",
                        help="these Pythons and these versions alone; by default all that pyproject.toml promises")
    parser.add_argument("--pythons", default="", metavar="'PATH …'",
                        help="Pythons to take, by name or path, before those that are looked for")
    parser.add_argument("--torch-index", default="", metavar="URL",
                        help="a further package index, asked for torch and torchvision alone (pytorch.org names them)")
    arguments, options = list(arguments), []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, options = arguments[:split], arguments[split + 1:]
    asked = parser.parse_args(arguments)
    if unknown := set(asked.only) - {*promised(), *VERSIONS}:
        parser.error(f"{', '.join(sorted(unknown))}: name some of {', '.join([*promised(), *VERSIONS])}")
    try:
        pythons = interpreters(shlex.split(asked.pythons))
    except ValueError as error:
        parser.error(str(error))
    chosen = [Combination(minor, versions)
              for minor in [m for m in promised() if m in asked.only] or promised()
              for versions in [v for v in VERSIONS if v in asked.only] or VERSIONS]
    rows = [attempt(one, pythons.get(one.minor), asked.torch_index, options) for one in chosen]
    print(table(rows))
    return 0 if {row.outcome for row in rows} - {ABSENT} == {PASSED} else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
