"""From `notebooks/source/NN_slug.py` to the student's and the teacher's notebook, and the lint of the source.

A source is a jupytext py:percent file. Cells tagged `exercise` hold a solution between nbgrader's markers, which the
student's version replaces by a stub; cells tagged `teacher` go to the teacher's version only. A figure that a text
cites from elsewhere is allowed by name in its cell: `# %% [markdown] cited="80.75 79.20"`.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course_lib import __version__, chapters, plots
from course_lib.files import atomic_write

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# your code here", "return None")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CHAPTER_PLOTS = [importlib.import_module(f"course_lib.chapters.{path.parent.name}.plots")
                 for path in sorted(Path(chapters.__file__).parent.glob("nb*/plots.py"))]
FIGURE_MAKERS = {name: function for module in (plots, *CHAPTER_PLOTS)
                 for name, function in inspect.getmembers(module, inspect.isfunction)
                 if not name.startswith("_") and "Figure" in str(function.__annotations__.get("return"))}
WORDS = (800, 1_800)
CELL_LINES = 25
CELL_WIDTH = 120
TEXT_WORDS = 220


class SourceError(Exception):
    """A notebook source cannot be built; the message says where and why."""


class ChangedByHand(Exception):
    """A generated notebook holds something that was not generated, which a build would destroy."""


@dataclass(frozen=True)
class Finding:
    """One complaint of the lint."""

    source: str
    cell: int
    message: str

    def __str__(self) -> str:
        return f"{self.source}, cell {self.cell}: {self.message}"


# ---------------------------------------------------------------------------------------------------- building


def sources(folder: Path) -> list[Path]:
    """The notebook sources under `notebooks/source`, in order."""
    return sorted((folder / "source").glob("[0-9]*.py"))


def convert(source: Path, teacher: bool) -> NotebookNode:
    """The notebook of one source: the student's version, or the teacher's with solutions and teacher's cells.

    Raises:
        SourceError: solution markers that are missing, unpaired or not inside a function.
    """
    read = jupytext.read(source, fmt="py:percent")
    if not read.cells:
        raise SourceError(f"{source.name} is empty")
    cells = []
    for position, cell in enumerate(read.cells):
        tags = cell.metadata.get("tags", [])
        if "teacher" in tags and not teacher:
            continue
        made = copy.deepcopy(cell)
        made.id = hashlib.sha256(f"{source.stem}:{position}".encode()).hexdigest()[:12]
        made.metadata = NotebookNode(tags=tags) if tags else NotebookNode()
        made.source = _solved(cell.source, f"{source.name}, cell {position}", "exercise" in tags, teacher)
        if made.cell_type == "code":
            made.outputs, made.execution_count = [], None
        cells.append(made)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": KERNEL, "language_info": {"name": "python"},
        "course": {"source": f"source/{source.name}", "version": __version__}})
    notebook.nbformat_minor = 5
    notebook.metadata.course["sha256"] = _fingerprint(notebook)
    nbformat.validate(notebook)
    return notebook


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


# -------------------------------------------------------------------------------------------------------- lint

HEADER = (
    (r"^# \d\d[a-z]? · \S", "starts with '# NN · Title'"),
    (r"\*\*[^*]+\?\*\*", "asks its question in bold"),
    (r"^\| You will be able to \|", "says what the reader 'will be able to' do"),
    (r"^\| You need \|", "says what the reader needs"),
    (r"^\| Time \|.*\d+ minutes? to read.*\d+ (seconds?|minutes?) to run", "gives minutes to read and time to run"),
    (r"^\| Time \|.*seed \d+", "gives the seed"),
)
FOOTER = (
    (r"^## What to keep", "has the recap '## What to keep'"),
    (r"\*\*Read on:\*\*\s+- \S", "lists references, one an item, after '**Read on:**'"),
    (r"\*\*Next:\*\*", "says what comes next after '**Next:**'"),
)
MATHS = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.S)
# What a number may stand in without being a measurement: a year of publication, maths with whole numbers, code.
YEAR = re.compile(r"\((?:19|20)\d\d\)")
REFERENCES = re.compile(r"\*\*Read on:\*\*(.*?)(?=\*\*Next:\*\*|\Z)", re.S)
LINK = re.compile(r"\[([^]]*)\]\(([^\s()]*)\)")  # a bracket within an address is written %28 or %29
IN_PRINT = "in print only"  # what a reference that has no address says instead of a link
TIME_ROW = re.compile(r"^\| Time \|.*$|^# \d\d[a-z]? ·", re.M)
CODE = re.compile(r"```.*?```|`[^`]*`", re.S)
PERCENT = r"\s*(?:\\?%|percent\b)"
PRECISE = re.compile(rf"(?<![\w.])\d[\d,]*{PERCENT}|(?<![\w.])(?:\d[\d,]*)?\.\d+(?:{PERCENT})?"
                     r"|\d(?:\.\d+)?[eE][-+]?\d+")
NUMBER = re.compile(rf"(?<![\w.,])[1-9][\d,]*\d(?![\w.])(?:{PERCENT})?")  # 05 is a notebook


def lint(source: Path) -> list[Finding]:
    """Complaints about a source: header, footer, bare measured numbers, figures without alt text, length."""
    cells = jupytext.read(source, fmt="py:percent").cells
    if not cells:
        return [Finding(source.name, 0, "is empty")]
    findings = [Finding(source.name, i, message) for i, cell in enumerate(cells)
                for message in (_lint_text(cell) if cell.cell_type == "markdown" else _lint_code(cell.source))]
    ends = [(0, "header", HEADER, cells[0].source), (len(cells) - 1, "footer", FOOTER, cells[-1].source)]
    findings += [Finding(source.name, i, f"the {name} never {words}") for i, name, rules, text in ends
                 for pattern, words in rules if not re.search(pattern, text, re.M | re.S)]
    findings += [Finding(source.name, len(cells) - 1, message) for message in _lint_references(cells[-1].source)]
    words = word_count(source)
    if not WORDS[0] <= words <= WORDS[1]:
        findings.append(Finding(source.name, 0, f"has {words} words of text, {WORDS[0]} to {WORDS[1]} are wanted"))
    return findings


def word_count(source: Path) -> int:
    """Words of text in the student's version; formulas, code, references and addresses of links left out."""
    cells = jupytext.read(source, fmt="py:percent").cells
    texts = (LINK.sub(r"\1", CODE.sub(" ", MATHS.sub(" ", REFERENCES.sub(" ", c.source)))) for c in cells
             if c.cell_type == "markdown" and "teacher" not in c.metadata.get("tags", []))
    return sum(len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", t)) for t in texts)


def _lint_text(cell: NotebookNode) -> Iterator[str]:
    allowed = cell.metadata.get("cited", "").split()
    prose = CODE.sub(" ", cell.source)
    for number in _bare_numbers(prose):
        if number.replace(" ", "").replace("\\", "") not in allowed:
            yield (f"bare number {number!r}: measure it in a claim, or name it in the cell's cited=\"…\" "
                   "if it comes from elsewhere")
    if (words := len(REFERENCES.sub(" ", prose).split())) > TEXT_WORDS:
        yield f"{words} words in one cell: at most {TEXT_WORDS}"


def _bare_numbers(text: str) -> list[str]:
    """Decimals and percentages anywhere, and whole numbers of two digits or more outside formulas."""
    for pattern in (YEAR, REFERENCES, TIME_ROW):
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
