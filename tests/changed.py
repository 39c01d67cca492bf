"""Run the tests of what changed: `python tests/changed.py [REVISION] [-- OPTIONS OF PYTEST]`, without a browser.

What changed is what differs from the revision, by default from the last commit, or, if nothing does, from the one
before it. A test file is run if it changed, if it imports a changed module or its package, or if it is the changed
module's mirror; a family's file also runs that family's part of the contract.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SLOW = {"tests/test_install.py", "tests/test_setup.py", "tests/test_without_course.py", "tests/test_encodings.py",
        "tests/commands/test_stopping.py", "tests/test_exercises.py", "tests/teach/test_odd_answers.py",
        "tests/training/test_checkpoints.py"}  # minutes: run only if they changed themselves


def changed_files(revision: str | None) -> list[str]:
    """Names of the files that differ, those that git does not know among them."""
    def git(*arguments: str) -> list[str]:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                              check=True).stdout.splitlines()

    if revision is not None:
        return git("diff", "--name-only", revision)
    unsaved = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    return unsaved or git("diff", "--name-only", "HEAD~1")


def imported_by(path: Path) -> set[str]:
    """The course's modules that a test file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith("course_lib.")}


def tests_of(files: list[str]) -> tuple[list[str], list[str]]:
    """The test files to run, and the families whose contract is to be held."""
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
               for name in files if name.startswith("course_lib/") and name.endswith(".py")}
    families = [module.rpartition(".")[2] for module in sorted(modules)
                if module.startswith("course_lib.experiments.") and module.count(".") == 2]
    chosen = {name for name in files if name.startswith("tests/") and Path(name).name.startswith("test_")
              and (ROOT / name).exists()}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in SLOW and imported_by(path) & modules:
            chosen.add(name)
    return sorted(name for name in chosen if "browser" not in name), families


def main(arguments: list[str]) -> int:
    """Run the tests; returns pytest's exit code, 0 where there is nothing to run."""
    revision = None if not arguments or arguments[0].startswith("-") else arguments.pop(0)
    options = [option for option in arguments if option != "--"]
    tests, families = tests_of(changed_files(revision))
    runs = [["tests/test_architecture.py", *tests]]
    if families and "tests/test_contract.py" not in tests:
        runs.append(["tests/test_contract.py", "-k", " or ".join(families)])
    for run in runs:
        print(f"pytest {' '.join(run)}", flush=True)
        code = subprocess.call([sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *run, *options], cwd=ROOT)
        if code not in (0, 5):  # 5: nothing was collected
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
