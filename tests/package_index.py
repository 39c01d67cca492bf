"""A package index on loopback, as slow as one likes, that remembers what it was asked."""

import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tiny_wheel import write_wheel

CHUNKS = 20


class PackageIndex:
    """Serve a folder of wheels by the simple protocol; use it by `with`.

    Args:
        folder: where the wheels are written.
        pause: seconds of silence before a wheel comes.
        dribble: seconds that it then takes, in `CHUNKS` pieces.
    """

    def __init__(self, folder: Path, pause: float = 0.0, dribble: float = 0.0) -> None:
        self.folder, self.pause, self.dribble = folder, pause, dribble
        self.asked: list[str] = []

    def add(self, name: str, version: str, *requires: str, padding: int = 0) -> None:
        """Offer one more wheel."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_wheel(self.folder / name, name, version, requires, padding)

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, index=self, directory=self.folder))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    """A listing of a folder is a page of the simple protocol as it is."""

    def __init__(self, *args: object, index: PackageIndex, **kwargs: object) -> None:
        self.index = index
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        self.index.asked.append(self.path)
        super().do_GET()

    def copyfile(self, source, outputfile) -> None:
        content = source.read()
        wheel = self.path.endswith(".whl")
        time.sleep(self.index.pause if wheel else 0)
        size = -(-len(content) // CHUNKS)
        for start in range(0, len(content), size):
            outputfile.write(content[start:start + size])
            outputfile.flush()
            time.sleep(self.index.dribble / CHUNKS if wheel else 0)

    def log_message(self, *_: object) -> None:
        pass
