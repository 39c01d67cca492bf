"""The run of the notebooks tells how much memory each took, and fails above the limit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).resolve().parents[1]
MODEST, GREEDY = "x = 1", "x = bytearray(b'1' * 2**20 * 200)\ndel x"
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def run(folder: Path, cells: dict[str, str], *options: str) -> subprocess.CompletedProcess:
    """nbval on notebooks of one cell each, beside the course's conftest."""
    (folder / "conftest.py").write_bytes((COURSE / "notebooks/conftest.py").read_bytes())
    for name, source in cells.items():
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), folder / name)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider",
               "--rootdir", str(folder), *options, *(str(folder / name) for name in cells)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(COURSE)},
                          cwd=folder)


@linux
@pytest.mark.parametrize("workers", [pytest.param((), marks=pytest.mark.thorough),
                                     ("-n", "2", "--dist", "loadscope")])
def test_each_notebook_s_peak_is_printed_and_too_much_fails(tmp_path, workers):
    done = run(tmp_path, {"a.ipynb": MODEST, "b.ipynb": GREEDY}, "--memory-limit", "250", *workers)
    peaks = {name: int(megabytes) for megabytes, name in re.findall(r"(\d+) MB  (\w\.ipynb)", done.stdout)}
    assert peaks["a.ipynb"] < 250 < peaks["b.ipynb"], done.stdout  # freed at the end, and yet it counts
    assert done.returncode == 1 and "2 passed" in done.stdout and "too much memory: b.ipynb" in done.stdout


@linux
def test_within_the_limit_all_is_well(tmp_path):
    done = run(tmp_path, {"a.ipynb": MODEST})
    assert done.returncode == 0 and re.search(r"MB  a\.ipynb\n", done.stdout), done.stdout
