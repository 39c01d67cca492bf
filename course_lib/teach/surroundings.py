"""The surroundings that a student's function is judged in: the same in every notebook, and left as they were found."""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch


@contextlib.contextmanager
def own_surroundings(seed: int = 0) -> Iterator[None]:
    """Judge under the settings of a fresh kernel, whatever a cell has set; whatever happens inside is undone.

    Inside: numpy warns of errors instead of raising, no warning is shown or raised, torch makes float32 on the CPU with
    gradients, without autocast and without deterministic algorithms, and the global random generators start from
    `seed`. What is written to stderr goes to stdout, since graders count it as an error.
    """
    with contextlib.ExitStack() as stack:
        for get, put, judged in _SETTINGS:
            stack.callback(_put_back, get, put, get())
            put(judged)
        for get, put, start in _GENERATORS:
            stack.callback(put, get())
            start(seed)
        for get, put in _KEPT:
            stack.callback(_put_back, get, put, get())
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast("cpu", enabled=False))
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn", call=None))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(sys.stdout))
        stack.enter_context(contextlib.redirect_stderr(sys.stdout))
        yield


def _put_back(get: Callable[[], Any], put: Callable[[Any], None], before: Any) -> None:
    if get() != before:
        put(before)


def _set_device(wanted: torch.device) -> None:
    """Set the default device, unless that of a `with torch.device(...)` around all of this is the one."""
    torch.set_default_device(None)
    if torch.get_default_device() != wanted:
        torch.set_default_device(wanted)


def _determinism() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_determinism(wanted: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(wanted[0], warn_only=wanted[1])


_SETTINGS = (  # how to read it, how to set it, what it is set to
    (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    (torch.get_default_device, _set_device, torch.device("cpu")),
    (_determinism, _set_determinism, (False, False)),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
)
_GENERATORS = (
    (torch.get_rng_state, torch.set_rng_state, torch.default_generator.manual_seed),
    (np.random.get_state, np.random.set_state, np.random.seed),
    (random.getstate, random.setstate, random.seed),
)
_KEPT = (  # not set, but put back
    (torch.get_num_threads, torch.set_num_threads),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)
