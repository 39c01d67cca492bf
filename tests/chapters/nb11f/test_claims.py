"""The claims of notebook 11f can fail: each is broken on purpose. No network is trained."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11f")
ORDERS = ('predict("11f.orders"', "bars = OneBar()")
BACK = ("def by_bayes",)
BOUND = ("k_of = ", "steps = [1")
GAP = ("k_of = ", "gap = ")
SHIPPED = ('predict("11f.price"', "creatures, (network")
UPPER = ('predict("11f.upper"', "upper = ", "right, told")
PARALLEL = ("numbers = ", "in_parallel = ")
CONFIDENT = ('predict("11f.confident"', "ways = ")
GIVEN = """
bars = OneBar()
p = bars.log_prob(EVERY.view(-1, 3, 3)).exp()
entropy = -(p * p.log()).sum()
exact = table_of(lambda z: bars.conditionals(z).log())
untrained = MaskedTransformer((3, 3), 2, 32, 1, 1, generator=seeded())
arbitrary = table_of(lambda z: (9 * untrained(z).double()).log_softmax(dim=1))
tables = [0.9 * exact] * 2
numbers = list(range(1, 10))
def divergence(q):
    return (p * (p / q).log()).sum().item()
"""
CREATURES = """
creatures, (network, card) = Sprites(), load_pretrained("masked_sprites")
pixelcnn, card_07 = load_pretrained("pixelcnn_sprites")
test = creatures.sample(120, seeded(11))
"""


def test_what_is_quick_holds_as_written():
    run(CELLS, *ORDERS, *BACK, *BOUND, "gap = ", given=GIVEN)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (ORDERS, r"bars\.conditionals\(z\)\.log\(\)", "bars.conditionals(z.flip(1)).log()", "True answers: log p"),
    (ORDERS, r"\(9 \* untrained\(z\)\.double\(\)\)\.log_softmax\(dim=1\)", "untrained(z).double()", "add up to"),
    (ORDERS, r"9 \* untrained\(z\)\.double\(\)", "0.01 * untrained(z).double()", "raster order less"),
    (BACK, r"alpha_s - alpha_t, 1 - alpha_s", "1 - alpha_s, alpha_s - alpha_t", "Bayes' rule"),
    (BOUND, r"\[1:\] / torch\.arange\(1, 10\)\[:, None\]", "[1:] / 9", "Mean over all orders"),
    (BOUND, r"/ \(1 - a\[1:\]\), 1 - a", ", 1 - a", "A thousand steps"),
    (BOUND, r"\[1, 3, 10, 100, 1000\]", "[1, 3, 10, 500, 1000]", "at a hundred steps"),
    (GAP, r"bound\(arbitrary\) \+ log_mixture", "0.2 * bound(arbitrary) + log_mixture", "smallest gap"),
    (GAP, r"bound\(exact\) \+ log_mixture\(exact\)", "bound(exact) + log_mixture(arbitrary)", "largest gap"),
    (PARALLEL, r"drawn_in_steps\(exact, shares\(9, T\)\)", "drawn_in_steps(exact, [1] * 9)", "total correlation"),
    (CONFIDENT, r"draw_first=True", "draw_first=False", "confident draws: KL"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=GIVEN)


def test_a_completion_that_does_not_look_at_the_seen_half_is_caught():
    broken(CELLS, UPPER, "all orders less the truth",
           (r"unmask\(network, z, 16, \[1\]", "unmask(network, 0 * z + 16, 16, [2]"), given=CREATURES)
