"""How far each claim is from failing: notebooks run with other seeds and as on other processors, and the table of it.

A claim is a number that a notebook measures, with a limit. A limit that the measured value touches with another seed is
red on another machine; one that is a hundred standard deviations away guards nothing. Both are seen in the table,
`docs/claims.md`, which is made of `data/claims.jsonl`, a line for each run of a notebook.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.authoring.handout import COURSE
from course_lib.authoring.run_cells import code_cells
from course_lib.comparisons.runs import map_runs, read_record, write_record
from course_lib.files import atomic_write

PROCESSORS = {  # settings of MKL and ATEN that stand for the machines of a class
    "": {}, "COMPATIBLE": {"MKL_CBWR": "COMPATIBLE"}, "AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "default": {"ATEN_CPU_CAPABILITY": "default"},
    "default, COMPATIBLE": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}}
SEEDS = 8
ROUNDING = 1e-9  # of a value: smaller differences are the processor's
FAR = 10  # standard deviations: a limit further away holds whatever happens, and should be tightened


def digest(notebook: Path) -> str:
    """Of all that a notebook computes by itself: 'is this record of the notebook as it is?'"""
    return hashlib.sha256("\0".join(code_cells(notebook)).encode()).hexdigest()[:12]


def run_notebook(path: str, digest: str, seed: int, processor: str, broken: str) -> dict[str, Any]:
    """One run in a process of its own; returns what `run_cells` does.

    Raises:
        RuntimeError: the process ended without a result; what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "claims.json"
        told = {"COURSE_SEED": str(seed), "COURSE_BREAK": broken, "OMP_NUM_THREADS": "1", **PROCESSORS[processor]}
        done = subprocess.run([sys.executable, "-m", "course_lib.authoring.run_cells", COURSE / path, out],
                              env=os.environ | told, cwd=COURSE, capture_output=True, text=True, encoding="utf-8",
                              errors="replace")
        if not out.exists():
            raise RuntimeError(f"{path} ended with {done.returncode}: {done.stderr[-2000:]}")
        result = json.loads(out.read_text(encoding="utf-8"))
    if seed or processor or broken == "weights":  # their sentences stand in the record of seed 0
        result["claims"] = {number: [{key: outcome[key] for key in ("value", "n", "holds")} for outcome in outcomes]
                            for number, outcomes in result["claims"].items()}
    return result


def settings(notebooks: Iterable[Path], seeds: int = SEEDS) -> list[dict[str, Any]]:
    """All runs of these notebooks: every seed here, every processor with seed 0, and once with untrained weights."""
    ways = [*((seed, "", "") for seed in range(seeds)), *((0, name, "") for name in PROCESSORS if name),
            (0, "", "weights")]
    return [_setting(path, seed, processor, broken) for seed, processor, broken in ways for path in notebooks]


def _setting(path: Path, seed: int, processor: str, broken: str) -> dict[str, Any]:
    inside = path.resolve().is_relative_to(COURSE)  # so that a record means the same on every machine
    return {"path": path.resolve().relative_to(COURSE).as_posix() if inside else str(path), "digest": digest(path),
            "seed": seed, "processor": processor, "broken": broken}


@dataclass(frozen=True)
class Row:
    """What is known of one claim.

    Attributes:
        key: notebook and number in the order of definition, "04:17"; with a letter where one call made several claims.
        text, limits: the sentence and what is expected.
        exact: an identity.
        at_0: the value with seed 0, here.
        values: of all runs, `[n]`.
        failed: how many runs it failed in.
        weights: whether it changes when shipped weights are replaced.
    """

    key: str
    text: str
    limits: str
    exact: bool
    at_0: float
    values: np.ndarray
    failed: int
    weights: bool

    @property
    def spread(self) -> float:
        """Standard deviation over the runs; 0 where they differ by rounding alone."""
        spread = float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan
        return 0.0 if spread <= ROUNDING * np.abs(self.values).max() else spread

    @property
    def margin(self) -> float:
        """Distance of the mean from the nearest limit in spreads; infinite where nothing varies."""
        distances = [abs(float(np.mean(self.values)) - limit) for limit in limits_of(self.limits)]
        if not distances:
            return math.inf
        return min(distances) / self.spread if self.spread > 0 else math.inf

    @property
    def worst(self) -> float:
        """The value that is nearest to a limit, or furthest beyond one."""
        limits = limits_of(self.limits)
        if not limits:
            return float(self.values.min())
        return float(min(self.values, key=lambda v: min(_inside(v, self.limits, limit) for limit in limits)))


def limits_of(told: str) -> list[float]:
    """The numbers that a claim's value must not pass, from what `claim` says: "above 1 and below 2", "3 ± 0.5"."""
    limits = []
    for part in told.split(" and "):
        if "±" in part:
            near, within = map(float, part.split("±"))
            limits += [near - within, near + within]
        elif part != "true":
            limits.append(float(part.split()[1]))
    return [limit for limit in limits if math.isfinite(limit)]


def _inside(value: float, told: str, limit: float) -> float:
    """How far a value is on the right side of one limit; negative beyond it."""
    for part in told.split(" and "):
        if "±" in part:
            near, _ = map(float, part.split("±"))
            if limit in limits_of(part):
                return value - limit if limit < near else limit - value
        elif part != "true" and float(part.split()[1]) == limit:
            return value - limit if part.startswith("above") else limit - value
    return math.inf


def rows(notebook: str, runs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[Row]:
    """A row for each claim of one notebook, from its runs, pairs (setting, what `run_cells` returned)."""
    whole = [(s, r) for s, r in runs if not s["broken"]]
    fresh = next((r["claims"] for s, r in runs if s["broken"] == "weights"), {})
    first = next(r["claims"] for s, r in whole if s["seed"] == 0 and not s["processor"])
    table = []
    for number in sorted(first, key=int):
        for i, outcome in enumerate(first[number]):
            seen = [r["claims"][number][i] for _, r in whole if i < len(r["claims"].get(number, []))]
            values = np.array([o["value"] for o in seen], dtype=float)
            other = fresh.get(number, [])
            letter = chr(ord("a") + i) if len(first[number]) > 1 else ""
            table.append(Row(f"{notebook}:{number}{letter}", outcome["text"], outcome["limits"], outcome["exact"],
                             outcome["value"], values, sum(not o["holds"] for o in seen),
                             i >= len(other) or other[i]["value"] != outcome["value"]))
    return table


def as_markdown(tables: dict[str, list[Row]], digests: dict[str, str], runs: dict[str, int]) -> str:
    """`docs/claims.md`: a section for each notebook, a line for each claim."""
    lines = ["# Claims", "", __doc__.split("\n\n")[1].replace("\n", " "), "",
             f"*Made by `make calibrate`: {SEEDS} seeds, and seed 0 under {len(PROCESSORS) - 1} settings of MKL and "
             "ATEN. Margin: from the mean to the nearest limit, in standard deviations over all runs; ∞ where nothing "
             f"varies, far above {FAR}: such a limit guards nothing. W: depends on weights that come with the course, "
             "which do not vary.*", ""]
    for name, table in tables.items():
        lines += [f"## {name}", "", f"{runs[name]} runs; code {digests[name]}.", "",
                  "| claim | sentence | limit | seed 0 | mean | spread | worst | margin | failed | |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        for row in table:
            text = row.text.replace("|", "\\|")
            margin = "∞" if math.isinf(row.margin) else f"{row.margin:.1f}" + (" far" if row.margin > FAR else "")
            lines.append(f"| {row.key} | {text} | {row.limits} | {row.at_0:.4g} | {np.mean(row.values):.4g} | "
                         f"{row.spread:.2g} | {row.worst:.4g} | {margin} | {row.failed or ''} | "
                         f"{'exact' if row.exact else 'W' if row.weights else ''} |")
        lines.append("")
    return "\n".join(lines)


def calibrate(notebooks: Sequence[Path], record: Path, seeds: int = SEEDS, **options: Any,
              ) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Run what is not recorded yet, by `map_runs`, and return all runs of each notebook by its stem."""
    asked = settings(notebooks, seeds)
    _drop_outdated(record, notebooks)
    results = map_runs(run_notebook, asked, record, **options)
    found: dict[str, list] = {path.stem: [] for path in notebooks}
    for setting, result in zip(asked, results, strict=True):
        found[Path(setting["path"]).stem].append((setting, result))
    return found


def _drop_outdated(record: Path, notebooks: Sequence[Path]) -> None:
    """Take runs of these notebooks out of the record that are not of their code as it is."""
    now, runs = {path.stem: digest(path) for path in notebooks}, read_record(record)
    kept = [(s, result) for s, result in runs if s["digest"] == now.get(Path(s["path"]).stem, s["digest"])]
    if len(kept) < len(runs):
        write_record(record, kept)


def survivors(notebooks: Sequence[Path], broken: str, **options: Any) -> list[tuple[str, str]]:
    """Number and sentence of each claim that holds although training or the data are broken, identities left out.

    Args:
        broken: one of `run_cells.BREAKS`.
    """
    asked = [_setting(path, 0, "", broken) for path in notebooks]
    return [(f"{path.stem.split('_')[0]}:{number}", outcome["text"])
            for path, result in zip(notebooks, map_runs(run_notebook, asked, **options), strict=True)
            for number in sorted(result["claims"], key=int) for outcome in result["claims"][number]
            if outcome["holds"] and not outcome["exact"]]


def write_table(path: Path, record: Path, notebooks: Sequence[Path]) -> None:
    """Write `docs/claims.md` from what is recorded of the notebooks as they are; those without a run are left out."""
    tables, digests, counts, found = {}, {}, {}, read_record(record)
    for notebook in notebooks:
        now = digest(notebook)
        runs = [(s, r) for s, r in found if Path(s["path"]).stem == notebook.stem and s["digest"] == now]
        if any(s["seed"] == 0 and not s["processor"] and not s["broken"] for s, _ in runs):
            tables[notebook.stem] = rows(notebook.stem.split("_")[0], runs)
            digests[notebook.stem], counts[notebook.stem] = now, len(runs)
    atomic_write(path, as_markdown(tables, digests, counts))
