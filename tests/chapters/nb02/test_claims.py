"""Notebook 02's claims can fail: a broken E-step, M-step, sampler or repair is caught where it is made."""


import numpy as np
import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("02")
SAMPLING = ("predict(\"02.average", "pi = torch", "def kolmogorov")
EM = ("truth = ", "def log_joint", "first = ", "def maximise", "ours, track")
SPIKE = ("truth = ", "def with_a_spike", "gain = ")
BENT = ("rng = seeded(8)", "z = torch.randn(20_000")
TOP = (*EM[:-1], "P = torch")
K_MEANS = (*EM[:3], "distance2 = ")


@pytest.mark.parametrize("starts", [SAMPLING, EM, TOP, K_MEANS, SPIKE, BENT])
def test_claims_hold_as_written(starts):
    run(CELLS, *starts)


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
    (K_MEANS, r"1e-8 \* torch", "1e-1 * torch", "as k-means does"),
    (SPIKE, r"few_points\(seed, reg\) for", "few_points(seed, 0.05) for", "a reg of 0.05 gains"),
    (SPIKE, r"np\.diff\(track\)\.min\(\)", "np.diff(track).max()", "the likelihood can fall"),
    (SPIKE, r"4\.0 \*\* -halvings", "2.0 ** -halvings", "Each halving"),
    (BENT, r"\(-z\*\*2 / 2\)", "(-z**2)", "Share of samples"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


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
