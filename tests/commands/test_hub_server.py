"""`lab --hub`: what becomes of the process that JupyterHub starts for a student."""

import errno
import os
import sys
from pathlib import Path

import pytest

from course_lib.commands import lab
from course_lib.commands import main as cli


@pytest.fixture
def becomes(tmp_path, monkeypatch):
    """(command, environment) of what the process would become."""
    found = []
    monkeypatch.setattr(lab.os, "execve", lambda path, command, environment: found.append((command, environment)))
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(lab.tempfile, "tempdir", str(tmp_path))

    def run(work):
        cli.main(["lab", "--hub", "--work", str(work), "--", "--KernelManager.transport=ipc"])
        return found.pop()
    return run


def test_it_hands_out_and_is_the_server_with_the_hubs_options(becomes, tmp_path):
    command, environment = becomes(tmp_path / "mine")
    assert command[:3] == [sys.executable, "-m", "jupyterhub.singleuser"]
    assert f"--ServerApp.root_dir={tmp_path / 'mine'}" in command and command[-1] == "--KernelManager.transport=ipc"
    assert (tmp_path / "mine/00_start.ipynb").exists()
    assert environment["PYTHONNOUSERSITE"] == "1"


def test_a_full_disk_keeps_nobody_out(becomes, tmp_path, monkeypatch, capsys):
    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(lab, "copy_notebooks", full)
    command, _ = becomes(tmp_path / "mine")
    assert f"--ServerApp.root_dir={tmp_path}" in command  # the home folder: there is no other
    assert "the notebooks were not handed out: the disk is full" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no such sockets on Windows")
@pytest.mark.parametrize(("length", "moved"), [(50, False), (60, True)])
def test_kernels_sockets_fit_whatever_the_home_is_called(becomes, tmp_path, monkeypatch, length, moved):
    runtime = f"/tmp/{'x' * (length - 5)}"
    monkeypatch.setattr("jupyter_core.paths.jupyter_runtime_dir", lambda: runtime)
    _, environment = becomes(tmp_path / "mine")
    assert ("JUPYTER_RUNTIME_DIR" in environment) == moved
    if moved:
        folder = Path(environment["JUPYTER_RUNTIME_DIR"])
        assert folder.stat().st_mode & 0o777 == 0o700 and folder.stat().st_uid == os.getuid()


def test_without_jupyterhub_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    assert cli.main(["lab", "--hub"]) == 2
    assert "requirements-hub.txt" in capsys.readouterr().err
