"""Calibration: claims are found, numbered, run with other seeds and breaks, and told in the table."""

import json
import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.authoring.calibrate import Row, as_markdown, calibrate, digest, rows, survivors, write_table
from course_lib.authoring.run_cells import claim_calls, code_cells
from course_lib.commands import main as cli
from course_lib.teach.claims import Limits

ROOT = Path(__file__).resolve().parents[2]
CELLS = ["""
import torch
from course_lib.seeds import seeded
from course_lib.teach import claim

def later(x):
    claim("defined here, made later", x, above=-99)
""", """
# %matplotlib inline is told to IPython alone
%config InlineBackend.figure_format = "png"
x = torch.randn(1000, generator=seeded(3))
claim("the mean is small", x, near=0, within=0.5)
for scale in (1, 2):
    claim(f"times {scale}",
          scale * x.abs().mean(), above=0.7 * scale, below=0.9 * scale)
claim("an identity", True)
""", """
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([weight], lr=0.1)
(weight * 2).sum().backward()
optimizer.step()
claim("training moves the weight", weight.detach()[0] - 1, below=-0.1)
claim("which no training needs", weight.detach()[0], above=0)
later(float(x[0]))
"""]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    path = tmp_path_factory.mktemp("calibrate") / "77_tiny.ipynb"
    text = nbformat.v4.new_markdown_cell("text")
    nbformat.write(nbformat.v4.new_notebook(cells=[text, *map(nbformat.v4.new_code_cell, CELLS)]), path)
    return path


@pytest.fixture(scope="module")
def runs(notebook):
    return calibrate([notebook], notebook.with_suffix(".jsonl"), seeds=6, workers=1, progress=False)["77_tiny"]


def test_claims_are_numbered_in_the_order_of_definition(notebook):
    assert list(claim_calls(code_cells(notebook))) == [(0, 6), (1, 4), (1, 6), (1, 8), (2, 5), (2, 6)]


@pytest.mark.thorough
def test_seeds_and_processors_are_run_and_each_claim_is_noted_as_often_as_it_is_made(runs):
    assert [(s["seed"], s["processor"], s["broken"]) for s, _ in runs] == [
        (0, "", ""), (1, "", ""), (2, "COMPATIBLE", ""), (3, "AVX2", ""), (4, "default", ""),
        (5, "default, COMPATIBLE", ""), (0, "", "weights")]
    assert all(r["error"] is None and r["seconds"] > 0 for _, r in runs)
    assert {k: len(v) for k, v in runs[0][1]["claims"].items()} == {"1": 1, "2": 1, "3": 2, "4": 1, "5": 1, "6": 1}
    assert runs[0][1]["claims"]["2"][0]["n"] == 1000


def test_another_seed_gives_other_numbers_and_the_same_seed_the_same(notebook, runs):
    table = {row.key: row for row in rows(notebook, runs)}
    assert list(table) == ["77:1", "77:2", "77:3a", "77:3b", "77:4", "77:5", "77:6"]
    small = table["77:2"]
    assert len(set(small.values)) == 6 and small.at_0 == small.values[0]
    assert not small.failed and small.spread > 0
    assert table["77:4"].exact and table["77:5"].spread == 0 and not table["77:5"].weights


def test_what_is_recorded_is_not_run_again(notebook, runs, monkeypatch):
    monkeypatch.setattr("course_lib.authoring.calibrate.run_notebook", None)
    again = calibrate([notebook], notebook.with_suffix(".jsonl"), seeds=6, workers=1, progress=False)
    assert again["77_tiny"] == runs


def test_runs_of_other_code_leave_the_record(notebook, runs, tmp_path, monkeypatch):
    record, other = tmp_path / "r.jsonl", notebook.with_suffix(".jsonl").read_text(encoding="utf-8")
    record.write_text(other + other.replace("77_tiny", "79_else") + other.replace(digest(notebook), "0" * 12),
                      encoding="utf-8")
    monkeypatch.setattr("course_lib.authoring.calibrate.run_notebook", None)
    assert calibrate([notebook], record, seeds=6, workers=1, progress=False)["77_tiny"] == runs
    assert record.read_text(encoding="utf-8") == other + other.replace("77_tiny", "79_else")


def test_without_training_only_claims_that_need_none_survive(notebook):
    kept = survivors([notebook], "untrained", workers=1, progress=False)
    assert [key for key, _ in kept] == ["77:1", "77:2", "77:3", "77:3", "77:6"]


def test_a_notebook_that_breaks_off_says_where(tmp_path):
    path = tmp_path / "78_broken.ipynb"
    cells = [CELLS[0], "claim('first', 1, above=0)", "1 / 0", "claim('never', 1, above=0)"]
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells))), path)
    _, result = calibrate([path], tmp_path / "r.jsonl", seeds=1, workers=1, progress=False)["78_broken"][0]
    assert result["error"] == "code cell 3: ZeroDivisionError: division by zero" and list(result["claims"]) == ["2"]


def test_the_table_says_what_is_known_of_each_claim(notebook, runs, tmp_path):
    write_table(tmp_path / "claims.md", notebook.with_suffix(".jsonl"), [notebook])
    text = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert f"7 runs; code {digest(notebook)}." in text and "| 77:3b | times 2 | above 1.4 and below 1.8 |" in text
    assert text.count("\n| 77:") == 7 and "| 77:4 | an identity | true | 1 | 1 | 0 | 1 | ∞ |  | exact |" in text


def row(limits: Limits, *values: float) -> Row:
    return Row("1:1", "a", limits, False, values[0], np.array(values), 0, False)


@pytest.mark.parametrize(("limits", "values", "margin", "worst"), [
    (Limits(above=1), (3.0, 5.0), 3 / math.sqrt(2), 3.0), (Limits(below=6), (3.0, 5.0), math.sqrt(2), 5.0),
    (Limits(above=0, below=6), (3.0, 5.0), math.sqrt(2), 5.0),
    (Limits(near=4, within=1.5), (3.0, 5.0), 1.5 / math.sqrt(2), 3.0), (Limits(above=1), (2.0, 2.0), math.inf, 2.0),
    (Limits(above=1), (2.0, 2.0 + 1e-12), math.inf, 2.0), (Limits(), (1.0, 1.0), math.inf, 1.0),
    (Limits(below=4), (3.0, 5.0), 0, 5.0)], ids=str)
def test_margin_and_worst(limits, values, margin, worst):
    assert row(limits, *values).margin == pytest.approx(margin) and row(limits, *values).worst == worst


JUDGED = """
import numpy as np
x, limit = np.array([1.0, 2.0, 3.0]), 3.5
claim("the mean is {word}", x, {limits})
claim(f"up to {{limit}}", x.max(), below=limit)
"""


def judged(path: Path, limits: str, word: str = "large") -> Path:
    cells = ["from course_lib.teach import claim", JUDGED.format(limits=limits, word=word)]
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells))), path)
    return path


def test_other_sentences_and_limits_need_no_new_run(tmp_path, monkeypatch):
    path, record = tmp_path / "79_judged.ipynb", tmp_path / "r.jsonl"
    monkeypatch.setattr("course_lib.authoring.calibrate.PROCESSORS", {"": {}})
    runs = calibrate([judged(path, "above=0.5")], record, seeds=1, workers=1, progress=False)["79_judged"]
    before, told = digest(path), rows(path, runs)
    assert [(r.text, r.limits, r.failed) for r in told] == [("the mean is large", Limits(above=0.5), 0),
                                                            ("up to 3.5", Limits(below=3.5), 0)]
    monkeypatch.setattr("course_lib.authoring.calibrate.run_notebook", None)
    for limits, expected, failed in (("above=1.5", Limits(above=1.5), 1), ("above=0.5,\n      below=2", Limits(
            above=0.5, below=2), 1), ("near=2, within=1.2", Limits(near=2, within=1.2), 0),
            ("above=0.5, exact=True", Limits(above=0.5), 0), ("above=1.2, exact=True", Limits(above=1.2), 1)):
        judged(path, limits, word="quite otherwise")
        again = calibrate([path], record, seeds=1, workers=1, progress=False)["79_judged"]
        first, second = rows(path, again)
        assert digest(path) == before and again == runs and first.exact == ("exact" in limits)
        assert (first.text, first.limits, first.failed) == ("the mean is quite otherwise", expected, failed), limits
        assert (second.text, second.limits, second.failed) == ("up to 3.5", Limits(below=3.5), 0)


@pytest.mark.parametrize(("old", "new"), [("below=limit", "below=limit + 1"), ("x.max()", "x.min()"),
                                          ("up to", "at most"), ("3.0]", "4.0]")])
def test_what_a_notebook_computes_makes_another_digest(old, new, tmp_path):
    path = judged(tmp_path / "79_judged.ipynb", "above=0.5")
    before, text = digest(path), path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert digest(path) != before


DRAWN = '''
%config InlineBackend.figure_format = "png"
def half(x):
    """What is half of it."""
    return x / 2  # β: not much

for i in range(3):
    total = half(i)
    show(curves(i, total, title="π: one title", xlabel="x"), alt="a " + "line")  # below
    claim("half", total, below=half(4))
'''


@pytest.mark.parametrize(("old", "new", "same"), [
    ("What is half of it.", "Half, μ.\n\n    Of x.", True), ("  # β: not much", "", True),
    ("  # below", "  # ‘other’", True),
    ('"π: one title"', '"ρ "\n                "title"', True), ('alt="a " + "line"', 'alt="another"', True),
    ("\n\nfor", "\nfor", True), ("    claim(", "claim(", False), ("x / 2", "x / 3", False),
    ("total, title", "i, title", False), ("half(4)", "half(5)", False), ('"png"', '"svg"', False),
    ("range(3)", "range(3 )", False),
])
def test_words_alone_need_no_new_run(old, new, same, tmp_path):
    path = tmp_path / "79_drawn.ipynb"

    def digest_of(code):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
        return digest(path)

    assert DRAWN.count(old) == 1
    assert (digest_of(DRAWN.replace(old, new)) == digest_of(DRAWN)) == same


def test_an_unknown_notebook_is_told(capsys):
    assert cli.main(["calibrate", "99"]) == 2
    assert "there is no notebook 99: they are 00, 01" in capsys.readouterr().err


@pytest.mark.parametrize(("spread", "told"), [(1.0, "| 3.0 |"), (0.1, "| 30.0 far |"), (0.0, "| ∞ |")])
def test_a_limit_that_guards_nothing_is_marked(spread, told):
    values = 4 + spread * np.array([-1, 1]) / math.sqrt(2)
    assert told in as_markdown({"01_a": [row(Limits(above=1), *values)]}, {"01_a": "f"}, {"01_a": 2})


def test_nothing_is_written_of_nothing():
    assert as_markdown({}, {}, {}).count("##") == 0


def test_the_record_holds_no_path_of_a_machine():
    record = ROOT / "data" / "claims.jsonl"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    assert all(json.loads(line)["setting"]["path"].startswith("notebooks/") for line in lines)


def test_the_table_is_of_the_notebooks_as_they_are_and_names_each_of_their_claims():
    text = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\S+)\n\n\d+ runs; code (\w+)\.", text, re.M)
    assert sections
    for name, code in sections:
        path, number = ROOT / "notebooks" / f"{name}.ipynb", name.split("_")[0]
        assert digest(path) == code, f"{name} has changed: make calibrate ARGS={number}"
        told = {int(claim) for claim in re.findall(rf"^\| {number}:(\d+)[a-z]? \|", text, re.M)}
        assert told == set(range(1, 1 + len(claim_calls(code_cells(path))))), f"make calibrate ARGS={number}"
