"""Notebook 02's claims can fail: a broken E-step, M-step, sampler or repair is caught where it is made."""


import numpy as np
import pytest
from notebook_cells import broken, cell, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("02")
SAMPLING = ("predict(\"02.average", "pi = torch", "def kolmogorov")
EM = ("truth = ", "def log_joint", "first = ", "def maximise", "ours, track")
SPIKE = ("truth = ", "def with_a_spike", "gain = ")
BENT = ("rng = seeded(8)", "z = torch.randn(20_000")
TOP = (*EM[:-1], "P = torch")
K_MEANS = (*EM[:3], "distance2 = ", "from sklearn.cluster", "with claim_table():\n    for steps")
RUNS = """runs = {"k-means": [fit(x, start(x, 3, seeded(seed), "k-means"), steps=100) for seed in range(10)]}
reveal = lambda *a, **k: None"""
SWITCH = ("truth = ", "import itertools", "spread = ")
MISSING = ("correlation, often", "shown = {")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (SAMPLING, r"torch\.multinomial\(pi,", "torch.multinomial(torch.ones(3),", "Ancestral samples pass"),
    (SAMPLING, r"mu\[k\] \+ sigma\[k\] \*", "mu[k] + sigma[k] ** 2 *", "Ancestral samples pass"),
    (EM, r"log_det = 2 \*", "log_det =", "flat in all"),
    (EM, r"torch\.special\.entr\(r\)", "2 * torch.special.entr(r)", "With random weights"),
    (EM, r"mu = r\.T @ x / N\[:, None\]", "mu = r.T @ x / len(x)", "flat in all"),
    (EM, r"for k in range\(len\(N\)\)\]\)", "for k in range(len(N))]) * 1.1", "flat in all"),
    (EM, r"return N / len\(x\), mu", "return N.sqrt() / N.sqrt().sum(), mu", "flat in all"),
    (EM, r"ours = maximise\(x, e_step\(x, \*ours\)\.exp\(\)\)", "ours = maximise(x, e_step(x, *ours).exp() ** 2)",
     "never falls|same path"),
    (TOP, r"by_autograd - theta\[2\]", "by_autograd - P", "derivative of log"),
    (TOP, r"return \(log_r\.exp\(\)", "return -(log_r.exp()", "bends down"),
    (K_MEANS[:4], r"1e-8 \* torch", "1e-1 * torch", "as k-means does"),
    (K_MEANS, r"\(2 \* sigma\*\*2\)", "(2 * sigma)", "σ = 1.6"),
    (K_MEANS, r"mu = r\.T @ x / r\.sum", "mu = r.T @ x / 80 + 0 * r.sum", "largest difference of EM's means"),
    (SPIKE, r"few_points\(seed, reg\) for", "few_points(seed, 0.05) for", "a reg of 0.05 gains"),
    (SPIKE, r"np\.diff\(track\)\.min\(\)", "np.diff(track).max()", "the likelihood can fall"),
    (SPIKE, r"4\.0 \*\* -halvings", "2.0 ** -halvings", "Each halving"),
    (BENT, r"\(-z\*\*2 / 2\)", "(-z**2)", "Share of samples"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_an_order_changes_nothing_and_an_average_by_number_much():
    run([f"{CELLS[0]}\n{cell(CELLS, 'truth = ')}\n{RUNS}", *CELLS[1:]], *SWITCH[1:])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"value\[list\(order\)\] for value in \(model\.pi, model\.mu, model\.cov\)",
     "value for value in (model.pi, model.mu[list(order)], model.cov)", "6 orders"),
    (r"\(m\.mu - target\.mu\)", "(0 * m.mu)", "Aligned first"),
    (r"= average\(ten\)", "= average([aligned(m, ten[0]) for m in ten])", "Averaged by number"),
])
def test_broken_names_are_caught(old, new, claim):
    broken([f"{CELLS[0]}\n{cell(CELLS, 'truth = ')}\n{RUNS}", *CELLS[1:]], SWITCH[1:], claim, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"x\[:, 1\] > 0\}", "x[:, 0] > 0}", "Not at random: the mean by EM"),
    (r"x\[:, 0\] > 0,", "x[:, 1] > 0,", "At random: the mean by EM"),
    (r"fit_missing\(torch\.where\(seen, pairs, torch\.nan\), seen,", "fit_missing(pairs, seen | True,",
     "Anderson"),
    (r"slope = covariance\[0, 1\] / covariance\[0, 0\]", "slope = covariance[0, 1] / covariance[1, 1]", "Anderson"),
])
def test_what_is_hidden_otherwise_is_caught(old, new, claim):
    broken(CELLS, MISSING, claim, (old, new), (r"range\(12\)", "range(6)"), (r"within=0\.1\)", "within=0.2)"),
           given="reveal = lambda *a, **k: None")


def test_the_stepper_moves_colours_and_ellipses_in_turn_wherever_it_starts():
    names = run(CELLS, "truth = ", "def stepper")
    for begin in names["STARTS"]:
        for K, seed in ((2, 0), (3, 4), (6, 20)):
            moments = [names["stepper"](h, K, seed, begin) for h in (0, 1, 2)]
            colours = [fig.axes[0].collections[0].get_facecolor() for fig in moments]
            ellipses = [[(*e.center, e.width) for e in fig.axes[0].patches] for fig in moments]
            assert ellipses[0] == ellipses[1] != ellipses[2]
            assert len(colours[0]) == 1 and np.array_equal(colours[1], colours[2])  # one grey for all, at first
    assert [fig.get_suptitle().split(":")[0] for fig in moments[1:]] == ["After E-step 1", "After M-step 1"]


def test_at_no_seed_does_the_stepper_fail_and_the_curve_never_falls():
    names = run(CELLS, "truth = ", "def stepper")
    for begin in names["STARTS"]:
        for seed in range(0, 21, 4):
            line = names["stepper"](40, 6, seed, begin).axes[1].lines[0].get_ydata()
            assert len(line) == 41 and np.diff(line).min() > -1e-12
