"""Ctrl-C, SIGTERM and a terminal that closes, as real signals to real processes: no traceback, and nothing is lost."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from PIL import Image

from course_lib.commands import main as cli
from course_lib.commands.stopping import BURST, Note, Stopped, Stopper, handled
from course_lib.experiments.gan1d import GAN1DExperiment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals as POSIX has them")
CODES = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])


def start(folder: Path, *options: str, path: Path | None = None) -> subprocess.Popen:
    paths = os.pathsep.join(map(str, filter(None, (path, ROOT))))
    return subprocess.Popen([sys.executable, "-m", "course_lib", *options], cwd=folder, text=True, encoding="utf-8",
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths})


def ended(process: subprocess.Popen) -> tuple[int, str]:
    try:
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, err


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert file.exists()


SLOW_IMPORT = """
    import os, time
    open(os.environ["BEGUN"], "w", encoding="utf-8").close()
    try:
        for _ in range(600):
            time.sleep(0.1)
    except KeyboardInterrupt:
        {then}
"""


@pytest.mark.parametrize("then", ["raise", "pass", "raise ImportError('cannot load')", "time.sleep(0.2); raise"])
@pytest.mark.parametrize("burst", [1, 5])
@CODES
def test_a_signal_during_an_import_is_no_traceback(tmp_path, monkeypatch, then, burst, number, code):
    (tmp_path / "torch").mkdir()  # stands for a library that takes long to load, and may make another error of it
    (tmp_path / "torch" / "__init__.py").write_text(textwrap.dedent(SLOW_IMPORT).format(then=then), encoding="utf-8")
    monkeypatch.setenv("BEGUN", str(tmp_path / "begun"))
    process = start(tmp_path, "train", "vae", path=tmp_path)
    wait_for(tmp_path / "begun")
    for _ in range(burst):
        process.send_signal(number)
        time.sleep(0.005)
    assert ended(process) == (code, "")


@pytest.mark.parametrize("after", ["torch.", "numpy.", "matplotlib."])
def test_ctrl_c_while_the_real_libraries_load(tmp_path, monkeypatch, after):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # tells in a line what was loaded just now
    process = start(tmp_path, "train", "gan1d", "--num-steps", "100000", "--anim-path", "film.gif")
    while after not in process.stderr.readline():
        assert process.poll() is None
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    code, err = ended(process)
    assert code == 130 and "Traceback" not in err and "Exception" not in err


@pytest.mark.thorough
@CODES
def test_many_signals_while_training_lose_nothing(tmp_path, number, code):
    process = start(tmp_path, "train", "gan1d", "--num-steps", "1000000", "--log-every", "1", "--save", "run.pt",
                    "--anim-path", "film.gif", "--plot-path", "plot.png")
    process.stdout.readline()
    for _ in range(20):
        process.send_signal(number)
        time.sleep(0.003)
    got, err = ended(process)
    steps = int(re.search(r"^step (\d+), digest", err, re.M)[1])
    assert got == code and "Traceback" not in err and f"stopped by {Note.word.fget(noted(number))}" in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.gif", "plot.png", "run.pt"]
    assert Image.open(tmp_path / "film.gif").n_frames == steps


def noted(number):
    note = Note()
    note(number)
    return note


def test_what_a_signal_saved_goes_on_from_there(tmp_path, capsys):
    process = start(tmp_path, "train", "gan2d", "--num-steps", "1000000", "--log-every", "1", "--save", "run.pt")
    process.stdout.readline()
    process.terminate()
    code, err = ended(process)
    steps = int(re.search(r"^step (\d+)", err, re.M)[1])
    assert code == 143
    assert cli.main(["train", "gan2d", "--num-steps", str(steps + 1), "--resume", str(tmp_path / "run.pt")]) == 0


@pytest.mark.thorough
def test_a_run_under_nohup_does_not_end_with_its_terminal(tmp_path):
    begun = subprocess.Popen([sys.executable, "-m", "course_lib", "train", "gan1d", "--num-steps", "30", "--log-every",
                              "1"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, encoding="utf-8",
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    begun.stdout.readline()
    begun.send_signal(signal.SIGHUP)
    code, err = ended(begun)
    assert code == 0 and "step 30" in err


def test_a_signal_while_the_files_are_written_waits_for_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    from course_lib.commands import gan1d_pictures

    final_plot = gan1d_pictures.final_plot

    def interrupted(experiment):
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        return final_plot(experiment)

    monkeypatch.setattr(gan1d_pictures, "final_plot", interrupted)
    assert cli.main(["train", "gan1d", "--num-steps", "3", "--anim-path", "film.gif", "--save", "a.pt"]) == 130
    assert sorted(os.listdir()) == ["a.pt", "film.gif", "gan1d.png"]


def test_handlers_are_put_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(n) for n in numbers]
    monkeypatch.setattr(GAN1DExperiment, "training_step", lambda self: signal.raise_signal(signal.SIGTERM) or {})
    cli.main(["train", "gan1d", "--num-steps", "1", "--log-every", "9"])
    assert [signal.getsignal(n) for n in numbers] == before


def test_a_burst_is_one_interrupt_and_a_later_one_is_another(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("course_lib.commands.stopping.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Stopper, "_last", float("-inf"))
    with handled(stopper := Stopper()):
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # dropped
        now[0] += BURST + 0.1
        with pytest.raises(Stopped) as stop:
            signal.raise_signal(signal.SIGTERM)
    assert stop.value.code == stopper.code == 143


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_jupyterlab_ends_with_the_command_that_started_it(tmp_path, number):
    fake = tmp_path / "jupyterlab"
    fake.mkdir()
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text(textwrap.dedent("""
        import os, signal, sys, time
        def end(number, frame):
            open("ended", "w", encoding="utf-8").close()
            sys.exit(0)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        open("begun", "w", encoding="utf-8").close()
        time.sleep(60)
    """), encoding="utf-8")
    process = start(tmp_path, "lab", "--work", str(tmp_path / "work"), path=tmp_path)
    wait_for(tmp_path / "begun")
    process.send_signal(number)
    code, err = ended(process)
    assert code == 0 and err == "" and (tmp_path / "ended").exists()
