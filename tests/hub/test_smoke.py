"""JupyterHub with the course's configuration starts, a student who logs in has a server of her own, and
the page of the class is for the teacher.

`make test-hub` runs the tests that take minutes, `test_hub.py`.
"""

from hub import Hub, require_hub
from jupyter import READY


def test_a_student_has_a_server_and_the_teacher_the_page_of_the_class():
    require_hub()
    with Hub(["ann", "teacher"]) as hub, hub.student("ann") as ann:
        assert ann.page.url.endswith("/user/ann/lab/tree/00_start.ipynb")
        ann.page.wait_for_function(READY, timeout=90_000)
        assert ann.kernel("__import__('os').getuid()") == hub.numbers["ann"]
        socket, *_ = ann.sockets()
        assert socket.is_socket() and socket.parent.stat().st_mode & 0o077 == 0
        assert ann.page.request.get(f"{hub.url}/services/class/").status == 403
        with hub.student("teacher", to="/services/class/") as teacher:
            teacher.page.get_by_text("0 students have answered something.").wait_for(timeout=60_000)
