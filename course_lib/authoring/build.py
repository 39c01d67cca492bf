"""From `notebooks/source/NN_slug.py` to the student's and the teacher's notebook.

A source is a jupytext py:percent file. Cells tagged `exercise` hold a solution between nbgrader's markers, which the
student's version replaces by a stub; cells tagged `teacher` go to the teacher's version only. Words such as
"notebook 03" become links, and the header gets the time to read.
"""

from __future__ import annotations

import copy
import hashlib
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib import __version__
from course_lib.authoring.links import UnknownNotebook, link_notebooks
from course_lib.authoring.reading import with_reading_time
from course_lib.authoring.text import notebook_files, read_cells, sources
from course_lib.files import atomic_write

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# your code here", "return None")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class SourceError(Exception):
    """A notebook source cannot be built; the message says where and why."""


class ChangedByHand(Exception):
    """A generated notebook holds something that was not generated, which a build would destroy."""


def convert(source: Path, teacher: bool) -> NotebookNode:
    """The notebook of one source: the student's version, or the teacher's with solutions and teacher's cells.

    Raises:
        SourceError: solution markers that are missing, unpaired or not inside a function; the text names a notebook
            that is not there.
    """
    read, files = read_cells(source), notebook_files(source.parents[1])
    if not read:
        raise SourceError(f"{source.name} is empty")
    read[0].source = with_reading_time(read[0].source, read)
    cells = []
    for position, cell in enumerate(read):
        tags = cell.metadata.get("tags", [])
        if "teacher" in tags and not teacher:
            continue
        made = copy.deepcopy(cell)
        made.id = cell_id(source, position)
        made.metadata = NotebookNode(tags=tags) if tags else NotebookNode()
        where = f"{source.name}, cell {position}"
        if made.cell_type == "markdown":
            made.source = _linked(cell.source, where, files, own=source.stem.split("_")[0])
        elif made.cell_type == "code":
            made.source = _solved(cell.source, where, "exercise" in tags, teacher)
            made.outputs, made.execution_count = [], None
        cells.append(made)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": KERNEL, "language_info": {"name": "python"},
        "course": {"source": f"source/{source.name}", "version": __version__}})
    notebook.nbformat_minor = 5
    notebook.metadata.course["sha256"] = _fingerprint(notebook)
    nbformat.validate(notebook)
    return notebook


def cell_id(source: Path, position: int) -> str:
    """The id that a source's cell has in every notebook made of it."""
    return hashlib.sha256(f"{source.stem}:{position}".encode()).hexdigest()[:12]


def _linked(text: str, where: str, files: dict[str, str], own: str) -> str:
    try:
        return link_notebooks(text, files, own)
    except UnknownNotebook as error:
        raise SourceError(f"{where}: {error}") from error


def _solved(text: str, where: str, exercise: bool, teacher: bool) -> str:
    """The cell with its solution left in (markers removed), or replaced by a stub."""
    lines, out, inside, found = text.splitlines(), [], False, False
    for line in lines:
        marker = line.strip()
        if marker in (BEGIN, END):
            if not exercise:
                raise SourceError(f'{where}: a solution outside a cell with tags=["exercise"]')
            if inside != (marker == END):
                raise SourceError(f"{where}: {BEGIN} and {END} do not pair up")
            inside = marker == BEGIN
            if inside:
                found = True
                indent = line[: len(line) - len(line.lstrip())]
                if not indent:
                    raise SourceError(f"{where}: put the solution inside a function, so that its stub can return None")
                if not teacher:
                    out += [indent + stub for stub in STUB]
        elif teacher or not inside:
            out.append(line)
    if inside or (exercise and not found):
        raise SourceError(f"{where}: an exercise needs one {BEGIN} with its {END}")
    return "\n".join(out)


def _fingerprint(notebook: NotebookNode) -> str:
    """Hash of everything but the fingerprint itself, outputs included: does the file still say what was generated?"""
    bare = copy.deepcopy(notebook)
    bare.metadata.get("course", {}).pop("sha256", None)
    return hashlib.sha256(nbformat.writes(bare).encode()).hexdigest()


def build(folder: Path, output: Path | None = None, force: bool = False) -> list[Path]:
    """Write all student notebooks to `output` (default: `folder`) and the teacher's to `output/solutions`.

    Args:
        folder: the `notebooks` folder, whose `source` is read.
        output: where to write.
        force: overwrite generated notebooks that were changed by hand.

    Returns:
        the paths written, in order; a file that is already right is not touched but is listed.

    Raises:
        SourceError: a source cannot be built.
        ChangedByHand: a notebook to be overwritten was changed since it was generated; nothing has been written.
    """
    output = folder if output is None else output
    made = {}
    for source in sources(folder):
        for teacher, target in ((False, output), (True, output / "solutions")):
            made[target / f"{source.stem}.ipynb"] = nbformat.writes(convert(source, teacher)) + "\n"
    changed = [path for path in made if path.exists() and changed_by_hand(path)]
    if changed and not force:
        names = ", ".join(str(path) for path in changed)
        raise ChangedByHand(f"changed since they were generated: {names}. Carry the change over to "
                            f"{folder / 'source'} and build again with --force")
    for path, text in made.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, text)
    return list(made)


def changed_by_hand(path: Path) -> bool:
    """Whether a notebook differs from what was generated (a source edit alone does not count)."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # not even a notebook: whatever it is, it was not generated
        return True
    return notebook.metadata.get("course", {}).get("sha256") != _fingerprint(notebook)


def solutions(source: Path) -> dict[str, str]:
    """For each exercise of a source, the code that a test runs: imports, solution and check.

    Keys are exercise names. The code needs no other cell: that is what the format promises.
    """
    cells = [c.source for c in convert(source, teacher=True).cells if c.cell_type == "code"]
    imports = next((c for c in cells if re.search(r"^(import|from) ", c, re.M)), "")
    named = ((re.search(r"""check\(\s*["']([\w.]+)["']""", c), i) for i, c in enumerate(cells))
    return {match[1]: "\n\n".join((imports, cells[i - 1], cells[i])) for match, i in named if match}


