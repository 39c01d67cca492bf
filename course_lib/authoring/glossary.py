"""The terms of the field, `docs/glossary.md`, held against the texts of the notebooks.

A row of the table is `term | 中文 | meaning | notebooks`, the notebooks as links, the one that introduces the term
first. There it stands in bold where it is first used: headings and the header's table, which come before, do not count.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from course_lib.authoring.text import LINK, prose

SKIPPED = re.compile(r"^(?:#{1,6} .*|\|.*)$", re.M)  # headings and tables
BOLD = re.compile(r"\*\*(?!\s)(.+?)\*\*", re.S)


class Entry(NamedTuple):
    """A row: the term, its Chinese name, what it means, and the notebooks as (number, address of the link)."""

    term: str
    chinese: str
    meaning: str
    notebooks: tuple[tuple[str, str], ...]


def table(page: str) -> list[Entry]:
    """The rows of the page.

    Raises:
        ValueError: a row does not have four cells with something in each.
    """
    rows = []
    for line in page.splitlines():
        if line.startswith("| ") and not line.startswith("| Term |"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) != 4 or not all(cells):
                raise ValueError(f"a row is 'term | 中文 | meaning | notebooks', not {line}")
            rows.append(Entry(*cells[:3], tuple(LINK.findall(cells[3]))))
    return rows


def complaints(page: str, texts: dict[str, str], files: dict[str, str]) -> Iterator[str]:
    """What is wrong with the page: rows out of order or twice, links that lead nowhere, terms that are not used.

    Args:
        texts: the student's Markdown of each notebook, by its number.
        files: the file of each notebook, by its number.
    """
    rows = table(page)
    for before, row in itertools.pairwise(rows):
        if before.term.casefold() == row.term.casefold():
            yield f"{row.term} stands twice"
        elif before.term.casefold() > row.term.casefold():
            yield f"{row.term} stands after {before.term}"
    for row in rows:
        numbers = [number for number, _ in row.notebooks]
        if not numbers:
            yield f"{row.term} names no notebook"
        for number, address in row.notebooks:
            if address != f"../notebooks/{files.get(number)}":
                yield f"{row.term}: the link to {number} leads to {address}"
            elif not _uses(row.term).search(_plain(texts[number])):
                yield f"{row.term}: notebook {number} does not use it"
            elif number == numbers[0] and not _begins_bold(row.term, texts[number]):
                yield f"{row.term}: notebook {number} does not set it in bold where it comes first"


def _uses(term: str) -> re.Pattern[str]:
    """The term, also in the plural; its own brackets and spaces as in the text, where lines may break."""
    words = r"\s+".join(map(re.escape, term.split()))
    return re.compile(rf"(?<!\w){words}(?:s|es)?(?!\w)", re.I)


def _plain(text: str) -> str:
    return re.sub(r"\*+", "", prose(text))


def _begins_bold(term: str, text: str) -> bool:
    """Whether the first use in running text is in bold."""
    running = SKIPPED.sub(" ", prose(text))
    first = _uses(term).search(running)
    return first is not None and any(bold.start() < first.start() < bold.end() for bold in BOLD.finditer(running))
