"""Walk through a built site as readers do: by a server and from the disk, on a desk and on a phone, light and dark."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import threading
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from playwright.sync_api import Browser, Page

SLOW = 180_000  # milliseconds: long pages on a busy machine
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
AXE = """async () => { const { violations } = await axe.run(
  { include: [document], exclude: ['.katex-html'] },  // that part is hidden from those who listen
  { resultTypes: ['violations'], preload: false });
  const isFormula = (id, n) =>  // axe takes a column's name that is a formula, MathML, for none
    id === 'empty-table-header' && document.querySelector(n.target[0])?.querySelector('math');
  return violations.flatMap(({ id, nodes }) => nodes.filter((n) => !isFormula(id, n))
    .map((n) => `${id}: ${n.target}: ${n.html.slice(0, 160)}`)); }"""
OVERFLOW = """() => { const page = document.documentElement, wide = page.clientWidth;
  if (page.scrollWidth <= wide) return [];
  const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > wide + 1);
  return [`${page.scrollWidth} of ${wide} pixels`, ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))]; }"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a port of this machine's own; gives the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Links(HTMLParser):
    """What a page links to and loads, and the anchors that it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: Counter[str] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors[value] += 1
            elif name in ("href", "src", "poster") and value:
                self.targets.append(value)


def pages(folder: Path) -> list[str]:
    """The addresses of all pages, relative to the site."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html")
                  if "_static" not in path.relative_to(folder).parts)


def dead_links(folder: Path) -> list[str]:
    """Links and files of pages and style sheets that are not there; addresses of the web are not looked at."""
    read = {page: Links((folder / page).read_text(encoding="utf-8")) for page in pages(folder)}
    dead = []
    for page, links in read.items():
        for target in links.targets:
            if urlsplit(target).scheme:
                continue
            address, anchor = urldefrag(urljoin(page, target))
            address, anchor = unquote(urlsplit(address).path) or page, unquote(anchor)
            if not (folder / address).is_file():
                dead.append(f"{page}: {target}")
            elif anchor and address in read and anchor not in read[address].anchors:
                dead.append(f"{page}: {target} (no such anchor)")
    for style in folder.rglob("*.css"):
        for target in re.findall(r"url\([\"']?([^\"')]+)", style.read_text(encoding="utf-8")):
            if not urlsplit(target).scheme and not (style.parent / urlsplit(target).path).is_file():
                dead.append(f"{style.name}: {target}")
    return dead


def faults(browser: Browser, address: str, size: str, theme: str, axe: bool = True) -> list[str]:
    """What is wrong with a page: requests to elsewhere or in vain, errors of its scripts, what is wider than it, and
    what axe-core finds."""
    width, height = SIZES[size]
    root = address if address.startswith("file:") else address[:address.index("/", 8) + 1]
    found: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    try:
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.on("request", lambda r: found.append(f"outside: {r.url}") if not _own(r.url, root) else None)
        page.on("requestfailed", lambda r: found.append(f"failed: {r.url}"))
        page.on("response", lambda r: found.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.on("console", lambda m: found.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: found.append(f"script: {e}"))
        page.goto(address, wait_until="load")
        found += [f"wider than the page: {what}" for what in page.evaluate(OVERFLOW)]
        if axe:
            found += axe_finds(page)
    finally:
        context.close()
    return found


def axe_finds(page: Page) -> list[str]:
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    return page.evaluate(AXE)


def _own(url: str, root: str) -> bool:
    return url.startswith(("data:", "blob:")) or (url.startswith("file:") if root.startswith("file:")
                                                  else url.startswith(root))


def found_by_search(browser: Browser, site: str, query: str) -> list[str]:
    """The addresses that the site's own search gives, in its order."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.goto(f"{site}search.html?q={query}")
        page.wait_for_function("() => /found|did not match/.test(document.querySelector('#search-results')?.innerText)")
        return page.locator("#search-results ul.search a").evaluate_all("links => links.map((a) => a.href)")
    finally:
        context.close()
