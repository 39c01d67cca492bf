"""Many runs of one function, on the cores of this machine or on a cluster, recorded as they end.

A study over seeds and settings is a table that takes hours. Here each finished run is a line of a file, so that a study
that was broken off goes on where it was, and a machine that is lost costs its run alone. The work is handed out by
dask.distributed (the extra `[cluster]`).

    results = map_runs(train_and_measure, [{"seed": seed, "learning_rate": rate} for …], record="data/study.jsonl")
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from course_lib.files import CourseFileError, atomic_write

if TYPE_CHECKING:
    from distributed.deploy import Cluster

Setting = dict[str, Any]


class RunsFailed(RuntimeError):
    """Some runs raised an error. The others are done, and recorded.

    Attributes:
        failed: the setting of each, and its error.
    """

    def __init__(self, failed: list[tuple[Setting, BaseException]]) -> None:
        told = "".join(f"\n  {_key(setting)}: {type(error).__name__}: {error}" for setting, error in failed)
        super().__init__(f"{len(failed)} of the runs failed; those that did not are kept:{told}")
        self.failed = failed


def map_runs(function: Callable[..., Any], settings: Sequence[Setting], record: str | Path | None = None,
             scheduler: str | Cluster | None = None, workers: int = 2, progress: bool = True) -> list[Any]:
    """`function(**setting)` for each setting, in the order of the settings.

    Args:
        function: what one run does. It returns what JSON can hold: numbers, strings, lists, dictionaries; arrays and
            tensors come back as lists. It should depend on nothing but its setting, seeds included.
        settings: keyword arguments, which JSON can hold, too; no two alike.
        record: a file to keep results in, a line of JSON for each. Runs that are in it are not run again. It does not
            know of changes to the function: delete it, or put a version into the settings.
        scheduler: address of a dask scheduler that is there, such as "tcp://10.0.0.1:8786", whose workers can import
            this course, or a cluster of dask's kind, such as one of dask-gateway, which an address alone does not let
            in; it is left running. None starts workers here.
        workers: how many processes here, with one thread each; 1 runs all in this process, without dask.

    Raises:
        RunsFailed: after all others have ended.
        ValueError: settings that JSON cannot hold, or two alike.
        CourseFileError: the record cannot be read.
        ImportError: more than one worker, and dask.distributed is not installed.
    """
    keys = [_key(setting) for setting in settings]
    if len(set(keys)) < len(keys):
        raise ValueError(f"two settings are alike: {next(key for key in keys if keys.count(key) > 1)}")
    done = {_key(setting): result for setting, result in read_record(record)}
    missing = {key: setting for key, setting in zip(keys, settings, strict=True) if key not in done}
    failed: list[tuple[Setting, BaseException]] = []
    handed_out = _here if workers == 1 and scheduler is None else _by_dask
    bar = tqdm(total=len(keys), initial=len(keys) - len(missing), disable=not progress, unit="run")
    with bar, contextlib.closing(handed_out(function, list(missing.values()), scheduler, workers)) as ended:
        for setting, result, error in ended:
            if error is not None:
                failed.append((setting, error))
            else:
                done[_key(setting)] = result
                if record is not None:
                    write_record(record, ((json.loads(key), kept) for key, kept in done.items()))
            bar.update()
    if failed:
        raise RunsFailed(failed)
    return [done[key] for key in keys]


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--scheduler`, `--workers` and `--results`, which a script hands to `map_runs`."""
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler that is there, tcp://HOST:PORT")
    parser.add_argument("--workers", type=int, default=2, help="processes here, if there is no scheduler (default 2)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="keep finished runs here, and go on from them")


Ended = tuple[Setting, Any, BaseException | None]


def _here(function: Callable[..., Any], settings: list[Setting], scheduler: None, workers: int) -> Iterator[Ended]:
    for setting in settings:
        try:
            yield setting, _call(function, setting), None
        except Exception as error:
            yield setting, None, error


def _by_dask(function: Callable[..., Any], settings: list[Setting], scheduler: str | Cluster | None, workers: int,
             ) -> Iterator[Ended]:
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError:
        raise ImportError("to run on several workers install dask.distributed, `pip install 'course_lib[cluster]'`, "
                          "or ask for one worker") from None
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            # Threads of a library would fight for the cores. The port of the dashboard may be taken, or forbidden.
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                                   silence_logs=logging.ERROR,
                                   env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
            scheduler = stack.enter_context(cluster)
        client = stack.enter_context(Client(scheduler, set_as_default=False))
        futures = {client.submit(_call, function, setting, pure=False): setting for setting in settings}
        for future in as_completed(futures, loop=client.loop):
            error = future.exception()
            yield futures[future], None if error else future.result(), error
            future.release()


def _call(function: Callable[..., Any], setting: Setting) -> Any:
    """One run: what it returns is as plain as it will be read from the record."""
    return json.loads(json.dumps(function(**setting), default=_plain))


def _key(setting: Setting) -> str:
    try:
        return json.dumps(setting, sort_keys=True, ensure_ascii=False)
    except TypeError as error:
        raise ValueError(f"a setting holds what JSON cannot: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # of arrays, tensors and numpy's numbers
        return value.tolist()
    raise TypeError(f"a run returned a {type(value).__name__}, which JSON cannot hold")


def read_record(record: str | Path | None) -> list[tuple[Setting, Any]]:
    """The runs of a record, pairs (setting, result); none where there is no file. Raises as `map_runs`."""
    if record is None or not Path(record).exists():
        return []
    runs = []
    for number, line in enumerate(Path(record).read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            runs.append((entry["setting"], entry["result"]))
        except (ValueError, KeyError, TypeError) as error:
            raise CourseFileError(f"{record}, line {number}, is no record of a run ({error}): mend or delete the "
                                  "line") from None
    return runs


def write_record(record: str | Path, runs: Iterable[tuple[Setting, Any]]) -> None:
    """Write a record anew, of pairs (setting, result)."""
    lines = [json.dumps({"setting": setting, "result": result}, ensure_ascii=False) for setting, result in runs]
    atomic_write(Path(record), "".join(line + "\n" for line in lines))
