"""What the Markdown of a source is made of: formulas, code, references, links; and which cells students get."""

from __future__ import annotations

import ast
import copy
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

MATHS = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.S)
CODE = re.compile(r"```.*?```|`[^`]*`", re.S)
REFERENCES = re.compile(r"\*\*Read on:\*\*(.*?)(?=\*\*Next:\*\*|\Z)", re.S)
LINK = re.compile(r"\[([^]]*)\]\(([^\s()]*)\)")  # a bracket within an address is written %28 or %29
FURTHER = "## Going further"
SECTION, PART = re.compile(r"^(?=## )", re.M), re.compile(r"^(?=###? )", re.M)


@dataclass(frozen=True)
class Section:
    """What stands under one heading `##`, or under one `###` of what goes further.

    Attributes:
        heading: its words; "" for what comes before the first.
        further: whether it lies under `## Going further`.
        cells: in order; a text that holds several headings is cut at them.
    """

    heading: str
    further: bool
    cells: tuple[NotebookNode, ...]


def sources(folder: Path) -> list[Path]:
    """The notebook sources under `notebooks/source`, in order."""
    return sorted((folder / "source").glob("[0-9]*.py"))


def notebook_files(folder: Path) -> dict[str, str]:
    """The file of each notebook in `notebooks` by its number, in order: that of 03 is 03_elbo.ipynb."""
    return {path.stem.split("_")[0]: f"{path.stem}.ipynb" for path in sources(folder)}


def read_cells(source: Path) -> list[NotebookNode]:
    """All cells of a source, with what their header lines say as metadata; they may be changed."""
    return copy.deepcopy(_cells(source.read_text(encoding="utf-8")))


@functools.lru_cache
def _cells(text: str) -> list[NotebookNode]:
    """Read once: this takes longer than all that is done with it."""
    import jupytext  # which students, who may import all other modules, do not have

    return jupytext.reads(text, fmt="py:percent").cells


def is_teachers(cell: NotebookNode) -> bool:
    """Whether a cell goes to the teacher's version only."""
    return "teacher" in cell.metadata.get("tags", [])


def students(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The cells that are not the teacher's alone, in the places that they have in the student's notebook."""
    return [cell for cell in cells if not is_teachers(cell)]


def sections(cells: Sequence[NotebookNode]) -> list[Section]:
    """These cells by their headings; the first section is what comes before any."""
    found: list[tuple[str, bool, list[NotebookNode]]] = [("", False, [])]
    for cell in cells:
        if cell.cell_type != "markdown":
            found[-1][2].append(cell)
            continue
        for text in filter(None, SECTION.split(cell.source)):
            head = text.partition("\n")[0].strip()
            further = head == FURTHER if head.startswith("## ") else found[-1][1]
            for part in filter(None, PART.split(text) if further else [text]):
                if re.match("###? " if further else "## ", part):
                    found.append((part.partition("\n")[0].lstrip("# ").strip(), further, []))
                found[-1][2].append(NotebookNode(cell, source=part))
    return [Section(heading, further, tuple(inside)) for heading, further, inside in found]


def plain_python(code: str) -> str:
    """A cell with `pass` in place of each magic: every other line stands where it stood."""
    return re.sub(r"(?m)^[%!].*$", "pass", code)


def calls(code: str, name: str) -> list[ast.Call]:
    """The calls of functions whose whole name this pattern matches in a cell, in no order; none in one that does not
    parse."""
    try:
        tree = ast.parse(plain_python(code))
    except SyntaxError:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            and re.fullmatch(name, node.func.id)]


def prose(text: str) -> str:
    """Markdown without formulas, code and references; of a link what is read."""
    return LINK.sub(r"\1", CODE.sub(" ", MATHS.sub(" ", REFERENCES.sub(" ", text))))
