"""The drawing end of a lab: sends frames to the browser, and knows whether anybody still looks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import traitlets

from course_lib.live.assets import PageWidget
from course_lib.live.frames import SendWindow, pack
from course_lib.live.static_figure import in_words
from course_lib.live.trainer import State
from course_lib.live.views import View

# How the page calls what a frame's `state` says: a trainer's state, or that sliders are followed and nothing trains.
WORDS: dict[State | Literal["exploring"], str] = {
    "idle": "Ready", "running": "Training", "paused": "Paused", "done": "Done", "error": "Stopped by an error",
    "closed": "Closed", "exploring": "",
}


class Canvas(PageWidget):
    """Draws views in the browser from binary frames.

    Args:
        views: what to draw.
        on_ready: called when a page has opened the canvas and wants its first frame.
        help: what the page says of each control around it, by the control's label.

    Attributes:
        ready: whether a page has ever opened it; stays False where the canvas cannot run.
    """

    SCRIPT = "canvas.js"
    STYLES = ("page.css", "canvas.css")

    views = traitlets.List(traitlets.Dict()).tag(sync=True)
    help = traitlets.Dict().tag(sync=True)

    def __init__(self, views: Sequence[View], on_ready: Callable[[], None],
                 help: Mapping[str, str] | None = None) -> None:
        super().__init__(views=[view.spec() for view in views], help=dict(help or {}))
        self._drawn = list(views)
        self.ready = False
        self._on_ready = on_ready
        self._window, self._lock = SendWindow(), threading.Lock()
        self._running = False
        try:
            self._loop = asyncio.get_running_loop()  # the kernel's own
        except RuntimeError:
            self._loop = None  # no notebook, so no page that could close
        self.on_msg(self._receive)

    def _receive(self, _: Canvas, content: dict[str, Any], buffers: list) -> None:
        if content.get("kind") == "ack":
            with self._lock:
                self._window.acknowledge(int(content["frame"]))
        elif content.get("kind") == "ready":
            with self._lock:
                self._window = SendWindow()
            self.ready = True
            self._on_ready()

    def has_room(self) -> bool:
        """Whether a frame that is not urgent may be sent now."""
        with self._lock:
            return self._window.may_send(time.monotonic())

    def push(self, status: Mapping[str, Any], arrays: Mapping[str, np.ndarray], urgent: bool) -> None:
        """Send a frame, arrays of any shape. `status` has state, steps, rate, changed and error; what is urgent must be
        acknowledged."""
        if status["state"] == "running" and not self._running:
            with self._lock:
                self._window.forgive()
        self._running = status["state"] == "running"
        layout, data = pack(arrays)
        with self._lock:
            number, ack = self._window.send(time.monotonic(), urgent)
        frame = {"kind": "frame", "frame": number, "ack": ack, "layout": layout,
                 "status": {**status, "word": WORDS[status["state"]], "words": in_words(self._drawn, arrays)}}
        self.send(frame, buffers=[data])

    def abandoned(self) -> bool:
        """Whether the page was closed: no acknowledgement for seconds, while the kernel's loop is alive."""
        with self._lock:
            now = time.monotonic()
            if self._loop is not None and self._window.wants_beat(now):
                self._loop.call_soon_threadsafe(self._beat)
            return self.ready and self._window.abandoned(now)

    def _beat(self) -> None:
        with self._lock:
            self._window.beat(time.monotonic())
