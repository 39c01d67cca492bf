"""A run on the command line: what it prints, when it saves, and how it ends."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor
from tqdm.auto import tqdm

from course_lib.commands.console import tell
from course_lib.commands.errors import NOT_WRITTEN
from course_lib.commands.outputs import SAVE_EVERY
from course_lib.commands.stopping import Note
from course_lib.files import explain
from course_lib.training.checkpoints import WEIGHTS
from course_lib.training.experiment import Experiment
from course_lib.training.loop import run as steps
from course_lib.training.loop import save
from course_lib.training.parallel import largest


class Run:
    """How a run on the command line went: what ended it, and which of its files could not be written.

    Attributes:
        stop: the signal that ended it, if one did.
        failed: for each file that could not be written, why.
        broken: the error of the output that the lines are printed to, if there was one.
    """

    def __init__(self) -> None:
        self.stop = Note()
        self.failed: dict[Path, str] = {}
        self.broken: OSError | None = None

    @property
    def finished(self) -> bool:
        return self.stop.number is None and self.broken is None

    def attempt(self, path: Path, write: Callable[[], Any], mistakes: type[Exception] = OSError) -> None:
        """Write one file. If that fails it is told, once, and the other files are written all the same."""
        try:
            write()
        except (OSError, mistakes) as error:
            if path not in self.failed:
                tell(f"could not write {explain(error) if isinstance(error, OSError) else f'{path}: {error}'}")
            self.failed[path] = str(error)
        else:
            self.failed.pop(path, None)

    def report(self, experiment: Experiment, paths: Sequence[Path]) -> int:
        """The last line, where the run stands and the files it wrote; returns the exit code."""
        written = [str(path) for path in paths if path not in self.failed]
        wrote = f"; wrote {', '.join(written)}" if written else ""
        tell(f"step {experiment.steps}, digest {experiment.digest()}{wrote}")
        if self.broken is not None:
            raise self.broken
        return NOT_WRITTEN if self.failed else self.stop.code


def train(experiment: Experiment, arguments: argparse.Namespace, run: Run, line: Callable[[dict[str, Tensor]], str],
          after_step: Callable[[], None] = lambda: None) -> None:
    """The run that was asked for: prints `line` of the 0-d metrics, saves what can be resumed, and ends early if it is
    told to.

    After Ctrl-C, or where nothing can be printed any more, the experiment is whole: it is shown and kept.
    """
    progress = sys.stdout.isatty() and sys.stderr.isatty()
    states = [path for path in arguments.save if path.suffix != WEIGHTS]

    def save_states() -> None:
        for path in states:
            run.attempt(path, partial(save, experiment, path))

    try:
        for metrics in steps(experiment, arguments.num_steps - experiment.steps, progress=progress):
            if experiment.steps % arguments.log_every == 0:
                tqdm.write(f"{experiment.steps}: {line(metrics)}")
                sys.stdout.flush()  # so that a log file can be followed
            after_step()
            if experiment.steps % SAVE_EVERY == 0:
                save_states()
            if number := largest(run.stop.number or 0):  # processes that share the steps end after the same one
                run.stop(number)
                break
    except KeyboardInterrupt:  # within a step, which was finished
        run.stop(signal.SIGINT)
    except OSError as error:  # of printing: a full disk, or nobody who reads on
        run.broken = error
    if run.stop.number is not None:
        tell(f"stopped by {run.stop.word}")
    save_states()
