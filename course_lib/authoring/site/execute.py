"""Run the students' notebooks as the tests do, and keep what they showed.

What is kept is named by a hash of all that a notebook depends on: its cells, the package behind it, the data and the
versions of what is installed. So a change of the site's own code runs nothing again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.files import atomic_write

AT_ONCE = 2
CELL_TIMEOUT = 600  # seconds
ENVIRONMENT = {"COURSE_HEADLESS": "1", "COURSE_STRICT": "1", "COURSE_RECORD_LABS": "1", "OMP_NUM_THREADS": "1"}
WITHOUT = ("COURSE_SEED", "COURSE_DEVICE", "COURSE_RECORD", "COURSE_GRADING", "NBGRADER_EXECUTION")  # a reader's own
NOT_BEHIND = ("authoring", "commands", "grading")  # rooms of the package that no notebook imports
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(Exception):
    """A cell raised; the message names notebook and cell and holds the traceback."""


def behind(course: Path) -> str:
    """Hash of what every notebook depends on beside its own cells: package, data, versions."""
    package, digest = course / "course_lib", hashlib.sha256()
    files = [f for f in package.rglob("*") if f.suffix in (".py", ".js", ".css", ".json")
             and f.relative_to(package).parts[0] not in NOT_BEHIND]
    files += [f for f in (course / "data").rglob("*") if f.is_file() and "unfinished" not in f.parts]
    for file in [course / "constraints.txt", *sorted(files)]:
        digest.update(f"{file.relative_to(course).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(repr(sorted(ENVIRONMENT.items())).encode())
    return digest.hexdigest()


def kept_as(notebook: Path, shared: str, cache: Path) -> Path:
    """The file that holds what this notebook showed, given `behind`'s hash; it need not be there."""
    cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells]
    return cache / f"{notebook.stem}-{hashlib.sha256(repr((shared, cells)).encode()).hexdigest()[:16]}.ipynb"


def executed(notebooks: Sequence[Path], course: Path, cache: Path, tell: Callable[[str], None]) -> dict[Path, Path]:
    """The run copy of each notebook, from the cache or made now, two at a time.

    Args:
        notebooks: those to run.
        course: the folder with the package and the data.
        cache: where run notebooks are kept; what an older version of one showed is deleted.
        tell: is told of each that begins and ends.

    Returns:
        for each notebook the file that has its outputs.

    Raises:
        NotebookFailed: a cell raised, or did not end within ten minutes. The other notebooks are run first, and kept.
    """
    shared = behind(course)
    kept = {notebook: kept_as(notebook, shared, cache) for notebook in notebooks}
    missing = [notebook for notebook in notebooks if not kept[notebook].exists()]
    cache.mkdir(parents=True, exist_ok=True)
    if missing:
        tell(f"{len(missing)} of {len(notebooks)} notebooks to run, {AT_ONCE} at a time")
        failures = asyncio.run(_run_all(missing, kept, course, tell))
        if failures:
            raise NotebookFailed("\n\n".join(failures))
    for notebook, path in kept.items():
        _forget(path.parent.glob(f"{notebook.stem}-*.ipynb"), path)
    return kept


def _forget(files: Iterable[Path], but: Path) -> None:
    for file in files:
        if file != but:
            file.unlink()


async def _run_all(notebooks: Sequence[Path], kept: dict[Path, Path], course: Path,
                   tell: Callable[[str], None]) -> list[str]:
    """Run and keep each; returns what failed, in words."""
    turn, done, failures = asyncio.Semaphore(AT_ONCE), 0, []

    async def one(path: Path) -> None:
        nonlocal done
        async with turn:
            start = time.monotonic()
            try:
                notebook = await _run(path, course)
            except NotebookFailed as failure:
                failures.append(str(failure))
                told = "failed"
            else:
                await asyncio.to_thread(atomic_write, kept[path], nbformat.writes(notebook))
                told = f"{time.monotonic() - start:.0f} s"
            done += 1
            tell(f"[{done}/{len(notebooks)}] {path.stem}: {told}")

    await asyncio.gather(*map(one, notebooks))
    return failures


async def _run(path: Path, course: Path) -> NotebookNode:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    environment = {name: value for name, value in os.environ.items() if name not in WITHOUT}
    environment |= ENVIRONMENT | {"PYTHONPATH": str(course)}
    client = NotebookClient(notebook, timeout=CELL_TIMEOUT, kernel_name="python3", store_widget_state=False,
                            resources={"metadata": {"path": str(path.parent)}})
    where = "before its first cell"
    try:
        async with client.async_setup_kernel(env=environment, stderr=subprocess.DEVNULL):  # its log, no cell's
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    where = f"cell {index}"
                    await client.async_execute_cell(cell, index)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        told = ESCAPES.sub("", str(error)).strip()
        raise NotebookFailed(f"{path.name}, {where}:\n{told}") from error
    return notebook
