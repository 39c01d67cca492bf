"""Install the course once for many people: what deploy/Dockerfile runs, and what a server without Docker can run, too.

    python deploy/build_image.py /opt/course --torch-index ADDRESS --jupyterhub 5.5.4

The folder then holds what a student's zip holds, without sources and solutions, its packages in `.venv` in the versions
of constraints.txt, and `deploy/start-student`. Who runs this owns it all, and nobody else can write there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
FOR_A_SERVER = ("start-student", "requirements-hub.txt")  # of deploy/; a student's server needs no more


def main() -> int:
    """Install the course in the folder that is named; returns an exit code."""
    parser = argparse.ArgumentParser(description="Install the course in a folder that many people read.")
    parser.add_argument("folder", type=Path, help="an empty folder, or one that is not there")
    parser.add_argument("--torch-index", default="", metavar="ADDRESS",
                        help="a further package index, asked for torch and torchvision alone (pytorch.org names them)")
    parser.add_argument("--jupyterhub", default="", metavar="VERSION",
                        help="that of the hub, if it is of another first number than the course's")
    options = parser.parse_args()
    course = options.folder.resolve()
    if course.exists() and any(course.iterdir()):
        print(f"{course} is not empty: name another folder, or delete what is there", file=sys.stderr)
        return 2
    try:
        copy_for_students(course)
        copy_for_a_server(course, options.jupyterhub)
        install(course, options.torch_index)
    except (OSError, ValueError) as error:
        print(f"The course cannot be installed in {course}: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    make_readable(course)
    return 0


def copy_for_students(course: Path) -> None:
    """What the students' zip holds. Raises OSError where it cannot be written, ValueError where it must not go out."""
    sys.path.insert(0, str(SOURCE))
    from course_lib.authoring.handout import NoCourse, SolvedNotebook, student_zip  # the library alone, no package

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "course.zip"
        try:
            student_zip(path, SOURCE)
        except (NoCourse, SolvedNotebook) as mistake:
            raise ValueError(mistake) from None
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        course.mkdir(parents=True, exist_ok=True)
        for part in (Path(folder) / "course").iterdir():
            shutil.move(part, course / part.name)


def copy_for_a_server(course: Path, jupyterhub: str) -> None:
    """What JupyterHub starts, and the version of JupyterHub. Raises ValueError where none is pinned to be changed."""
    (course / "deploy").mkdir()
    for name in FOR_A_SERVER:
        shutil.copy(SOURCE / "deploy" / name, course / "deploy" / name)
    if jupyterhub:
        pins = course / "constraints.txt"
        text, found = re.subn(r"(?m)^jupyterhub==.*$", f"jupyterhub=={jupyterhub}", pins.read_text(encoding="utf-8"))
        if not found:
            raise ValueError("constraints.txt pins no jupyterhub, so --jupyterhub has nothing to change")
        pins.write_text(text, encoding="utf-8")


def install(course: Path, torch_index: str) -> None:
    """Set `.venv` up as on any other machine, then add JupyterHub. Raises CalledProcessError where a step fails."""
    python = course / ".venv/bin/python"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (
            [sys.executable, course / "install.py", f"--torch-index={torch_index}"],
            [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", "deploy/requirements-hub.txt"],
            [python, "-m", "compileall", "-q", "course_lib"]):  # nobody who reads it can write what it compiles to
        subprocess.run(command, cwd=course, env=kept, check=True)


def make_readable(course: Path) -> None:
    """Everybody reads it all, runs what can be run, and writes nothing."""
    for path in (course, *course.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            runs = path.is_dir() or mode & 0o100 or path.name == "start-student"
            path.chmod(0o755 if runs else 0o644)


if __name__ == "__main__":
    sys.exit(main())
