"""A real JupyterLab in a headless browser, for tests and benchmarks: open a notebook, run it, use its page.

    with Jupyter(folder) as jupyter:  # or Jupyter.make_lab(course): what a student gets from `make lab`
        jupyter.open("lab.ipynb")
        jupyter.run_all()
        jupyter.page.get_by_role("button", name="Start").click()
        assert jupyter.kernel("lab.trainer.state") == "running"

The browser is Chromium unless another is named; `interface="notebook"` is Jupyter Notebook 7 in JupyterLab's place.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
# How each interface is started, and where it shows a notebook.
INTERFACES = {"lab": ("jupyterlab", "lab/tree"), "notebook": ("notebook", "notebooks")}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
READY = """() => { const w = window.jupyterapp?.shell?.currentWidget;
  return w?.sessionContext?.session?.kernel?.status === 'idle' && w.content?.widgets?.length > 0; }"""
CELLS = """() => { const w = jupyterapp.shell.currentWidget;
  return { status: w.sessionContext.session?.kernel?.status,
    cells: w.content.widgets.map(c => c.model).filter(m => m.type === 'code').map(m => ({
      count: m.executionCount, source: m.sharedModel.getSource(), outputs: m.outputs.toJSON() })) }; }"""
ALERTS = """() => [...document.querySelectorAll('.course-error, [role=alert]')]
    .filter((el) => el.getClientRects().length).map((el) => el.innerText)"""
# anywidget 0.11 gives a widget two seconds to load, and then drops all that the kernel tells it. Tests share a busy
# machine, and ask for effects, never for speed: here its clock stands still.
PATIENT = "AbortSignal.timeout = () => new AbortController().signal"
PIXELS = "n => document.querySelectorAll('.course-canvas')[n].querySelector('canvas').toDataURL()"
EVALUATE = """async (code) => { const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const reply = await kernel.requestExecute({ code: '', user_expressions: { it: code }, store_history: false }).done;
  return reply.content.user_expressions.it; }"""


def write_notebook(path: str | Path, *cells: str) -> None:
    """A notebook of these code cells, with a kernel, so that JupyterLab does not ask for one."""
    made = [{"cell_type": "code", "id": f"cell-{i}", "metadata": {}, "outputs": [], "execution_count": None,
             "source": source} for i, source in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    Path(path).write_text(json.dumps(notebook), encoding="utf-8")


def press(handle: Any, key: str, done: Callable[[float], Any], timeout: float = 60) -> None:
    """Press a key on a slider's handle and wait for its effect.

    JupyterLab moves the focus when it likes, so a key may land elsewhere: every few seconds without the effect it is
    pressed again. Home and End mean the same however often; an arrow is repeated only where the slider has not moved.

    Args:
        handle: the locator of the handle.
        done: waits at most so many milliseconds for the effect, and raises Playwright's TimeoutError without it.
        timeout: seconds in all; then that error is raised.
    """
    from playwright.sync_api import TimeoutError as NotYet

    end, before = time.monotonic() + timeout, handle.get_attribute("aria-valuenow")
    handle.press(key)
    while True:
        left = end - time.monotonic()
        try:
            done(1000 * max(1, min(8, left)))
            return
        except NotYet:
            if left < 8:
                raise
        if key in ("Home", "End") or handle.get_attribute("aria-valuenow") == before:
            handle.press(key)


_playwright: list[Any] = []  # the one of this process, once for each browser that uses it: a second cannot be started


def _acquire_playwright() -> Any:
    from playwright.sync_api import sync_playwright

    _playwright.append(_playwright[0] if _playwright else sync_playwright().start())
    return _playwright[0]


def _release_playwright() -> None:
    last = _playwright.pop()
    if not _playwright:
        last.stop()


class Chromium:
    """A headless Chromium, driven by Playwright; its pages are Playwright's."""

    def __init__(self) -> None:
        playwright = _acquire_playwright()
        try:
            self._browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        except BaseException:
            _release_playwright()
            raise

    def new_page(self, viewport: dict[str, int], device_scale_factor: float = 1) -> Any:
        """A fresh page, with cookies of its own."""
        return self._browser.new_page(viewport=viewport, device_scale_factor=device_scale_factor)

    def close(self) -> None:
        """End it."""
        try:
            self._browser.close()
        finally:
            _release_playwright()


@contextmanager
def bare_page(width: int = 800, height: int = 700) -> Iterator[Any]:
    """A blank Playwright page without JupyterLab, for what the browser does alone."""
    browser = Chromium()
    try:
        yield browser.new_page({"width": width, "height": height})
    finally:
        browser.close()


class Jupyter:
    """JupyterLab on a folder and a browser page that shows it.

    Args:
        folder: the server's root.
        command: starts the server and takes JupyterLab's options after it; run in `folder`'s parent.
        width, height: of the page, in CSS pixels.
        scale: device pixels per CSS pixel.
        dark: JupyterLab's dark theme.
        interface: "lab", or "notebook" for Jupyter Notebook 7; without `command`.
        browser: makes the browser: `Chromium`, or `Firefox` of `firefox.py`.

    Attributes:
        page: the Playwright page; in Firefox what takes its place.
        log: what the server printed until it told its address.
        console: error lines of the browser's console.
    """

    def __init__(self, folder: str | Path, command: Sequence[str] | None = None, width: int = 1200,
                 height: int = 900, scale: float = 1, dark: bool = False, interface: str = "lab",
                 browser: Callable[[], Any] = Chromium):
        self.folder, self.dark = Path(folder).resolve(), dark
        self._command_line = command
        self._module, self._place = INTERFACES[interface]
        self._make_browser = browser
        self._viewport, self._scale = {"width": width, "height": height}, scale
        self.console: list[str] = []

    @classmethod
    def make_lab(cls, course: Path) -> Self:
        """JupyterLab as `make lab` starts it in a course folder, with the settings that the course gives it."""
        return cls(course / "work", command=["make", "lab"])

    @contextmanager
    def fresh(self) -> Iterator[Self]:
        """A page of its own on this server, on which nothing runs yet; what was begun on it ends with it."""
        self.page.close()
        self.console.clear()
        self.new_page()
        try:
            yield self
        finally:
            for session in self._api("GET", "sessions"):
                self._api("DELETE", f"sessions/{session['id']}")

    def _api(self, method: str, path: str) -> Any:
        """What the server's REST API answers; None for nothing."""
        request = urllib.request.Request(f"{self._url}/api/{path}", method=method,
                                         headers={"Authorization": self._token.replace("token=", "token ")})
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def __enter__(self) -> Self:
        self._browser = self._server = None
        self._private = Path(tempfile.mkdtemp(prefix="course-jupyter-"))
        try:
            self._serve()
            self._launch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._browser:
            self._browser.close()
        if self._server:
            os.killpg(self._server.pid, signal.SIGTERM)  # the server ends its kernels, too
            self._server.wait(30)
        shutil.rmtree(self._private, ignore_errors=True)

    def _serve(self) -> None:
        self._setting("notebook-extension/tracker", windowingMode="none")
        if self.dark:
            self._setting("apputils-extension/themes", theme="JupyterLab Dark")
        not_a_readers = ("COURSE_", "OMP_NUM_THREADS", "MAKE", "MFLAGS")  # of CI, or of the make that runs the tests
        env = {name: value for name, value in os.environ.items() if not name.startswith(not_a_readers)}
        env |= {"JUPYTERLAB_SETTINGS_DIR": str(self._private / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(self._private / "workspaces")}
        options = ["--no-browser", "--port=0", "--expose-app-in-browser"]
        if self._command_line:
            command, cwd = [*self._command_line, f"ARGS={' '.join(options)}"], self.folder.parent
        else:
            self._setting("apputils-extension/notification", fetchNews="false")
            command, cwd = [sys.executable, "-m", self._module, "--allow-root", *options], self.folder
        log = self._private / "server.log"
        with open(log, "w", encoding="utf-8") as file:
            self._server = subprocess.Popen(command, cwd=cwd, env=env, stdout=file, stderr=subprocess.STDOUT,
                                            start_new_session=True)
        for _ in range(480):
            self.log = log.read_text(encoding="utf-8")
            if found := re.search(r"(http://(?:127\.0\.0\.1|localhost):\d+)/(?:lab|tree)\S*\?(token=\w+)", self.log):
                self._url, self._token = found.groups()
                return
            if self._server.poll() is not None:
                break
            time.sleep(0.25)
        raise RuntimeError(f"{self._module} did not start:\n{self.log[-2000:]}")

    def _setting(self, plugin: str, **values: Any) -> None:
        path = self._private / f"settings/@jupyterlab/{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def _launch(self) -> None:
        self._browser = self._make_browser()
        self.new_page()

    def new_page(self) -> None:
        """A fresh page, as after closing the old one."""
        self.page = self._browser.new_page(viewport=self._viewport, device_scale_factor=self._scale)
        self.page.add_init_script(PATIENT)
        self.page.on("console", self._hear)

    def open(self, notebook: str) -> None:
        """Show a notebook of the folder and wait for its kernel."""
        self.page.goto(f"{self._url}/{self._place}/{notebook}?{self._token}&reset", wait_until="domcontentloaded",
                       timeout=90_000)
        self.page.wait_for_function(f"() => ({READY})() || !!document.querySelector('.jp-Dialog')", timeout=90_000)
        if asked := self.page.evaluate("() => document.querySelector('.jp-Dialog')?.innerText ?? null"):
            raise RuntimeError(f"JupyterLab asks before the notebook can run: {asked!r}")
        self.page.evaluate("() => { jupyterapp.shell.collapseLeft?.(); jupyterapp.shell.collapseRight?.(); return 1 }")

    def cells(self) -> list[dict[str, Any]]:
        """Each code cell's count, source and outputs, as the page has them."""
        return self.page.evaluate(CELLS)["cells"]

    def _hear(self, message: Any) -> None:
        """Keep an error; not that of the hub's memory display, which is installed here and asks servers without it."""
        if message.type == "error" and "/api/metrics/" not in message.location["url"]:
            self.console.append(message.text)

    def run_all(self, timeout: float = 120) -> list[dict[str, Any]]:
        """Run every cell and wait; returns `cells()`. Raises RuntimeError if one failed."""
        before = [c["count"] for c in self.cells()]
        self._command("notebook:run-all-cells")
        return self._settle(lambda cells: all(c["count"] not in (None, was) or not c["source"].strip()
                                              for c, was in zip(cells, before, strict=True)), timeout)

    def run_cell(self, cell: int | str, timeout: float = 60) -> list[dict[str, Any]]:
        """Run one cell, named by its number or by how its source starts, and wait; returns `cells()`."""
        index = self._index(cell)
        before = self.cells()[index]["count"]
        self.page.evaluate("""i => { const content = jupyterapp.shell.currentWidget.content;
            const code = content.widgets.filter(c => c.model.type === 'code');
            content.activeCellIndex = content.widgets.indexOf(code[i]); return 1 }""", index)
        self._command("notebook:run-cell")
        return self._settle(lambda cells: cells[index]["count"] not in (None, before), timeout)

    def _index(self, cell: int | str) -> int:
        if isinstance(cell, int):
            return cell
        return next(i for i, found in enumerate(self.cells()) if found["source"].startswith(cell))

    def set_source(self, cell: int | str, source: str) -> None:
        """Type over a code cell."""
        self.page.evaluate("""([i, text]) => { const cells = jupyterapp.shell.currentWidget.content.widgets;
            cells.filter(c => c.model.type === 'code')[i].model.sharedModel.setSource(text); return 1 }""",
            [self._index(cell), source])

    def _command(self, name: str) -> None:
        self.page.evaluate("name => { jupyterapp.commands.execute(name); return 1 }", name)

    def _settle(self, done: Any, timeout: float) -> list[dict[str, Any]]:
        end, settled = time.monotonic() + timeout, 0
        while time.monotonic() < end:
            state = self.page.evaluate(CELLS)
            errors = [o for c in state["cells"] for o in c["outputs"] if o["output_type"] == "error"]
            if errors:
                raise RuntimeError("\n".join(errors[0]["traceback"]))
            settled = settled + 1 if state["status"] == "idle" and done(state["cells"]) else 0
            if settled >= 2:
                return state["cells"]
            time.sleep(0.15)
        raise TimeoutError(f"cells still running after {timeout} s")

    def kernel(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel; must be a literal."""
        reply = self.page.evaluate(EVALUATE, expression)
        if reply["status"] == "error":
            raise RuntimeError(f"{expression}: {reply['ename']}: {reply['evalue']}")
        return ast.literal_eval(reply["data"]["text/plain"])

    def pixels(self, n: int = 0) -> str:
        """What the n-th live canvas of the page shows, as a data URL."""
        return self.page.evaluate(PIXELS, n)

    def redrawn(self, before: str, n: int = 0, timeout: float = 60_000) -> None:
        """Wait, at most so many milliseconds, until the n-th canvas shows something else than `before`."""
        self.page.wait_for_function(f"([n, before]) => ({PIXELS})(n) !== before", arg=[n, before], timeout=timeout)

    def start_lab(self, cell: int | str, pictures: int, knobs: int, timeout: float = 120) -> Any:
        """Run a lab's cell, hold the numbers of its pictures and knobs, and press Start; returns the lab, a locator."""
        self.run_cell(cell, timeout)
        self.page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
        assert self.page.locator(".course-picture").count() == pictures
        assert self.page.locator(".course-knobs > *").count() == knobs
        lab, before = self.page.locator(".course-lab").first, self.pixels()
        lab.get_by_role("button", name="Start").click()
        self.redrawn(before)
        return lab

    def turn(self, lab: Any, knob: str) -> None:
        """Move the slider of a knob one step up, and wait until the lab says so."""
        changed = self.page.locator(".course-changed", has_text=knob)
        press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
              lambda ms: changed.wait_for(timeout=ms))

    def pause(self, lab: Any) -> None:
        """Press Pause and wait for it; nothing may be wrong then."""
        lab.get_by_role("button", name="Pause").click()
        self.page.locator(".course-state", has_text="Paused").wait_for(timeout=60_000)
        self.nothing_is_wrong()

    def stroke(self, pad: Any, points: Sequence[tuple[float, float]]) -> None:
        """Draw on a pad's canvas with the mouse, along places from 0 to 1, and leave the button pressed."""
        box = pad.bounding_box()
        (x, y), *later = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in points]
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for x, y in later:
            self.page.mouse.move(x, y, steps=6)

    def nothing_is_wrong(self) -> None:
        """No error is shown in a lab or below a picture, and the browser tells none about widgets."""
        assert self.page.evaluate(ALERTS) == []
        assert [line for line in self.console if "widget" in line.lower()] == []

    def until(self, expression: str, timeout: float = 60) -> None:
        """Wait until an expression in the kernel is true."""
        end = time.monotonic() + timeout
        while not self.kernel(f"bool({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"never true in {timeout} s: {expression}")
            time.sleep(0.1)
