"""Three users of a hub: work, privacy, limits, a restart of the hub, idle servers, the class's page."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hub import COURSE, Hub, require_hub, wait
from jupyter import press

pytestmark = pytest.mark.hub

NOTEBOOK = "05_gan_1d.ipynb"
TRIED = """
import os, socket, urllib.request
from pathlib import Path

def tried(what, *arguments):
    "What it returns, or the name of what is raised."
    try:
        return what(*arguments)
    except Exception as error:
        return getattr(error, "code", type(error).__name__)

def connect(path):
    socket.socket(socket.AF_UNIX).connect(path)

def asked(url):
    "The status that the hub, or a server behind it, answers to my own token."
    token = os.environ["JUPYTERHUB_API_TOKEN"]
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    return urllib.request.urlopen(request, timeout=20).status

kept = 41
"""
CHECKED = 'from course_lib.teach import check\ncheck("01.posterior", lambda *arguments: 0)'


@pytest.fixture(scope="module")
def hub():
    require_hub()
    with Hub(["ann", "bob", "teacher"]) as hub:
        yield hub


@pytest.fixture(scope="module")
def ann(hub):
    with hub.student("ann") as ann:
        yield ann


@pytest.fixture(scope="module")
def bob(hub):
    with hub.student("bob") as bob:
        yield bob


def seconds_used(processes, during=4):
    """Processor seconds that they use in that time."""
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(during)
    return sum(sum(process.cpu_times()[:2]) for process in processes) - before


def test_a_lab_trains_takes_a_knob_and_pauses_when_its_tab_closes(hub, ann):
    page = ann.page
    ann.open(NOTEBOOK)
    ann.run_cell(0)
    ann.run_cell("lab = LiveLab(", timeout=90)
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    before = ann.pixels()
    lab, knob = page.locator(".course-lab"), "learning rate of G"
    lab.get_by_role("button", name="Start").click()
    ann.redrawn(before)
    press(lab.locator(".widget-inline-hbox", has_text=knob).locator(".noUi-handle"), "ArrowRight",
          lambda ms: page.locator(".course-changed", has_text=knob).wait_for(timeout=ms))
    ann.nothing_is_wrong()
    ann.save()
    steps = ann.kernel("lab.trainer.steps")

    kernels = hub.processes("ann", "ipykernel")
    assert seconds_used(kernels) > 0.15  # 30 updates a second take a tenth of a core
    page.close()
    closed = time.monotonic()
    wait(lambda: seconds_used(kernels) < 0.1, 60)
    print(f"training stood still {time.monotonic() - closed - 4:.0f} s after the tab was closed")

    ann.new_page()
    ann.open(NOTEBOOK)
    page, lab = ann.page, ann.page.locator(".course-lab")
    assert ann.kernel("lab.trainer.state") == "paused"
    assert ann.kernel("lab.trainer.steps") >= steps
    page.wait_for_selector(".course-canvas[data-drawn]", timeout=60_000)
    steps = ann.kernel("lab.trainer.steps")
    lab.get_by_role("button", name="Start").click()
    ann.until(f"lab.trainer.steps > {steps}")
    lab.get_by_role("button", name="Pause").click()
    ann.until("lab.trainer.state == 'paused'")


def test_a_student_reads_neither_files_nor_kernel_of_another(hub, ann, bob):
    bob.write("mine.ipynb", "secret = 1")
    bob.open("mine.ipynb")
    bob.run_cell(0)
    secret = bob.folder / "mine.ipynb"
    socket, *_ = bob.sockets()
    runtime, connection = socket.parent, Path(bob.kernel("__import__('ipykernel').get_connection_file()"))
    kernel = hub.processes("bob", "ipykernel")[0]
    assert json.loads(connection.read_text(encoding="utf-8"))["transport"] == "ipc" and socket.is_socket()
    server = next(c.laddr.port for p in hub.processes("bob", "singleuser") for c in p.net_connections("inet")
                  if c.status == "LISTEN")

    ann.write("curious.ipynb", TRIED)
    ann.open("curious.ipynb")
    ann.run_cell(0)

    def tried(call):
        return ann.kernel(f"tried({call})")

    for path in (secret, connection, f"/proc/{kernel.pid}/environ"):
        assert tried(f"Path({str(path)!r}).read_text") == "PermissionError"
    for folder in (bob.folder, runtime, hub.record, hub.folder / "hub"):
        assert tried(f"os.listdir, {str(folder)!r}") == "PermissionError"
    assert tried(f"connect, {str(socket)!r}") == "PermissionError"
    assert tried(f"Path({str(hub.course / 'course_lib/seeds.py')!r}).open, 'a'") == "PermissionError"
    for url in (f"{hub.url}/user/bob/api/contents", f"{hub.url}/user/bob/api/kernels",
                f"http://127.0.0.1:{server}/user/bob/api/kernels", f"{hub.url}/hub/api/users"):
        assert tried(f"asked, {url!r}") == 403
    assert tried(f"asked, '{hub.url}/hub/api/users/bob'") == 404  # she is not told that he is there
    assert ann.page.request.get(f"{hub.url}/user/bob/lab").status == 403

    assert tried(f"connect, {str(ann.sockets()[0])!r}") is None  # what is refused above is possible
    assert tried(f"asked, '{hub.url}/user/ann/api/contents'") == 200


def test_a_kernel_that_wants_too_much_memory_gets_an_error_and_lives(ann):
    ann.write("large.ipynb", TRIED, "import torch")
    ann.open("large.ipynb")
    ann.run_all()
    assert ann.kernel("tried(bytearray, 4 * 2**30)") == "MemoryError"
    assert ann.kernel("tried(torch.zeros, 2**30)") == "RuntimeError"  # of 4 bytes each
    assert ann.kernel("len(bytearray(2**30))") == 2**30


def test_a_restart_of_the_hub_costs_no_work(hub, ann):
    ann.write("kept.ipynb", TRIED)
    ann.open("kept.ipynb")
    ann.run_cell(0)
    process = ann.kernel("os.getpid()")
    hub.stop()
    assert psutil.pid_exists(process)
    hub.start()
    ann.open("kept.ipynb")
    assert (ann.kernel("os.getpid()"), ann.kernel("kept")) == (process, 41)
    assert hub.is_running("ann")


def test_the_page_of_the_class_is_for_the_teacher(hub, ann):
    ann.write("checked.ipynb", CHECKED)
    ann.open("checked.ipynb")
    ann.run_cell(0)
    page, state = f"{hub.url}/services/class/", f"{hub.url}/services/class/state.json"
    assert ann.page.request.get(page).status == 403
    assert ann.page.request.get(state).status == 403
    with hub.student("teacher", to="/services/class/") as teacher:
        teacher.page.get_by_text("1 student has answered").wait_for(timeout=60_000)
        assert teacher.page.locator("tr", has_text="01.posterior").locator("td").first.inner_text() == "0 of 1"
        assert teacher.page.request.get(state).json()["students"] == 1
        teacher.page.context.clear_cookies()
        assert teacher.page.request.get(state).status == 403  # nobody has logged in


def test_the_load_test_plays_students_at_the_class_s_speed(hub, ann, bob):
    command = [sys.executable, COURSE / "deploy/load_test.py", hub.url, "--token", hub.token, "--seconds=10", "--keep"]
    done = subprocess.run([*command, "ann", "bob"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    row = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    middle, slow = (float(number) for number in row[3].split("/"))
    assert row[0] == "2" and 0 < middle <= slow
    assert float(row[4]) > 0.5 and 3 < float(row[5]) <= 40  # frames and updates a second: COURSE_MAX_RATE is 30
    assert all(float(number) > 50 for cell in row[6:8] for number in cell.split("/"))  # MB
    assert hub.is_running("ann")


def test_an_idle_server_is_stopped_and_the_work_is_there_the_next_time():
    require_hub()
    with Hub(["ann"], culler=["--timeout=12", "--cull-every=2"],
             environment={"JUPYTERHUB_ACTIVITY_INTERVAL": "2"}) as hub:
        with hub.student("ann") as ann:
            ann.open(NOTEBOOK)
            ann.set_source(0, "answer = 42")
            ann.run_cell(0)
            ann.save()
            time.sleep(16)
            assert hub.is_running("ann")  # a page is open
            work = (ann.folder / NOTEBOOK).read_bytes()
        assert b"answer = 42" in work
        wait(lambda: not hub.is_running("ann"), 60)
        wait(lambda: not hub.processes("ann", "python"), 30)
        given = hub.course / "notebooks" / NOTEBOOK
        given.write_text(given.read_text(encoding="utf-8").replace("import torch", "import torch  # newer", 1),
                         encoding="utf-8")
        with hub.student("ann") as ann:
            ann.open(NOTEBOOK)
            assert ann.cells()[0]["source"] == "answer = 42"
            newer = ann.folder / NOTEBOOK.replace(".ipynb", "_new_version.ipynb")
            assert "# newer" in newer.read_text(encoding="utf-8")
            assert os.stat(newer).st_uid == hub.numbers["ann"]
