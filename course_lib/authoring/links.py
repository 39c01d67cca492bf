"""Links between notebooks: "notebook 03" in a text becomes one, and each link that is not to the web leads somewhere.

The notebooks lie in one folder, the solved ones in another: a link is the bare name of a file, right in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from nbformat import NotebookNode

from course_lib.authoring.text import CODE, LINK, MATHS, notebook_files, read_cells

NUMBER = r"\d\d[a-z]?\b"
SEPARATOR = r"(?:\s+\([^()$]*\))?(?:,?\s+(?:and|or|to)\s+|,\s+|[–-])"  # 02 (mixtures), 04 and 05
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.M)
UNTOUCHED = rf"{CODE.pattern}|{MATHS.pattern}|{LINK.pattern}|(?m:^#{{1,6}}\s[^\n]*)"
NAMED = re.compile(rf"(?s:{UNTOUCHED})|\b(?P<one>[Nn]otebook\s+(?P<number>{NUMBER}))"
                   rf"|\b(?P<word>[Nn]otebooks\s+)(?P<list>{NUMBER}(?:{SEPARATOR}{NUMBER})*)")
NAMES = re.compile(rf"\b[Nn]otebooks?\s+{NUMBER}(?:{SEPARATOR}{NUMBER})*")  # the words alone, wherever they stand
NEXT = re.compile(r"\*\*Next:\*\*(.*)", re.S)


class UnknownNotebook(Exception):
    """The text names a notebook that is not there."""


def link_notebooks(text: str, files: dict[str, str], own: str = "") -> str:
    """The Markdown with a link where it names a notebook: "notebook 03", "notebooks 05 and 05b", "notebooks 03 to 04".

    Code, formulas, headings and what is a link already stay as they are, and so does a notebook's own number.

    Args:
        files: of each notebook by its number.
        own: the number of the notebook that the text is of.

    Raises:
        UnknownNotebook: a number that `files` does not have.
    """
    def link(label: str, number: str) -> str:
        if number not in files:
            raise UnknownNotebook(f"there is no notebook {number}")
        return label if number == own else f"[{label}]({files[number]})"

    def linked(match: re.Match[str]) -> str:
        if match["one"]:
            return link(match["one"], match["number"])
        if match["list"]:
            return match["word"] + re.sub(NUMBER, lambda number: link(number[0], number[0]), match["list"])
        return match[0]

    return NAMED.sub(linked, text)


def complaints(source: Path, cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str]]:
    """Place and fault of each link of a source that leads nowhere, and of a last cell that names no next notebook."""
    files, own, text = notebook_files(source.parents[1]), source.stem.split("_")[0], ""
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            try:
                text = link_notebooks(cell.source, files, own)
            except UnknownNotebook as error:
                yield i, str(error)
                text = cell.source
            yield from ((i, f"the link to {target!r} leads nowhere") for target in _targets(text)
                        if not _is_there(target, source, cells))
    following = NEXT.search(text)
    if following and own != list(files)[-1] and not any(target in files.values() for target in _targets(following[1])):
        yield len(cells) - 1, "**Next:** names no notebook, as in 'notebook 06'"


def anchors(cells: Sequence[NotebookNode]) -> set[str]:
    """The names under which JupyterLab finds the headings: their text as it is read, with hyphens for spaces."""
    headings = (heading for cell in cells if cell.cell_type == "markdown"
                for heading in HEADING.findall(CODE.sub(lambda code: code[0].replace("#", " "), cell.source)))
    return {re.sub(r"[*`]", "", LINK.sub(r"\1", heading)).replace(" ", "-") for heading in headings}


def _targets(text: str) -> list[str]:
    """Where the links of a text lead, those to the web left out."""
    return [target for _, target in LINK.findall(CODE.sub(" ", text)) if not re.match(r"[a-z]+:", target)]


def _is_there(target: str, source: Path, cells: Sequence[NotebookNode]) -> bool:
    file, _, anchor = target.partition("#")
    other = source.with_name(f"{Path(file).stem}.py")
    if file and file not in notebook_files(source.parents[1]).values():
        return False
    return not anchor or unquote(anchor) in anchors(read_cells(other) if file else cells)
