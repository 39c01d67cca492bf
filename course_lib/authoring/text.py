"""What the Markdown of a source is made of: formulas, code, references, links; and which cells students get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import jupytext
from nbformat import NotebookNode

MATHS = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.S)
CODE = re.compile(r"```.*?```|`[^`]*`", re.S)
REFERENCES = re.compile(r"\*\*Read on:\*\*(.*?)(?=\*\*Next:\*\*|\Z)", re.S)
LINK = re.compile(r"\[([^]]*)\]\(([^\s()]*)\)")  # a bracket within an address is written %28 or %29


def sources(folder: Path) -> list[Path]:
    """The notebook sources under `notebooks/source`, in order."""
    return sorted((folder / "source").glob("[0-9]*.py"))


def read_cells(source: Path) -> list[NotebookNode]:
    """All cells of a source, with what their header lines say as metadata."""
    return jupytext.read(source, fmt="py:percent").cells


def students(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The cells that are not the teacher's alone, in the places that they have in the student's notebook."""
    return [cell for cell in cells if "teacher" not in cell.metadata.get("tags", [])]


def prose(text: str) -> str:
    """Markdown without formulas, code and references; of a link what is read."""
    return LINK.sub(r"\1", CODE.sub(" ", MATHS.sub(" ", REFERENCES.sub(" ", text))))
