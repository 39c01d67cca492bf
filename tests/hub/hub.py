"""A real JupyterHub on loopback with the course's configuration, and its students in headless Chromium.

    with Hub(["ann"]) as hub, hub.student("ann") as ann:  # she logs in, and her server starts
        ann.open("05_gan_1d.ipynb")
        ann.run_cell(0)
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
from jupyter import Jupyter, write_notebook

COURSE = Path(__file__).resolve().parents[2]
PROXY = COURSE / "deploy/node_modules/.bin/configurable-http-proxy"
PARTS = ("course_lib", "data", "deploy", "notebooks", "pyproject.toml", "constraints.txt")  # of a course on a server
PASSWORD = "for loopback alone"
# Makes folders reachable for every user, in a mount namespace of its own and nowhere else: each that is closed to
# others, such as /root, is covered by an empty one, and what is needed of it is put there again.
REACHABLE = """
set -e
stage=$1; shift
closed=$1; shift
needed=$1; shift
i=0
for path in $needed; do i=$((i + 1)); mkdir -p "$stage/$i"; mount --bind "$path" "$stage/$i"; done
for path in $closed; do mount -t tmpfs -o mode=755 none "$path"; done
i=0
for path in $needed; do i=$((i + 1)); mkdir -p "$path"; mount --bind "$stage/$i" "$path"; done
cd "$1"; shift
exec "$@"
"""


def node() -> str | None:
    """The Node.js that the proxy runs on."""
    return shutil.which("node")


def what_is_missing() -> str | None:
    """Why no hub can run here, in words; None if one can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "a hub starts servers as other users: only root may"
    if node() is None or not PROXY.exists():
        return "no proxy: it takes Node.js and `npm ci --prefix deploy`"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        tried = subprocess.run([*reachable(Path(folder)), "setpriv", "--reuid=61000", "--regid=61000", "--clear-groups",
                                sys.executable, "-c", "import jupyterhub"],
                               capture_output=True, text=True, cwd="/", env=os.environ | {"HOME": folder})
    return None if tried.returncode == 0 else f"other users cannot run this Python: {tried.stderr.strip()[-300:]}"


def reachable(cwd: Path) -> list[str]:
    """A command's first words, with which it runs in `cwd` where every user reaches this Python and Node.js."""
    python, program = Path(sys.base_prefix).resolve(), Path(node() or "/usr/bin/node").resolve()
    wanted = {python, Path(sys.prefix).resolve(), program.parents[1]}
    closed = {path: first for path in wanted if (first := _first_closed(path))}
    if not closed:
        return ["env", f"--chdir={cwd}"]
    stage = cwd / ".reachable"
    return ["unshare", "--mount", "sh", "-c", REACHABLE, "sh", str(stage), " ".join(map(str, {*closed.values()})),
            " ".join(map(str, closed)), str(cwd)]


def _first_closed(path: Path) -> Path | None:
    """The outermost folder on the way to `path` that others may not enter."""
    return next((p for p in [*reversed(path.parents), path] if not p.stat().st_mode & 0o001), None)


def require_hub() -> None:
    """Skip the test where no hub can run, or fail it where COURSE_REQUIRE_HUB=1."""
    if reason := what_is_missing():
        (pytest.fail if os.environ.get("COURSE_REQUIRE_HUB") == "1" else pytest.skip)(reason)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Hub:
    """A course that belongs to root, students with a home folder and a user's number each, and the hub between them.

    Args:
        names: of the students; `teacher` is the one who may see the page of the class.
        culler: options of the idle-culler.
        options: further options of each student's server.
        environment: further variables of each student's server.

    Attributes:
        url: of the hub.
        folder: holds `course`, `homes`, `record` and `hub`, where the hub's own files are.
        numbers: each student's user number.
        token: of a service that may start and use the students' servers.
    """

    def __init__(self, names: Sequence[str], culler: Sequence[str] = ("--timeout=3600",),
                 options: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        first = 61_000 + 20 * secrets.randbelow(200)  # of no account, and apart from those of another run
        self.numbers = {name: first + i for i, name in enumerate(names)}
        self._culler, self._options, self._environment = list(culler), list(options), environment or {}
        self._process: subprocess.Popen | None = None
        self.token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="course-hub-"))
        try:
            self._install()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        mine = {*self.numbers.values()}
        left = [p for p in psutil.process_iter() if _user(p) in mine]  # the hub leaves its students' servers running
        for process in left:
            process.terminate()
        for process in psutil.wait_procs(left, timeout=15)[1]:
            process.kill()
        runtime = [p for p in Path(tempfile.gettempdir()).glob("jupyter-*") if p.stat().st_uid in mine]
        for folder in (self.folder, *runtime):
            shutil.rmtree(folder, ignore_errors=True)

    def _install(self) -> None:
        self.folder.chmod(0o755)
        self.course, self.homes = self.folder / "course", self.folder / "homes"
        self.record = self.folder / "record"
        for folder, mode in ((self.homes, 0o755), (self.folder / "hub", 0o700), (self.record, 0o1733),
                             (self.folder / "settings", 0o755), (self.course, 0o755)):
            folder.mkdir()
            folder.chmod(mode)
        for part in PARTS:
            source = COURSE / part
            if source.is_dir():
                shutil.copytree(source, self.course / part, symlinks=True,
                                ignore=shutil.ignore_patterns("node_modules", "unfinished", "source"))
            else:
                shutil.copy(source, self.course)
        (self.course / "deploy/node_modules").symlink_to(COURSE / "deploy/node_modules")
        (self.course / ".venv").symlink_to(sys.prefix)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", self.course], check=True)
        shutil.chown(self.record, "nobody")  # as whom the page of the class runs
        for name, number in self.numbers.items():
            (self.homes / name).mkdir(mode=0o755)  # open, as some systems make them
            os.chown(self.homes / name, number, number)
        tracker = self.folder / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
        tracker.parent.mkdir(parents=True)
        tracker.write_text('{"windowingMode": "none"}', encoding="utf-8")  # all cells are in the page
        port, class_port, hub_port, proxy_port = free_ports(4)
        self.url = f"http://127.0.0.1:{port}"
        environment = {"PYTHONPATH": str(self.course), "JUPYTERLAB_SETTINGS_DIR": str(self.folder / "settings")}
        told = {"config": str(self.course / "deploy/jupyterhub_config.py"), "course": str(self.course),
                "users": self.numbers, "homes": str(self.homes), "password": PASSWORD, "token": self.token,
                "hub_port": hub_port, "proxy_port": proxy_port, "culler": self._culler, "options": self._options,
                "environment": environment | self._environment}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "JUPYTER", "OMP_", "MAKE"))}
        self._env = kept | {
            "PYTHONPATH": str(self.course), "COURSE_HUB_TEST": json.dumps(told), "COURSE_HUB_URL": self.url,
            "COURSE_RECORD": str(self.record), "COURSE_TEACHERS": "teacher", "COURSE_CLASS_PORT": str(class_port)}

    def start(self) -> None:
        """Start the hub and wait until it answers."""
        log = self.folder / "hub/log"
        config = Path(__file__).with_name("jupyterhub_config.py")
        command = [*reachable(self.folder / "hub"), sys.executable, "-m", "jupyterhub", "-f", str(config)]
        with open(log, "a", encoding="utf-8") as file:
            self._process = subprocess.Popen(command, env=self._env, stdout=file, stderr=subprocess.STDOUT,
                                             start_new_session=True)
        try:
            wait(lambda: self._process.poll() is not None or self._answers(), 60)
        except TimeoutError:
            self._process.kill()
        if self._process.poll() is not None:
            raise RuntimeError(f"the hub did not start:\n{self.log()[-4000:]}")

    def stop(self) -> None:
        """End the hub, its proxy and its services, and leave the students' servers running."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def log(self) -> str:
        """What the hub and the students' servers have printed."""
        return (self.folder / "hub/log").read_text(encoding="utf-8")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/hub/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def api(self, path: str) -> Any:
        """What the hub's own API answers to an administrator."""
        request = urllib.request.Request(f"{self.url}/hub/api/{path}",
                                         headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def is_running(self, name: str) -> bool:
        """Whether a student's server runs."""
        return bool(self.api(f"users/{name}")["servers"])

    def processes(self, name: str, word: str) -> list[psutil.Process]:
        """A student's processes with this word in their command line, such as `ipykernel`."""
        return [p for p in psutil.process_iter() if _user(p) == self.numbers[name] and word in _command(p)]

    def student(self, name: str, to: str = "") -> Student:
        """A browser in which this student logs in, to the own server or to this place of the hub."""
        return Student(self, name, to)


def _user(process: psutil.Process) -> int | None:
    try:
        return process.uids().real
    except psutil.NoSuchProcess:
        return None


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has just ended
        return ""


def wait(done: Callable[[], Any], timeout: float = 60) -> Any:
    """Ask until the answer is true, and return it; raises TimeoutError."""
    end = time.monotonic() + timeout
    while not (answer := done()):
        if time.monotonic() > end:
            raise TimeoutError(f"not so in {timeout} s: {done}")
        time.sleep(0.2)
    return answer


class Student(Jupyter):
    """A student's browser: who opens it is logged in and, unless it leads elsewhere, has a server.

    Each page is a session of its own: `new_page` logs in again.
    """

    def __init__(self, hub: Hub, name: str, to: str) -> None:
        super().__init__(hub.homes / name / "generative-models")
        self.hub, self.name = hub, name
        self._url, self._token = f"{hub.url}/user/{name}", ""
        self._to = to

    def _serve(self) -> None:
        """The hub starts the server."""

    def new_page(self) -> None:
        """Log in on a fresh page."""
        super().new_page()
        self.page.goto(f"{self.hub.url}{self._to}", wait_until="domcontentloaded", timeout=60_000)
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        place = f"{self.hub.url}{self._to}" if self._to else self._url
        self.page.wait_for_url(lambda url: url.startswith(place), wait_until="domcontentloaded", timeout=180_000)

    def write(self, name: str, *cells: str) -> None:
        """A notebook of the student's own, of these code cells."""
        write_notebook(self.folder / name, *cells)
        os.chown(self.folder / name, self.hub.numbers[self.name], -1)

    def sockets(self) -> list[Path]:
        """The sockets of the kernel of the notebook that is shown."""
        file = Path(self.kernel("__import__('ipykernel').get_connection_file()"))
        return sorted(file.parent.glob(f"{file.stem}-ipc-*"))

    def save(self) -> None:
        """Save the notebook that is shown."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save').then(() => 1)")
