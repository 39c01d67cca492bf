"""The claims of notebook 09c can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("09c")
PAIRS = ("unshared = ", "def pair(", "z = noise(4")
COUPLED = ('predict("09c.unshared"', "names = {", "def agreement", "reveal(\"09c.unshared\"")
DERIVED = ("def js_of_pairs",)
STEP = ("def losses", "game, twin = ")
WEIGHTS = ("unshared = ", "weights = ")
TRAINED = ('predict("09c.rebuilt"', "plain, hinted", "same = ")
PIXELS = (*TRAINED, "another = ")
BACK = (*TRAINED, "z, back = noise(1000")
WALK = (*BACK, "one, other")
NEAREST = ("plain, hinted", "known, labels", "right = ")
FEW = ((r"\[:2000\]", "[:600]"),)
PAIRS_OF_600 = (*FEW, (r"\[:1000\]", "[:300]"), (r"\[1000:\]", "[300:]"))
LESS = {COUPLED: ((r"sample\(2000", "sample(400"),), TRAINED: FEW, PIXELS: FEW, BACK: FEW, WALK: PAIRS_OF_600,
        NEAREST: FEW}
LABELS = (*NEAREST[:2], 'predict("09c.labels"', "def standardised", "penalties = ", "order = [", "def gain")
SHORT = ((r"steps=300", "steps=4"), (r"test\[:1000\]", "test[:200]"))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (PAIRS, r"second\[starts\[shared\]:\]", "first[starts[shared]:]", "library's pictures"),
    (PAIRS, r"first\[:starts\[shared\]\]", "second[:starts[shared]]", "library's pictures"),
    (DERIVED, r"p_G\[G\[i\], i\]", "p_G[G[i], 0]", "The best of 24 encoders"),
    (DERIVED, r"best\[G_table\[i\]\]", "best[i]", "takes back"),
    (WEIGHTS, r"1 - weights\[0\]", "weights[0]", "weights that are its own"),
    (STEP, r"torch\.cat\(\[E\(x\), z\]\)", "torch.cat([z, z])", "D's loss is the library"),
    (STEP, r"softplus\(-a_made\)", "softplus(a_made)", "by the D that has just learned"),
    (STEP, r"game\.D\.eval\(\)", "twin.D", "by the D that has just learned"),
    (STEP, r"softplus\(-a_real\)", "softplus(a_real)", "D's loss is the library"),
    (STEP, r"\.sum\(dim=1\)", "", "The regression is"),
    (("def gradient_of_E",), r'\("images alone"\)', '("pairs")', "the picture alone"),
    (("def gradient_of_E",), r'\("pairs"\)', '("images alone")', "D sees pairs"),
])
def test_09c_what_is_not_so_is_told(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (COUPLED, r'0: "coupled_0"', '0: "coupled"', "Nothing shared: share"),
    (COUPLED, r'2: "coupled"', '2: "coupled_0"', "Two of three blocks shared"),
    (COUPLED, r"agreement\(\*pairs\)", "agreement(pairs[0], 1 - pairs[1])", "One block shared less nothing"),
    (COUPLED, r"same\[sure\]", "same[~sure]", "the classifier is sure of both"),
    (TRAINED, r'"BiGAN": plain\.encode', '"BiGAN": lambda x: plain.encode(x).roll(1, 0)', "Plain BiGAN: share"),
    (PIXELS, r"error\[\"VAE\"\]", "error[\"BiGAN\"]", "over that of the VAE"),
    (BACK, r"model\.decode\(z\)", "model.decode(z.roll(1, 0))", "correlation"),
    (BACK, r"again = .*", "again = z", "correlation"),
    (WALK, r"middle = .*", "middle = (one + other) / 2", "Classifier in doubt"),
    (WALK, r"middle = .*", "middle = one", "names a third"),
    (NEAREST, r"labels\[i\]", "labels[i + 1]", "of the same class"),
])
def test_09c_shipped_models_that_are_others_are_told(starts, old, new, claim):
    broken(CELLS, starts, claim, *LESS[starts], (old, new))


@pytest.mark.thorough
@pytest.mark.parametrize(("old", "new", "claim"), [
    (r'inputs\["pixels"\] \+ inputs\[name\]', "inputs[name]", r"Pixels \+ BiGAN: gain over pixels"),
    (r"labels\[few\]", "labels[few.flip(0)]", "BiGAN: gain over pixels"),
])
def test_09c_labels_that_are_used_wrongly_are_told(old, new, claim):
    broken(CELLS, LABELS, claim, (old, new), (r"\(0\.002, 0\.05, 0\.5\)", "(0.05,)"), (r"range\(8\)", "range(2)"),
           (r"range\(8, 40\)", "range(8, 20)"), (r"(?m)^claim\(\"BiGAN: accuracy with the middle.*\n.*$", ""))


def test_09c_sharpeners_that_learned_nothing_are_told():
    broken(CELLS, ("def sharpener", "show(images(torch.cat([coarse", "like = "), "Squared error alone less bicubic",
           *SHORT)
