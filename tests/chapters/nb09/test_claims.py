"""The claims of notebook 09 can fail: each is broken on purpose, in small."""

import re

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("09")
ASKED = ('predict("09.asked"', "C, card", "def delivered")
FOUND = ("info, card", 'predict("09.purity"', "fig = matrices")
WORLD = ("world = ",)
FEW = (r"each=1000", "each=100")
LIGHT = """classifier = load_pretrained("classifier")[0]
plain = torch.zeros(2000, 28, 28)
show = images = curves = lambda *_, **__: None"""
SHORT = ((r"steps=450", "steps=4"), (r"steps % 90", "steps % 2"), (r"np\.arange\(90, 451, 90\)", "np.arange(2)"))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (('predict("09.squared"', "train = load"), r"spread = \(\(mean - other\)", "spread = ((x - other)", "The formula"),
    (("rng = np.random",), r"mu_G\*\*2 - mu\*\*2", "mu**2 - mu_G**2", "The projection is the best logit"),
    (("def ask",), r"D\.v\[y\] \* phi", "D.v[y] * phi.flip(1)", "D's logits"),
    (("def ask",), r"cat\(\[z, one_hot\(y\)\]", "cat([one_hot(y), z]", "G makes what"),
    (WORLD, r"np\.log\(3\) \+ \(joint\[seen\] \* np\.log\(q", "np.log(3) - (joint[seen] * np.log(q", "Bound"),
    (WORLD, r"posterior\[seen\] / q\[seen\]\)\)\.sum\(\)\n", "q[seen] / posterior[seen])).sum()\n", r"Bound \+ KL"),
    (WORLD, r"mutual_information\(joint\)", "mutual_information(joint.round(1))", "library's mutual information"),
])
def test_09_derivations_that_are_wrong_are_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    ((), r"y = torch\.arange\(10\)\.repeat_interleave\(each\)",
     "y = (torch.arange(10).repeat_interleave(each) + 1) % 10", "mean of the ten digits"),
    ((), r"y = torch\.arange\(10\)\.repeat_interleave\(each\)",
     "y = torch.arange(10).repeat_interleave(each).clamp(max=8)", "mean of the ten|the worst digit"),
    (("z = noise(300",), r"C\(z, torch\.full", "C(noise(300, seeded(k)), torch.full", "Same z, two labels"),
    (("cards = ",), r'", card\.metrics\["frechet"\]', '", 10 * card.metrics["frechet"]', "distance of the conditional"),
])
def test_09_orders_that_are_not_delivered_are_told(starts, old, new, claim):
    broken(CELLS, (*ASKED, *starts), claim, FEW, (old, new), given=LIGHT)


def test_09_a_discriminator_that_is_told_teaches_what_one_that_is_not_does_not():
    """In small: after four steps nobody has learned anything, which the claims must tell."""
    starts = (*ASKED, 'predict("09.forgotten"', "z = noise(300", "def short_training", "projection, ")
    broken(CELLS, starts, "Projection: share", FEW, *SHORT, given=LIGHT)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    ((), r"pure = purity\(code\.k\.numpy\(\), digits\)", "pure = purity(digits, digits)", "Purity"),
    ((), r"pure = purity\(code\.k\.numpy\(\), digits\)",
     "pure = purity(np.random.default_rng(0).permutation(code.k.numpy()), digits)", "Purity"),
    (("def readable",), r"SoftmaxRegression\(l2=1e-3", "SoftmaxRegression(l2=1e3", "can be read from the picture"),
    (("def readable",), r"mutual_information\(table\)", "mutual_information(np.eye(10))", "that its digit does not"),
    (("k = torch.arange",), r"2 \* k\] = 1", "2 * ((k + 1) % 10)] = 1", "reader of dots"),
    (("k = torch.arange",), r"classifier\.predict\(marked\)\.numpy\(\)", "read.numpy()", "purity of its categories"),
    (("effect = ",), r"values in effect\.values\(\)\)\n", "values in (0 * v for v in effect.values()))\n",
     "Largest effect"),
    (("effect = ",), r"\[\[u1, 0\.0\]\]", "[[0.0, 0.0]]", "Mixed category: share"),
    (("effect = ", "u = code.u"), r"height\[1\] < height\[0\]", "height[1] > height[0]", "makes a picture lower"),
    (("effect = ", "u = code.u"), r"made_at\(u, noise_seed=8\)", "made_at(0.9 * u)", "Change of thickness"),
])
def test_09_codes_that_are_none_are_told(starts, old, new, claim):
    broken(CELLS, (*FOUND, *starts), claim, (old, new), given=LIGHT)


def test_09_an_information_term_that_is_forgotten_is_told():
    starts = (*FOUND, "def readable", "def short_info", "k, by_k, by_z = ")
    broken(CELLS, starts, "With the term", SHORT[0], (r"information=weight,", "information=0.0,"), given=LIGHT)


def test_09_labs_return_what_their_views_draw():
    names = run([re.sub(r"(?s)explore_canvas\(.*", "pass", c) if c.startswith("def ") else c for c in CELLS],
                *ASKED[:2], "def place_order", *FOUND[:1], "def found", given=LIGHT)
    for made in (names["place_order"](3, 8, 0.5, 2), names["found"](4, -1.0, 2.0, 7)):
        assert made["made"].shape == (20, 28, 28) and 0 <= made["made"].min() <= made["made"].max() <= 1
        assert made["seen"].sum() == pytest.approx(1)
