"""The claims of notebooks 05 and 05b can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS, CELLS_B = cells_of("05"), cells_of("05b")
ALONE = ("rng = seeded()", "grid = ", "learned = ", "predict(\"05.perfect\"", "loss_at_best")
SLOPES = ("grid = ", "learned = ", "theta, h")
CLOSENESS = ("rng = seeded()", "by_loop")


def test_05_holds_as_written():
    run(CELLS, *ALONE, "theta, h")
    run(CELLS, "def train_step", "plain = ")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (ALONE, r"softplus\(-D_alone\(real\)\)", "softplus(D_alone(real))", "largest distance"),
    (ALONE, r"range\(2000\)", "range(50)", "largest distance"),
    (ALONE, r"2 \* js\(p, q, grid\)", "js(p, q, grid)", "by quadrature"),
    ((*ALONE, "theta, h"), r"2 \* slope_js, near", "slope_js, near", "saturating gradient"),
    ((*ALONE, "theta, h"), r"slope_kl - 2 \* slope_js", "slope_kl + 2 * slope_js", "non-saturating gradient"),
    ((*ALONE, "theta, h"), r"kl\(q_right, p, grid\), kl\(q_left, p, grid\)",
     "kl(p, q_right, grid), kl(p, q_left, grid)", "non-saturating gradient"),
])
def test_05_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("old", "new"), [
    (r"softplus\(-D\(G\(z_g\)\)\)\.mean\(\)", "-softplus(D(G(z_g))).mean()"),  # saturating
    (r"\+ softplus\(D\(fake\)\)", "- softplus(D(fake))"),
    (r"optimizer_g\.step\(\)", "optimizer_g.step(); optimizer_g.step()"),
])
def test_05_a_step_that_is_not_the_librarys_is_caught(old, new):
    broken(CELLS, ("def train_step", "plain = "), "same weights", (old, new))


@pytest.mark.parametrize(("old", "new"), [
    (r"difference\.abs\(\)", "difference.square()"),
    (r"torch\.exp\(-distance\)", "torch.exp(-distance / 2)"),
    (r"o = c\.sum\(dim=1\)", "o = c.mean(dim=1)"),
])
def test_05b_broken_features_are_caught(old, new):
    broken(CELLS_B, CLOSENESS, "plain loop", (old, new))


def test_05b_the_closed_forms_of_the_circling_game_can_fail():
    run(CELLS_B, "eta = 0.3")
    for old, new, claim in ((r"for method in METHODS", "for method in METHODS[::-1]", "simultaneous: growth"),
                            (r"- eta \* alternating\.prod", "- 0 * alternating.prod", "alternating: change")):
        broken(CELLS_B, ("eta = 0.3",), claim, (old, new))
