"""Build the site: run what must be run, write what Sphinx reads, let it write the pages, put them in their place."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.authoring.handout import COURSE, student_zip
from course_lib.authoring.readme import addresses
from course_lib.authoring.site.execute import ESCAPES, executed
from course_lib.authoring.site.katex import Katex, copy_styles, require_web_tools
from course_lib.authoring.site.outputs import Figures, for_page
from course_lib.authoring.site.pages import (
    ARCHIVE,
    Site,
    front_page,
    glossary_page,
    link_to,
    player_of,
    read_notebook,
    relinked,
    run_notebook,
    terms,
)
from course_lib.authoring.site.taste import TASTE, taste_page
from course_lib.files import atomic_write

FONT = "@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff2"


MENDED = (  # what the theme leaves out for those who listen: a level, and names that tell two landmarks apart
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="Site">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="On this page">'))


class SiteError(Exception):
    """Sphinx complains of a page; the message says of which, and why."""


def build_site(out: Path, notebooks: Sequence[Path], *, course: Path = COURSE, work: Path | None = None,
               teacher: bool = False, tell: Callable[[str], None] = print) -> None:
    """Build the site of these notebooks and of the course's documents.

    Args:
        out: the folder to write, which takes the place of what stands there.
        notebooks: students' notebooks that get a page.
        course: the course's folder.
        work: where run notebooks and intermediate files are kept; `build/site` of the course by default.
        teacher: whether the pages of `docs/teaching` are among the pages.
        tell: is told how far it has come.

    Raises:
        WebToolsMissing: Node.js or one of its packages is not there.
        NotebookFailed: a cell raised.
        SiteError: a link leads nowhere, or a page cannot be read.
    """
    work = course / "build/site" if work is None else work
    require_web_tools(course / "web")
    run = executed(notebooks, course, work / "cache", tell)
    archive = work / ARCHIVE
    student_zip(archive, course)
    site = Site(course, tuple(notebooks), teacher, addresses(course)["repository"], archive.stat().st_size)
    tell("writing the pages")
    figures = Figures(work / "figures")
    source = _Folder(work / "source")
    _write_sources(source, site, run, figures)
    source.drop_others()
    _write_static(work, site, figures)
    _sphinx_if_changed(work, site)
    _put(work / "html", archive, out)
    tell(f"{out}: {len(list(out.rglob('*.html')))} pages, {_size(out) / 1e6:.0f} MB without {ARCHIVE}")


class _Folder:
    """Files that Sphinx reads: those that say the same already are left alone, so that it reads only what is new."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.written = folder, set()

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        self.written.add(path)
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, content)

    def drop_others(self) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.written:
                path.unlink()


def _write_sources(source: _Folder, site: Site, run: dict[Path, Path], figures: Figures) -> None:
    def along(file: str) -> None:
        source.write(file, (site.course / file).read_bytes())

    player = None
    for path in site.notebooks:
        notebook = read_notebook(run[path])
        _for_page(notebook, path, site, figures, along)
        player = player or player_of(notebook.cells)
        source.write(f"notebooks/{path.name}", nbformat.writes(notebook).encode())
    for name in site.documents():
        text = relinked((site.course / name).read_text(encoding="utf-8"), name, site.pages(), site.course, along)
        source.write(name, (glossary_page(text) if name == "docs/glossary.md" else text).encode())
    for licence in ("LICENSE", "LICENSE-TEXT"):
        along(licence)
    source.write("index.md", front_page(site, player).encode())
    source.write(f"{TASTE}.md", taste_page(link_to("05", site)).encode())


def _for_page(notebook: NotebookNode, path: Path, site: Site, figures: Figures, along: Callable[[str], None]) -> None:
    """Change a run notebook into its page."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relinked(cell.source, f"notebooks/{path.name}", site.pages(), site.course, along)
        elif cell.cell_type == "code":
            for_page(cell, figures, "../_static/figures", f"../{ARCHIVE}")
    how = nbformat.v4.new_markdown_cell(run_notebook(path.name, site), id="how-to-run")
    notebook.cells.insert(1, how)


def _write_static(work: Path, site: Site, figures: Figures) -> None:
    """What pages show beside their text: our style and script, KaTeX's style and fonts, the Chinese font, figures."""
    static, web = work / "static", site.course / "web"
    if static.exists():
        shutil.rmtree(static)
    shutil.copytree(web / "static", static)
    copy_styles(web, static / "katex")
    _chinese_font(web, site, static / "fonts")
    (static / "figures").mkdir()
    for name in sorted(figures.used):
        shutil.copyfile(figures.folder / name, static / "figures" / name)


def _chinese_font(web: Path, site: Site, folder: Path) -> None:
    """The part of Noto Sans SC that the pages need, beside its licence."""
    from fontTools import subset

    texts = (site.course / name for name in site.documents())
    needed = {c for path in texts for c in path.read_text(encoding="utf-8") if ord(c) > 0x2E80} | set("术语表")
    options = subset.Options(flavor="woff2", layout_features=[], desubroutinize=True, notdef_outline=True)
    font = subset.load_font(str(web / "node_modules" / FONT), options)
    cut = subset.Subsetter(options)
    cut.populate(text="".join(sorted(needed)))
    cut.subset(font)
    folder.mkdir(parents=True)
    subset.save_font(font, str(folder / "noto-sans-sc.woff2"), options)
    shutil.copyfile(web / "node_modules" / Path(FONT).parents[1] / "LICENSE", folder / "noto-sans-sc-LICENSE.txt")


def _sphinx_if_changed(work: Path, site: Site) -> None:
    """Let Sphinx write the pages into `work/html`, unless it has written just these."""
    built, digest = work / "built", hashlib.sha256(_code(site.course).encode())
    for folder in ("source", "static"):
        for path in sorted((work / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(work).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    if built.exists() and built.read_text(encoding="utf-8") == digest.hexdigest():
        return
    built.unlink(missing_ok=True)
    if (work / "html").exists():
        shutil.rmtree(work / "html")
    _sphinx(work, site)
    atomic_write(built, digest.hexdigest())


def _sphinx(work: Path, site: Site) -> None:
    """Let Sphinx read what is new and write all pages: of pages that it leaves alone the search loses index entries."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    words = io.StringIO()
    with Katex(site.course / "web") as katex, patch_docutils(site.course / "web"), docutils_namespace():
        try:
            app = Sphinx(work / "source", site.course / "web", work / "html", work / "doctrees", "html", status=None,
                         warning=words, confoverrides=_settings(work, site, katex), parallel=1)
            app.build(force_all=True)
        except SphinxError as error:
            raise SiteError(ESCAPES.sub("", f"{words.getvalue()}{error}")) from error
    if words.getvalue():
        shutil.rmtree(work / "doctrees")  # so that a complaint is made again
        raise SiteError(ESCAPES.sub("", words.getvalue()))


def _settings(work: Path, site: Site, katex: Katex) -> dict[str, object]:
    return {"html_static_path": [str(work / "static")], "course_terms": terms(site.course),
            "course_katex": lambda: katex, "course_code": _code(site.course)}


def _code(course: Path) -> str:
    """Hash of what makes pages of sources."""
    digest = hashlib.sha256()
    ours = [*(course / "course_lib/authoring/site").glob("*.py"), *(course / "web/templates").rglob("*")]
    named = (course / name for name in ("web/conf.py", "constraints.txt", "docs/glossary.md"))
    for file in sorted([*ours, *named]):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _put(pages: Path, archive: Path, out: Path) -> None:
    """The pages and the zip in their place, all at once."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".site-") as folder:
        made = Path(folder) / "site"
        shutil.copytree(pages, made, ignore=shutil.ignore_patterns(".buildinfo", "_sources", "objects.inv"))
        for page in made.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            for old, new in MENDED:
                text = text.replace(old, new)
            page.write_text(text, encoding="utf-8", newline="")
        shutil.copyfile(archive, made / ARCHIVE)
        (made / ".nojekyll").touch()  # so that GitHub Pages keeps folders that begin with _
        if out.exists():
            out.rename(Path(folder) / "old")
        made.rename(out)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != ARCHIVE)
