"""A course folder for nbgrader, made of the same sources: an assignment for each notebook, a point for each exercise.

nbgrader runs a student's whole notebook and reads what its check cells leave behind: an error costs the points, a
number is so many, anything else is all of them. `check` raises there unless the exercise is passed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.authoring.build import BEGIN, STUB, cell_id, convert
from course_lib.authoring.text import calls, read_cells
from course_lib.files import atomic_write

CONFIG = '''\
"""nbgrader's settings for this course. Written once; it is yours."""
import os

os.environ["COURSE_HEADLESS"] = "1"  # labs train for a moment, and nobody is asked
os.environ["COURSE_PARTIAL"] = "1"  # an answer that is right for some inputs gets that share of the points; delete it
# for all or nothing

c = get_config()
c.CourseDirectory.course_id = {course!r}
c.ClearSolutions.code_stub = {{"python": {stub!r}}}
c.OverwriteCells.add_missing_cells = True  # of students who deleted a check
c.ExecutePreprocessor.timeout = 300  # seconds a cell
c.ExecutePreprocessor.interrupt_on_timeout = True  # an endless answer costs its own points alone
'''


def assignment(source: Path, points: float = 1.0) -> NotebookNode:
    """The notebook of one source as nbgrader's instructor version: solutions between its markers, cells marked.

    Args:
        source: `notebooks/source/NN_slug.py`.
        points: for each exercise.
    """
    made, read = convert(source, teacher=False), read_cells(source)
    whole = {cell_id(source, position): cell for position, cell in enumerate(read)}
    imports = next(cell for cell in made.cells if cell.cell_type == "code")
    imports.metadata["nbgrader"] = _marked("imports", locked=True)
    for cell in made.cells:
        if cell.cell_type != "code":
            continue
        if "exercise" in cell.metadata.get("tags", []):
            cell.source = whole[cell.id].source
            name = re.search(r"^def (\w+)", cell.source, re.M)[1]
            cell.metadata["nbgrader"] = _marked(f"answer-{name}", solution=True)
        elif checked := calls(cell.source, "check"):
            name = checked[0].args[0].value.replace(".", "-")  # a grade_id has no dots
            cell.metadata["nbgrader"] = _marked(name, grade=True, locked=True, points=points)
    del made.metadata.course["sha256"]  # nbgrader changes what it was the hash of
    nbformat.validate(made)
    return made


def _marked(grade_id: str, *, grade: bool = False, locked: bool = False, solution: bool = False,
            points: float | None = None) -> NotebookNode:
    """A cell's metadata of nbgrader's schema 3."""
    marks = {"grade": grade, "grade_id": grade_id, "locked": locked, "schema_version": 3, "solution": solution,
             "task": False}
    return NotebookNode(marks if points is None else marks | {"points": points})


def write_course(folder: Path, sources: Sequence[Path], points: float = 1.0) -> list[Path]:
    """Write `source/NN_slug/NN_slug.ipynb` for each source with exercises, and `nbgrader_config.py` if there is none.

    Returns:
        the paths written.
    """
    written = []
    config = folder / "nbgrader_config.py"
    if not config.exists():
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(config, CONFIG.format(course=folder.resolve().name, stub="\n".join(STUB)))
        written.append(config)
    for source in sources:
        made = assignment(source, points)
        if BEGIN not in json.dumps(made):
            continue
        path = folder / "source" / source.stem / f"{source.stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, nbformat.writes(made))
        written.append(path)
    return written
