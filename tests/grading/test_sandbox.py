"""A process of its own: what it returns, and how it ends when it does not."""

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from course_lib.grading import sandbox
from course_lib.grading.sandbox import CAN_FORK, Ended, Limits, in_a_fork

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="forks are used on Linux alone")
QUICK = Limits(seconds=1.0, megabytes=300, file_megabytes=1)
ROOMY = dataclasses.replace(QUICK, seconds=20.0)  # for what ends by itself: a busy machine may need more than a second


def test_what_a_job_returns_comes_back_and_it_works_in_a_folder_that_is_gone_after():
    folder = in_a_fork(lambda: (Path("x").write_text("y", encoding="utf-8"), os.getcwd())[1], ROOMY)
    assert not Path(folder).exists() and Path.cwd() != Path(folder)
    assert in_a_fork(lambda: {"a": [1, None]}, ROOMY) == {"a": [1, None]}
    assert in_a_fork(lambda: os.environ["HOME"], ROOMY).startswith(str(Path(folder).parent))


def loop():
    while True:
        pass


def fill():
    return len(bytearray(10**10))


def write():
    Path("x").write_bytes(b"0" * 2**21)


def leave():
    os._exit(3)


def crash():
    os.kill(os.getpid(), signal.SIGTERM)


def much():
    return "x" * 2**22


def unfit():
    return object()


@pytest.mark.parametrize(("job", "told"), [
    (loop, "longer than 1 seconds|too much time"), (lambda: time.sleep(60), "longer than 1 seconds"),
    (fill, "MemoryError"), (write, "File too large"), (leave, "with code 3"), (crash, "SIGTERM"),
    (much, "more than 1 MB"),
    (unfit, "cannot be written as JSON: Object of type"), (lambda: 1 / 0, "ZeroDivisionError"),
    (lambda: exit(4), "SystemExit")],
    ids=["loop", "sleep", "memory", "file", "exit", "abort", "much", "no JSON", "error", "sys.exit"])
def test_how_it_ended_is_told(job, told):
    with pytest.raises(Ended, match=told):
        in_a_fork(job, QUICK if "longer" in told else ROOMY)


def test_what_it_started_ends_with_it(tmp_path):
    def start():
        if os.fork() == 0:
            os.setsid()  # out of the group
            os.close(max(map(int, os.listdir("/proc/self/fd"))))
            if os.fork() == 0:
                time.sleep(60)
            (tmp_path / "pid").touch()
            time.sleep(60)
        return 1

    def in_a_worker():  # the tests' own process must not adopt what others leave behind
        sandbox.without_network()
        with contextlib.suppress(Ended):
            in_a_fork(start, QUICK)
        return list(sandbox._children())

    assert in_a_fork(in_a_worker, Limits(seconds=20)) == []


def test_whoever_grades_keeps_other_children_of_their_own():
    with subprocess.Popen(["sleep", "60"]) as other:
        in_a_fork(lambda: 1, ROOMY)
        assert other.poll() is None
        other.kill()


def test_there_is_no_network_where_it_can_be_taken_away():
    def reach():
        if not sandbox.without_network():
            return "cannot"
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=2)
        except OSError as error:
            return error.strerror
        return "reached"

    assert in_a_fork(reach, Limits()) in ("cannot", "Network is unreachable")


def test_the_other_user_cannot_write_where_we_can(tmp_path):
    if not sandbox.can_be_nobody("/"):
        pytest.skip("only root may become another user")
    tmp_path.chmod(0o700)

    def touch():
        try:
            (tmp_path / "x").touch()
        except PermissionError:
            return os.getuid()

    assert in_a_fork(touch, ROOMY, nobody=True) == sandbox.NOBODY


def test_output_goes_nowhere(capfd):
    assert in_a_fork(lambda: os.write(1, b"x" * 100) + os.write(2, b"y"), ROOMY) == 101
    assert capfd.readouterr() == ("", "")
