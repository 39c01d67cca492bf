"""What students get: notebooks copied to where they work, and the zip file a teacher hands out."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from course_lib.files import atomic_write, whole_file

COURSE = Path(__file__).resolve().parents[2]
RECORD = ".copied.json"
FOR_STUDENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "LICENSE-TEXT", "Makefile",
                "install.py", "check_python.py",
                "pyproject.toml", "constraints.txt", "environment.yml", "course_lib", "data", "docs", "notebooks")
NEEDED = ("anywidget", "ipywidgets", "matplotlib", "numpy", "safetensors", "scipy", "sklearn", "torch", "tqdm")
NOT_FOR_STUDENTS = ("source", "solutions", "teaching", "unfinished", "__pycache__", ".ipynb_checkpoints")


class NoCourse(Exception):
    """course_lib was installed without the course around it, so there is nothing to hand out."""


def require_course(course: Path = COURSE) -> None:
    """Raises NoCourse where there are no notebooks beside the package, as after `pip install .`."""
    if not list((course / "notebooks").glob("*.ipynb")):
        raise NoCourse(f"there are no notebooks beside {course / 'course_lib'}: work in the course's folder and "
                       "install it with `pip install -e .`")


def work_folder(course: Path = COURSE) -> Path:
    """Where a student works if no folder is named.

    `$COURSE_WORK`; else `work` in the course's folder; or, where that cannot be written, because many people use one
    copy, `generative-models` in the home folder.

    Raises:
        OSError: neither can be found out, because a drive does not answer or `work` is a file.
    """
    if named := os.environ.get("COURSE_WORK"):
        return Path(os.path.expanduser(named))
    work = course / "work"
    return work if _takes_files(work if work.exists() else course) else _at_home()


def _at_home() -> Path:
    try:
        return Path.home() / "generative-models"
    except RuntimeError:  # a user whom the machine does not know, as in some containers
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "the home folder (set COURSE_WORK)") from None


def _takes_files(folder: Path) -> bool:
    """By trying: permissions say little on network drives, and nothing to root."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return False
        raise  # a full disk is no reason to begin anew elsewhere


def copy_notebooks(course: Path = COURSE, work: Path | None = None) -> list[str]:
    """Copy the student notebooks into the folder where a student works, and never overwrite what was changed there.

    A notebook that was not touched since it was copied is brought up to date. Beside a changed one the newer version
    is put as `NN_slug_new_version.ipynb` (then `…_new_version_2`). One that was deleted comes back.

    Args:
        course: the folder with the notebooks.
        work: the folder to copy to, made if it is not there; `work_folder(course)` by default.

    Returns:
        a line for each thing a student should know.

    Raises:
        NoCourse: there are no notebooks to copy.
        OSError: the folder cannot be made or written; what was copied before is whole.
    """
    require_course(course)
    work = work_folder(course) if work is None else work
    work.mkdir(parents=True, exist_ok=True)
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
            if target.is_dir():
                continue  # it is the student's; the notebook comes beside it
            if not target.exists() or {digest, record.get(name)} & _digests(target.read_bytes()):
                written = _write(target, content)
                record[name] = digest
                if written and name != source.name:
                    told.append(f"{source.name} has a newer version; yours was left as it is, the new one is {name}")
                break
            if record.get(name) in _digests(content):
                break  # the student has this version and works in it
    _write(record_path, json.dumps(record, indent=1).encode())
    return told


def hidden_modules(work: Path) -> list[str]:
    """What to say of files in `work` that hide a module which notebooks need: Python looks beside the notebook first,
    so after `random.py` is saved there, nothing that imports `random` starts any more."""
    needed = sys.stdlib_module_names | {"IPython", "course_lib", *NEEDED}
    hiding = sorted(path for path in work.glob("*") if path.stem in needed
                    and (path.suffix == ".py" or (path / "__init__.py").exists()))
    return [f"{path.name} in {work} hides the module {path.stem}, and notebooks there will not start: rename it"
            for path in hiding]


def _record(path: Path) -> dict[str, str]:
    """Hash of each notebook as it was copied; empty if the record is lost, so that all counts as the student's."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _digest(content: bytes) -> str:
    """Hash of what the cells of a notebook say: line ends, layout of the JSON and the file's own metadata do not count.

    So a clone on Windows, or a notebook that was opened and saved as it was, has not been changed.
    """
    try:
        cells = [_content(cell) for cell in json.loads(content)["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError):  # no notebook
        return hashlib.sha256(_lf(content)).hexdigest()
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def _digests(content: bytes) -> set[str]:
    """The hash, and the one of the bytes, which records of the course's first copies hold."""
    return {_digest(content), hashlib.sha256(content).hexdigest()}


def _content(cell: dict) -> dict:
    """A cell without what a mere save writes: its id, its count, texts as lists of lines."""
    kept = {k: v for k, v in cell.items() if k not in ("id", "execution_count")}
    return kept | {"source": "".join(cell["source"]).replace("\r\n", "\n")}


def _lf(content: bytes) -> bytes:
    """A text's bytes with line ends of one character, whatever the system they were written on."""
    return content.replace(b"\r\n", b"\n")


def _write(path: Path, content: bytes) -> bool:
    """Returns False if the file said so already."""
    if path.exists() and path.read_bytes() == content:
        return False
    atomic_write(path, content)
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

    Files are in order, carry a fixed date, and texts have line ends of one character: the same course gives the same
    bytes, on Windows too.

    Returns:
        the names in the zip, which lie in one folder `course/`.

    Raises:
        NoCourse: there is nothing to hand out.
        SolvedNotebook: a student notebook holds outputs, or an exercise that is not the stub.
        OSError: the zip cannot be written, or a file of the course not be read.
    """
    require_course(course)
    for notebook in sorted((course / "notebooks").glob("*.ipynb")):
        _require_unsolved(notebook)
    files = []
    for name in FOR_STUDENTS:
        top = course / name
        files += [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
    files = [f for f in files if not set(f.relative_to(course).parts) & set(NOT_FOR_STUDENTS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            info = zipfile.ZipInfo(f"course/{file.relative_to(course).as_posix()}")
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            content = file.read_bytes()
            archive.writestr(info, content if b"\0" in content else _lf(content))
        return archive.namelist()
