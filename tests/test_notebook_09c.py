"""The claims of notebook 09c can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("09c")
PAIRS = ("rng = seeded", "z = noise(4")
COUPLED = ('predict("09c.unshared"', "names = {", "agreement = ")
DERIVED = ("def js_of_pairs",)
STEP = ("def losses",)
TRAINED = ('predict("09c.rebuilt"', "plain, hinted", "same = ")
WALK = ("plain, hinted", "ten = torch", "one, other")
FEW = {COUPLED: (r"sample\(2000", "sample(400"), TRAINED: (r"\[:2000\]", "[:600]"), WALK: (r"\[:2000\]", "[:600]")}
SHORT = ((r"steps=300", "steps=4"), (r"test\[:1000\]", "test[:200]"))


def test_09c_holds_as_written_where_it_is_cheap():
    run(CELLS, *PAIRS, *DERIVED, *STEP, "def gradient_of_E")


def test_09c_holds_for_what_is_shipped():
    run(CELLS, *COUPLED, *TRAINED)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (PAIRS, r"second\[starts\[shared\]:\]", "first[starts[shared]:]", "library's pictures"),
    (PAIRS, r"first\[:starts\[shared\]\]", "second[:starts[shared]]", "library's pictures"),
    (DERIVED, r"p_G\[G\[i\], i\]", "p_G[G[i], 0]", "JS of the best"),
    (DERIVED, r"best\[G_table\[i\]\]", "best[i]", "takes back"),
    (STEP, r"D\(x, E\(x\)\)", "D(x, z)", "D's loss"),
    (STEP, r"softplus\(-a_real\)", "softplus(a_real)", "D's loss"),
    (STEP, r"\.sum\(dim=1\)", "", "of the regression"),
    (("def gradient_of_E",), r'\("images alone"\)', '("pairs")', "picture alone"),
    (("def gradient_of_E",), r'\("pairs"\)', '("images alone")', "sees pairs"),
])
def test_09c_what_is_not_so_is_told(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (COUPLED, r'0: "coupled_0"', '0: "coupled"', "nothing shared"),
    (COUPLED, r'2: "coupled"', '2: "coupled_0"', "two of three blocks shared"),
    (COUPLED, r"same_digit\(\*pairs\)", "same_digit(pairs[0], 1 - pairs[1])", "two of three blocks"),
    (TRAINED, r"plain\.encode\(x_test\)", "plain.encode(x_test).roll(1, 0)", "same digit, plain"),
    (TRAINED, r"model\.decode\(z\)", "model.decode(z.roll(1, 0))", "correlation"),
    (WALK, r"middle = .*", "middle = (one + other) / 2", "judge in doubt"),
])
def test_09c_shipped_models_that_are_others_are_told(starts, old, new, claim):
    broken(CELLS, starts, claim, FEW[starts], (old, new))


def test_09c_translators_that_learned_nothing_are_told():
    broken(CELLS, ("def sharpener", "show(images(torch.cat([coarse", "claim(\"squared error has less"), "than bicubic",
           *SHORT)
