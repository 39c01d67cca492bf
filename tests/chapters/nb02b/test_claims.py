"""Notebook 02b's claims can fail: a broken recursion, a broken EM step and a broken gradient are each caught."""


import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("02b")
GRAMMAR = """grammar, predict = TinyGrammar(), lambda *a, **k: None
reveal = predict
tags, words = grammar.tags, grammar.words
model = CategoricalHMM(grammar.pi, grammar.A, grammar.B)"""
EXACT = ("def chain", "def forward", "def backward", "sentence = ", "def viterbi", "off = ",
         "text = \"the old calm boats\"", "sentence = chain(\"the old calm her dog\")\n_, log_A")
BAUM_WELCH = ("def shares", "x, _ = model.sample(500", "truth = ")
PARTNER = ("def chain", "def forward", "world = ", "same = ", "pair = ")
LABEL_BIAS = ("spelled, rib, rob",)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"logsumexp\(dim=0\)    #", "amax(dim=0)    #", "forward minus all paths"),
    (r"\[:, None\] \+ log_A\)\.logsumexp\(dim=0\)", "[None] + log_A).logsumexp(dim=1)", "forward minus all paths"),
    (r"log_A \+ log_b\[t\] \+ log_beta", "log_A + log_b[t - 1] + log_beta", "forward-backward minus all paths"),
    (r"log_beta\[0\]\)\.logsumexp\(dim=1\)", "log_beta[0]).logsumexp(dim=0)", "forward-backward minus all paths"),
    (r"path\.insert\(0, i\[path\[0\]\]", "path.insert(0, i[path[-1]]", "best of all paths"),
    (r"\(log_b \+ lb\)\[1:", "lb[1:", "each pair minus all paths"),
    (r"log_delta = best \+ log_b\[t\]", "log_delta = best", "best of all paths|score that it reports"),
])
def test_a_broken_recursion_is_caught(old, new, claim):
    broken(CELLS, EXACT, claim, (old, new), given=GRAMMAR)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"single\[:, 0\]\.mean", "single[:, -1].mean", "never falls|same step"),
    (r"shares\(pair\.sum\(dim=\(0, 1\)\)\)", "shares(pair.sum(dim=(0, 1)).T)", "never falls"),
    (r"single\[x == v\]\.sum", "(single[x == v] ** 2).sum", "never falls|same step"),
])
def test_a_broken_em_step_is_caught(old, new, claim):
    broken(CELLS, BAUM_WELCH, claim, (old, new), (r"\b200\b", "30"), given=GRAMMAR)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"by_hand -= pair", "by_hand += pair", "finite differences"),
    (r"by_hand\[i, j\] \+= 1", "by_hand[j, i] += 1", "finite differences"),
    (r"CRF\.of_hmm\(generative\)", "discriminative", "CRF with its weights"),
])
def test_a_broken_gradient_is_caught(old, new, claim):
    broken(CELLS, PARTNER, claim, (old, new), given=GRAMMAR)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"if step_by_step", "if False", "MEMM"),
    (r"4\.0 \* \(letter == tag\)", "0.0 * (letter == tag)", "letters are"),
])
def test_without_label_bias_there_is_nothing_to_show(old, new, claim):
    broken(CELLS, LABEL_BIAS, claim, (old, new), given=GRAMMAR)
