"""Files that are whole or not there, what is wrong with a place to write to, and what to do about an OSError."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

ENDING = 12  # characters: a longer 'ending' is a name with a dot in it, and no writer goes by it

_ADVICE = {  # by name: not every system knows all of them
    "ENOSPC": "the disk is full: free some space, or name a folder on another disk",
    "EDQUOT": "your share of the disk is used up: delete something, or name a folder on another disk",
    "EFBIG": "files may not become that large here: name a folder on another disk",
    "EACCES": "not permitted: name a folder or file of your own, or ask its owner",
    "EPERM": "not permitted: name a folder or file of your own, or ask its owner",
    "EROFS": "this disk is read-only: name a folder on another one",
    "ENOENT": "no such file or folder: check the name, or make the folder first",
    "ENOTDIR": "a part of this path is a file, not a folder: check the path",
    "EEXIST": "there is a file of this name: name another, or move the file away",
    "EISDIR": "is a folder, not a file: name a file",
    "ENAMETOOLONG": "the name is too long: choose a shorter one",
    "ELOOP": "links here lead in a circle: name another path",
    "EMFILE": "too many files are open: close other programs, then try again",
    "EBUSY": "another program uses this file: close it there, then try again",
    "EINVAL": "this disk takes no file of that name: choose another",
    "EIO": "the disk or the network drive does not answer: check it, or name another folder",
    "ESTALE": "the network drive has gone: connect it again, or name another folder",
    "ETIMEDOUT": "the network drive does not answer: connect it again, or name another folder",
    "ENOTCONN": "the network drive is not connected: connect it again, or name another folder",
    "EHOSTDOWN": "the network drive does not answer: connect it again, or name another folder",
    "ENOMEM": "there is not enough memory: close other programs, then try again",
}
WHAT_TO_DO = {getattr(errno, name): advice for name, advice in _ADVICE.items() if hasattr(errno, name)}


class CourseFileError(Exception):
    """A file that comes with the course is missing or is not what was shipped. The message says how to mend it."""


def require_folder(folder: Path, error: type[CourseFileError] = CourseFileError) -> None:
    """Raises `error` where a folder of the course's data is not there, as after `pip install .`."""
    if not folder.is_dir():
        raise error(f"the course's data folder {folder} is not there. course_lib reads the data that lie beside it: "
                    "work in the course's own folder and install it with `pip install -e .`")


class NotAFile(OSError):
    """A device, a pipe or a socket stands where a file is to be."""


def explain(error: OSError) -> str:
    """One line: which file, what was wrong, and what to do."""
    name = error.filename2 or error.filename
    where = "" if name is None else f"{os.fsdecode(name) if isinstance(name, bytes) else name}: "
    what = error.strerror if isinstance(error, NotAFile) else WHAT_TO_DO.get(error.errno or 0)
    if what is None:
        what = f"{error.strerror or error}: try again, or name another folder"
    return " ".join(f"{where}{what}".split())


def require_file(path: Path) -> bool:
    """Whether the file is there, links followed.

    Raises:
        OSError: it is something else: a folder, a device, a pipe; or it cannot be looked at, as for too long a name.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise NotAFile(errno.EINVAL, "is a device or a pipe, not a file: name a file", str(path))
    return True


def check_writable(path: Path) -> None:
    """Find out, by trying, whether `Draft(path)` will be able to write. Leaves nothing behind.

    Raises:
        OSError: it will not: no such folder, no permission, a name too long, something there that is no file.
    """
    with named(path):
        target = Path(os.path.realpath(path))
        if require_file(path):
            if not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            with tempfile.TemporaryFile(dir=target.parent):
                pass
        else:  # only the name itself can tell whether the file system takes it
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            os.unlink(target)


class Draft:
    """A new version of a file, under a temporary name in the same folder until `keep()` renames it.

    A link is followed: what it points to is replaced, and the link stays. An older file's mode is kept.

    Attributes:
        path: where to write, an empty file with the same ending.

    Raises:
        OSError: nothing can be written there, or what is there is no file. Its `filename` is the path that was given.
    """

    def __init__(self, path: Path) -> None:
        self.given = path
        with named(path):
            require_file(path)
            self.target = Path(os.path.realpath(path))
            ending = path.suffix if len(path.suffix) <= ENDING else ""
            self.path = self.target.with_name(f".{uuid.uuid4().hex[:12]}.tmp{ending}")
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))

    def keep(self) -> None:
        """Give it its name; from now on it is what a reader finds, also after a crash of the machine."""
        with named(self.given):
            with open(self.path, "rb+") as file:
                os.fsync(file.fileno())
            if self.target.exists():
                os.chmod(self.path, stat.S_IMODE(self.target.stat().st_mode))
            os.replace(self.path, self.target)

    def drop(self) -> None:
        """Remove what was not kept."""
        with contextlib.suppress(OSError):  # a disk that does not answer has just been told
            self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name to write to, renamed to `path` at the end, so that what stands there is always whole.

    Raises:
        OSError: as `Draft`, or whatever the writer met; an older file is still there then.
    """
    draft = Draft(path)
    try:
        with named(path, draft.path):
            yield draft.path
        draft.keep()
    finally:
        draft.drop()


def atomic_write(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file so that at every moment the old one or the new one is there, whole.

    Args:
        path: a file, a link to one, or a free name.
        content: text is written as UTF-8, and its line ends as they are.

    Raises:
        OSError: the disk is full, a folder stands there, …; the old file is still there.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def named(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """An OSError within that speaks of no file, or of the temporary one, speaks of the path that the user gave.

    Without `temporary`, every OSError within does.
    """
    try:
        yield
    except OSError as error:
        if temporary is None or error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None
        raise
