"""Notebook 01's claims can fail: its failure lab breaks the claim that held before, and each repair mends it."""

import re
from pathlib import Path

import pytest

from course_lib.notebooks import convert, sources
from course_lib.teach import ClaimFailed

SOURCE = next(s for s in sources(Path(__file__).resolve().parents[1] / "notebooks") if s.stem.startswith("01_"))


@pytest.fixture(scope="module")
def cells():
    return [c.source for c in convert(SOURCE, teacher=False).cells if c.cell_type == "code"]


@pytest.fixture(autouse=True)
def as_in_ci(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    monkeypatch.setenv("COURSE_STRICT", "1")


def run(cells, *starts, change=()):
    """Run the import cell and the cells that start so; `change` replaces text in all of them first."""
    chosen = [cells[0]] + [next(c for c in cells if c.startswith(start)) for start in starts]
    code = "\n\n".join(chosen)
    for old, new in change:
        assert re.search(old, code), old
        code = re.sub(old, new, code)
    exec(code, {})


TWO_FITS = ("toy = TwoGaussians", "prior = ", "def log_likelihood", "def descend", "v = torch", "x_test, y_test = toy")
REPAIR = ("leaning = ", "clouds = ")


def test_claims_hold_as_written(cells):
    run(cells, *TWO_FITS)
    run(cells, *REPAIR)


def test_with_correlated_features_the_claim_about_naive_bayes_fails(cells):
    with pytest.raises(ClaimFailed, match="naive Bayes is within two points"):
        run(cells, *TWO_FITS, change=[(r"separation=2\.5", "separation=2.5, correlation=0.8")])


def test_without_correlation_the_failure_lab_has_nothing_to_show(cells):
    with pytest.raises(ClaimFailed, match="naive Bayes loses this much"):
        run(cells, *REPAIR, change=[("correlation=0.8", "correlation=0.0")])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"mean\(dim=0\) for k", "median(dim=0).values for k", "flat"),
    (r"correction=0\) for k", "correction=1) for k", "the same"),
    (r"torch\.sigmoid\(x @ v\) - y", "y - torch.sigmoid(x @ v)", "autograd"),
    (r"l2 / 2 \* w", "l2 * 20 * w", "same weights"),
    (r"error = torch\.sigmoid\(x @ w \+ b\) - y", "error = torch.sigmoid(x @ w) - y", "same weights"),
])
def test_a_broken_derivation_is_caught(cells, old, new, claim):
    with pytest.raises(ClaimFailed, match=claim):
        run(cells, *TWO_FITS, change=[(old, new)])


def test_a_broken_repair_is_caught(cells):
    with pytest.raises(ClaimFailed, match="loses next to nothing"):
        run(cells, *REPAIR, change=[(r"c\.T\.cov\(\)", "torch.diag(c.var(dim=0))")])
