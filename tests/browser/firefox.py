"""Firefox, headless, by the WebDriver BiDi that it speaks itself: no geckodriver, and no driver's package.

A page has as much of Playwright's page, under the same names, as `Jupyter` and the tests in several browsers use.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import websocket

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
ADDRESS = "WebDriverBiDiServer.json"  # Firefox writes it into its profile once it listens
KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "End": "\ue010",
        "Home": "\ue011", "Enter": "\ue007"}  # the others stand for themselves
CALL = "async (text) => JSON.stringify((await ({function})(...JSON.parse(text))) ?? null)"
STARTS = 120  # seconds until it listens, and as many until it has a session, on a busy machine


class Firefox:
    """A Firefox of its own, with a fresh profile.

    Raises:
        RuntimeError: there is no Firefox, or it does not start.
    """

    def __init__(self) -> None:
        if FIREFOX is None:
            raise RuntimeError("no Firefox is found")
        self._profile = Path(tempfile.mkdtemp(prefix="course-firefox-"))
        command = [FIREFOX, "--headless", "--no-remote", "--profile", str(self._profile), "--remote-debugging-port=0"]
        home = {"HOME": str(self._profile), "XDG_CACHE_HOME": str(self._profile)}  # root's, if root runs it
        with open(self._profile / "log", "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(command, env=os.environ | home, stdout=log, stderr=subprocess.STDOUT)
        self._hear: dict[str, Callable[[Any], None]] = {}  # of each page, by its context
        self._count = 0
        try:
            # Without an Origin, as one that is no web page: Firefox takes no page's connection.
            self._socket = websocket.create_connection(self._address(), timeout=60, suppress_origin=True)
            self.send("session.new", STARTS, capabilities={})
            self.send("session.subscribe", events=["log.entryAdded"])
        except BaseException:
            self.close()
            raise

    def _address(self) -> str:
        end, file = time.monotonic() + STARTS, self._profile / ADDRESS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                told = json.loads(file.read_text(encoding="utf-8"))
                return f"ws://{told['ws_host']}:{told['ws_port']}/session"
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.1)
        raise RuntimeError(f"Firefox did not start:\n{(self._profile / 'log').read_text(encoding='utf-8')[-2000:]}")

    def send(self, method: str, timeout: float = 60, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and wait for its result; what the pages' consoles say meanwhile is passed on.

        Raises:
            RuntimeError: Firefox refuses it.
            TimeoutError: no word from Firefox for so many seconds.
        """
        self._count += 1
        self._socket.settimeout(timeout)
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            try:
                told = json.loads(self._socket.recv())
            except websocket.WebSocketTimeoutException as error:
                raise TimeoutError(f"{method}: no answer in {timeout:g} s") from error
            if told["type"] == "event":
                entry = told["params"]
                if hear := self._hear.get(entry["source"].get("context", "")):
                    hear(SimpleNamespace(type=entry["level"], text=entry["text"] or "",
                                         location={"url": _where(entry)}))
            elif told["id"] == self._count:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['error']}: {told['message']}")
                return told["result"]

    def new_page(self, viewport: dict[str, int], device_scale_factor: float = 1) -> FirefoxPage:
        """A fresh tab."""
        context = self.send("browsingContext.create", type="tab")["context"]
        self.send("browsingContext.setViewport", context=context, viewport=viewport,
                  devicePixelRatio=device_scale_factor)
        return FirefoxPage(self, context)

    def listen(self, context: str, hear: Callable[[Any], None]) -> None:
        """Have `hear` called with each line of a page's console."""
        self._hear[context] = hear

    def close(self) -> None:
        """End it, and remove its profile."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


def _where(entry: dict[str, Any]) -> str:
    frames = (entry.get("stackTrace") or {}).get("callFrames") or [{"url": ""}]
    return frames[0]["url"]


class FirefoxPage:
    """A tab. See Playwright's `Page` for what each method does."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser, self._context = browser, context
        self.mouse, self.keyboard = _Mouse(self._act), _Keyboard(self._act)

    def on(self, event: str, hear: Callable[[Any], None]) -> None:
        if event != "console":
            raise ValueError(f"only 'console' can be listened to, not {event!r}")
        self._browser.listen(self._context, hear)

    def add_init_script(self, script: str) -> None:
        self._browser.send("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}",
                           contexts=[self._context])

    def goto(self, url: str, wait_until: str = "domcontentloaded", timeout: float = 30_000) -> None:
        if wait_until != "domcontentloaded":
            raise ValueError(f"wait_until must be 'domcontentloaded', not {wait_until!r}")
        self._browser.send("browsingContext.navigate", timeout / 1000, context=self._context, url=url,
                           wait="interactive")

    def evaluate(self, function: str, arg: Any = None) -> Any:
        """What a function of JavaScript returns; what goes in and comes out must be JSON."""
        told = self._browser.send(
            "script.callFunction", functionDeclaration=CALL.format(function=function), awaitPromise=True,
            target={"context": self._context}, arguments=[{"type": "string", "value": json.dumps([arg])}])
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def wait_for_function(self, function: str, arg: Any = None, timeout: float = 30_000) -> None:
        """Raises Playwright's TimeoutError, as its own page does."""
        from playwright.sync_api import TimeoutError as NotYet

        end = time.monotonic() + timeout / 1000
        while not self.evaluate(function, arg):
            if time.monotonic() > end:
                raise NotYet(f"never true in {timeout / 1000:g} s: {function}")
            time.sleep(0.1)

    def locator(self, css: str) -> _Locator:
        """The first element that a CSS selector names."""
        return _Locator(self, css)

    def close(self) -> None:
        self._browser.send("browsingContext.close", context=self._context)

    def _act(self, kind: str, *actions: dict[str, Any]) -> None:
        source = {"type": kind, "id": kind, "actions": [*actions]}
        self._browser.send("input.performActions", context=self._context, actions=[source])


class _Mouse:
    def __init__(self, act: Callable[..., None]) -> None:
        self._act, self._at = act, (0.0, 0.0)

    def move(self, x: float, y: float, steps: int = 1) -> None:
        (x0, y0), self._at = self._at, (x, y)
        between = [(x0 + (x - x0) * i / steps, y0 + (y - y0) * i / steps) for i in range(1, steps + 1)]
        self._act("pointer", *({"type": "pointerMove", "x": round(u), "y": round(v), "duration": 16}
                               for u, v in between))

    def down(self) -> None:
        self._act("pointer", {"type": "pointerDown", "button": 0})

    def up(self) -> None:
        self._act("pointer", {"type": "pointerUp", "button": 0})


class _Keyboard:
    def __init__(self, act: Callable[..., None]) -> None:
        self._act = act

    def press(self, key: str) -> None:
        value = KEYS.get(key, key)
        self._act("key", {"type": "keyDown", "value": value}, {"type": "keyUp", "value": value})


class _Locator:
    """See Playwright's `Locator`; an element that is not there, or not laid out, is waited for."""

    def __init__(self, page: FirefoxPage, css: str) -> None:
        self._page, self._css = page, css

    def bounding_box(self) -> dict[str, float]:
        self._page.wait_for_function("css => document.querySelector(css)?.getBoundingClientRect().width > 0",
                                     self._css)
        return self._page.evaluate("""css => { const el = document.querySelector(css);
            el.scrollIntoView({ block: 'center', behavior: 'instant' });
            const { x, y, width, height } = el.getBoundingClientRect(); return { x, y, width, height } }""", self._css)

    def click(self) -> None:
        box = self.bounding_box()
        self._page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self._page.mouse.down()
        self._page.mouse.up()

    def press(self, key: str) -> None:
        self.bounding_box()
        self._page.evaluate("css => document.querySelector(css).focus()", self._css)
        self._page.keyboard.press(key)

    def get_attribute(self, name: str) -> str | None:
        return self._page.evaluate("([css, name]) => document.querySelector(css)?.getAttribute(name)",
                                   [self._css, name])
