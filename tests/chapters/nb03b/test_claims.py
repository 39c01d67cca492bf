"""Notebook 03b's claims can fail: each estimator, broken on purpose, is caught where it is used."""


import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("03b")
GRADIENTS = ("mu, s = ", "def f(z)", "q, score = ")
BASELINE = ('predict("03b.variance"', "sizes = ", "ratio = ", "eps = noise(100_000, 10)")
BREAKS = ("thousand = ", 'predict("03b.step"', "def step(")


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"\* eps / s          #", "* eps          #", "score function estimate is unbiased"),
    (r"z = \(mu \+ s \* eps\)", "z = (s * eps)", "reparametrised estimate is unbiased"),
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
