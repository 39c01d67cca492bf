"""JupyterHub with the course's configuration starts, and a student who logs in has a server of her own.

`make test-hub` runs the tests that take minutes, `test_hub.py`.
"""

import stat

from hub import Hub, require_hub
from jupyter import READY


def test_a_student_logs_in_and_her_kernel_runs():
    require_hub()
    with Hub(["ann"]) as hub, hub.student("ann") as ann:
        assert ann.page.url.endswith("/user/ann/lab/tree/00_start.ipynb")
        ann.page.wait_for_function(READY, timeout=90_000)
        assert ann.kernel("__import__('os').getuid()") == hub.numbers["ann"]
        socket, *_ = ann.sockets()
        assert socket.is_socket() and stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
