"""The claims of notebook 07d can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("07d")
ATTENTION = ("def attention",)
ORDER = (*ATTENTION, 'predict("07d.order"', "x = torch.randn(1, T, 16")
ROTARY = (*ORDER, "here, there = ")
BLOCK = (*ORDER, "class OurBlock")
BARS = ("bar = torch.zeros",)
CHAINS = ("statistician, _ = ", "weights = statistician")
EVEN = (*CHAINS, "places = there")
RULES = ("creatures, (pixelcnn, _) = ", "real = creatures")
CACHE = ("image_model = ",)
COSTS = (*CACHE, "def seconds", "def operations")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (ATTENTION, r" / math\.sqrt\(q\.shape\[-1\]\)", "", "scaled_dot_product_attention"),
    (ATTENTION, r"T, dtype=torch\.bool\)\.tril\(\)", "T, dtype=torch.bool).tril(1)", "scaled_dot_product_attention"),
    (ORDER, "look_ahead=None", "look_ahead=0", "No mask"),
    (ORDER, r"\[3, 0, 6, 1, 5, 7, 2, 4, 8\]", "[3, 0, 6, 1, 5, 7, 2, 8, 4]", "Mask, one layer"),
    (ORDER, r"\[3, 0, 6, 1, 5, 7, 2, 4, 8\]", "[0, 1, 2, 3, 4, 5, 6, 7, 8]", "Mask, two layers"),
    (ROTARY, r"rotary\(there, s\)\)", "rotary(there, 2 * s))", "score of places 7 and 3, less"),
    (ROTARY, r'last_moves\(1, "rotary", s\)', 'last_moves(1, "none", s)', "Rotary, one layer"),
    (BLOCK, r"return x \+ self\.mlp", "return self.mlp", "Our block"),
    (CHAINS, r"bayes = chain_predictor\(x_chain, 3\)", "bayes = chain_predictor(x_chain.flip(0), 3)",
     "KL from the best"),
    (EVEN, r"weights \* there", "weights**4 * there", "Entropy of the last layer's weights"),
    (EVEN, r"6:10\]", "-8:]", "last eight places"),
    (CHAINS, r"weights\(x_chain\[:100\]\)\[-1\]", "weights(x_chain[:100])[0]", "Last layer's weight"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_a_network_that_has_not_learned_the_bars_is_told():
    broken(CELLS, BARS, "KL", (r"steps=400", "steps=5"))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r'"as trained": lambda p: p,', '"as trained": lambda p: p**0.5,', "as trained, less"),
    (r"keep_k\(p, 3\)", "keep_k(p, 16)", "top-k of 3 relative"),
    (r"1 / 0\.8", "1.0", "τ of 0.8 relative"),
])
def test_a_rule_that_is_not_what_it_says_is_told(old, new, claim):
    broken(CELLS, RULES, claim, (r"n=1000", "n=200"), (r"creatures\.sample\(150", "creatures.sample(20"), (old, new))


def test_a_formula_that_is_wrong_is_told():
    broken(CELLS, COSTS, "Operations counted", (r"24 \* T", "22 * T"), (r"\(32, 64, 128, 256\)", "(8, 16)"),
           (r"above=1\.3", "above=0"))
