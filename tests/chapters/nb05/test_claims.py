"""The claims of notebook 05 can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("05")
ALONE = ("rng = seeded()", "grid = ", "learned = ", "predict(\"05.perfect\"", "loss_at_best")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (ALONE, r"softplus\(-D_alone\(real\)\)", "softplus(D_alone(real))", "numbers occur: largest"),
    (ALONE, r"range\(2000\)", "range(50)", "numbers occur: largest"),
    (ALONE, r"2 \* js\(p, q, grid\)", "js(p, q, grid)", "by quadrature"),
    (ALONE, r"np\.log\(p / q\)", "np.log(q / p)", "The logit of D"),
    ((*ALONE, "theta, h"), r"2 \* slope_js, near", "slope_js, near", "Gradient of the saturating loss"),
    ((*ALONE, "theta, h"), r"slope_kl - 2 \* slope_js", "slope_kl + 2 * slope_js", "of the non-saturating loss"),
    ((*ALONE, "theta, h"), r"kl\(q_right, p, grid\), kl\(q_left, p, grid\)",
     "kl(p, q_right, grid), kl(p, q_left, grid)", "Gradient of the non-saturating loss"),
])
def test_05_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("old", "new"), [
    (r"softplus\(-D\(G\(z_g\)\)\)\.mean\(\)", "-softplus(D(G(z_g))).mean()"),  # saturating
    (r"\+ softplus\(D\(fake\)\)", "- softplus(D(fake))"),
    (r"optimizer_g\.step\(\)", "optimizer_g.step(); optimizer_g.step()"),
])
def test_05_a_step_that_is_not_the_librarys_is_caught(old, new):
    broken(CELLS, ("def train_step", "plain = "), "Twenty steps of both", (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"share=0\.5\)", "share=0.0)", "Without R1: distance less"),
    (r"psi \* theta\) \+ gamma", "psi * theta + 0.3) + gamma", "Eigenvalues"),
    (r"gamma / 2 \* psi", "gamma / 4 * psi", "Eigenvalues"),
    (r"follow\(0\.0, share=0\)", "follow(0.0)", "plain simultaneous steps"),
])
def test_05_a_broken_smallest_gan_is_caught(old, new, claim):
    broken(CELLS, ('predict("05.r1"', "def speeds", "gammas, errors", "time = "), claim, (old, new))
