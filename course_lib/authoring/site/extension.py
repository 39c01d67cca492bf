"""What Sphinx is told for the course's site: formulas by KaTeX, the glossary's terms, what stands on every page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform

from course_lib.authoring.glossary import Entry
from course_lib.authoring.site.katex import FormulaError
from course_lib.authoring.site.pages import ARCHIVE

GLOSSARY = "docs/glossary"
CHINESE = re.compile(r"[\u3400-\u9fff]+")
UNTOUCHED = (nodes.title, nodes.reference, nodes.literal, nodes.math, nodes.math_block, nodes.literal_block, nodes.raw,
             nodes.table, addnodes.pending_xref)

OPENING, CLOSING = re.compile(r"[(\[“‘]*$"), re.compile(r"(?:'s|-\w+)?[)\],.;:!?’”]*")
SHORT = 24  # characters of TeX: what is longer may have to break within


def slug(title: str) -> str:
    """A heading's anchor as JupyterLab makes it, by which the notebooks link to it."""
    return title.replace(" ", "-")


def term_id(term: str) -> str:
    """The anchor of a term's row in the glossary."""
    return f"term-{nodes.make_id(term)}"


def pairs(chinese: str) -> list[str]:
    """What to find Chinese words by, where a search sees none within a run of characters: the run and its pairs."""
    found = []
    for run in CHINESE.findall(chinese):
        found += [run, *(run[i:i + 2] for i in range(len(run) - 1))]
    return found


class GlossaryRows(SphinxTransform):
    """Each row of the glossary gets an anchor, an entry in the index, and its Chinese words get keywords."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        if self.env.docname != GLOSSARY:
            return
        entries = {entry.term: entry for entry in self.config.course_terms}
        for row in self.document.findall(nodes.row):
            cells = [cell.astext().strip() for cell in row.findall(nodes.entry)]
            entry = entries.get(_plain(cells[0]))
            if entry is None:
                continue
            anchor = term_id(entry.term)
            row["ids"].append(anchor)
            index = addnodes.index(entries=[("single", name, anchor, "", None) for name in (entry.term, entry.chinese)])
            term, chinese, *_ = row.findall(nodes.entry)
            term.insert(0, index)
            chinese["classes"].append("zh")


class Keywords(SphinxTransform):
    """The glossary, and each notebook that it names, is found by the Chinese words, whole or in part."""

    default_priority = 510

    def apply(self, **kwargs: Any) -> None:
        words = [word for entry in entries_of(self.env.docname, self.config.course_terms)
                 for word in pairs(entry.chinese)]
        if words:
            self.document.insert(0, nodes.meta(name="keywords", content=",".join(dict.fromkeys(words))))


def entries_of(page: str, entries: Iterable[Entry]) -> list[Entry]:
    """The glossary's rows that concern a page: on the glossary's all, on a notebook's those that name it."""
    return [entry for entry in entries if page == GLOSSARY or any(
        address.removeprefix("../").removesuffix(".ipynb") == page for _, address in entry.notebooks)]


def _plain(text: str) -> str:
    return re.sub(r"[*`$\\]", "", text)


def link_terms(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """On a notebook's page the first mention of each of its terms leads to the glossary, and shows the meaning."""
    entries = {} if page == GLOSSARY else {entry.term.casefold(): entry
                                           for entry in entries_of(page, app.config.course_terms)}
    if not entries:
        return
    to = app.builder.get_relative_uri(page, GLOSSARY)
    waiting = dict(entries)
    for text in list(doctree.findall(nodes.Text)):
        if not waiting:
            return
        if _inside(text, UNTOUCHED):
            continue
        words, made, after = str(text), [], 0
        for match in _any_of(waiting).finditer(words):
            entry = waiting.pop(" ".join(match["term"].split()).casefold(), None)
            if entry is None:
                continue  # twice in one text
            link = nodes.reference(match[0], match[0], internal=True, classes=["term"],
                                   refuri=f"{to}#{term_id(entry.term)}",
                                   reftitle=f"{entry.chinese} · {_plain(entry.meaning)}")
            made += [nodes.Text(words[after:match.start()]), link]
            after = match.end()
        if made:
            made.append(nodes.Text(words[after:]))
            text.parent.replace(text, [node for node in made if node.astext()])


def hold_punctuation(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A short formula keeps the comma after it, and the bracket before it, in its line, as a word would.

    What a browser sets as a box may else end a line on either side.
    """
    for formula in list(doctree.findall(nodes.math)):
        siblings, at = formula.parent.children, formula.parent.index(formula)
        before, after = (str(siblings[i]) if 0 <= i < len(siblings) and isinstance(siblings[i], nodes.Text) else ""
                         for i in (at - 1, at + 1))
        opening, closing = OPENING.search(before)[0], CLOSING.match(after)[0]
        if len(formula.astext()) <= SHORT and (opening or closing):
            held = nodes.inline("", "", nodes.Text(opening), formula.deepcopy(), nodes.Text(closing),
                                classes=["nowrap"])
            made = [nodes.Text(before.removesuffix(opening))] if before else []
            made += [held] + ([nodes.Text(after.removeprefix(closing))] if after else [])
            siblings[at - bool(before):at + 1 + bool(after)] = made
            for node in made:
                node.parent = formula.parent


def _any_of(terms: Iterable[str]) -> re.Pattern[str]:
    """Any of the terms, the longest that fits, in the singular or plural; lines may break between its words."""
    longest_first = sorted(terms, key=len, reverse=True)
    words = "|".join(r"\s+".join(map(re.escape, term.split())) for term in longest_first)
    return re.compile(rf"(?<![\w-])(?P<term>{words})(?:s|es)?(?![\w-])", re.I)


def _inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def _visit_math(translator: Any, node: nodes.Element) -> None:
    _set(translator, node, display=False)


def _visit_math_block(translator: Any, node: nodes.Element) -> None:
    _set(translator, node, display=True)


def _set(translator: Any, node: nodes.Element, display: bool) -> None:
    try:
        formula = translator.config.course_katex().html(node.astext(), display)
    except FormulaError as error:
        raise ExtensionError(f"{translator.builder.current_docname}: {error}") from error
    translator.body.append(f'<span class="{"math-block" if display else "math-inline"}">{formula}</span>')
    raise nodes.SkipNode


def _page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """What every page's templates are given, and the languages of what is not English."""
    context["archive"] = context["pathto"](ARCHIVE, 1)
    if page == GLOSSARY:
        context["body"] = re.sub(r'<td class="zh">', '<td class="zh" lang="zh-Hans">', context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("course_terms", [], "env")
    app.add_config_value("course_code", "", "env")  # a hash: other code of ours, other pages
    app.add_config_value("course_katex", None, "")
    app.add_transform(GlossaryRows)
    app.add_transform(Keywords)
    app.add_html_math_renderer("course_katex", (_visit_math, None), (_visit_math_block, None))
    app.connect("doctree-resolved", link_terms)
    app.connect("doctree-resolved", hold_punctuation)
    app.connect("html-page-context", _page)
    return {"parallel_read_safe": False, "parallel_write_safe": False}
