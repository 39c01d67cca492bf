"""The claims of notebook 05b can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("05b")
CLOSENESS = ("rng = seeded()", "by_loop")


def test_it_holds_as_written_where_it_is_cheap():
    run(CELLS, "spikes = ", *CLOSENESS, "eta = 0.3")


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"\[3\.5, 4\.5\]", "[3.4, 4.6]", "standard deviation as of real"),
    (r"normal_quantiles\(1000, 4\.0, 0\.5\)", "spikes", "is too large"),
    (r"not recovered\(spikes\)", "recovered(spikes)", "do not count"),
])
def test_what_counts_as_recovered_can_fail(old, new, claim):
    broken(CELLS, ("spikes = ",), claim, (old, new))


@pytest.mark.parametrize(("old", "new"), [
    (r"difference\.abs\(\)", "difference.square()"),
    (r"torch\.exp\(-distance\)", "torch.exp(-distance / 2)"),
    (r"o = c\.sum\(dim=1\)", "o = c.mean(dim=1)"),
])
def test_broken_features_are_caught(old, new):
    broken(CELLS, CLOSENESS, "plain loop", (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"for method in METHODS\)", "for method in METHODS[::-1])", "Simultaneous steps"),
    (r"- eta \* alternating\.prod", "- 0 * alternating.prod", "Alternating steps"),
    (r"extragradient\[-1\]", "extragradient[-10]", "Extragradient"),
])
def test_the_closed_forms_of_the_game_of_two_can_fail(old, new, claim):
    broken(CELLS, ("eta = 0.3",), claim, (old, new))
