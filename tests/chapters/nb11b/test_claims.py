"""The claims of notebook 11b can fail: each identity and failure lab is broken on purpose. No network is trained."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11b")
FLOW = ("line = NoisedMixture",)
GAPS = ("single, pair",)
WEIGHTS = ("T = 1000",)
SAMPLERS = ('predict("11b.few"', "n, calls")
LIKELIHOOD = ("x = moons.sample(200",)
PRIOR = ("moved = NoisedMixture",)
STEPS = ("def off_the_arcs",)
GIVEN = """
line = NoisedMixture(torch.tensor([[-1.0], [1.0]]), 0.25, torch.tensor([0.3, 0.7]))
vp, cosine, moons = SCHEDULES["VP"], SCHEDULES["cosine"], mixture_of("moons")
def noise(n, seed, D=1):
    return torch.randn(n, D, generator=seeded(seed), dtype=torch.float64)
def guess(x, t):
    return moons.field("data", x, t, cosine)
"""


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (FLOW, r"- 0\.5 \* g2", "- g2", "must be 0|velocity"),
    (GAPS, r"gap\(data, cosine, T, v\)", "gap(data, cosine, T, 'beta')", "The gap itself with β̃"),
    (GAPS, r"torch\.zeros\(1, 1\), 0\.5", "torch.zeros(1, 1), 0.8", "times T|itself with β̃|Gaussian"),
    (WEIGHTS, r"-0\.5 \* s\.d_log_snr", "-s.d_log_snr", "Weight in the bound"),
    (SAMPLERS, r'"heun", end', '"euler", end', "Heun: the same"),
    (LIKELIHOOD, r"\(1e-3, 1e-6\)", "(1e-3, 1e-2)", "rtol 1e-6"),
    (PRIOR, r"if right_start:", "if False:", "right start"),
    (STEPS, r"off_the_arcs\(30, s\)", "off_the_arcs(3, s)", "With 30 steps"),
])
def test_a_broken_one_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=GIVEN)
