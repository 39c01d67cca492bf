"""The claims of notebook 11c can fail: its identities are broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11c")
CONTINUITY, LINE = ("path, moons = Straight()",), ("line = NoisedMixture",)
GRADIENT = (*LINE, "theta = ")
ONE = ('predict("11c.one"', "z = torch.randn(2000")
CLOCK = (*ONE, "vp = VP()")
GIVEN = """
path, moons = Straight(), mixture_of("moons")
v = marginal_velocity(moons)
"""


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (CONTINUITY, r"\+ divergence", "- divergence", "continuity equation"),
    (LINE, r"now - x_0 ", "now + x_0 ", "Mean velocity of all pairs"),
    (GRADIENT, r"\(e - x_0\[:, None\]\)", "(x_0[:, None] - e)", "Gradient of flow matching"),
    (ONE, r'follow\(v, z, 1, "euler"\)', 'follow(v, z, 2, "euler")', "Distance of every sample"),
    (CLOCK, r"a - s \* b", "a - b", "straight flow, less"),
    (CLOCK, r"/ scale\[0\]", "/ 1", "straight flow, less"),
])
def test_a_broken_identity_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=GIVEN)
