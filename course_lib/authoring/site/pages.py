"""The pages that are not a notebook's: the front page, and the course's documents with links that lead somewhere."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.authoring import glossary
from course_lib.authoring.readme import HEADER, SITE, markers, readme_table
from course_lib.authoring.site.graph import Node, needs, svg
from course_lib.authoring.site.taste import TASTE
from course_lib.authoring.text import CODE, MATHS, notebook_files, read_cells, sources
from course_lib.teach.tree import TREE, Branch, Leaf

ARCHIVE = "course.zip"  # the students' zip, at the top of the site
FIRST_DOCUMENTS = ("docs/glossary.md", "docs/notation.md", "docs/claims.md", "README.md", "docs/teaching.md",
                   "docs/server.md", "docs/tested.md")
OTHER_DOCUMENTS = ("docs/*.md", "docs/projects/*.md", "data/README.md", "CONTRIBUTING.md", "CHANGELOG.md")
TEACHERS_DOCUMENTS = "docs/teaching/**/*.md"
LINKED = re.compile(rf"(?s:{CODE.pattern}|{MATHS.pattern})|!?\[(?P<label>[^]]*)\]\((?P<target>[^\s()]*)\)")
ALONG = (".png", ".webp", ".svg")  # pictures, which come along with a page; so do licences, which have no ending


@dataclass(frozen=True)
class Site:
    """What is built.

    Attributes:
        course: the course's folder.
        notebooks: the students' notebooks that get a page.
        teacher: whether the pages for teachers, `docs/teaching`, are among them.
        repository: the address of the course's repository, or "".
        archive_size: of the students' zip, in bytes.
    """

    course: Path
    notebooks: tuple[Path, ...]
    teacher: bool
    repository: str
    archive_size: int

    def documents(self) -> list[str]:
        """The course's documents that get a page, relative to its folder, in order."""
        found = [name for name in FIRST_DOCUMENTS if (self.course / name).exists()]
        for pattern in OTHER_DOCUMENTS + ((TEACHERS_DOCUMENTS,) if self.teacher else ()):
            found += sorted(path.relative_to(self.course).as_posix() for path in self.course.glob(pattern))
        return list(dict.fromkeys(found))

    def pages(self) -> set[str]:
        """The files that get a page, relative to the course's folder."""
        return {*self.documents(), *(f"notebooks/{path.name}" for path in self.notebooks)}


def relinked(text: str, page: str, pages: set[str], course: Path, along: Callable[[str], None]) -> str:
    """The Markdown with its links: those to a page stay, pictures and licences come along, of others the words stay.

    Args:
        text: of a document or of a cell.
        page: the file that it is of, relative to the course's folder.
        pages: the files that get a page.
        course: its folder.
        along: is told of each file that must be copied beside the pages.
    """
    def linked(match: re.Match[str]) -> str:
        target = match["target"]
        if not target or re.match(r"[a-z]+:", target):  # code, a formula, the web
            return match[0]
        if target.startswith("#"):  # a document's anchors are GitHub's, a notebook's JupyterLab's, which are the site's
            return match["label"] if page.endswith(".md") else match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page), target.partition("#")[0]))
        if file in pages:
            return match[0]
        if Path(file).suffix in ("", *ALONG) and (course / file).is_file():
            along(file)
            return match[0]
        return match["label"]

    return LINKED.sub(linked, text)


def glossary_page(text: str) -> str:
    """The glossary with a box that filters its rows."""
    before, bar, table = text.partition("| Term |")
    box = ('<p class="course-filter" hidden><label for="filter">Show terms with</label> '
           '<input id="filter" type="search" autocomplete="off" spellcheck="false"> <span role="status"></span></p>')
    return f"{before}{_raw(box)}\n\n{_table(bar + table, 'course-rows course-glossary')}\n"


def run_notebook(name: str, site: Site) -> str:
    """What stands under the head of a notebook's page: how to run it."""
    megabytes = f"{site.archive_size / 1e6:.0f} MB"
    text = (f'<p class="course-run">This page shows what one run computed. To run and change it, '
            f'<a href="../{ARCHIVE}">download the notebooks</a> ({megabytes}), unpack them and type '
            f'<code>make lab</code>.')
    if re.match(r"https://github\.com/[\w.-]+/[\w.-]+$", site.repository):
        colab = site.repository.replace("https://github.com/", "https://colab.research.google.com/github/")
        setup = html.escape(f"!git clone -q --depth 1 {site.repository} course\n!pip install -q -e course\n"
                            "import sys; sys.path.insert(0, 'course')")
        text += (f' Or <a href="{colab}/blob/main/notebooks/{name}">open it in Colab</a>.</p>'
                 f'<details class="course-colab"><summary>In Colab, run this cell first</summary><pre>{setup}</pre>'
                 '</details>')
    else:
        text += "</p>"
    return text


def front_page(site: Site, player: str | None) -> str:
    """The front page, in MyST Markdown: the README's beginning, a recorded lab, and the ways in.

    Args:
        site: what is built.
        player: a recorded lab, as HTML, if there is one.
    """
    pages, course = site.pages(), site.course
    readme = (course / "README.md").read_text(encoding="utf-8")
    title, _, rest = readme.partition("\n")
    begin, end = map(re.escape, markers(SITE))
    minute = re.sub(rf"{begin}.*?{end}|!\[[^]]*\]\([^)]*\)", "", rest.partition("\n## ")[0], flags=re.S)
    first = f"notebooks/{site.notebooks[0].stem}.html" if site.notebooks else "docs/glossary.html"
    buttons = (f'<p class="course-ways"><a class="way" href="{first}">Begin to read</a> '
               f'<a class="way" href="{TASTE}.html">Train a GAN in this browser</a> '
               f'<a class="way" href="{ARCHIVE}">Download the notebooks ({site.archive_size / 1e6:.0f} MB)</a> '
               '<a class="way" href="docs/glossary.html">Glossary, 术语表</a></p>')
    lab = (f"## A lab, recorded\n\nIn a notebook it trains before your eyes, and its knobs are yours. Here it plays "
           f"what one run was.\n\n{_raw(player)}\n\n" if player else "")
    table = relinked(readme_table(course / "notebooks"), "README.md", pages, course, lambda file: None)
    return f"""{title}

{minute.strip()}

{_raw(buttons)}

{lab}## The families

Every family of generative models that the course builds, by how it has its distribution, with its notebooks.

{_raw(f'<div class="course-tree" role="group" aria-label="The families">{_tree(TREE, site)}</div>')}

## What needs what

A line leads down from a notebook to those that need it; whoever knows its subject may enter below it.

{_raw(f'<div class="course-scroll">{svg(_nodes(site))}</div>')}

## The notebooks

{_table(table, "course-rows")}

## About these pages

They are built from the notebooks, each of which ran from its first cell to its last for it, and load nothing from
elsewhere: they can be read from a disk. Formulas are set by [KaTeX](https://katex.org/) (MIT, with its fonts), Chinese
terms in [Noto Sans SC](https://github.com/notofonts/noto-cjk) (SIL Open Font License 1.1); the pages are made by Sphinx
with the theme Furo. Text and figures are under [CC BY 4.0](LICENSE-TEXT), the code under
[MIT](LICENSE).

{_toctrees(site)}
"""


def _raw(page: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", page)), default=0))
    return f"{fence}{{raw}} html\n{page}\n{fence}"


def _table(table: str, kind: str) -> str:
    """A table of Markdown with a class, by which its style knows it."""
    return f"```{{table}}\n:class: {kind}\n\n{table.strip()}\n```"


def _toctrees(site: Site) -> str:
    documents = site.documents()
    parts = {"Notebooks": [f"notebooks/{path.stem}" for path in site.notebooks],
             "To try": [TASTE],
             "To look up": [name for name in documents if name in FIRST_DOCUMENTS[:3]],
             "The course": [name for name in documents if name not in FIRST_DOCUMENTS[:3]
                            and not name.startswith("docs/teaching/")],
             "For teachers": [name for name in documents if name.startswith("docs/teaching/")]}
    return "\n\n".join("```{toctree}\n:hidden:\n:titlesonly:\n:caption: " + caption + "\n\n"
                       + "\n".join(map(_entry, names)) + "\n```"
                       for caption, names in parts.items() if names)


def _entry(name: str) -> str:
    """Of a table of contents. The README's own title is the site's."""
    return "Set-up, teaching, maintenance <README>" if name == "README.md" else name.removesuffix(".md")


def link_to(number: str, site: Site) -> str:
    """A notebook's number, in Markdown, as a link if it has a page."""
    address = _address(number, site)
    return f"[{number}]({address.removesuffix('.html')}.ipynb)" if address else number


def _address(number: str, site: Site) -> str:
    """Of a notebook's page as seen from the front page, or "" if it has none."""
    return next((f"notebooks/{path.stem}.html" for path in site.notebooks if path.stem.split("_")[0] == number), "")


def _nodes(site: Site) -> list[Node]:
    folder = site.course / "notebooks"
    numbers, nodes = list(notebook_files(folder)), []
    for number, source in zip(numbers, sources(folder), strict=True):
        header = read_cells(source)[0].source
        title = re.search(HEADER[0], header, re.M)["title"].partition(":")[0]
        nodes.append(Node(number, title, _address(number, site), needs(header, numbers)))
    return nodes


def _tree(branch: Branch, site: Site) -> str:
    """The branches as nested lists, which any screen can show and any reader can be read."""
    items = []
    for child in branch.children:
        if isinstance(child, Leaf):
            chips = " ".join(f'<a href="{address}">{number}</a>' if (address := _address(number, site))
                             else f"<span>{number}</span>" for number in child.notebooks)
            items.append(f'<li class="leaf"><b>{html.escape(child.name)}</b> {chips}<br><span class="of">log p(x): '
                         f"{html.escape(child.score)} · a sample: {html.escape(child.sampling)}</span></li>")
        else:
            items.append(f"<li>{html.escape(child.name)}{_tree(child, site)}</li>")
    return f"<ul>{''.join(items)}</ul>"


def terms(course: Path) -> list[glossary.Entry]:
    """The rows of the glossary."""
    return glossary.table((course / "docs/glossary.md").read_text(encoding="utf-8"))


def read_notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def player_of(cells: Sequence[NotebookNode]) -> str | None:
    """The first recorded lab that these cells show, as HTML."""
    for cell in cells:
        if "LiveLab(" in cell.source:
            for output in cell.get("outputs", []):
                page = output.get("data", {}).get("text/html", "")
                if "<script" in page:
                    return page
    return None
