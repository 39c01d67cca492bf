"""`make test-versions`: which Pythons and versions are tried, with what, and what the table and the exit code say."""

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import versions
from packaging.requirements import Requirement
from versions import ABSENT, PASSED, Combination, Failed, Row

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
ONE = Combination(HERE, "lowest")
REQUIREMENTS = versions.project()["dependencies"]
INSIDE = versions.install.PYTHON.relative_to(versions.install.VENV)  # an environment's Python


@pytest.fixture
def found(monkeypatch) -> dict[str, str]:
    """The Pythons of a machine, which a test may change; nothing is installed or run."""
    pythons = {minor: f"/python{minor}" for minor in versions.promised()}
    monkeypatch.setattr(versions, "interpreters", lambda named=(): pythons)
    monkeypatch.setattr(versions, "version_of", lambda python: "3.99.1")
    monkeypatch.setattr(versions, "environment_of", lambda combination, python, index: Path(python))
    monkeypatch.setattr(versions, "packages_of", lambda python: "torch 9")
    monkeypatch.setattr(versions, "run_tests", lambda python, options: None)
    return pythons


def script(path: Path, text: str) -> Path:
    """A program that prints this."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_each_lowest_version_is_one_that_the_requirement_allows_and_none_below_it_is():
    bounds = versions.lowest(REQUIREMENTS)
    assert [*bounds] == [Requirement(line).name for line in REQUIREMENTS]
    for requirement in map(Requirement, REQUIREMENTS):
        bound = bounds[requirement.name]
        assert requirement.specifier.contains(bound) and not requirement.specifier.contains(f"{bound}.dev1")


@pytest.mark.parametrize("requirement", ["torch", "torch==2.13", "torch>2.13", "torch>=2.13,!=2.14",
                                         "torch>=2.13; python_version < '3.12'", "course_lib[video]"])
def test_what_has_no_plain_lower_bound_is_refused(requirement):
    with pytest.raises(ValueError, match="no lower bound"):
        versions.lowest([requirement])


def test_the_tools_of_the_tests_are_those_of_dev_without_other_extras():
    names = [Requirement(line).name for line in versions.tools()]
    assert {"pytest", "pytest-xdist", "nbval", "hypothesis"} <= set(names) and "course_lib" not in names


def test_what_is_run_is_there():
    assert all((versions.ROOT / path).exists() for path in (*versions.TESTS, *versions.SLOW))
    assert all(len([*versions.ROOT.glob(f"notebooks/{number}_*.ipynb")]) == 1 for number in versions.NOTEBOOKS)
    assert len(versions.NOTEBOOKS) == 3


def test_notebooks_are_run_as_by_make():
    variables, arguments = versions.nbval()
    assert variables == {"COURSE_HEADLESS": "1", "COURSE_STRICT": "1", "OMP_NUM_THREADS": "1"}
    assert arguments[:3] == ["-m", "pytest", "--nbval-lax"]


def test_this_python_is_found_and_said_to_be_of_its_version(monkeypatch):
    monkeypatch.setattr(versions, "candidates", lambda minor: iter([sys.executable]))
    assert versions.interpreters() == {HERE: sys.executable}
    assert versions.version_of(sys.executable).startswith(f"{HERE}.")


def test_one_that_does_not_run_gives_way_to_the_next(tmp_path, monkeypatch):
    broken = script(tmp_path / "shims" / f"python{HERE}", "exit 127")  # as pyenv's, of a version that is not chosen
    good = tmp_path / "bin" / f"python{HERE}"
    good.parent.mkdir()
    good.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{broken.parent}{os.pathsep}{good.parent}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert versions.interpreters() == {HERE: str(good)}


def test_pyenvs_folder_is_looked_into(tmp_path, monkeypatch):
    inside = tmp_path / "versions" / f"{HERE}.99" / "bin" / "python"
    inside.parent.mkdir(parents=True)
    inside.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert versions.interpreters() == {HERE: str(inside)}


def test_a_python_that_is_named_comes_first_and_must_run(tmp_path, monkeypatch):
    named = tmp_path / "mine"
    named.symlink_to(sys.executable)
    assert versions.interpreters([str(named)])[HERE] == str(named)
    for bad in (tmp_path / "none", script(tmp_path / "bad", "echo 3.12.1; exit 1"), shutil.which("true")):
        with pytest.raises(ValueError, match="cannot be tried"):
            versions.interpreters([str(bad)])


def test_an_environment_is_kept_until_what_it_hangs_on_changes(monkeypatch):
    monday, sunday = datetime.date(2026, 11, 30), datetime.date(2026, 12, 6)
    newest = Combination(HERE, "newest")
    before = versions.key(ONE, "3.11.7", monday)
    assert versions.key(ONE, "3.11.7", monday + datetime.timedelta(days=400)) == before
    assert versions.key(ONE, "3.11.8", monday) != before
    assert versions.key(newest, "3.11.7", monday) == versions.key(newest, "3.11.7", sunday)
    assert versions.key(newest, "3.11.7", monday) != versions.key(newest, "3.11.7", sunday + datetime.timedelta(1))


@pytest.fixture
def steps(tmp_path, monkeypatch) -> list[tuple[str, ...]]:
    """The commands that an environment is made by; nothing is installed, and one that says `fail` fails."""
    made: list[tuple[str, ...]] = []

    def step(*command: str) -> None:
        made.append(command)
        if "fail" in command:
            raise SystemExit(1)
        if "venv" in command:
            inside = Path(command[-1]) / INSIDE
            shutil.rmtree(command[-1], ignore_errors=True)
            inside.parent.mkdir(parents=True)
            inside.symlink_to(sys.executable)

    monkeypatch.setattr(versions, "BUILD", tmp_path)
    monkeypatch.setattr(versions.install, "step", step)
    return made


def test_it_is_made_once_with_the_bounds_as_constraints_and_nothing_compiled(steps, tmp_path):
    inside = versions.environment_of(ONE, sys.executable, "")
    assert inside == tmp_path / f"{HERE}-lowest" / INSIDE and len(steps) == 2
    assert {"--only-binary=:all:", "-e", "."} <= set(steps[1])
    constraints = Path(steps[1][steps[1].index("-c") + 1]).read_text(encoding="utf-8").split()
    assert constraints == [f"{name}=={version}" for name, version in versions.lowest(REQUIREMENTS).items()]
    assert versions.environment_of(ONE, sys.executable, "") == inside and len(steps) == 2
    (tmp_path / f"{HERE}-lowest/key").write_text("another", encoding="utf-8")
    versions.environment_of(ONE, sys.executable, "")
    assert len(steps) == 4


def test_the_newest_has_no_constraints_and_a_further_index_is_for_torch_alone(steps):
    versions.environment_of(Combination(HERE, "newest"), sys.executable, "https://builds")
    assert Path(steps[1][steps[1].index("-c") + 1]).read_text(encoding="utf-8") == ""
    assert steps[1][-4:] == ("--extra-index-url", "https://builds", "torch", "torchvision")
    assert "https://builds" not in steps[2]


def test_one_that_was_broken_off_is_no_environment(steps, monkeypatch):
    monkeypatch.setattr(versions, "tools", lambda: ["fail"])
    for _ in range(2):
        with pytest.raises(Failed, match="set-up failed"):
            versions.environment_of(ONE, sys.executable, "")
    assert len(steps) == 4


@pytest.mark.parametrize(("codes", "outcome"), [
    ([0, 0], None), ([1], "unit tests failed"), ([0, 1], "notebooks failed"),
    ([5], "unit tests failed")])  # 5: nothing was collected
def test_tests_then_notebooks_decide(monkeypatch, codes, outcome):
    asked, left = [], list(codes)
    monkeypatch.setenv("PYTHONPATH", str(versions.ROOT))
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: (asked.append((command, env)), left.pop(0))[1])
    if outcome is None:
        versions.run_tests(Path("python"), ["-x"])
        assert sum(word.endswith(".ipynb") for word in asked[1][0]) == len(versions.NOTEBOOKS)
        assert "-x" not in asked[1][0] and asked[1][1]["COURSE_STRICT"] == "1"
    else:
        with pytest.raises(Failed, match=outcome):
            versions.run_tests(Path("python"), ["-x"])
    assert {*versions.TESTS, "-x"} <= set(asked[0][0]) and "COURSE_STRICT" not in asked[0][1]
    assert all("PYTHONPATH" not in env and env["PYTHONNOUSERSITE"] == "1" for _, env in asked)
    assert not left


def test_files_among_the_options_are_run_in_place_of_the_others(monkeypatch):
    asked = []
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: asked.append(command))
    versions.run_tests(Path("python"), ["tests/test_versions.py::test_what_is_run_is_there"])
    assert not set(versions.TESTS) & set(asked[0])


def test_all_that_is_promised_is_tried_and_passes(found, capsys):
    assert versions.main([]) == 0
    rows = capsys.readouterr().out.split("|---|---|---|---|---|\n")[1].splitlines()
    assert len(rows) == 2 * len(versions.promised())
    assert all(f"| {PASSED} |" in row and "torch 9" in row for row in rows)


def test_one_that_is_not_here_is_a_row_and_no_pass(found, capsys):
    del found["3.13"]
    assert versions.main([]) == 0
    said = capsys.readouterr().out
    assert said.count(ABSENT) == 2 and f"| 3.13 | lowest | {ABSENT} |" in said
    assert versions.main(["3.13"]) == 1  # nothing was tried
    assert PASSED not in capsys.readouterr().out


def test_one_that_fails_is_told_and_the_others_are_tried(found, monkeypatch, capsys):
    def fail(python: Path, options: list[str]) -> None:
        if python.name == "python3.12":
            raise Failed("notebooks failed")

    monkeypatch.setattr(versions, "run_tests", fail)
    assert versions.main([]) == 1
    said = capsys.readouterr().out
    assert said.count("| notebooks failed |") == 2 and said.count(f"| {PASSED} |") == 2 * len(versions.promised()) - 2


def test_some_can_be_chosen_and_the_rest_is_pytests(found, monkeypatch):
    tried = []
    monkeypatch.setattr(versions, "attempt", lambda *given: tried.append(given) or Row(given[0], PASSED))
    assert versions.main(["3.12", "newest", "--", "-k", "flow"]) == 0
    assert tried == [(Combination("3.12", "newest"), "/python3.12", "", ["-k", "flow"])]


@pytest.mark.parametrize("arguments", [["3.5"], ["middle"], ["--pythons", "/nowhere"]])
def test_a_wrong_word_is_told(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        versions.main(arguments)
    assert stopped.value.code == 2 and arguments[-1] in capsys.readouterr().err


def test_it_needs_no_package():
    done = subprocess.run([sys.executable, "-S", "-E", versions.ROOT / "tests/versions.py", "--help"], cwd="/",
                          capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0 and "lowest" in done.stdout, done.stderr
