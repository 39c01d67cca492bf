"""The page of a class, on loopback alone: `/` is the page, `/state.json` what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import tornado.httpserver
import tornado.netutil
import tornado.web

from course_lib.grading.watch import Class

PAGE = Path(__file__).with_name("pages") / "watch.html"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
           "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                                      "connect-src 'self'"}


class _Page(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def get(self) -> None:
        self.finish(PAGE.read_text(encoding="utf-8"))


class _State(_Page):
    def initialize(self, room: Class) -> None:
        self.room = room

    def get(self) -> None:
        self.room.read()
        self.finish(self.room.state())


async def serve(folders: Sequence[Path], port: int, told: Callable[[str], None] = print) -> None:
    """Serve until cancelled; `told` gets the page's address in a sentence.

    Raises:
        OSError: the port is taken, or may not be used.
    """
    application = tornado.web.Application([("/", _Page), ("/state.json", _State, {"room": Class(folders)})])
    server = tornado.httpserver.HTTPServer(application)
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    told(f"The class is at http://127.0.0.1:{sockets[0].getsockname()[1]}/ until you press Ctrl-C.")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()
