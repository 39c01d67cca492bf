"""What the notebooks ask for and what they then measure: their predictions, with the answers of runs.

No answer is typed: a notebook is run, and what `reveal` said is kept in a record, a line for each run. A run is of the
notebook's code as it was; whether it still is, `calibrate.digest` tells.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_lib.authoring.calibrate import ROUNDING, digest
from course_lib.authoring.handout import COURSE
from course_lib.authoring.run_cells import in_a_process
from course_lib.authoring.text import Section, calls, read_cells, sections, students
from course_lib.comparisons.runs import map_runs, read_record, write_record

RECORD = COURSE / "docs" / "teaching" / "predictions.jsonl"


@dataclass(frozen=True)
class Prediction:
    """A question of a notebook, where it is answered, and what runs of it measured.

    Attributes:
        key: notebook and name, "05.log".
        question: as it is asked.
        options: what may be answered; empty where a number is asked for, and where the options are computed and no run
            is recorded that says them.
        low, high: the range of a number; None where options are offered.
        asked, revealed: the headings of the sections in which it is asked and answered.
        setting: the last paragraph before it in its section, which says what it is about; Markdown, or "".
        explanation: the paragraph of the notebook that follows the answer or, where its section ends there, the last
            one before it; Markdown.
        answers: what each run measured, `[n]`, by seed: an option, or a number; empty where no run is recorded.
        measured: the numbers that decided between the options with seed 0, in words; "" where there are many.
        current: whether these runs are of the notebook's code as it is.
    """

    key: str
    question: str
    options: tuple[str, ...]
    low: float | None
    high: float | None
    asked: str
    revealed: str
    setting: str
    explanation: str
    answers: tuple[Any, ...] = ()
    measured: str = ""
    current: bool = False

    def offered(self) -> list[str]:
        """What may be answered, in lines."""
        if self.low is not None:
            return [f"a number from {self.low:g} to {self.high:g}"]
        return list(self.options) or ["options that the notebook computes"]

    @property
    def right(self) -> str | float | None:
        """The answer of the first run; None where there is none."""
        return self.answers[0] if self.answers else None

    @property
    def settled(self) -> bool:
        """Whether all runs gave one answer: the same option, or the same number but for rounding."""
        if self.options:
            return len(set(self.answers)) == 1
        return bool(self.answers) and max(self.answers) - min(self.answers) <= ROUNDING * max(map(abs, self.answers))

    def told(self) -> str:
        """In words: the answer with seed 0, the numbers that decided, and on what it depends, as far as is known."""
        if self.right is None:
            return "run the notebook; no run is recorded."
        right = self.right if self.options else f"{self.right:.3g}"
        parts = [f"**{right}** ({self.measured})." if self.measured else f"**{right}**."]
        if len(self.answers) == 1:
            parts.append("One run, with seed 0.")
        elif not self.settled:
            parts.append(f"It depends on the run; over {len(self.answers)} seeds: {self.span()}.")
        if not self.current:
            parts.append("Measured with an earlier version of the notebook's code.")
        return " ".join(parts)

    def span(self) -> str:
        """What the runs gave, in words: an option with its share of the runs, or a number with its range."""
        if self.options:
            counts = Counter(self.answers)
            return ", ".join(f"{option} ({count} of {len(self.answers)})" for option, count in counts.most_common())
        return f"{min(self.answers):.3g} to {max(self.answers):.3g}"


def predictions(source: Path, record: Path = RECORD) -> list[Prediction]:
    """The predictions of a source in their order, with the answers of recorded runs of its notebook.

    Runs of other code count where they asked the same question, and only where none of the present code is recorded.

    Raises:
        ValueError: one is never revealed.
    """
    inside = [(section, cell) for section in sections(students(read_cells(source))) for cell in section.cells]
    answered = {_key(call): i for i, (_, cell) in enumerate(inside) for call in _calls(cell, "reveal")}
    now = digest(source.parents[1] / f"{source.stem}.ipynb")
    runs = sorted(((s["digest"] == now, s["seed"], result) for s, result in read_record(record)
                   if Path(s["path"]).stem == source.stem), key=lambda run: (not run[0], run[1]))
    found = []
    for place, (section, cell) in enumerate(inside):
        for call in sorted(_calls(cell, "predict"), key=lambda call: call.lineno):
            key = _key(call)
            if key not in answered:
                raise ValueError(f"{source.name}: {key} is never revealed")
            told = _typed(call) or next((result[key] for _, _, result in runs if key in result), None)
            told = told or {"question": ast.literal_eval(call.args[1])}
            question, options, low, high = (told.get(name) for name in ("question", "options", "low", "high"))
            asked = Prediction(key, question, tuple(options or ()), low, high, section.heading,
                               inside[answered[key]][0].heading, _last_before(inside, place),
                               _explanation(inside, answered[key]))
            found.append(_with_answers(asked, runs))
    return found


def _with_answers(asked: Prediction, runs: list[tuple[bool, int, dict[str, Any]]]) -> Prediction:
    same = [(current, seed, result[asked.key]) for current, seed, result in runs
            if result.get(asked.key, {}).get("question") == asked.question
            and tuple(result[asked.key]["options"] or ()) == asked.options]
    of_now = [run for run in same if run[0]]
    chosen = of_now or same
    if not chosen:
        return asked
    return replace(asked, answers=tuple(told["answer"] for _, _, told in chosen),
                   measured=chosen[0][2].get("measured") or "", current=bool(of_now))


def _calls(cell: NotebookNode, name: str) -> list[ast.Call]:
    return calls(cell.source, name) if cell.cell_type == "code" else []


def _key(call: ast.Call) -> str:
    return ast.literal_eval(call.args[0])


def _typed(call: ast.Call) -> dict[str, Any] | None:
    """What a call of `predict` asks, if all of it is typed."""
    try:
        return {"question": ast.literal_eval(call.args[1]),
                **{word.arg: ast.literal_eval(word.value) for word in call.keywords}}
    except ValueError:
        return None


def _last_before(inside: list[tuple[Section, NotebookNode]], place: int) -> str:
    """The last paragraph before a cell, in its section."""
    texts = [part for section, cell in inside[:place] if section is inside[place][0] and cell.cell_type == "markdown"
             for part in paragraphs(cell.source)]
    return texts[-1] if texts else ""


def _explanation(inside: list[tuple[Section, NotebookNode]], place: int) -> str:
    after = [part for section, cell in inside[place + 1:] if section is inside[place][0]
             and cell.cell_type == "markdown" for part in paragraphs(cell.source)]
    return after[0] if after else _last_before(inside, place)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a Markdown text that are prose, each in one line: without headings, tables, lists and code. A
    displayed formula stays with the paragraphs that it stands between."""
    whole = re.sub(r"(?s:```.*?```)|^#+ .*$", "\n\n", text, flags=re.M)
    whole = re.sub(r"\s*(\$\$.+?\$\$)\s*", r" \1 ", whole, flags=re.S)
    found = (" ".join(part.split()) for part in re.split(r"\n\s*\n", whole))
    return [part for part in found if part and not re.match(r"\||[-*] |\d+\. ", part)]


def run_notebook(path: str, digest: str, seed: int) -> dict[str, Any]:
    """Run a notebook in a process of its own; returns what it asked and revealed, by key.

    Raises:
        RuntimeError: the run broke off; where, and what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        done = in_a_process(COURSE / path, {"COURSE_SEED": str(seed), "COURSE_RECORD": str(kept)})
        if done["error"]:
            raise RuntimeError(f"{path}: {done['error']}")
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
