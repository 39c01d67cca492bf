"""Files that a command writes: whole or not there, in the place that was named, one whatever happens to another."""

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_lib import files
from course_lib.commands import main as cli
from course_lib.experiments.gan1d import GAN1DExperiment
from course_lib.experiments.vae import VAEExperiment
from course_lib.files import Draft, atomic_write, check_writable, explain, whole_file
from course_lib.training.checkpoints import Card
from course_lib.training.checkpoints import write as write_checkpoint

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "course_lib"]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_training(monkeypatch):
    for kind in (GAN1DExperiment, VAEExperiment):
        monkeypatch.setattr(kind, "training_step", lambda self: pytest.fail("training began"))


def command(*options, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([*COMMAND, *map(str, options)], env=environment, timeout=120, check=False,
                          capture_output="stdout" not in kwargs, text=True, encoding="utf-8", **kwargs)


def said_in_a_line(err):
    return err.count("\n") == 1 and "Traceback" not in err


# ------------------------------------------------------------------------------------------------ the one writer


@pytest.mark.parametrize("content", ["−log p\n", b"\x00\xff", memoryview(b"abc")])
def test_writes_text_and_bytes_as_they_are(content):
    atomic_write(Path("a"), content)
    assert Path("a").read_bytes() == (content.encode() if isinstance(content, str) else bytes(content))
    assert os.listdir() == ["a"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_an_older_files_mode_is_kept_and_a_new_one_follows_the_umask(mode):
    Path("old").write_bytes(b"1")
    os.chmod("old", mode)
    before = os.umask(0o027)
    try:
        for name in ("old", "new"):
            atomic_write(Path(name), b"2")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat("old").st_mode) == mode and stat.S_IMODE(os.stat("new").st_mode) == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_written(there):
    os.mkdir("far")
    if there:
        Path("far/real").write_bytes(b"old")
    os.symlink("far/real", "link")
    os.symlink("link", "link2")
    atomic_write(Path("link2"), b"new")
    assert os.path.islink("link2") and os.path.islink("link") and Path("far/real").read_bytes() == b"new"
    assert os.listdir("far") == ["real"]


def test_no_name_is_too_long_for_the_temporary_one():
    name = "x" * 251 + ".png"
    atomic_write(Path(name), b"1")
    with whole_file(Path("a." + "y" * 200)) as path:
        path.write_bytes(b"2")
    assert sorted(os.listdir()) == ["a." + "y" * 200, name]


def special(kind: str, ending: str = "") -> Path:
    """A path where something stands that is no file."""
    there = f"there{ending}"
    if kind == "pipe":
        os.mkfifo(there)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(there)
    elif kind == "folder":
        os.mkdir(there)
    elif kind == "link to a device":
        os.symlink("/dev/null", there)
    elif kind == "links in a circle":
        os.symlink(there, "other")
        os.symlink("other", there)
    else:
        return Path(kind + ending)
    return Path(there)


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "link to a device", "links in a circle", "/dev/null",
                                  "/dev/full", "nowhere/a", "z" * 300, "/dev/null/a"])
def test_what_is_no_file_is_refused_and_left_alone(kind, monkeypatch):
    path = special(kind)
    before = sorted(os.listdir())
    for use in (check_writable, Draft, lambda p: atomic_write(p, b"1")):
        with pytest.raises(OSError) as told:
            use(path)
        assert str(path) in explain(told.value) and "\n" not in explain(told.value)
    assert sorted(os.listdir()) == before and stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("when", ["writing", "syncing", "renaming"])
def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(number, when, monkeypatch):
    Path("a").write_bytes(b"old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as m:
        target, name = {"writing": (Path, "write_bytes"), "syncing": (os, "fsync"), "renaming": (os, "replace")}[when]
        m.setattr(target, name, fail)
        with pytest.raises(OSError) as told:
            atomic_write(Path("a"), b"new")
    assert explain(told.value).startswith("a: ") and os.listdir() == ["a"] and Path("a").read_bytes() == b"old"


def test_it_is_on_the_disk_before_it_has_its_name(monkeypatch):
    order, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda n: (order.append("fsync"), fsync(n)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    atomic_write(Path("a"), b"1")
    assert order == ["fsync", "replace"]


@pytest.mark.parametrize("number", [*files.WHAT_TO_DO, errno.ENOSYS])
def test_every_error_is_told_in_a_line_that_says_what_to_do(number):
    line = explain(OSError(number, os.strerror(number), "folder/some\nname"))
    assert line.startswith("folder/some name: ") and "\n" not in line and len(line.split(": ")) >= 3


def test_there_is_no_other_writer_in_the_package():
    for path in (ROOT / "course_lib").rglob("*.py"):
        if path.name != "files.py":
            assert "os.replace" not in path.read_text(encoding="utf-8"), path


def test_weights_and_their_card_are_both_new_or_both_old(monkeypatch):
    card = Card("c", "vae", {}, 0, 1, 0.1, "0", {}, "")
    write_checkpoint(Path("net.safetensors"), torch.nn.Linear(2, 2), card)
    before = {name: Path(name).read_bytes() for name in os.listdir()}
    write_bytes = Path.write_bytes

    def full(self, content):
        if self.suffix == ".json":
            raise OSError(errno.ENOSPC, "full")
        return write_bytes(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="full"):
        write_checkpoint(Path("net.safetensors"), torch.nn.Linear(3, 3), card)
    assert {name: Path(name).read_bytes() for name in os.listdir()} == before


# ---------------------------------------------------------------------------- told before training, not after it


@pytest.mark.parametrize(("option", "ending"), [("--save", ""), ("--plot-path", ".png"), ("--anim-path", ".gif")])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a device", "links in a circle", "nowhere/a", "z" * 300,
                                  "/dev/null/a"])
def test_paths_that_cannot_be_written_are_told_before_training(option, ending, kind, no_training, capfd):
    path = special(kind, ending)
    before = sorted(os.listdir())
    assert cli.main(["train", "gan1d", option, str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == "" and said_in_a_line(err) and str(path) in err and sorted(os.listdir()) == before


def test_dev_stdout_is_never_a_file_whatever_stands_behind_it():
    for stdout in (subprocess.PIPE, open("log", "w", encoding="utf-8")):  # noqa: SIM115
        done = command("train", "vae", "--num-steps", 1, "--save", "/dev/stdout", stdout=stdout, stderr=subprocess.PIPE)
        assert done.returncode == 2 and said_in_a_line(done.stderr)
    assert os.path.islink("/dev/stdout")


@pytest.mark.parametrize("options", ["--save a.pt --save a.pt", "--save a.pt --save ./a.pt", "--save gan1d.png",
                                     "--plot-path a.png --save link"])
def test_two_outputs_on_one_name_are_told(options, no_training, capsys):
    os.symlink("a.png", "link")
    assert cli.main(["train", "gan1d", *options.split()]) == 2
    assert "twice" in capsys.readouterr().err and os.listdir() == ["link"]


@pytest.mark.parametrize("options", ["--save net.safetensors --save net.json", "--save net.safetensors"])
def test_a_cards_name_is_an_output_too(options, no_training, capsys):
    if len(options.split()) == 2:
        os.mkdir("net.json")
    assert cli.main(["train", "vae", *options.split()]) == 2
    assert "net.json" in capsys.readouterr().err


def test_a_file_that_is_write_protected_is_told(no_training, capsys, monkeypatch):
    Path("a.pt").write_bytes(b"mine")
    monkeypatch.setattr(os, "access", lambda path, how: False)  # root may write all
    assert cli.main(["train", "gan1d", "--save", "a.pt"]) == 2
    assert "a.pt: not permitted" in capsys.readouterr().err and Path("a.pt").read_bytes() == b"mine"


# -------------------------------------------------------------------------------- a disk that fills while training


def full_for(monkeypatch, *names):
    """From now on the disk is full for files of these names, and no check before training can see it."""
    keep = Draft.keep

    def full(self):
        if self.given.name in names:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.given))
        return keep(self)

    monkeypatch.setattr(Draft, "keep", full)


ALL = ["a.pt", "b.pt", "film.gif", "plot.png"]


@pytest.mark.parametrize("full", [["a.pt"], ["b.pt"], ["film.gif"], ["plot.png"], ["a.pt", "film.gif"], ALL])
def test_one_file_that_fails_does_not_lose_the_others(full, monkeypatch, capsys):
    full_for(monkeypatch, *full)
    code = cli.main(["train", "gan1d", "--num-steps", "5", "--save", "a.pt", "--save", "b.pt", "--anim-path",
                     "film.gif", "--plot-path", "plot.png"])
    err = capsys.readouterr().err
    assert code == 1 and sorted(os.listdir()) == [name for name in ALL if name not in full]
    assert err.count("could not write") == len(full) and all(f"{name}: the disk is full" in err for name in full)
    assert "step 5" in err and "Traceback" not in err


def test_a_disk_that_is_full_for_a_while_costs_nothing_in_the_end(monkeypatch, capsys):
    monkeypatch.setattr("course_lib.commands.run.SAVE_EVERY", 2)
    keep, failed = Draft.keep, []

    def full(self):
        if len(failed) < 2:
            failed.append(self)
            raise OSError(errno.ENOSPC, "full", str(self.given))
        return keep(self)

    monkeypatch.setattr(Draft, "keep", full)
    assert cli.main(["train", "gan1d", "--num-steps", "7", "--save", "a.pt"]) == 0
    assert capsys.readouterr().err.count("could not write") == 1 and sorted(os.listdir()) == ["a.pt", "gan1d.png"]


def test_a_film_that_fails_half_way_ends_and_the_training_goes_on(monkeypatch, capsys):
    from course_lib.plots.animation import AnimationWriter

    add, added = AnimationWriter.add, []

    def full(self):
        added.append(1)
        if len(added) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(self)

    monkeypatch.setattr(AnimationWriter, "add", full)
    assert cli.main(["train", "gan1d", "--num-steps", "9", "--save", "a.pt", "--anim-path", "film.gif"]) == 1
    err = capsys.readouterr().err
    assert len(added) == 3 and "step 9" in err and "could not write film.gif" not in os.listdir()
    assert sorted(os.listdir()) == ["a.pt", "gan1d.png"]


def test_weights_that_fail_leave_the_other_weights(monkeypatch, capsys):
    monkeypatch.setattr(VAEExperiment, "evaluate", lambda self, thorough: {})
    full_for(monkeypatch, "a.safetensors")
    assert cli.main(["train", "vae", "--num-steps", "1", "--set", "width=16", "--save", "a.safetensors", "--save",
                     "b.safetensors", "--save", "c.pt"]) == 1
    assert {"b.safetensors", "b.json", "c.pt"} <= set(os.listdir()) and "a.safetensors" not in os.listdir()


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of a process")
def test_a_real_limit_on_the_size_of_files():
    import resource

    Path("run.pt").write_bytes(b"old")
    done = command("train", "vae", "--num-steps", 2, "--save", "run.pt",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    assert done.returncode == 1 and "could not write run.pt: files may not become that large" in done.stderr
    assert "Traceback" not in done.stderr and os.listdir() == ["run.pt"] and Path("run.pt").read_bytes() == b"old"


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of a process")
def test_a_film_that_the_video_writer_could_not_finish_is_told():
    pytest.importorskip("imageio_ffmpeg", reason="needs the extra [video]")
    import resource

    done = command("train", "gan1d", "--num-steps", 200, "--anim-path", "film.mp4", "--save", "a.pt", "--plot-path",
                   "p.svg", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)))
    assert done.returncode == 1 and "could not write film.mp4" in done.stderr and "Traceback" not in done.stderr
    assert sorted(os.listdir()) == ["a.pt", "p.svg"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
@pytest.mark.parametrize("options", [["train", "gan1d", "--num-steps", "9", "--log-every", "1", "--save", "a.pt"],
                                     ["--help"], ["handout", "there"]])
def test_output_that_nobody_can_keep_is_told_and_what_was_trained_is_saved(options):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = command(*options, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2 and "the disk is full" in done.stderr and "Exception" not in done.stderr
    assert "Traceback" not in done.stderr
    if "train" in options:
        assert sorted(os.listdir()) == ["a.pt", "gan1d.png"]


@pytest.mark.thorough
def test_a_reader_who_has_read_enough_ends_the_run_and_keeps_it():
    shell = " ".join([*COMMAND, "train gan1d --num-steps 100000 --log-every 1 --save a.pt | head -1"])
    done = subprocess.run(shell, shell=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
                          encoding="utf-8", timeout=120, check=False)
    assert "Traceback" not in done.stderr and sorted(os.listdir()) == ["a.pt", "gan1d.png"]
    assert done.stdout.startswith("1: ")
