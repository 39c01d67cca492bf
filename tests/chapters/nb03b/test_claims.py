"""Notebook 03b's claims can fail: each estimator, identity and bound, broken on purpose, is caught where it is used."""


import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("03b")
GRADIENTS = ("mu, s = ", "def f(z)", "q, score = ")
BASELINE = ('predict("03b.variance"', "sizes = ", "ratio = ", "eps = noise(100_000, 10)")
BREAKS = ("thousand = ", 'predict("03b.step"', "def step(")
LINEAR = ("rng = ", "touch = ", "def turned(", "turned_model, mean_t", "A, b, L = ")
BENT = ("circle = ", "encoders = ", "claim(\"mean approximation gap\"")
BOUNDS = ("circle = ", 'predict("03b.order"', "x_inside = ", "by_hand = ", "z_line = ")
SETTLED = ("circle = ", "behind = ", "x_inside = ", 'predict("03b.settled"', "n = 20_000", "from_prior = ",
           'reveal("03b.settled"')


def test_gradients_hold_as_written():
    run(CELLS, *GRADIENTS, *BASELINE, *BREAKS)


def test_the_linear_model_holds_as_written():
    run(CELLS, *LINEAR)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"\* eps / s          #", "* eps          #", "score function: unbiased"),
    (r"z = \(mu \+ s \* eps\)", "z = (s * eps)", "reparameterised: unbiased"),
    (r"torch\.func\.grad\(F\)\(mu\)", "torch.func.grad(F)(mu + 0.01)", "finite difference"),
])
def test_a_biased_estimator_is_caught(old, new, claim):
    # With s = 1 a missing 1/s would pass: a wider q shows it.
    broken(CELLS, GRADIENTS, claim, (r"mu, s = (.*), 1\.0", r"mu, s = \1, 1.5"), (old, new))


def test_estimators_hold_at_another_width_too():
    run(CELLS, *GRADIENTS, *BREAKS[1:2], change=[(r"mu, s = (.*), 1\.0", r"mu, s = \1, 1.5")])


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"2 \* a \* g \+ a\*\*2 \+ v", "2 * a * g + a**2", "relative distance of a measured variance"),
    (r"baseline=10 \* m_g", "baseline=10 * m_g * eps[:, 0]", "still unbiased"),
])
def test_a_wrong_variance_or_a_baseline_that_knows_its_draw_is_caught(old, new, claim):
    broken(CELLS, (*GRADIENTS, *BASELINE), claim, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"\+ model\.sigma2 \* torch\.eye\(5, dtype", "+ 1.01 * model.sigma2 * torch.eye(5, dtype",
     "log p\\(x\\): largest"),
    (r", model\.sigma2 \* torch\.linalg\.inv\(M\)", ", torch.linalg.inv(M)", "posterior: largest"),
    (r"eye\(5, dtype=torch\.float64\)", "eye(5)", "below 1e-09"),
    (r"elbo\(x, mean, covariance\)\)\.abs", "elbo(x, mean + 0.01, covariance)).abs", "touches"),
    (r"kl_divergence\(M(.*)\(m_any, S_any\), M(.*)\(mean, covariance\)\)",
     r"kl_divergence(M\2(mean, covariance.expand(500, 2, 2)), M\1(m_any, S_any))", "gap minus the KL"),
    (r"1 / torch\.linalg\.inv\(covariance\)\.diagonal\(\)", "covariance.diagonal()", "which is half of"),
    (r"x @ A\.T \+ b, L @ L\.T\)\.mean", "x @ A.T + 0 * b, L @ L.T).mean", "trained affine encoder"),
])
def test_a_broken_identity_is_caught(old, new, claim):
    broken(CELLS, LINEAR, claim, (old, new))


def test_the_bounds_hold_as_written_and_settle_wrongly_where_they_should():
    run(CELLS, *BOUNDS)
    run(CELLS, *SETTLED)


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r" - math\.log\(50\)", "", "the library regroups"),
    (r"\.logsumexp\(dim=1\) - math\.log\(5\)\)\.mean", ".mean(dim=1) - math.log(5)).mean", "the library regroups"),
    (r"circle\.log_joint\(x\.expand", "1.05 * circle.log_joint(x.expand", "mean of L̂_1|how often"),
    (r"variance / \(2 \* k\)|\(variance / 100\)", "(variance / 50)", "k = 50: the gap"),
])
def test_a_broken_bound_is_caught(old, new, claim):
    broken(CELLS, BOUNDS, claim, (old, new))


def test_without_the_prior_there_is_no_repair():
    broken(CELLS, SETTLED, "repaired", (r"noise\(n, 4, seed=6\)", "noise(n, 4, seed=6) - 30"))


def test_a_tiny_training_leaves_the_large_encoder_with_a_gap():
    broken(CELLS, BENT, "two layers of 32", ("steps=1_000", "steps=60"),
           (r"with 8 hidden units(.*)below=0\.7\)", r"\1below=9)"))
