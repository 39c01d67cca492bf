"""How a class loads a hub: simulated students open a notebook, run its lab and turn a knob, through the hub's proxy.

    python deploy/load_test.py http://127.0.0.1:8000 --token TOKEN student1 student2 student3

The names are users whom the hub can start servers for. The token is that of a service with the scopes `admin:users`,
`admin:servers` and `access:servers` (docs/server.md has the lines for it). Each student's server is started, a kernel
runs the notebook's first code cell and its labs' cells, and then, for `--seconds`, a page is played: frames are
acknowledged, and one knob is turned every two seconds, to another of its stops each time.

It prints a row of a table: seconds until a server answers and until the imports are done; milliseconds from a turned
knob to the frame that shows it; frames a second. Run as root on the hub's own machine it adds what the students'
processes take, memory (RSS, and PSS, which counts what is shared once) and processor time, and the load average, which
says whether others computed beside. No pages are loaded into browsers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import struct
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import psutil
import websocket

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
KNOB_EVERY = 2.0  # seconds
HEADER = ("students", "server, s", "imports, s", "knob to frame, ms p50 / p95", "frames/s", "steps/s",
          "server RSS / PSS, MB", "kernel RSS / PSS, MB", "cores in all / a student", "load average")


class Hub:
    """The hub's API, and that of the students' servers behind it.

    Args:
        url: of the hub, such as http://127.0.0.1:8000.
        token: of a service with the scopes above.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        """What the API answers, None for nothing. Raises OSError, urllib.error.HTTPError among them."""
        request = urllib.request.Request(f"{self.url}/{path}", method=method,
                                         data=json.dumps(content).encode() if content else None,
                                         headers={"Authorization": f"token {self.token}",
                                                  "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=180) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def start(self, name: str, timeout: float = 300) -> float:
        """Start a student's server, unless it runs; returns the seconds until it is ready. Raises TimeoutError."""
        began = time.monotonic()
        try:
            self.ask("GET", f"hub/api/users/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self.ask("POST", f"hub/api/users/{name}")
        try:
            self.ask("POST", f"hub/api/users/{name}/server")
        except urllib.error.HTTPError as error:
            if error.code != 400:  # it runs already
                raise
        while not self.ask("GET", f"hub/api/users/{name}")["servers"].get("", {}).get("ready"):
            if time.monotonic() - began > timeout:
                raise TimeoutError(f"the server of {name} was not ready in {timeout:g} s")
            time.sleep(0.5)
        return time.monotonic() - began

    def stop(self, name: str) -> None:
        """Stop a student's server."""
        self.ask("DELETE", f"hub/api/users/{name}/server")


class Kernel:
    """A notebook's kernel, spoken to as a page does: cells run, widgets' messages go both ways.

    Args:
        hub: where it runs.
        name: of the student.
        notebook: in the student's folder.

    Attributes:
        widgets: the state of each widget that was made, by its comm's name.
    """

    def __init__(self, hub: Hub, name: str, notebook: str) -> None:
        session = hub.ask("POST", f"user/{name}/api/sessions", {"name": notebook, "path": notebook, "type": "notebook",
                                                                "kernel": {"name": "python3"}})
        self._session = uuid.uuid4().hex
        self.widgets: dict[str, dict[str, Any]] = {}
        address = f"{hub.url}/user/{name}/api/kernels/{session['kernel']['id']}/channels?session_id={self._session}"
        self._socket = websocket.create_connection(address.replace("http", "ws", 1), timeout=120,
                                                   header=[f"Authorization: token {hub.token}"])

    def send(self, kind: str, **content: Any) -> str:
        """Send a message on the shell channel; returns its name."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session, "username": "",
                  "version": "5.3"}
        self._socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                                      "channel": "shell", "buffers": []}))
        return header["msg_id"]

    def tell(self, widget: str, **data: Any) -> None:
        """Send a widget's message."""
        self.send("comm_msg", comm_id=widget, data=data)

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next message, None if none comes in time."""
        self._socket.settimeout(max(timeout, 0.001))
        try:
            got = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        if isinstance(got, bytes):  # with buffers: their number, where each part begins, and the message first
            count, = struct.unpack("!i", got[:4])
            begin, *ends = struct.unpack(f"!{count}i", got[4:4 * (count + 1)])
            got = got[begin:ends[0] if ends else None]
        message = json.loads(got)
        content = message["content"]
        if message["msg_type"] == "comm_open":
            self.widgets[content["comm_id"]] = content["data"].get("state", {})
        return message

    def run(self, source: str, timeout: float = 300) -> None:
        """Run a cell and wait for it. Raises RuntimeError if it fails, TimeoutError."""
        asked = self.send("execute_request", code=source, silent=False, store_history=True, user_expressions={},
                          allow_stdin=False, stop_on_error=True)
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            message = self.receive(left)
            if message and message["msg_type"] == "execute_reply" and message["parent_header"]["msg_id"] == asked:
                if message["content"]["status"] != "ok":
                    raise RuntimeError(f"{message['content'].get('ename')}: {message['content'].get('evalue')}")
                return
        raise TimeoutError(f"a cell was not done in {timeout:g} s: {source[:60]!r}")

    def find(self, **state: Any) -> str:
        """The widget whose state says so. Raises LookupError."""
        for comm, known in self.widgets.items():
            if all(known.get(key) == value for key, value in state.items()):
                return comm
        raise LookupError(f"the notebook made no widget with {state}")


class Student(threading.Thread):
    """One simulated student.

    Attributes:
        spawned, imported: seconds.
        delays: milliseconds from each turn of the knob to the frame that shows it.
        frames: how many were drawn.
        steps: updates that the lab did in that time.
        error: what went wrong, None so far.
    """

    def __init__(self, hub: Hub, name: str, notebook: str, knob: str, together: threading.Barrier,
                 seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._hub, self._notebook, self._knob, self._together, self._seconds = hub, notebook, knob, together, seconds
        self.spawned = self.imported = 0.0
        self.delays: list[float] = []
        self.frames = self.steps = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Start, run the cells, wait for the others, play the page."""
        try:
            self.spawned = self._hub.start(self.name)
            kernel = Kernel(self._hub, self.name, self._notebook)
            first, labs = cells(NOTEBOOKS / self._notebook)
            began = time.monotonic()
            kernel.run(first)
            self.imported = time.monotonic() - began
            kernel.run(labs[0])
            canvas = next(comm for comm, state in kernel.widgets.items() if "views" in state)
            knob = kernel.find(description=self._knob)
            start = kernel.find(description="Start")
            self._together.wait(600)
            kernel.tell(canvas, method="custom", content={"kind": "ready"})
            kernel.tell(start, method="custom", content={"event": "click"})
            self._play(kernel, canvas, knob)
        except BaseException as error:  # told by the main thread
            self.error = error
            self._together.abort()

    def _play(self, kernel: Kernel, canvas: str, knob: str) -> None:
        index, last = kernel.widgets[knob]["index"], len(kernel.widgets[knob]["_options_labels"]) - 1
        end, turn_at = time.monotonic() + self._seconds, time.monotonic() + 1
        changed, turned, began_at = None, None, None
        while (now := time.monotonic()) < end:
            if now >= turn_at and turned is None:
                index += 1 if index < last else -1
                kernel.tell(knob, method="update", state={"index": index}, buffer_paths=[])
                turned, turn_at = time.monotonic(), now + KNOB_EVERY
            message = kernel.receive(min(end - now, 0.05))
            content = message["content"] if message else {}
            if not message or message["msg_type"] != "comm_msg" or content["comm_id"] != canvas:
                continue
            frame = content["data"].get("content", {})
            if frame.get("kind") != "frame":
                continue
            if frame["ack"]:
                kernel.tell(canvas, method="custom", content={"kind": "ack", "frame": frame["frame"]})
            self.frames += 1
            began_at = frame["status"]["steps"] if began_at is None else began_at
            self.steps = frame["status"]["steps"] - began_at
            if turned is not None and frame["status"]["changed"] != changed:
                self.delays.append(1000 * (time.monotonic() - turned))
                turned = None
            changed = frame["status"]["changed"]


def cells(path: Path) -> tuple[str, list[str]]:
    """A notebook's first code cell, and those that make a live lab."""
    sources = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
               if cell["cell_type"] == "code"]
    return sources[0], [source for source in sources[1:] if "LiveLab(" in source]


def processes(names: set[str]) -> dict[str, list[psutil.Process]]:
    """The students' servers and kernels on this machine, as far as they may be looked at."""
    found: dict[str, list[psutil.Process]] = {"server": [], "kernel": []}
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            kind = "kernel" if "ipykernel" in command else "server" if "jupyterhub.singleuser" in command else None
            if kind and process.environ().get("JUPYTERHUB_USER") in names:
                found[kind].append(process)
        except psutil.Error:
            continue
    return found


def memory(found: list[psutil.Process]) -> str:
    """Mean RSS and PSS in MB."""
    if not found:
        return "–"
    infos = [process.memory_full_info() for process in found]
    rss, pss = (statistics.mean(getattr(info, kind) for info in infos) / 1e6 for kind in ("rss", "pss"))
    return f"{rss:.0f} / {pss:.0f}"


def seconds_used(found: dict[str, list[psutil.Process]]) -> float:
    """Processor seconds of all of them."""
    return sum(sum(process.cpu_times()[:2]) for kind in found.values() for process in kind)


def measure(students: list[Student], together: threading.Barrier, seconds: float) -> list[str]:
    """Let them all work and return the row of the table. Raises what a student met first."""
    for student in students:
        student.start()
    with contextlib.suppress(threading.BrokenBarrierError):  # whoever broke it says why, below
        together.wait(900)
    found = processes({student.name for student in students})
    if together.broken:
        seconds = 0
    began, used = time.monotonic(), seconds_used(found)
    time.sleep(max(0.0, seconds - 2))  # while all of them play
    used, passed = seconds_used(found) - used, time.monotonic() - began
    sizes = [memory(found[kind]) for kind in ("server", "kernel")]
    load = f"{os.getloadavg()[0]:.1f}"
    for student in students:
        student.join()
    for student in students:
        if student.error is not None and not isinstance(student.error, threading.BrokenBarrierError):
            raise student.error
    delays = sorted(delay for student in students for delay in student.delays)
    waits = [[getattr(s, what) for s in students] for what in ("spawned", "imported")]
    count = len(students)
    return [str(count), *(f"{statistics.median(times):.0f} (slowest {max(times):.0f})" for times in waits),
            f"{quantile(delays, 0.5):.0f} / {quantile(delays, 0.95):.0f}",
            f"{sum(s.frames for s in students) / count / seconds:.1f}",
            f"{sum(s.steps for s in students) / count / seconds:.0f}", *sizes,
            f"{used / passed:.2f} / {used / passed / count:.2f}" if found["kernel"] else "–", load]


def quantile(ordered: list[float], share: float) -> float:
    """Of numbers in order; not a number where there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def main() -> int:
    """Returns an exit code."""
    parser = argparse.ArgumentParser(description="How a class loads a hub; the head of this file says what is printed.")
    parser.add_argument("url", help="of the hub")
    parser.add_argument("names", nargs="+", help="of the users to play")
    parser.add_argument("--token", default=os.environ.get("JUPYTERHUB_API_TOKEN"), help="of a service of the hub")
    parser.add_argument("--seconds", type=float, default=30, help="to play the page (default 30)")
    parser.add_argument("--notebook", default="05_gan_1d.ipynb", help="with a live lab (default 05_gan_1d.ipynb)")
    parser.add_argument("--knob", default="learning rate of G", help="as it is called there (default that of 05)")
    parser.add_argument("--keep", action="store_true", help="leave the servers running")
    options = parser.parse_args()
    if not options.token:
        parser.error("a token is needed: --token, or JUPYTERHUB_API_TOKEN")
    hub, together = Hub(options.url, options.token), threading.Barrier(len(options.names) + 1)
    students = [Student(hub, name, options.notebook, options.knob, together, options.seconds)
                for name in options.names]
    try:
        row = measure(students, together, options.seconds)
    except (OSError, RuntimeError, LookupError, websocket.WebSocketException) as error:
        traceback.print_exception(error)
        return 1
    finally:
        if not options.keep:
            for name in options.names:
                try:
                    hub.stop(name)
                except OSError as error:
                    print(f"the server of {name} was not stopped: {error}", file=sys.stderr)
    for line in (HEADER, ["---"] * len(HEADER), row):
        print(f"| {' | '.join(line)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
