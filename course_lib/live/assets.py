"""The JavaScript and CSS beside these modules, as a widget's page takes them: as one text each.

The JavaScript is written as ES modules. A page could not follow their imports, since anywidget hands it a text without
an address; so `script` joins a file and what it imports, and each imported file keeps a scope of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
import traceback
import weakref
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from course_lib.plots import PALETTE

HERE = Path(__file__).parent
LOOK_EVERY = 0.3  # seconds between two looks for files that were edited

IMPORT = re.compile(r'^import (?P<what>\{[\w\s,]+\}|\* as \w+) from "\./(?P<file>[\w.-]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function|class) (\w+))", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)  # once those above are gone
OTHER_IN_ENTRY = re.compile(r"^(?:import|export(?! default ))\b.*", re.MULTILINE)

Times = dict[str, int]  # when each file was last written, in nanoseconds


def script(file: str, folder: Path = HERE) -> str:
    """A file of JavaScript and all that it imports, as the text of one ES module.

    Understood are, each from the first column of a line, `import { a, b } from "./file.js";`,
    `import * as all from "./file.js";`, `export const`, `export function`, `export class` and, in `file` alone,
    `export default`.

    Raises:
        ValueError: another form of import or export, a name that is not exported, or files that import each other.
        FileNotFoundError: an imported file that is not there.
    """
    exported: dict[str, list[str]] = {}  # the names, by file
    scopes: list[str] = []  # of the imported files, each after those that it imports itself

    def variable(name: str) -> str:
        return "_" + re.sub(r"\W", "_", name)

    def translate(name: str, importers: tuple[str, ...]) -> str:
        if name in importers:
            raise ValueError(f"files import each other: {' → '.join((*importers, name))}")

        def imported(found: re.Match[str]) -> str:
            what, source = found["what"], found["file"]
            if source not in exported:
                text = translate(source, (*importers, name))
                names = ", ".join(exported[source])
                scopes.append(f"const {variable(source)} = (() => {{\n{text}\nreturn {{ {names} }};\n}})();\n")
            if what.startswith("*"):
                return f"const {what.split()[-1]} = {variable(source)};"
            if missing := set(re.findall(r"\w+", what)) - set(exported[source]):
                raise ValueError(f"{name} imports {', '.join(sorted(missing))}, which {source} does not export")
            return f"const {what} = {variable(source)};"

        text = IMPORT.sub(imported, (folder / name).read_text(encoding="utf-8"))
        names = EXPORT.findall(text)
        text = EXPORT.sub("", text)
        if other := (OTHER if importers else OTHER_IN_ENTRY).search(text):
            raise ValueError(f"{name} has {other[0]!r}, which course_lib.live.assets does not understand")
        exported[name] = names
        return text

    entry = translate(file, ())
    return "".join(scopes) + entry


def styles(*files: str, folder: Path = HERE) -> str:
    """Files of CSS, one after the other; before them the colours of the figures, as `--course-blue` and so on."""
    palette = " ".join(f"--course-{name}: {color};" for name, color in PALETTE.items())
    return "\n".join([f":root {{ {palette} }}", *((folder / file).read_text(encoding="utf-8") for file in files)])


class PageWidget(anywidget.AnyWidget):
    """A widget made of files beside these modules. It takes them as they are when it is made.

    With `ANYWIDGET_HMR=1` in the kernel's environment it also follows every later edit, in the open page: the new text
    is sent, and anywidget draws the widget anew with it. This is anywidget's own switch, but anywidget watches one file
    of JavaScript at most, and with a package that the course does not need otherwise.
    """

    FOLDER: ClassVar[Path] = HERE
    SCRIPT: ClassVar[str]
    STYLES: ClassVar[tuple[str, ...]]

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if os.environ.get("ANYWIDGET_HMR") == "1":
            _watcher.add(self)

    @traitlets.default("_esm")
    def _script(self) -> str:
        return script(self.SCRIPT, self.FOLDER)

    @traitlets.default("_css")
    def _styles(self) -> str:
        return styles(*self.STYLES, folder=self.FOLDER)

    def reload(self) -> None:
        """Take the files as they are now; the page is told only what has changed."""
        self._esm, self._css = self._script(), self._styles()


class _Watcher:
    """Reloads widgets when a file changes: a thread that begins with the first widget, and looks at the files' times,
    which works on every system and with every editor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._widgets: weakref.WeakKeyDictionary[PageWidget, Times] = weakref.WeakKeyDictionary()  # and their files
        self._thread: threading.Thread | None = None

    def add(self, widget: PageWidget) -> None:
        with self._lock:
            self._widgets[widget] = _times(widget.FOLDER)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="course-assets", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            with self._lock:
                widgets = list(self._widgets.items())
            for widget, seen in widgets:
                now = _times(widget.FOLDER)
                if now == seen:
                    continue
                with self._lock:
                    self._widgets[widget] = now
                try:
                    widget.reload()
                except (OSError, ValueError):  # half-written, or a mistake: the page keeps what it has
                    traceback.print_exc(file=sys.stderr)


def _times(folder: Path) -> Times:
    """When each file was last written; one that an editor is just replacing is left out."""
    times = {}
    for path in folder.iterdir():
        if path.suffix in (".js", ".css"):
            with contextlib.suppress(FileNotFoundError):
                times[path.name] = path.stat().st_mtime_ns
    return times


_watcher = _Watcher()
