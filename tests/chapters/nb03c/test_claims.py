"""Notebook 03c's claims can fail: each identity and bound, broken on purpose, is caught where it is used."""


import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("03c")
LINEAR = ("rng = ", "touch = ", "def turned(", "turned_model, mean_t", "A, b, L = ")
BENT = ("circle = ", "encoders = ", "with claim_table():\n    claim(\"The approximation gap of new points")
BOUNDS = ("circle = ", 'predict("03c.order"', "x_inside = ", "by_hand = ", "z_line = ")
SETTLED = ("circle = ", "behind = ", "x_inside = ", 'predict("03c.settled"', "n = 20_000", "from_prior = ",
           'reveal("03c.settled"')


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"\+ model\.sigma2 \* torch\.eye\(5, dtype", "+ 1.01 * model.sigma2 * torch.eye(5, dtype",
     "distance of log p\\(x\\)"),
    (r", model\.sigma2 \* torch\.linalg\.inv\(M\)", ", torch.linalg.inv(M)", "posterior's mean or covariance"),
    (r"eye\(5, dtype=torch\.float64\)", "eye(5)", "below 1e-09"),
    (r"elbo\(x, mean, covariance\)\)\.abs", "elbo(x, mean + 0.01, covariance)).abs", "touches"),
    (r"kl_divergence\(M(.*)\(m_any, S_any\), M(.*)\(mean, covariance\)\)",
     r"kl_divergence(M\2(mean, covariance.expand(500, 2, 2)), M\1(m_any, S_any))", "distance of a gap from KL"),
    (r"1 / torch\.linalg\.inv\(covariance\)\.diagonal\(\)", "covariance.diagonal()", "from half of"),
    (r"x @ A\.T \+ b, L @ L\.T\)\.mean", "x @ A.T + 0 * b, L @ L.T).mean", "affine encoder on new points"),
])
def test_a_broken_identity_is_caught(old, new, claim):
    broken(CELLS, LINEAR, claim, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r" - math\.log\(50\)", "", "from the library's"),
    (r"\.logsumexp\(dim=1\) - math\.log\(5\)\)\.mean", ".mean(dim=1) - math.log(5)).mean", "from the library's"),
    (r"circle\.log_joint\(x\.expand", "1.05 * circle.log_joint(x.expand", "mean of L̂_1|share of repetitions"),
    (r"variance / \(2 \* k\)|\(variance / 100\)", "(variance / 50)", "At k = 50 the gap"),
])
def test_a_broken_bound_is_caught(old, new, claim):
    broken(CELLS, BOUNDS, claim, (old, new))


def test_without_the_prior_there_is_no_repair():
    broken(CELLS, SETTLED, "Repaired", (r"noise\(n, 4, seed=6\)", "noise(n, 4, seed=6) - 30"))


def test_a_tiny_training_leaves_the_large_encoder_with_a_gap():
    broken(CELLS, BENT, "gap of two layers of 32|lose more than two layers", ("steps=1_000", "steps=60"))
