"""What a class handed in: notebooks in a folder for each student, in one flat folder, or in a learning platform's zip.

Who handed in what is told by names. A folder of one's own names the student (`2023001_张三/05_gan_1d.ipynb`); else the
file does (`2023001_张三_05.ipynb`). Names in a zip may be UTF-8 or GBK, whatever the zip says of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from course_lib.files import CourseFileError

LARGEST = 20 * 2**20  # bytes: a notebook of the course with all its pictures has less than 5 MB
ENCODINGS = ("utf-8-sig", "gb18030", "utf-16")
NOT_HANDED_IN = ("__MACOSX", ".ipynb_checkpoints")
PLATFORM = re.compile(r"_\d+_assignsubmission_\w*$|_assignsubmission_\w*$")  # what Moodle appends to a student's name
SEPARATORS = " _-.,()（）"


class Unreadable(Exception):
    """A submission that cannot be read as a notebook; the text says why."""


@dataclass(frozen=True)
class Submission:
    """One handed-in notebook.

    Attributes:
        student: as the folder or the file names them.
        notebook: its number, such as "05", or "" if neither name nor contents tell it.
        path: where it lies, for messages.
        place: the file, or the zip and the member of it.
        flags: what a teacher should know of it.
    """

    student: str
    notebook: str
    path: str
    place: tuple[Path, str]
    flags: tuple[str, ...] = field(default=())

    def read(self) -> bytes:
        """Its contents.

        Raises:
            Unreadable: it is empty, larger than `LARGEST`, or cannot be read.
        """
        try:
            content = _contents(*self.place)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:  # of encryption
            raise Unreadable(f"the file cannot be read: {error}") from None
        if content is None:
            raise Unreadable(f"the file is larger than {LARGEST // 2**20} MB")
        if not content.strip():
            raise Unreadable("the file is empty")
        return content


def _contents(file: Path, member: str) -> bytes | None:
    if not member:
        return file.read_bytes() if file.stat().st_size <= LARGEST else None
    with zipfile.ZipFile(file) as archive, archive.open(member) as opened:
        content = opened.read(LARGEST + 1)  # what a zip says of a member's size need not be so
    return content if len(content) <= LARGEST else None


def decoded(content: bytes) -> str:
    """Text of unknown encoding.

    Raises:
        Unreadable: it is in none of `ENCODINGS`.
    """
    for encoding in ("utf-16", *ENCODINGS) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the file is not text")


def read_notebook(content: bytes) -> dict:
    """A notebook's JSON.

    Raises:
        Unreadable: it is no notebook.
    """
    try:
        notebook = json.loads(decoded(content))
    except (json.JSONDecodeError, RecursionError):
        raise Unreadable("the file is no notebook: it is damaged, or was saved as something else") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise Unreadable("the file is no notebook: it has no cells")
    return notebook


def find(path: Path, stems: Sequence[str]) -> list[Submission]:
    """All notebooks under a folder or in a zip, the last of each student and number, sorted by student and number.

    Args:
        stems: names of the course's notebooks, "05_gan_1d", ….

    Raises:
        CourseFileError: there is nothing of that name, or no notebook in it.
    """
    if not path.exists():
        raise CourseFileError(f"{path}: no such folder or zip file: check the name")
    entries = list(_entries(path))
    if not entries:
        raise CourseFileError(f"{path}: there is no notebook (*.ipynb) in it")
    parts = [PurePosixPath(name).parts for name, _, _ in entries]
    while all(len(names) > 1 and names[0] == parts[0][0] for names in parts) and _is_only_a_container(parts, stems):
        parts = [names[1:] for names in parts]
    last: dict[tuple[str, str], tuple[float, Submission]] = {}
    for names, (name, place, time) in zip(parts, entries, strict=True):
        number, rest = numbered(names[-1].rpartition(".")[0], stems)
        student = PLATFORM.sub("", names[0]) if len(names) > 1 else rest
        one = Submission(student.strip(SEPARATORS) or "?", number, name, place)
        if not number:
            one = replace(one, notebook=_number_within(one, stems))
        key = (one.student, one.notebook or name)
        if key in last:
            time_before, before = last[key]
            newer = one if time >= time_before else before
            one = replace(newer, flags=("handed in more than once: the newest counts",))
        last[key] = (max(time, last[key][0]) if key in last else time, one)
    return sorted((one for _, one in last.values()), key=lambda one: (one.student, one.notebook, one.path))


def _is_only_a_container(parts: list[tuple[str, ...]], stems: Sequence[str]) -> bool:
    """Whether the one folder that holds all is no student's: it holds several folders, or files that name students."""
    folders = {names[1] for names in parts if len(names) > 2}
    files = [names[1].rpartition(".")[0] for names in parts if len(names) == 2]
    return len(folders) > 1 or (not folders and len({numbered(stem, stems)[1] for stem in files} - {""}) > 1)


def _entries(path: Path) -> Iterator[tuple[str, tuple[Path, str], float]]:
    """Name within the whole, place, and time of each notebook."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            relative = file.relative_to(path)
            if any(part in NOT_HANDED_IN or part.startswith("._") for part in relative.parts) or not file.is_file():
                continue
            if file.suffix.lower() == ".ipynb":
                yield relative.as_posix(), (file, ""), file.stat().st_mtime
            elif file.suffix.lower() == ".zip":
                for name, place, time in _members(file):
                    yield f"{relative.with_suffix('').as_posix()}/{name}", place, time
    else:
        yield from _members(path)


def _members(file: Path) -> Iterator[tuple[str, tuple[Path, str], float]]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise CourseFileError(f"{file}: this zip file cannot be opened: {error}") from None
    for member in members:
        name = member.filename if member.flag_bits & 0x800 else _in_chinese(member.filename)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        hidden = any(part in NOT_HANDED_IN or part.startswith("._") for part in parts)
        if name.lower().endswith(".ipynb") and not hidden:
            yield "/".join(parts), (file, member.filename), float("".join(f"{n:02d}" for n in member.date_time))


def _in_chinese(name: str) -> str:
    """A member's name that `zipfile` took for code page 437, as the zip did not say that it is UTF-8."""
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def numbered(stem: str, stems: Sequence[str]) -> tuple[str, str]:
    """A notebook's number by its file's name, "" if it does not say; and the name without it.

    "2023001_张三_05" and "张三-05_gan_1d (2)" are both of notebook 05.
    """
    stem = re.sub(r"\s*\(\d+\)$|-Copy\d*$|-\d$", "", stem)
    for name in sorted(stems, key=len, reverse=True):
        if name in stem:
            return name.split("_")[0], stem.replace(name, "").strip(SEPARATORS)
    known = {name.split("_")[0] for name in stems}
    tokens = list(re.finditer(r"[^\s_\-.,()（）]+", stem))
    for token in reversed(tokens):
        word = re.sub(r"^nb", "", token[0].lower())
        if word in known:
            return word, (stem[:token.start()] + stem[token.end():]).strip(SEPARATORS)
    return "", stem


def _number_within(one: Submission, stems: Sequence[str]) -> str:
    """By what the course wrote into the notebook's metadata."""
    try:
        source = read_notebook(one.read()).get("metadata", {}).get("course", {}).get("source", "")
        return next((s.split("_")[0] for s in stems if s == Path(str(source)).stem), "")
    except (Unreadable, AttributeError):
        return ""


def read_roster(path: Path) -> list[tuple[str, str]]:
    """Each student's number and name: the first two columns of a CSV file, in UTF-8 or GBK, with or without a header.

    Raises:
        CourseFileError: it cannot be read, or a line has no second column.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(decoded(path.read_bytes()))) if any(map(str.strip, row))]
    except (OSError, Unreadable, csv.Error) as error:
        raise CourseFileError(f"{path}: the roster cannot be read: {error}") from None
    if rows and not any(map(str.isdigit, "".join(rows[0]))):  # a header
        rows = rows[1:]
    if short := next((row for row in rows if len(row) < 2), None):
        raise CourseFileError(f"{path}: a line of the roster is a student's number, a comma and the name; this is not: "
                              f"{','.join(short)!r}")
    return [(row[0].strip(), row[1].strip()) for row in rows]


def on_roster(student: str, roster: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """Whose submission this is: the student's number is a part of the name, or else the one name on the roster is."""
    tokens = re.split(r"[\s_\-.,()（）]+", student)
    if found := next((line for line in roster if line[0] in tokens), None):
        return found
    named = [line for line in roster if line[1] and line[1] in student]
    return named[0] if len(named) == 1 else None
