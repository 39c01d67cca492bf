"""`pip install .`, without -e: the package stands alone, and says so instead of handing out nothing."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from course_lib.authoring.handout import NoCourse, copy_notebooks, student_zip

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "course_lib")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """What a wheel of the course puts into site-packages."""
    top = tmp_path_factory.mktemp("wheel")
    (top / "source").mkdir()
    for name in PARTS:  # a copy: setuptools leaves a build folder behind
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, top / "source" / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", top]
    done = subprocess.run([*pip, top / "source"], capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(top.glob("course_lib-*.whl"))) as wheel:
        wheel.extractall(top / "site-packages")
    return top / "site-packages"


def test_the_wheel_has_the_packages_version(installed):
    from course_lib import __version__

    assert (installed / f"course_lib-{__version__}.dist-info").is_dir()


@pytest.mark.parametrize("command", ["lab", "handout there", "student-zip there.zip", "checkpoints", "notebooks",
                                     "checkpoints classifier"])
def test_a_command_that_needs_the_course_says_so(installed, tmp_path, command):
    before = sorted(installed.iterdir())
    done = subprocess.run([sys.executable, "-B", "-m", "course_lib", *command.split()], cwd=tmp_path, timeout=120,
                          env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert "there are no notebooks" in done.stderr and "pip install -e ." in done.stderr
    assert os.listdir(tmp_path) == [] and sorted(installed.iterdir()) == before


@pytest.mark.parametrize("code", [
    "from course_lib.data import load_mnist; load_mnist()",
    "from course_lib.data.text import load_text; load_text('poems')",
    "from course_lib.commands.main import main; raise SystemExit(main(['train', 'vae', '--num-steps', '1']) - 1)",
    "from course_lib.training.pretrained import load_pretrained; load_pretrained('classifier')",
    "from course_lib.comparisons.ring_seeds import recorded; recorded()"])
def test_what_lies_beside_the_package_is_told_to_be_missing(installed, tmp_path, code):
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, timeout=120, encoding="utf-8", check=False,
                          env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True)
    assert done.returncode == 1 and "pip install -e ." in done.stderr.splitlines()[-1], done.stderr


@pytest.mark.parametrize("hand_out", [lambda course: copy_notebooks(course, course / "work"),
                                      lambda course: student_zip(course / "a.zip", course)])
def test_nothing_is_handed_out_where_there_is_nothing(tmp_path, hand_out):
    with pytest.raises(NoCourse, match=r"pip install -e \."):
        hand_out(tmp_path)
    assert os.listdir(tmp_path) == []
