"""What the notebooks ask for and what they then measure: their predictions, with the answers of runs.

No answer is typed: a notebook is run, and what `reveal` said is kept in a record, a line for each run. A run is of the
notebook's code as it was; whether it still is, `calibrate.digest` tells.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.authoring.calibrate import digest
from course_lib.authoring.handout import COURSE
from course_lib.comparisons.runs import map_runs, read_record, write_record

RECORD = COURSE / "docs" / "teaching" / "predictions.jsonl"


@dataclass(frozen=True)
class Prediction:
    """A question and what runs of its notebook measured.

    Attributes:
        key: notebook and name, "05.log".
        question: as it is asked.
        options: what may be answered; empty where a number is asked for.
        low, high: the range of a number; None where options are offered.
        answers: what each run measured, `[n]`, the one of seed 0 first: an option, or a number.
        measured: the numbers that decided between the options with seed 0, in words; "" where there are many.
    """

    key: str
    question: str
    options: tuple[str, ...]
    low: float | None
    high: float | None
    answers: tuple[Any, ...]
    measured: str


def run_notebook(path: str, digest: str, seed: int) -> dict[str, Any]:
    """Run a notebook in a process of its own; returns what it asked and revealed, by key.

    Raises:
        RuntimeError: the run broke off; where, and what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept, out = Path(folder) / "kept", Path(folder) / "claims.json"
        told = {"COURSE_SEED": str(seed), "COURSE_RECORD": str(kept), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-m", "course_lib.authoring.run_cells", COURSE / path, out],
                              env=os.environ | told, cwd=COURSE, capture_output=True, text=True, encoding="utf-8",
                              errors="replace")
        error = json.loads(out.read_text(encoding="utf-8"))["error"] if out.exists() else done.stderr[-2000:]
        if error:
            raise RuntimeError(f"{path}: {error}")
        found: dict[str, Any] = {}
        for file in kept.glob("*.jsonl"):
            for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
                names = {"asked": ("question", "options", "low", "high"), "revealed": ("answer", "measured")}
                for name in names.get(line["kind"], ()):
                    found.setdefault(line["key"], {})[name] = line.get(name)
    return found


def measure(notebooks: Sequence[Path], seeds: int = 1, record: Path = RECORD, **options: Any) -> None:
    """Run what is not recorded yet, by `map_runs`; runs of these notebooks with other code leave the record."""
    now = {path.stem: digest(path) for path in notebooks}
    runs = read_record(record)
    kept = [(s, result) for s, result in runs if s["digest"] == now.get(Path(s["path"]).stem, s["digest"])]
    if len(kept) < len(runs):
        write_record(record, kept)
    asked = [{"path": path.relative_to(COURSE).as_posix(), "digest": now[path.stem], "seed": seed}
             for seed in range(seeds) for path in notebooks]
    map_runs(run_notebook, asked, record, **options)
