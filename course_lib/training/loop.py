"""The loop that trains an experiment, and the file that a run can go on from."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from course_lib.files import atomic_write
from course_lib.training.experiment import Experiment


@contextmanager
def _interrupt_between_steps() -> Iterator[threading.Event]:
    """Ctrl-C sets the event instead of breaking off in the middle of an update. Only the main thread gets signals."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def run(experiment: Experiment, steps: int, progress: bool = True) -> Iterator[dict[str, Tensor]]:
    """Train for `steps` updates, yielding each one's 0-d metrics.

    Ctrl-C (Interrupt in Jupyter) takes effect after the update under way, so the experiment stays whole: it can be
    drawn, saved, or run on.
    """
    for _ in tqdm(range(steps), disable=not progress, unit="step", leave=False):
        with _interrupt_between_steps() as asked:
            metrics = experiment.step()
        if asked.is_set():
            raise KeyboardInterrupt(f"stopped after step {experiment.steps}; the experiment is whole")
        yield metrics


def save(experiment: Experiment, path: str | Path) -> None:
    """Write a checkpoint; the old one stays whole until the new one is. Raises OSError if it cannot be written."""
    buffer = io.BytesIO()  # torch makes other errors of a full disk
    torch.save(experiment.state_dict(), buffer)
    atomic_write(Path(path), buffer.getbuffer())


def load(experiment: Experiment, path: str | Path) -> None:
    """Resume from a checkpoint written by `save`, bit for bit."""
    experiment.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
