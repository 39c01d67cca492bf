"""The claims of notebook 10b can fail: each is broken on purpose."""

import numpy as np
import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("10b")
RBM = ("patterns = ", "rbm, world = ")
GRADIENT = (*RBM, "rbm.zero_grad")
GIBBS = (*RBM, "def gibbs_round")
STEP = (*GIBBS, "def one_step", 'with claim_table():\n    for method in ("exact"')
IDLE = ("patterns = ", "options = [", "@torch.no_grad()\ndef scores")
DEEP = ("patterns = ", "def gaps", 'with claim_table():\n    claim("Our mean field')
# An RBM in the place of the trained ones, and a table of scores in which nothing is claimed.
GIVEN = "exact_rbm, rbms = RBM(9, 16, seeded(3)), None"
UNTIL_THE_RANKING = (r"ranked = (.|\n)*", "")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (RBM, r"F = -world @ rbm.b - softplus", "F = world @ rbm.b - softplus", "F is minus the log"),
    (RBM, r"h @ rbm.W.T @ world.T", "h @ rbm.W.T @ world.T / 2", "F is minus the log"),
    (GRADIENT, r"positive_phase\[0\] - negative_phase\[0\]", "negative_phase[0] - positive_phase[0]",
     "Weights: largest"),
    (GRADIENT, r"rbm.exact_moments\(\)", "rbm.moments(patterns)", "Weights: largest"),
    (GIBBS, r"bernoulli\(rbm.p_x\(h\), generator\)", "bernoulli(rbm.p_x(rbm.p_h(x)), generator)",
     "The same random numbers"),
    (STEP, r'if method == "CD" else chains', 'if method == "PCD" else chains', "PCD: after"),
    (STEP, r"positive - negative", "negative - positive", "exact: after"),
])
def test_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_an_unnormalised_score_is_caught_as_one():
    names = run(CELLS, *IDLE, given=GIVEN, change=[UNTIL_THE_RANKING])
    assert names["gain_F"] == pytest.approx(8 * np.log(2), abs=1e-3) and abs(names["gain_p"]) < 1e-3
    broken(CELLS, IDLE, "log p stays", UNTIL_THE_RANKING,
           (r"rbm.log_prob\(patterns\)", "-rbm.free_energy(patterns)"), given=GIVEN)


def test_the_mean_field_is_a_bound_and_not_by_chance():
    run(CELLS, *DEEP)
    broken(CELLS, DEEP, r"log p\(x\) less the bound, each", (r"dbm.log_prob\(patterns\).numpy\(\), dbm.bound",
                                                             "dbm.log_prob(patterns).numpy() - 1, dbm.bound"))
    broken(CELLS, DEEP, r"log p\(x\) less the bound, mean", (r"\*dbm.mean_field\(patterns\)\)",
                                                             "torch.full((14, 6), 0.5), torch.full((14, 4), 0.5))"))
    broken(CELLS, DEEP, "Our mean field", (r" \+ g_bar @ dbm.W2.T\)", ")"))
    broken(CELLS, DEEP, "Our mean field", (r"dbm.c2 \+ h_bar @ dbm.W2\)", "dbm.c2 - h_bar @ dbm.W2)"))


# KL of four RBMs at half time and at the end, such that PCD is ahead at the small rate and behind at the large one.
RATES = """
half = {("PCD", .05): 2.70, ("CD", .05): 2.73, ("PCD", .15): .6, ("CD", .15): .8, ("PCD", .3): 1.4, ("CD", .3): .5}
end = {("PCD", .05): 1.4, ("CD", .05): 1.6, ("PCD", .15): .2, ("CD", .15): .49, ("PCD", .3): .9, ("CD", .3): .47,
       ("exact", .5): .03}
half, end = ({key: kl + np.linspace(-.001, .001, 4) * rate for rate, (key, kl) in enumerate(table.items())}
             for table in (half, end))
trained = {key: (None, np.tile(kl, (30, 1))) for key, kl in end.items()}
best = {"exact": ("exact", .5), "PCD": ("PCD", .15), "CD": ("CD", .3)}
"""


def test_the_rate_decides_who_is_ahead():
    order = ('predict("10b.order"', 'names = {"exact"')
    run(CELLS, *order, given=RATES)
    broken(CELLS, order, "Rate 0.3, half time", given=RATES + "half['PCD', .3] = half['CD', .3] - .1\n")
    broken(CELLS, order, "Rate 0.05, half time", given=RATES + "half['PCD', .05] = half['CD', .05]\n")
    broken(CELLS, order, "Rate 0.15, at the end", given=RATES + "end['CD', .15] = end['PCD', .15]\n")
    broken(CELLS, order, "KL of the exact gradient less that of PCD",
           given=RATES + "end['exact', .5] = end['PCD', .15] + [-1, 1, -1, 1]\n")
