"""Notebook 02b's claims can fail: a broken recursion, a broken EM step and a broken gradient are each caught."""

import re
from pathlib import Path

import pytest

from course_lib.notebooks import convert, sources
from course_lib.teach import ClaimFailed

SOURCE = next(s for s in sources(Path(__file__).resolve().parents[1] / "notebooks") if s.stem.startswith("02b_"))


@pytest.fixture(scope="module")
def cells():
    return [c.source for c in convert(SOURCE, teacher=False).cells if c.cell_type == "code"]


@pytest.fixture(autouse=True)
def as_in_ci(monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    monkeypatch.setenv("COURSE_STRICT", "1")


def run(cells, *starts, change=()):
    """Run the import cell and the cells that start so; `change` replaces text in all of them first."""
    chosen = [cells[0], 'grammar, predict = TinyGrammar(), lambda *a, **k: None\nreveal = predict\n'
                        'tags, words = grammar.tags, grammar.words\n'
                        'model = CategoricalHMM(grammar.pi, grammar.A, grammar.B)']
    chosen += [next(c for c in cells if c.startswith(start)) for start in starts]
    code = "\n\n".join(chosen)
    for old, new in change:
        assert re.search(old, code), old
        code = re.sub(old, new, code)
    exec(code, {})


EXACT = ("def chain", "def forward", "def backward", "sentence = ", "def viterbi", "off = ",
         "text = \"the old calm boats\"", "sentence = chain(\"the old calm her dog\")\n_, log_A")
BAUM_WELCH = ("def shares", "x, _ = model.sample(500", "truth = ")
PARTNER = ("def chain", "def forward", "world = ", "same = ", "pair = ")


@pytest.mark.parametrize("starts", [EXACT, BAUM_WELCH, PARTNER], ids=["exact", "Baum–Welch", "partner"])
def test_claims_hold_as_written(cells, starts):
    run(cells, *starts, change=[(r"\b200\b", "30"), ('claim."the best run.*', "")] if starts == BAUM_WELCH
        else [])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"logsumexp\(dim=0\)    #", "amax(dim=0)    #", "forward minus all paths"),
    (r"\[:, None\] \+ log_A\)\.logsumexp\(dim=0\)", "[None] + log_A).logsumexp(dim=1)", "forward minus all paths"),
    (r"log_A \+ log_b\[t\] \+ log_beta", "log_A + log_b[t - 1] + log_beta", "forward-backward minus all paths"),
    (r"log_beta\[0\]\)\.logsumexp\(dim=1\)", "log_beta[0]).logsumexp(dim=0)", "forward-backward minus all paths"),
    (r"path\.insert\(0, i\[path\[0\]\]", "path.insert(0, i[path[-1]]", "best of all paths"),
    (r"\(log_b \+ lb\)\[1:", "lb[1:", "each pair minus all paths"),
    (r"log_delta = best \+ log_b\[t\]", "log_delta = best", "best of all paths|score that it reports"),
])
def test_a_broken_recursion_is_caught(cells, old, new, claim):
    with pytest.raises(ClaimFailed, match=claim):
        run(cells, *EXACT, change=[(old, new)])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"single\[:, 0\]\.mean", "single[:, -1].mean", "never falls|same step"),
    (r"shares\(pair\.sum\(dim=\(0, 1\)\)\)", "shares(pair.sum(dim=(0, 1)).T)", "never falls"),
    (r"single\[x == v\]\.sum", "(single[x == v] ** 2).sum", "never falls|same step"),
])
def test_a_broken_em_step_is_caught(cells, old, new, claim):
    with pytest.raises(ClaimFailed, match=claim):
        run(cells, *BAUM_WELCH, change=[(old, new), (r"\b200\b", "30")])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"by_hand -= pair", "by_hand += pair", "finite differences"),
    (r"by_hand\[i, j\] \+= 1", "by_hand[j, i] += 1", "finite differences"),
    (r"CRF\.of_hmm\(generative\)", "discriminative", "CRF with its weights"),
])
def test_a_broken_gradient_is_caught(cells, old, new, claim):
    with pytest.raises(ClaimFailed, match=claim):
        run(cells, *PARTNER, change=[(old, new)])
