"""Notebook 01's claims can fail: its failure lab breaks the claim that held before, and each repair mends it."""


import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("01")
TWO_FITS = ("toy = TwoGaussians", "prior = ", "def log_likelihood", "def descend", "v = torch", "x_test, y_test = toy")
REPAIR = ("leaning = ", "clouds = ")


def test_with_correlated_features_the_claim_about_naive_bayes_fails():
    broken(CELLS, TWO_FITS, "The accuracy of naive Bayes", (r"separation=2\.5", "separation=2.5, correlation=0.8"))


def test_without_correlation_the_failure_lab_has_nothing_to_show():
    broken(CELLS, REPAIR, "Naive Bayes loses this much", ("correlation=0.8", "correlation=0.0"))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"mean\(dim=0\) for k", "median(dim=0).values for k", "flat"),
    (r"correction=0\) for k", "correction=1) for k", "says the same"),
    (r"torch\.sigmoid\(x @ v\) - y", "y - torch.sigmoid(x @ v)", "autograd"),
    (r"l2 / 2 \* w", "l2 * 20 * w", "same weights"),
    (r"error = torch\.sigmoid\(x @ w \+ b\) - y", "error = torch.sigmoid(x @ w) - y", "same weights"),
])
def test_a_broken_derivation_is_caught(old, new, claim):
    broken(CELLS, TWO_FITS, claim, (old, new))


def test_a_broken_repair_is_caught():
    broken(CELLS, REPAIR, "loses next to nothing", (r"c\.T\.cov\(\)", "torch.diag(c.var(dim=0))"))
