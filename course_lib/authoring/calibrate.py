"""How far each claim is from failing: notebooks run with other seeds and as on other processors, and the table of it.

A claim is a number that a notebook measures, with a limit. A limit that the measured value touches with another seed is
red on another machine; one that is a hundred standard deviations away guards nothing. Both are seen in the table,
`docs/claims.md`, which is made of `data/claims.jsonl`, a line for each run of a notebook.

A record is of what a notebook's code computes. Who changes a comment, a docstring, the title, the labels or the alt
text of a figure, or the sentence and the limits of a claim, wherever these are typed as a string and as numbers, needs
no new run, and the table has claims as they are now.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import hashlib
import io
import math
import re
import tokenize
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.authoring.handout import COURSE
from course_lib.authoring.run_cells import claim_calls, code_cells, in_a_process
from course_lib.authoring.text import plain_python
from course_lib.comparisons.runs import map_runs, read_record, write_record
from course_lib.files import atomic_write
from course_lib.teach.claims import Limits, Summary

PROCESSORS = {  # settings of MKL and ATEN that stand for the machines of a class
    "": {}, "COMPATIBLE": {"MKL_CBWR": "COMPATIBLE"}, "AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "default": {"ATEN_CPU_CAPABILITY": "default"},
    "default, COMPATIBLE": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}}
SEEDS = 8
ROUNDING = 1e-9  # of a value: smaller differences are the processor's
FAR = 10  # standard deviations: a limit further away holds whatever happens, and should be tightened
SHOWN = ("title", "xlabel", "ylabel", "alt")  # what a figure is told to say: nothing measures it
LIMITS = tuple(field.name for field in dataclasses.fields(Limits))


def digest(notebook: Path) -> str:
    """Of all that a notebook computes by itself: 'is this record of the notebook as it is?'"""
    cells = code_cells(notebook)
    calls = claim_calls(cells)
    parts = [_without_words(cell, [call for (position, _), call in calls.items() if position == i])
             for i, cell in enumerate(cells)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _without_words(cell: str, claims: Sequence[ast.Call]) -> bytes:
    """A cell's code without comments, docstrings, what a figure says of itself, and what is typed in claims."""
    lines, code = cell.encode().splitlines(keepends=True), plain_python(cell)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.keyword) and node.arg in SHOWN:
            _blank(lines, node.value)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            _blank(lines, node.body[0])
    texts = code.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:len(texts[row - 1][:column].encode())] + b"\n"
    for call in reversed(claims):
        kept = [_segment(lines, node) for node in _computed(call)]
        first, last = call.lineno - 1, call.end_lineno - 1
        lines[first:last + 1] = [lines[first][:call.col_offset] + b"claim(" + b",".join(kept) + b")"
                                 + lines[last][call.end_col_offset:]]
    tidy = (re.sub(rb"(?<=\S)[ \0]+", b" ", line.rstrip()) for line in b"".join(lines).splitlines())
    return b"\n".join(line for line in tidy if line)


def _blank(lines: list[bytes], node: ast.AST) -> None:
    """Write NUL over a part of the source; all else keeps its place. A part of several lines becomes one of them."""
    for i in range(node.lineno - 1, node.end_lineno):
        start = node.col_offset if i == node.lineno - 1 else 0
        end = node.end_col_offset if i == node.end_lineno - 1 else len(lines[i])
        lines[i] = lines[i][:start] + b"\0" * (end - start) + lines[i][end:]


def _computed(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """What the notebook computes of a call of `claim`: all but a typed sentence and typed limits."""
    typed = typed_of(call)
    return [*call.args["text" in typed:], *(word for word in call.keywords if word.arg not in typed)]


def typed_of(call: ast.Call) -> dict[str, Any]:
    """The sentence and the limits of a call of `claim`, as far as they are typed: `{"text": "…", "above": 3}`."""
    told = {word.arg: word.value for word in call.keywords if word.arg in (*LIMITS, "exact")}
    typed = {}
    for name, node in {"text": call.args[0], **told}.items():
        with contextlib.suppress(ValueError):  # which says that it is computed
            typed[name] = ast.literal_eval(node)
    return typed


def _segment(lines: list[bytes], node: ast.expr | ast.keyword) -> bytes:
    """The source of a part of a call, in one line: how a call is wrapped depends on the length of its sentence."""
    text = b"".join(lines[node.lineno - 1:node.end_lineno])
    after = len(lines[node.end_lineno - 1]) - node.end_col_offset
    return re.sub(rb"\s+", b" ", text[node.col_offset:len(text) - after])


def run_notebook(path: str, digest: str, seed: int, processor: str, broken: str) -> dict[str, Any]:
    """One run in a process of its own; returns what `run_cells` does.

    Raises:
        RuntimeError: the process ended without a result; what it printed.
    """
    result = in_a_process(COURSE / path, {"COURSE_SEED": str(seed), "COURSE_BREAK": broken, **PROCESSORS[processor]})
    if seed or processor or broken == "weights":  # their sentences stand in the record of seed 0
        result["claims"] = {number: [{key: outcome[key] for key in outcome if key not in ("text", "exact")}
                                     for outcome in outcomes] for number, outcomes in result["claims"].items()}
    return result


def settings(notebooks: Iterable[Path], seeds: int = SEEDS) -> list[dict[str, Any]]:
    """All runs of these notebooks: a run a seed, the last four as on other processors, and one with untrained weights.

    Another processor rounds otherwise, and training takes it for another seed: a run is both.
    """
    others = [name for name in PROCESSORS if name]
    alone = range(max(1, seeds - len(others)))
    ways = [*((seed, "", "") for seed in alone),
            *((seed, others[seed - len(alone)], "") for seed in range(len(alone), seeds)), (0, "", "weights")]
    codes = [(path, digest(path)) for path in notebooks]
    return [_setting(path, code, seed, processor, broken) for seed, processor, broken in ways for path, code in codes]


def _setting(path: Path, code: str, seed: int, processor: str, broken: str) -> dict[str, Any]:
    inside = path.resolve().is_relative_to(COURSE)  # so that a record means the same on every machine
    return {"path": path.resolve().relative_to(COURSE).as_posix() if inside else str(path), "digest": code,
            "seed": seed, "processor": processor, "broken": broken}


@dataclasses.dataclass(frozen=True)
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
    limits: Limits
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
        distances = [abs(float(np.mean(self.values)) - limit) for limit, _ in self.limits.bounds()]
        if not distances:
            return math.inf
        return min(distances) / self.spread if self.spread > 0 else math.inf

    @property
    def worst(self) -> float:
        """The value that is nearest to a limit, or furthest beyond one."""
        bounds = self.limits.bounds()
        inside = [min((side * (value - limit) for limit, side in bounds), default=value) for value in self.values]
        return float(self.values[np.argmin(inside)])


def rows(notebook: Path, runs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[Row]:
    """A row for each claim of a notebook, from its runs, pairs (setting, what `run_cells` returned).

    Sentences and limits are the notebook's of now where they are typed, else those of the run.
    """
    whole = [(s, r) for s, r in runs if not s["broken"]]
    fresh = next((r["claims"] for s, r in runs if s["broken"] == "weights"), {})
    first = next(r["claims"] for s, r in whole if s["seed"] == 0 and not s["processor"])
    table = []
    for number, call in enumerate(claim_calls(code_cells(notebook)).values(), start=1):
        typed, made = typed_of(call), first.get(str(number), [])
        given = {word.arg for word in call.keywords}  # None of `**limits`
        for i, outcome in enumerate(made):
            seen = [r["claims"][str(number)][i] for _, r in whole if i < len(r["claims"].get(str(number), []))]
            told = [o["limits"] | typed for o in seen]
            limits = [Limits(**{name: t.get(name) for name in LIMITS if {name, None} & given}) for t in told]
            exact = limits[0] == Limits() or typed.get("exact", outcome["exact"] and None in given)
            failed = sum(not one.judge(_summary(o), exact) for one, o in zip(limits, seen, strict=True))
            values = np.array([o["mean"] for o in seen], dtype=float)
            other = fresh.get(str(number), [])
            letter = chr(ord("a") + i) if len(made) > 1 else ""
            table.append(Row(f"{notebook.stem.split('_')[0]}:{number}{letter}", typed.get("text", outcome["text"]),
                             limits[0], exact, outcome["mean"], values, failed,
                             i >= len(other) or other[i]["mean"] != outcome["mean"]))
    return table


def as_markdown(tables: dict[str, list[Row]], digests: dict[str, str], runs: dict[str, int]) -> str:
    """`docs/claims.md`: a section for each notebook, a line for each claim."""
    lines = ["# Claims", "", __doc__.split("\n\n")[1].replace("\n", " "), "",
             f"*Made by `make calibrate`: {SEEDS} seeds, {len(PROCESSORS) - 1} of them under other settings of MKL and "
             "ATEN. Margin: from the mean to the nearest limit, in standard deviations over all runs; ∞ where nothing "
             f"varies, far above {FAR}: such a limit guards nothing. W: depends on weights that come with the course, "
             "which do not vary.*", ""]
    for name, table in tables.items():
        lines += [f"## {name}", "", f"{runs[name]} runs; code {digests[name]}.", "",
                  "| claim | sentence | limit | seed 0 | mean | spread | worst | margin | failed | kind |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        for row in table:
            text = row.text.replace("|", "\\|")
            margin = "∞" if math.isinf(row.margin) else f"{row.margin:.1f}" + (" far" if row.margin > FAR else "")
            lines.append(f"| {row.key} | {text} | {str(row.limits) or 'true'} | {row.at_0:.4g} | "
                         f"{np.mean(row.values):.4g} | {row.spread:.2g} | {row.worst:.4g} | {margin} | "
                         f"{row.failed or ''} | {'exact' if row.exact else 'W' if row.weights else ''} |")
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
    asked = [_setting(path, digest(path), 0, "", broken) for path in notebooks]
    return [(f"{path.stem.split('_')[0]}:{number}", outcome["text"])
            for path, result in zip(notebooks, map_runs(run_notebook, asked, **options), strict=True)
            for number in sorted(result["claims"], key=int) for outcome in result["claims"][number]
            if not outcome["exact"] and Limits(**outcome["limits"]).judge(_summary(outcome), exact=False)]


def _summary(outcome: dict[str, Any]) -> Summary:
    return Summary(*(outcome[name] for name in Summary._fields))


def write_table(path: Path, record: Path, notebooks: Sequence[Path]) -> None:
    """Write `docs/claims.md` from what is recorded of the notebooks as they are; those without a run are left out."""
    tables, digests, counts, found = {}, {}, {}, read_record(record)
    for notebook in notebooks:
        now = digest(notebook)
        runs = [(s, r) for s, r in found if Path(s["path"]).stem == notebook.stem and s["digest"] == now]
        if any(s["seed"] == 0 and not s["processor"] and not s["broken"] for s, _ in runs):
            tables[notebook.stem] = rows(notebook, runs)
            digests[notebook.stem], counts[notebook.stem] = now, len(runs)
    atomic_write(path, as_markdown(tables, digests, counts))
