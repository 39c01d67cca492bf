"""Marks for all submissions: work handed to processes, recorded as it ends, and gone on with after an interruption."""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import json
import multiprocessing
import os
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from course_lib import __version__
from course_lib.authoring.handout import COURSE
from course_lib.files import CourseFileError
from course_lib.grading import sandbox
from course_lib.grading.extract import asked, code_cells, extract, imports
from course_lib.grading.sandbox import CAN_FORK, Ended, Limits
from course_lib.grading.submissions import Submission, Unreadable, read_notebook
from course_lib.grading.verdict import row_of, verdict
from course_lib.teach.exercises import exercises as exercises_of
from course_lib.teach.exercises import judge

Row = dict[str, Any]
GRACE = 60.0  # seconds: a process that imports the course on a slow machine is not dead yet


@dataclass(frozen=True)
class Notebook:
    """What grading needs of one of the course's own notebooks.

    Attributes:
        cells: its code.
        functions: the function of each exercise.
        names: what its imports define.
    """

    cells: tuple[str, ...]
    functions: dict[str, str]
    names: dict[str, Any]


@functools.cache
def course_cells(number: str) -> tuple[str, ...]:
    """The code of the course's own notebook of this number."""
    path = next((COURSE / "notebooks").glob(f"{number}_*.ipynb"))
    return tuple(code_cells(json.loads(path.read_text(encoding="utf-8"))))


@functools.cache
def course_notebook(number: str) -> Notebook:
    """Of the course's notebook of this number, its imports made."""
    cells = course_cells(number)
    names: dict[str, Any] = {}
    exec(compile(imports(cells), f"imports of {number}", "exec"), names)
    return Notebook(cells, asked(cells), names)


def seed_of(secret: int, student: str, exercise: str) -> int:
    """The seed of a student's cases: one cannot learn it from another's."""
    return int.from_bytes(hashlib.sha256(f"{secret}/{student}/{exercise}".encode()).digest()[:4], "big")


def judged(content: bytes, student: str, exercise: str, secret: int, limits: Limits, fork: bool,
           nobody: bool) -> Row:
    """The row of one exercise of one submission."""
    course = course_notebook(exercise.partition(".")[0])
    function = course.functions[exercise]
    try:
        cells = _cells(content)
    except Unreadable as error:
        return row_of("error", error=str(error))

    code = extract(cells, function, course.cells, frozenset(course.names))
    job = functools.partial(verdict, exercise, function, code, course.names, seed_of(secret, student, exercise))
    try:
        return sandbox.in_a_fork(job, limits, nobody) if fork and code.source else job()
    except Ended as end:
        return row_of("error", error=str(end), flags=list(code.flags))


@functools.lru_cache(1)
def _cells(content: bytes) -> list[str]:
    return code_cells(read_notebook(content))


def serve(connection: Connection, numbers: Sequence[str], secret: int, limits: Limits, fork: bool) -> None:
    """A worker's life: import all, then answer each (content, student, exercise) with its row, until None comes."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who hands the work out
    os.environ.setdefault("MPLBACKEND", "agg")
    import torch

    torch.set_num_threads(1)
    alone = sandbox.without_network()
    for number in numbers:
        course_notebook(number)
        for name, exercise in exercises_of(number).items():  # now, what libraries import late is there in every fork
            judge(exercise, name, exercise.reference)
    gc.freeze()  # a fork that collects would copy all that is there
    nobody = fork and sandbox.can_be_nobody(torch.__file__, os.__file__, __file__)
    connection.send({"network": not alone, "nobody": nobody})
    while (task := connection.recv()) is not None:
        connection.send(judged(*task, secret, limits, fork, nobody))


class Worker:
    """A process that judges, begun anew when it dies or does not answer."""

    def __init__(self, arguments: tuple[Any, ...], limits: Limits) -> None:
        self.arguments, self.limits = arguments, limits
        self.task: tuple[Any, ...] | None = None
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, *self.arguments), daemon=True)
        self.process.start()
        theirs.close()
        self.ready: dict[str, bool] | None = None
        self.since = time.monotonic()

    def hand(self, task: tuple[Any, ...]) -> None:
        self.task, self.since = task, time.monotonic()
        with contextlib.suppress(OSError):  # it has died: `late` or the end of its pipe says so
            self.connection.send(task)

    def overdue(self) -> bool:
        allowed = self.limits.seconds + (GRACE if self.ready is None or self.arguments[-1] else 0)
        return (self.task is not None or self.ready is None) and time.monotonic() - self.since > allowed

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def grade(submissions: Sequence[Submission], record: Path, *, secret: int | None = None, workers: int | None = None,
          limits: Limits | None = None, fork: bool = CAN_FORK, progress: bool = True,
          ) -> tuple[list[Row], dict[str, bool]]:
    """A row for each exercise of each submission; and what the judging processes were kept from.

    Args:
        submissions: as `find` returns them.
        record: keeps each submission's rows as they are done, by a hash of its contents; what is in it is not judged
            again, unless the course is another version.
        secret: of the seeds; the record's, or a new one, by default.
        workers: processes; as many as there are processors by default.
        fork: a process for each verdict, as on Linux; else one for each student, ended by the clock.

    Raises:
        CourseFileError: the record is not one.
    """
    limits = limits or Limits()
    head, done = _read_record(record)
    version = _version()
    if not head or head["version"] != version or (secret is not None and head["secret"] != secret):
        head, done = {"version": version, "secret": secrets.randbits(32) if secret is None else secret}, {}
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(head) + "\n", encoding="utf-8")
    rows: list[Row] = []
    waiting: list[tuple[Submission, str, bytes]] = []
    for one in submissions:
        try:
            if not one.notebook:
                raise Unreadable("neither its name nor its contents say which notebook it is")
            content = one.read()
        except Unreadable as error:
            rows.append(_told(one, "", row_of("error", error=str(error))))
            continue
        key = hashlib.sha256(content + f"/{one.student}/{one.notebook}".encode()).hexdigest()
        if key in done:
            rows += [_told(one, name, row) for name, row in done[key].items()]
        else:
            waiting.append((one, key, content))
    kept: dict[str, bool] = {}
    if waiting:
        with open(record, "a", encoding="utf-8") as file:
            for one, key, found in _judge_all(waiting, head["secret"], workers, limits, fork, progress, kept):
                file.write(json.dumps({"key": key, "rows": found}, ensure_ascii=False) + "\n")
                file.flush()
                rows += [_told(one, name, row) for name, row in found.items()]
    return sorted(rows, key=lambda row: (row["student"], row["notebook"], row["exercise"])), kept


def _told(one: Submission, exercise: str, row: Row) -> Row:
    return {"student": one.student, "notebook": one.notebook, "exercise": exercise, **row,
            "flags": [*one.flags, *row["flags"]], "path": one.path}


def _version() -> str:
    """Of all that a verdict depends on."""
    files = sorted([*(COURSE / "course_lib" / "chapters").glob("nb*/exercises.py"),
                    *(COURSE / "course_lib" / "grading").glob("*.py")])
    return f"{__version__} {hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()[:16]}"


def _read_record(record: Path) -> tuple[dict[str, Any], dict[str, dict[str, Row]]]:
    try:
        lines = record.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}, {}
    try:
        head = json.loads(lines[0]) if lines else {}
    except ValueError:
        head = None
    if not isinstance(head, dict) or (head and {"version", "secret"} - head.keys()):
        raise CourseFileError(f"{record} is no record of grading: name another file for the marks")
    done = {}
    for line in lines[1:]:
        with contextlib.suppress(ValueError, KeyError):  # the last may be half written
            told = json.loads(line)
            done[told["key"]] = told["rows"]
    return head, done


def _judge_all(waiting: Sequence[tuple[Submission, str, bytes]], secret: int, workers: int | None, limits: Limits,
               fork: bool, progress: bool, kept: dict[str, bool]) -> Iterator[tuple[Submission, str, dict[str, Row]]]:
    """Each submission with its rows, as they are done."""
    numbers = sorted({one.notebook for one, _, _ in waiting})
    jobs = [_Job(one, key, content, deque(asked(course_cells(one.notebook)))) for one, key, content in waiting]
    todo = deque(job for job in jobs if job.left)
    yield from ((job.one, job.key, {}) for job in jobs if not job.left)
    count = min(workers or os.cpu_count() or 1, len(todo))
    crew = [Worker((numbers, secret, limits, fork), limits) for _ in range(count)]
    at: dict[Worker, _Job] = {}
    bar = tqdm(total=sum(len(job.left) for job in todo), unit="verdict", disable=not progress)
    try:
        with bar:
            while todo or at:
                for worker in crew:
                    if worker.ready is not None and worker.task is None:
                        job = at.get(worker) or (todo.popleft() if todo else None)
                        if job:
                            at[worker] = job
                            worker.hand((job.content, job.one.student, job.left[0]))
                wait([worker.connection for worker in crew], timeout=0.5)
                for worker in crew:
                    row = _answer(worker, limits)
                    if row is None:
                        continue
                    if "network" in row:
                        kept.update(row)
                        continue
                    job = at[worker]
                    job.rows[job.left.popleft()] = row
                    bar.update()
                    if not job.left:
                        yield job.one, job.key, job.rows
                        del at[worker]
                        if not fork and todo and todo[0].one.student != job.one.student:
                            worker.end()
                            worker.start()
    finally:
        for worker in crew:
            worker.end()


@dataclass(eq=False)
class _Job:
    one: Submission
    key: str
    content: bytes
    left: deque[str]

    def __post_init__(self) -> None:
        self.rows: dict[str, Row] = {}


def _answer(worker: Worker, limits: Limits) -> Row | None:
    """What a worker has sent: that it is ready, or a row. The row of one that died or is overdue; None if nothing."""
    try:
        if worker.connection.poll():
            told = worker.connection.recv()
            if worker.ready is None:
                worker.ready = told
            worker.task = None
            return told
        died = False
    except (EOFError, OSError):
        died = True
    if not died and not worker.overdue():
        return None
    if worker.ready is None:
        raise CourseFileError("a process that judges does not start: run the tests of the course, `make check`")
    had_task = worker.task is not None
    worker.task = None
    worker.end()
    worker.start()
    if not had_task:
        return None
    return row_of("error", error="it ended its process" if died else f"it took longer than {limits.seconds:g} seconds")
