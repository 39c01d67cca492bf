"""What students get: notebooks copied to where they work, and the zip file a teacher hands out."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]
RECORD = ".copied.json"
FOR_STUDENTS = ("README.md", "LICENSE", "LICENSE-TEXT", "Makefile", "install.py", "check_python.py",
                "pyproject.toml", "constraints.txt", "environment.yml", "course_lib", "data", "docs", "notebooks")
NOT_FOR_STUDENTS = ("source", "solutions", "unfinished", "__pycache__", ".ipynb_checkpoints")


def copy_notebooks(course: Path = COURSE, work: Path | None = None) -> list[str]:
    """Copy the student notebooks into the folder where a student works, and never overwrite what was changed there.

    A notebook that was not touched since it was copied is brought up to date. Beside a changed one the newer version
    is put as `NN_slug_new_version.ipynb` (then `…_new_version_2`). One that was deleted comes back.

    Returns:
        a line for each thing a student should know.
    """
    work = course / "work" if work is None else work
    work.mkdir(exist_ok=True)
    record_path = work / RECORD
    record = _record(record_path)
    told = []
    for source in sorted((course / "notebooks").glob("*.ipynb")):
        content = source.read_bytes()
        digest = _digest(content)
        names = [source.name] + [f"{source.stem}_new_version{suffix}.ipynb"
                                 for suffix in ("", *(f"_{k}" for k in range(2, 1000)))]
        for name in names:
            target = work / name
            if not target.exists() or _digest(target.read_bytes()) in (digest, record.get(name)):
                written = _write(target, content)
                record[name] = digest
                if written and name != source.name:
                    told.append(f"{source.name} has a newer version; yours was left as it is, the new one is {name}")
                break
            if record.get(name) == digest:
                break  # the student has this version and works in it
    _write(record_path, json.dumps(record, indent=1).encode())
    return told


def _record(path: Path) -> dict[str, str]:
    """Hash of each notebook as it was copied; empty if the record is lost, so that all counts as the student's."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> bool:
    """Write by renaming; returns False if the file said so already."""
    if path.exists() and path.read_bytes() == content:
        return False
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return True


class SolvedNotebook(Exception):
    """A notebook that is to be handed out was solved or run."""


def _require_unsolved(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        solved = "exercise" in cell["metadata"].get("tags", []) and "# your code here" not in "".join(cell["source"])
        if cell.get("outputs") or solved:
            raise SolvedNotebook(f"{path} was {'solved' if solved else 'run'} by hand: build it anew with "
                                 "`make notebooks ARGS=--force`")


def student_zip(path: Path, course: Path = COURSE) -> list[str]:
    """Write the students' zip: everything they need to run the course, without sources and solutions.

    Files are in order and carry a fixed date, so the same course gives the same bytes.

    Returns:
        the names in the zip, which lie in one folder `course/`.

    Raises:
        SolvedNotebook: a student notebook holds outputs, or an exercise that is not the stub.
    """
    for notebook in sorted((course / "notebooks").glob("*.ipynb")):
        _require_unsolved(notebook)
    files = []
    for name in FOR_STUDENTS:
        top = course / name
        files += [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
    files = [f for f in files if not set(f.relative_to(course).parts) & set(NOT_FOR_STUDENTS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            info = zipfile.ZipInfo(f"course/{file.relative_to(course).as_posix()}")
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, file.read_bytes())
        names = archive.namelist()
    os.replace(temporary, path)
    return names
