"""`make test` runs every notebook in a kernel of its own: how much memory each ever held is printed, and has a limit.

The number is the kernel's peak resident set, VmHWM, which Linux keeps; elsewhere it is not known, and said so.

Where the sources are at hand, too, a notebook's last cell fails if a word of comparison or cause in the text has no
claim about several values near it: see `course_lib/authoring/words.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

AIM = 700  # MB: what fits on a small laptop, beside JupyterLab and a browser
PEAKS = pytest.StashKey[dict[str, int]]()
SEVERAL = pytest.StashKey[dict[int, bool]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--memory-limit", type=int, default=900, metavar="MB",
                     help="fail if a notebook's kernel ever holds more (default: 900)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[PEAKS] = {}


def peak(pid: int) -> int | None:
    """The most memory that this process ever held, in MB; None where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None


@pytest.hookimpl(tryfirst=True)  # the kernel is stopped in the teardown of its last cell
def pytest_runtest_teardown(item: pytest.Item) -> None:
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None and kernel.is_alive() and (megabytes := peak(kernel.km.provisioner.pid)) is not None:
        item.config.stash[PEAKS][item.path.name] = megabytes


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[PEAKS].update(getattr(node, "workeroutput", {}).get("peaks", {}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    result = yield  # a cell that fails ends here, and the notebook is then not judged
    if hasattr(item, "test_outputs") and (faults := unsupported(item)):
        raise AssertionError("\n".join(["of the text of this notebook:", *faults]))
    return result


def unsupported(item: pytest.Item) -> list[str]:
    """What is wrong with the words of a notebook, once all its cells have run; nothing before."""
    source = item.path.parent / item.parent.nb.metadata.get("course", {}).get("source", "none")
    if not source.is_file():
        return []
    from course_lib.authoring.text import read_cells, students
    from course_lib.authoring.words import complaints, shows_several

    cells, done = item.parent.nb.cells, item.parent.stash.setdefault(SEVERAL, {})
    done[next(i for i, cell in enumerate(cells) if cell is item.cell)] = shows_several(item.test_outputs or [])
    if len(done) < sum(cell.cell_type == "code" for cell in cells):
        return []
    found = complaints(students(read_cells(source)), [i for i, several in done.items() if several])
    return [f"cell {i} ({' '.join(cells[i].source.split())[:60]}…): {told}" for i, told in found]


def pytest_sessionfinish(session: pytest.Session) -> None:
    peaks = session.config.stash[PEAKS]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peaks"] = peaks
    elif session.exitstatus == pytest.ExitCode.OK and too_large(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def too_large(config: pytest.Config) -> list[str]:
    return [name for name, megabytes in config.stash[PEAKS].items() if megabytes > config.getoption("memory_limit")]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    peaks, limit = config.stash[PEAKS], config.getoption("memory_limit")
    terminalreporter.section("peak memory of each notebook's kernel")
    if not peaks:
        terminalreporter.line("not known: no notebook was run, or this system does not keep it (Linux does)")
    for name, megabytes in sorted(peaks.items()):
        remark = f"  above the limit of {limit}" if megabytes > limit else f"  above {AIM}" if megabytes > AIM else ""
        terminalreporter.line(f"{megabytes:6} MB  {name}{remark}", red=megabytes > limit)
    if large := too_large(config):
        terminalreporter.line(f"too much memory: {', '.join(large)}; convert images in parts (MNIST.split), keep bytes",
                              red=True)
