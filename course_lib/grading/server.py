"""The page of a class: `/` is the page, `/state.json` what it shows. On loopback alone, or as a service of JupyterHub.

JupyterHub starts a service with JUPYTERHUB_SERVICE_NAME in its environment. Then the page is at that service's prefix,
and only those get in whom the hub grants the scope `access:services!service=NAME`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

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


def _routes(room: Class) -> list[tuple]:
    """The page for whoever reaches it."""
    return [("/", _Page), ("/state.json", _State, {"room": room})]


def _service_routes(room: Class, prefix: str) -> list[tuple]:
    """The page at `prefix`, such as `/services/class/`, for those whom the hub grants it."""
    from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated

    class Page(HubOAuthenticated, _Page):
        @tornado.web.authenticated
        def get(self) -> None:
            super().get()

    class State(HubOAuthenticated, _State):
        def get(self) -> None:
            if self.get_current_user() is None:  # the page's own request: a page to log in would be no answer
                raise tornado.web.HTTPError(403)
            super().get()

    return [(prefix.rstrip("/"), tornado.web.RedirectHandler, {"url": prefix}), (prefix, Page),
            (prefix + "state.json", State, {"room": room}), (prefix + "oauth_callback", HubOAuthCallbackHandler)]


async def serve(folders: Sequence[Path], port: int, told: Callable[[str], None] = print,
                environ: Mapping[str, str] = os.environ) -> None:
    """Serve until cancelled; `told` gets the page's address in a sentence.

    Args:
        folders: what `COURSE_RECORD` named.
        port: on this machine; 0 for any that is free. A service of JupyterHub takes the one that the hub says.
        environ: where JupyterHub tells its services what they must know.

    Raises:
        OSError: the port is taken, or may not be used.
    """
    room, settings, prefix = Class(folders), {}, "/"
    if "JUPYTERHUB_SERVICE_NAME" in environ:
        prefix = environ["JUPYTERHUB_SERVICE_PREFIX"]
        port = urlsplit(environ["JUPYTERHUB_SERVICE_URL"]).port
        settings = {"cookie_secret": secrets.token_bytes(32)}  # who logged in before a restart does so again, unseen
        routes = _service_routes(room, prefix)
    else:
        routes = _routes(room)
    server = tornado.httpserver.HTTPServer(tornado.web.Application(routes, **settings))
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    told(f"The class is at http://127.0.0.1:{sockets[0].getsockname()[1]}{prefix} until you press Ctrl-C.")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()
