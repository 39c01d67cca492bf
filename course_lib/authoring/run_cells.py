"""Run a notebook's cells in this process and write down its claims, for `calibrate`.

    python -m course_lib.authoring.run_cells NOTEBOOK OUT

The environment says how, as for a test: `COURSE_SEED` adds to each seed, the variables of MKL and ATEN choose the
processor's instructions, and `COURSE_BREAK` breaks one thing on purpose:

    untrained   no optimiser moves anything
    shuffled    the labels of MNIST belong to other pictures, and the pixels of all pictures have changed places alike
    weights     models that come trained have the weights that they began with
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from course_lib.authoring.handout import COURSE
from course_lib.authoring.text import calls
from course_lib.files import atomic_write
from course_lib.seeds import offset

BREAKS = ("untrained", "shuffled", "weights")


def code_cells(notebook: Path) -> list[str]:
    """The source of each code cell, in order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]).lstrip("\n") for cell in cells if cell["cell_type"] == "code"]


def claim_calls(cells: list[str]) -> dict[tuple[int, int], ast.Call]:
    """Each call of `claim` by its cell and its line there, in the order of definition, by which they are numbered."""
    return dict(sorted(((position, call.lineno), call)
                       for position, cell in enumerate(cells) for call in calls(cell, "claim")))


def run_cells(notebook: Path) -> dict[str, Any]:
    """Run all cells, whether claims hold or not.

    Returns:
        claims: for each number of a claim one outcome for each time that it was made: text, limits (those given),
            exact, n, and what `claims.Summary` has.
        seconds: processor time.
        error: what broke the notebook off, or None; later claims are missing then.
    """
    from IPython.core.interactiveshell import InteractiveShell

    from course_lib.teach import claims as made

    cells = code_cells(notebook)
    calls, outcomes, files = {place: n for n, place in enumerate(claim_calls(cells), start=1)}, {}, {}

    def note(outcome: made.Outcome) -> None:
        where = files.get(outcome.frame.f_code.co_filename), outcome.frame.f_lineno
        outcomes.setdefault(str(calls[where]), []).append({
            "text": outcome.text, "limits": {k: float(v) for k, v in vars(outcome.limits).items() if v is not None},
            "exact": outcome.exact, "n": len(outcome.values),
            **made.Summary.of(outcome.values)._asdict()})

    made.listeners.append(note)
    shell, error, start = InteractiveShell.instance(), None, time.process_time()
    for position, cell in enumerate(cells):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            named, shell.compile.cache = shell.compile.cache, _told(shell.compile.cache, files, position)
            result = shell.run_cell(cell, store_history=True)
            shell.compile.cache = named
        if not result.success:
            failure = result.error_before_exec or result.error_in_exec
            error = f"code cell {position + 1}: {type(failure).__name__}: {failure}"
            break
    return {"claims": outcomes, "seconds": time.process_time() - start, "error": error}


def in_a_process(notebook: Path, told: Mapping[str, str]) -> dict[str, Any]:
    """What `run_cells` returns of a notebook, in a process of its own with one thread and these variables.

    Raises:
        RuntimeError: the process ended without a result; what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "claims.json"
        done = subprocess.run([sys.executable, "-m", "course_lib.authoring.run_cells", notebook, out],
                              env=os.environ | {"OMP_NUM_THREADS": "1", **told}, cwd=COURSE, capture_output=True,
                              text=True, encoding="utf-8", errors="replace")
        if not out.exists():
            raise RuntimeError(f"{notebook.name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(out.read_text(encoding="utf-8"))


def _told(cache: Callable[..., str], files: dict[str, int], position: int) -> Callable[..., str]:
    """IPython's naming of a cell's code, which notes the name."""
    def named(*args: Any, **kwargs: Any) -> str:
        name = cache(*args, **kwargs)
        files[name] = position
        return name

    return named


def break_on_purpose(how: str) -> None:
    """Break one thing, before a notebook imports anything. Raises ValueError for a name that is none of BREAKS."""
    import torch

    from course_lib.data import mnist
    from course_lib.training import pretrained

    if how == "untrained":
        for kind in _subclasses(torch.optim.Optimizer):
            kind.step = lambda self, closure=None: None
    elif how == "shuffled":
        read = mnist.load_mnist

        def shuffled(part: str, *args: Any, **kwargs: Any) -> mnist.MNIST:
            whole, generator = read(part, *args, **kwargs), torch.Generator().manual_seed(0)
            pixels = torch.randperm(whole.images[0].numel(), generator=generator)
            images = whole.images.flatten(1)[:, pixels].view_as(whole.images)
            return mnist.MNIST(images, whole.labels[torch.randperm(len(whole), generator=generator)])

        for module in [m for name, m in sys.modules.items() if name.startswith("course_lib.")]:
            if getattr(module, "load_mnist", None) is read:
                module.load_mnist = shuffled
    elif how == "weights":
        checkpoints = pretrained.checkpoints
        read_weights = checkpoints.read

        def fresh(name: str, *args: Any, **kwargs: Any) -> tuple[dict[str, torch.Tensor], Any]:
            _, card = read_weights(name, *args, **kwargs)
            kind = pretrained.experiment_class(card.experiment)
            begun = kind(kind.Hyperparameters(**card.hyperparameters), card.seed)
            return begun.components()["model"].state_dict(), card

        checkpoints.read = fresh
    else:
        raise ValueError(f"COURSE_BREAK must be one of {', '.join(BREAKS)}, not {how!r}")


def _subclasses(kind: type) -> list[type]:
    return [kind, *(k for child in kind.__subclasses__() for k in _subclasses(child))]


def shift_numpy_seeds() -> None:
    """Let `np.random.default_rng(3)` follow `COURSE_SEED`, too."""
    import numpy as np

    make, moved = np.random.default_rng, offset()
    np.random.default_rng = lambda seed=None: make(seed + moved if isinstance(seed, int) else seed)


def main() -> None:
    notebook, out = map(Path, sys.argv[1:])
    os.environ["COURSE_HEADLESS"] = "1"
    os.environ.pop("COURSE_STRICT", None)
    if how := os.environ.get("COURSE_BREAK"):
        break_on_purpose(how)
    shift_numpy_seeds()
    atomic_write(out, json.dumps(run_cells(notebook)))


if __name__ == "__main__":
    main()
