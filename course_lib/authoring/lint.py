"""What a notebook's source must keep: header, footer, lengths, links, figures that are described, numbers that are
measured.

A figure that a text cites from elsewhere is allowed by name in its cell: `# %% [markdown] cited="80.75 79.20"`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib import chapters, plots
from course_lib.authoring import links, words
from course_lib.authoring.reading import CORE, reading_time
from course_lib.authoring.text import CODE, FURTHER, LINK, MATHS, REFERENCES, is_teachers, read_cells, students

CHAPTER_PLOTS = [importlib.import_module(f"course_lib.chapters.{path.parent.name}.plots")
                 for path in sorted(Path(chapters.__file__).parent.glob("nb*/plots.py"))]
FIGURE_MAKERS = {name: function for module in (plots, *CHAPTER_PLOTS)
                 for name, function in inspect.getmembers(module, inspect.isfunction)
                 if not name.startswith("_") and "Figure" in str(function.__annotations__.get("return"))}
CELL_LINES = 25
CELL_WIDTH = 120
TEXT_WORDS = 220
HEADER = (
    (r"^# \d\d[a-z]? · \S", "starts with '# NN · Title'"),
    (r"\*\*[^*]+\?\*\*", "asks its question in bold"),
    (r"^\| You will be able to \|", "says what the reader 'will be able to' do"),
    (r"^\| You need \|", "says what the reader needs"),
    (r"^\| Time \| \d+ (seconds?|minutes?) to run · seed \d+ \|$",
     "has the row '| Time | 60 seconds to run · seed 0 |', where the build puts the time to read"),
)
FOOTER = (
    (r"^## What to keep", "has the recap '## What to keep'"),
    (r"\*\*Read on:\*\*\s+- \S", "lists references, one an item, after '**Read on:**'"),
    (r"\*\*Next:\*\*", "says what comes next after '**Next:**'"),
)
# What a number may stand in without being a measurement: a year of publication, maths with whole numbers, code.
YEAR = re.compile(r"\((?:19|20)\d\d\)")
IN_PRINT = "in print only"  # what a reference that has no address says instead of a link
TABLE_HEAD = re.compile(r"^(\|.*\|) *\n\|[-:| ]+\|", re.M)
TIME_ROW = re.compile(r"^\| Time \|.*$|^# \d\d[a-z]? ·", re.M)
PERCENT = r"\s*(?:\\?%|percent\b)"
PRECISE = re.compile(rf"(?<![\w.])\d[\d,]*{PERCENT}|(?<![\w.])(?:\d[\d,]*)?\.\d+(?:{PERCENT})?"
                     r"|\d(?:\.\d+)?[eE][-+]?\d+")
NUMBER = re.compile(rf"(?<![\w.,])[1-9][\d,]*\d(?![\w.])(?:{PERCENT})?")  # 05 is a notebook


@dataclass(frozen=True)
class Finding:
    """One complaint of the lint."""

    source: str
    cell: int
    message: str

    def __str__(self) -> str:
        return f"{self.source}, cell {self.cell}: {self.message}"


def lint(source: Path) -> list[Finding]:
    """Complaints about a source."""
    cells = read_cells(source)
    if not cells:
        return [Finding(source.name, 0, "is empty")]
    last = len(cells) - 1
    found = [(i, message) for i, cell in enumerate(cells)
             for message in (_lint_text(cell) if cell.cell_type == "markdown" else _lint_code(cell.source))]
    found += [(i, f"the {name} never {what}") for i, name, rules in ((0, "header", HEADER), (last, "footer", FOOTER))
              for pattern, what in rules if not re.search(pattern, cells[i].source, re.M | re.S)]
    found += [(last, message) for message in _lint_references(cells[last].source)]
    found += [*links.complaints(source, cells), *_lint_words(cells), *((0, told) for told in _lint_time(cells))]
    return [Finding(source.name, i, message) for i, message in found]


def _lint_words(cells: Sequence[NotebookNode]) -> Iterator[tuple[int, str]]:
    """The unsupported words of the student's version, whose cells are fewer, in the places of the source."""
    places = [i for i, cell in enumerate(cells) if not is_teachers(cell)]
    yield from ((places[i], message) for i, message in words.complaints(students(cells)))


def _lint_time(cells: Sequence[NotebookNode]) -> Iterator[str]:
    if (time := reading_time(cells)).core > CORE:
        yield (f"takes {time.core} minutes to read, at most {CORE} are wanted: what is not the core goes under "
               f"{FURTHER!r}")
    if (count := sum(len(re.findall(rf"(?m)^{FURTHER}$", c.source)) for c in cells if c.cell_type == "markdown")) > 1:
        yield f"has {count} headings {FURTHER!r}: one is wanted"


def _lint_text(cell: NotebookNode) -> Iterator[str]:
    allowed = cell.metadata.get("cited", "").split()
    prose = CODE.sub(" ", cell.source)
    for number in _bare_numbers(prose):
        if number.replace(" ", "").replace("\\", "") not in allowed:
            yield (f"bare number {number!r}: measure it in a claim, or name it in the cell's cited=\"…\" "
                   "if it comes from elsewhere")
    if (count := len(REFERENCES.sub(" ", prose).split())) > TEXT_WORDS:
        yield f"{count} words in one cell: at most {TEXT_WORDS}"
    yield from (f"the table's head {head!r} has an empty cell" for head in TABLE_HEAD.findall(prose)
                if not all(name.strip() for name in head.strip("|").split("|")))


def _bare_numbers(text: str) -> list[str]:
    """Decimals and percentages anywhere, and whole numbers of two digits or more outside formulas."""
    for pattern in (YEAR, REFERENCES, TIME_ROW, links.NAMES):
        text = pattern.sub(" ", text)
    precise = PRECISE.findall(text)
    whole = NUMBER.findall(PRECISE.sub(" ", MATHS.sub(" ", text)))
    return [number.strip().rstrip(",") for number in dict.fromkeys(precise + whole)]


def _lint_references(footer: str) -> Iterator[str]:
    """What the references after '**Read on:**' lack of the form `- Authors, [*Title*](https://…), venue (year).`

    A remark may follow the year. A work without an address says IN_PRINT there, and needs no link.
    """
    section = REFERENCES.search(footer)
    outside, *references = re.split(r"^- ", section[1] if section else "", flags=re.M)
    if outside.strip():
        yield f"text before the list of references: {_beginning(outside)!r}"
    for reference in references:
        text, link = LINK.sub(r"\1", " ".join(reference.split())), LINK.search(reference)
        authors, title, rest = [*re.split(r"(\*[^*]+\*)", text, maxsplit=1), "", ""][:3]
        present = {
            "a title in italics": bool(title),
            "authors before the title": not title or re.search(r"\w\.?, $", authors),
            "a link with https": (link and link[2].startswith("https://")) or IN_PRINT in rest,
            "a venue between title and year": not title or re.match(r", [^(]*\w", rest),
            "a year in brackets": YEAR.search(text),
        }
        if lacking := [part for part, found in present.items() if not found]:
            yield f"the reference {_beginning(text)!r} lacks {', '.join(lacking)}"


def _beginning(text: str) -> str:
    return textwrap.shorten(text, 80, placeholder=" …")


def _lint_code(code: str) -> Iterator[str]:
    if (lines := len([line for line in code.splitlines() if line.strip()])) > CELL_LINES:
        yield f"{lines} lines of code in one cell: at most {CELL_LINES}"
    if (width := max(map(len, code.splitlines()), default=0)) > CELL_WIDTH:
        yield f"a line of code is {width} characters wide: at most {CELL_WIDTH}"
    try:
        tree = ast.parse(re.sub(r"^[%!].*$", "pass", code, flags=re.M))
    except SyntaxError as error:
        yield f"does not parse: {error}"
        return
    figures = set(FIGURE_MAKERS)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "pyplot" in ast.unparse(node):
            yield "imports pyplot: make a Figure with course_lib.plots and display it by show(fig, alt=…)"
        if isinstance(node, ast.Assign) and _called(node.value) in FIGURE_MAKERS:
            figures |= {ast.unparse(target) for target in node.targets}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name, arguments = _called(node), {k.arg: k.value for k in node.keywords}
            if name in ("show", "show_film", "explore", "explore_canvas") and not _says_something(arguments.get("alt")):
                yield f"{name}(…) without alt="
            if name == "savefig" or (name == "display" and any(_shown(a, figures) for a in node.args)):
                yield f"{name}(…): display a figure by show(fig, alt=…)"
    if tree.body and isinstance(tree.body[-1], ast.Expr) and _shown(tree.body[-1].value, figures):
        yield "a figure is displayed without show(fig, alt=…)"


def _called(node: ast.AST) -> str:
    """Last part of the name that is called, as `plot` in plots.plot(x); empty for anything else."""
    return ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""


def _says_something(alt: ast.AST | None) -> bool:
    return alt is not None and not (isinstance(alt, ast.Constant) and not str(alt.value).strip())


def _shown(node: ast.AST, figures: set[str]) -> bool:
    return _called(node) in FIGURE_MAKERS or (isinstance(node, ast.Name) and node.id in figures)
