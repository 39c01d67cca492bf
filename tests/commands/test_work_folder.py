"""One copy of the course for many users: where each one works, and what is said when a place cannot be used."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import pytest

from course_lib.authoring import handout
from course_lib.authoring.handout import copy_notebooks, work_folder
from course_lib.commands import lab
from course_lib.commands import main as cli

ROOT = Path(__file__).resolve().parents[2]
import_module("course_lib.plots")  # or matplotlib is imported while nothing can be opened, and stays half loaded


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one notebook, and a home folder beside it."""
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "notebooks" / "00_a.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COURSE_WORK", raising=False)
    return tmp_path / "course"


@pytest.fixture
def in_course(course, monkeypatch):
    """The commands hand out this course, and open no JupyterLab."""
    monkeypatch.setattr(lab, "COURSE", course)
    for function in (copy_notebooks, work_folder, handout.require_course):
        defaults = function.__defaults__
        monkeypatch.setattr(function, "__defaults__", (course, *defaults[1:]))
    started = []

    class Server:
        def __init__(self, command, env):
            started.append(command)

        def wait(self):
            return 0

    monkeypatch.setattr(lab.subprocess, "Popen", Server)
    return started


@pytest.fixture
def read_only(course, monkeypatch):
    """Nothing can be made in the course's folder; root, who runs some tests, would not notice permissions."""
    temporary = handout.tempfile.TemporaryFile

    def refuse(*args, dir, **kwargs):
        if course in (Path(dir), *Path(dir).parents):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))
        return temporary(*args, dir=dir, **kwargs)

    monkeypatch.setattr(handout.tempfile, "TemporaryFile", refuse)


def test_by_default_it_is_work(course):
    assert work_folder(course) == course / "work"
    assert copy_notebooks(course) == [] and (course / "work" / "00_a.ipynb").exists()
    assert sorted(os.listdir(course)) == ["notebooks", "work"]


@pytest.mark.parametrize("has_work", [False, True])
def test_where_the_course_cannot_be_written_it_is_in_the_home_folder(course, read_only, has_work, tmp_path):
    if has_work:  # somebody else's
        (course / "work").mkdir()
    copy_notebooks(course)
    assert (tmp_path / "home/generative-models/00_a.ipynb").exists() and not (course / "work/00_a.ipynb").exists()


def test_a_full_disk_is_no_reason_to_begin_anew_elsewhere(course, monkeypatch, tmp_path):
    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(handout.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space"):
        copy_notebooks(course)
    assert os.listdir(tmp_path / "home") == []


def test_the_environment_names_it(course, read_only, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_WORK", "~/deep/here")
    copy_notebooks(course)
    assert (tmp_path / "home/deep/here/00_a.ipynb").exists()


@pytest.mark.parametrize("named", ["there", "deep/er", "with space", "größe"])
def test_lab_and_handout_take_a_folder(in_course, tmp_path, monkeypatch, capsys, named):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "not here"))
    assert cli.main(["handout", named]) == 0 and not in_course
    assert str(tmp_path / named) in capsys.readouterr().out
    assert cli.main(["lab", "--work", named, "--", "--no-browser"]) == 0
    assert f"--ServerApp.root_dir={tmp_path / named}" in in_course[0] and in_course[0][-1] == "--no-browser"
    assert (tmp_path / named / "00_a.ipynb").exists() and not (tmp_path / "not here").exists()


def test_handout_without_a_folder_goes_where_lab_goes(in_course, course):
    assert cli.main(["handout"]) == 0 and (course / "work/00_a.ipynb").exists()


def test_two_users_do_not_meet(course, read_only, monkeypatch, tmp_path):
    for user in ("ada", "ben"):
        monkeypatch.setenv("HOME", str(tmp_path / user))
        copy_notebooks(course)
        (tmp_path / user / "generative-models/00_a.ipynb").write_text(user, encoding="utf-8")
    copy_notebooks(course)
    assert [(tmp_path / user / "generative-models/00_a.ipynb").read_text(encoding="utf-8") for user in ("ada", "ben")
            ] == ["ada", "ben"]


@pytest.mark.parametrize("command", [["handout"], ["lab", "--work"]])
@pytest.mark.parametrize("path", ["file", "file/deeper", "x" * 300, "/proc/none", "loop", "course/notebooks"])
def test_a_folder_that_cannot_be_used_is_told_in_a_line(in_course, tmp_path, monkeypatch, capsys, command, path):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    os.symlink("loop", "loop")
    assert cli.main([*command, path]) == 2 and not in_course
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and Path(path).name in err and os.listdir("course") == ["notebooks"]


def test_work_that_is_a_file_is_told_in_a_line(in_course, course, capsys):
    (course / "work").touch()
    assert cli.main(["lab"]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and (course / "work").stat().st_size == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EROFS])
@pytest.mark.parametrize("command", [["handout", "there"], ["lab", "--work", "there"], ["student-zip", "there/a.zip"],
                                     ["train", "gan1d", "--save", "a.pt"]])
def test_whatever_the_disk_says_is_one_line(in_course, tmp_path, monkeypatch, capsys, number, command):
    monkeypatch.chdir(tmp_path)

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    for name in ("mkdir", "open"):
        monkeypatch.setattr(os, name, fail)
    code = cli.main(command)
    monkeypatch.undo()
    err = capsys.readouterr().err
    assert code == 2 and err.count("\n") == 1 and "Traceback" not in err and ": " in err and not in_course


def test_a_user_without_a_home_is_told(in_course, read_only, monkeypatch, capsys):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(handout.Path, "home", unknown)
    assert cli.main(["lab"]) == 2 and "COURSE_WORK" in capsys.readouterr().err


NOBODY = """
import os
from course_lib.commands.main import main
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
raise SystemExit(main(["handout"]))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_who_may_not_write_the_course():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own folders are closed to others
        course, home = Path(folder, "course"), Path(folder, "home")
        shutil.copytree(ROOT / "course_lib", course / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
        (course / "notebooks").mkdir()
        shutil.copy(ROOT / "notebooks/00_start.ipynb", course / "notebooks")
        home.mkdir()
        shutil.chown(home, 65534, 65534)
        os.chmod(folder, 0o755)
        done = subprocess.run([sys.executable, "-B", "-c", NOBODY], cwd="/", capture_output=True, text=True,
                              env={"PYTHONPATH": str(course), "HOME": str(home)}, encoding="utf-8", timeout=120)
        assert done.returncode == 0, done.stderr
        assert (home / "generative-models/00_start.ipynb").exists()
        assert sorted(os.listdir(course)) == ["course_lib", "notebooks"]


def test_neither_the_handout_nor_help_loads_torch():
    for statement in ("import course_lib.authoring.handout", "from course_lib.commands.main import run_command\n"
                      "try: run_command(['train', '--help'])\nexcept SystemExit: pass"):
        code = f"import sys\n{statement}\nsys.exit(bool({{'torch', 'numpy', 'IPython'}} & {{*sys.modules}}))"
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=120,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
