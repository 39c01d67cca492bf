"""Run the tests of what changed: `python tests/changed.py [REVISION] [-- OPTIONS OF PYTEST]`, without a browser.

What changed is what differs from the revision, by default from the last commit, or, if nothing does, from the one
before it. For each changed file are run:

- a test file: itself;
- a module: the test files that import it, or a name from it by way of its package, and its mirror
  `tests/ROOM/test_NAME*.py`; if there is none, those of the modules that import it, and so on outwards; if nobody
  imports it, those of the modules that it imports;
- an experiment, beside that: its part of the contract;
- a module of a chapter, or the source of a notebook: the tests of that chapter, its part of the exercises, and for a
  source those of the notation, the build, the lint, the README and the glossary;
- JavaScript and CSS of `course_lib/live`: `tests/live`;
- any other file: the test files that name it.

Tests that bear the mark `thorough` are run like the others. A file of tests in SLOW is run only if it changed itself,
and what concerns all, such as `conftest.py`, is left to `make test`.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SLOW = {"tests/test_install.py", "tests/test_setup.py", "tests/test_without_course.py", "tests/test_encodings.py",
        "tests/commands/test_stopping.py", "tests/test_exercises.py", "tests/teach/test_odd_answers.py",
        "tests/training/test_checkpoints.py"}  # minutes: run only if they changed themselves
CHAPTER = re.compile(r"course_lib/chapters/nb(\w+)/|notebooks/source/(\d\d[a-z]?)_")
FIRST = "tests/test_architecture.py"  # it is always run

Selection = dict[str, set[str]]  # test files, each with the words of `-k` that select its part; none for the whole file


def changed_files(revision: str | None) -> list[str]:
    """Names of the files that differ, those that git does not know among them."""
    def git(*arguments: str) -> list[str]:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                              check=True).stdout.splitlines()

    if revision is not None:
        return git("diff", "--name-only", revision)
    unsaved = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    return unsaved or git("diff", "--name-only", "HEAD~1")


def module_of(file: str) -> str:
    """The name by which a Python file is imported: of the course by its path, of the tests by its own name."""
    name = file.removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".") if file.startswith("course_lib/") else Path(name).name


@functools.cache
def modules() -> dict[str, str]:
    """The course's modules and the helpers of the tests, each with its file."""
    paths = [*(ROOT / "course_lib").rglob("*.py"),
             *(path for path in (ROOT / "tests").rglob("*.py") if not is_test(path.name))]
    files = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    return {module_of(file): file for file in files}


@functools.cache
def test_files() -> tuple[str, ...]:
    """All files of tests that need no browser."""
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    return tuple(file for file in found if "browser" not in file)


def is_test(file: str) -> bool:
    return Path(file).name.startswith("test_")


@functools.cache
def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@functools.cache
def parsed(file: str) -> ast.Module:
    return ast.parse(text_of(file))


@functools.cache
def homes(package: str) -> dict[str, str]:
    """For each name that a package hands on, the module that it is from."""
    tree, found = parsed(modules()[package]), {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in modules() and node.module != "course_lib":
            found |= {alias.asname or alias.name: node.module for alias in node.names}
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOME":  # imported when first asked for
            found |= {name: f"{package}.{home}" for name, home in ast.literal_eval(node.value).items()}
    return found


@functools.cache
def imported_by(file: str) -> frozenset[str]:
    """The modules that a file imports, names handed on by a package included: `course_lib.plots.charts` for the `bars`
    of `from course_lib.plots import bars`, or of `plots.bars` after `from course_lib import plots`."""
    found, packages = set(), {}
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            found.add(node.module)
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found |= {inner, homes(node.module).get(alias.name, inner)}
                packages[alias.asname or alias.name] = inner
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            package = packages.get(node.value.id)
            if package in modules():
                found.add(homes(package).get(node.attr, package))
    return frozenset(found & modules().keys())


def mirror(file: str) -> set[str]:
    """The test files that stand where a module does: of a package all in its folder."""
    folder, name = Path(file).parent, Path(file).stem
    place = (Path("tests") / folder.relative_to("course_lib")).as_posix()
    here = [test for test in test_files() if Path(test).parent.as_posix() == place and place != "tests"]
    return {test for test in here if name == "__init__" or re.match(rf"test_{name}(_|$)", Path(test).stem)}


def tests_of_module(module: str) -> set[str]:
    """The test files of one module, as the head of this file says."""
    seen, ring = {module}, {module}
    while ring:
        found = {test for test in test_files() if test not in SLOW and imported_by(test) & ring}
        for name in ring & modules().keys():
            if modules()[name].startswith("course_lib/"):
                found |= mirror(modules()[name]) - SLOW
        if found or module.startswith("course_lib.chapters.nb"):  # the exercises of a chapter are found by name
            return found
        # A package only hands on: whoever takes the name from it is known to import the module.
        ring = {name for name, file in modules().items()
                if not file.endswith("__init__.py") and imported_by(file) & ring} - seen
        seen |= ring
    below = imported_by(modules()[module]) - {module} if module in modules() else set()
    return {test for name in below if name.count(".") > 1 for test in tests_of_module(name)}


def select(files: Iterable[str]) -> Selection:
    """The tests of these files, each named from the root of the course."""
    chosen: Selection = {}

    def add(tests: Iterable[str], *words: str) -> None:
        for test in tests:
            if test not in chosen:
                chosen[test] = set(words)
            elif words and chosen[test]:
                chosen[test] |= set(words)
            else:
                chosen[test] = set()

    for file in files:
        if file.startswith("tests/") and is_test(file):
            add({file} & set(test_files()))
        elif file.endswith(".py") and file.startswith(("course_lib/", "tests/")):
            add(tests_of_module(module_of(file)))
        elif file.startswith("course_lib/live/"):
            add(test for test in test_files() if test.startswith("tests/live/"))
        else:
            add(test for test in test_files() if test not in SLOW and Path(file).name in text_of(test))
        if match := re.fullmatch(r"course_lib/experiments/([a-z]\w*)\.py", file):
            add(["tests/test_contract.py"], match[1])
        if match := CHAPTER.match(file):
            number = match[1] or match[2]
            add(test for test in test_files() if test.startswith(f"tests/chapters/nb{number}/"))
            add(["tests/test_exercises.py"], f"{number}_", f"{number}.")
        if file.startswith("notebooks/"):
            add(f"tests/authoring/test_{of}.py" for of in ("notation", "build", "lint", "readme", "glossary"))
    return chosen


def runs_of(chosen: Selection) -> list[list[str]]:
    """What to hand to pytest, run by run: the whole files together, and each file of which a part is run."""
    whole = sorted(test for test, words in chosen.items() if not words and test != FIRST)
    parts = sorted((test, " or ".join(sorted(words))) for test, words in chosen.items() if words)
    return [[FIRST, *whole], *([test, "-k", words] for test, words in parts)]


def main(arguments: list[str]) -> int:
    """Run the tests; returns pytest's exit code, 0 where there is nothing to run."""
    revision = None if not arguments or arguments[0].startswith("-") else arguments.pop(0)
    options = [option for option in arguments if option != "--"]
    for run in runs_of(select(changed_files(revision))):
        print(f"pytest {' '.join(run)}", flush=True)
        pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile",
                  "-m", "thorough or not thorough"]
        code = subprocess.call([*pytest, *run, *options], cwd=ROOT)
        if code not in (0, 5):  # 5: nothing was collected
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
