"""Formulas, set by KaTeX when the site is built: pages need no script for them, and hold MathML for those who listen.

All formulas of a build go through one node process; `npm ci` in the folder `web` brings what it needs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from course_lib.files import atomic_write

INSTALL = "install Node.js 20 or newer from nodejs.org or your system's packages, then run `npm ci` in the folder web"


class WebToolsMissing(Exception):
    """Node.js, or a package that it should have brought, is not there; the message says what to run."""


class FormulaError(ValueError):
    """KaTeX cannot set a formula; the message holds the formula and what KaTeX says."""


def require_web_tools(web: Path) -> Path:
    """The node program. Raises WebToolsMissing where it, KaTeX or the font is missing."""
    node = shutil.which("node")
    if node is None:
        raise WebToolsMissing(f"the site's formulas are set by node, which is not found: {INSTALL}")
    for package in json.loads((web / "package.json").read_text(encoding="utf-8"))["dependencies"]:
        if not (web / "node_modules" / package / "package.json").exists():
            raise WebToolsMissing(f"{package} is not in {web / 'node_modules'}: run `npm ci` in {web}")
    return Path(node)


class Katex:
    """Sets formulas, each once; to be used in a `with`, which ends the process.

    Attributes:
        count: how many different formulas were set.
    """

    def __init__(self, web: Path) -> None:
        node = require_web_tools(web)
        self._process = subprocess.Popen([node, web / "katex.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, encoding="utf-8")
        self._set: dict[tuple[str, bool], str] = {}

    @property
    def count(self) -> int:
        return len(self._set)

    def html(self, tex: str, display: bool) -> str:
        """The formula as HTML, which holds MathML too.

        Raises:
            FormulaError: KaTeX does not understand it.
        """
        key = (tex, display)
        if key not in self._set:
            self._process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            if not answer:
                raise WebToolsMissing(f"node ended early, its words are above: {INSTALL}")
            answer = json.loads(answer)
            if "error" in answer:
                raise FormulaError(f"{tex!r}: {answer['error']}")
            self._set[key] = answer["html"]
        return self._set[key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def copy_styles(web: Path, folder: Path) -> None:
    """KaTeX's style sheet and its fonts, as WOFF2 alone, which every browser of today reads."""
    made = web / "node_modules/katex/dist"
    style = (made / "katex.min.css").read_text(encoding="utf-8")
    style = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", style)
    (folder / "fonts").mkdir(parents=True, exist_ok=True)
    atomic_write(folder / "katex.min.css", style)
    for name in sorted(set(re.findall(r"url\(fonts/([^)]*)\)", style))):
        shutil.copyfile(made / "fonts" / name, folder / "fonts" / name)
    shutil.copyfile(made.parent / "LICENSE", folder / "LICENSE")
