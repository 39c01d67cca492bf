"""The claims of notebook 10c can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("10c")
CHAIN = ('predict("10c.one_peak"', "grid = ", "off = ")
MMD = ("def our_mmd2",)
WIDTH = ("def our_mmd2", "widths = ")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (CHAIN, r"posterior = data \* C.T ", "posterior = C.T.copy() ", "Right posterior"),
    (CHAIN, r"    if one_peak:", "    if False:", "One peak, noise 0.1"),
    (CHAIN, r"variance = posterior @ grid\*\*2 - mean\*\*2", "variance = 0.8**2 + 0 * mean", "One peak, noise 0.1"),
    (MMD, r"\(k\(x, x\).sum\(\) - n\) / \(n \* \(n - 1\)\)", "k(x, x).mean()", "The estimates are the library's"),
    (MMD, r"truth = mmd2_gaussians\(torch.zeros\(2\)", "truth = mmd2_gaussians(torch.zeros(2) + 0.3", "Without bias"),
    (WIDTH, r"2 \* one\)", "40 * one)", "Widest kernel: MMD² of the doubled variance"),
])
def test_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))
