"""The claims of notebook 11d can fail: each identity, and each thing that a network must have learned, is broken."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11d")
SEEDS = "SEEDS = range(3)"
LINE = ('predict("11d.tilted"', "both = NoisedMixture")
ORDER = (*LINE, "p = tilted(")
PLANE = ('predict("11d.replace"', "blobs, first")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (LINE, r"guided_line\(both, asked_for, w\)\)", "guided_line(both, asked_for, w + 1))", "w = 0 and w = 1"),
    (LINE, r"guided_line\(both, asked_for, w\)\)", "guided_line(asked_for, both, w))", "w = 0 and w = 1"),
    (LINE, r"tilted\(both, asked_for, w, line\)", "tilted(both, asked_for, w**2, line)", "mean of the tilted"),
    (ORDER, r"3 \* \(scores\[1\] - scores\[0\]\)", "0 * (scores[1] - scores[0])", "Score that guidance uses"),
    (PLANE, r"torch\.tensor\(\[True, False\]\)", "torch.tensor([False, True])", "Share by replacement"),
    (PLANE, r"seeded\(s\), rounds\)", "seeded(s), 1)", "5 rounds at each"),
    (PLANE, r"2 \* first / 0\.4\*\*2", "2 * first / 0.4", "Exact probability"),
])
def test_a_broken_identity_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=SEEDS)


UNTRAINED = """
net, train, test = UNet(generator=seeded()), load_mnist("train"), load_mnist("test")
SEEDS = range(3)
"""


def test_an_untrained_network_lands_on_no_mean():
    broken(CELLS, ("asked = in_turn(150)",), "rms difference", (r"steps=2\)", "steps=1)"),
           (r"drawn\(\)", "drawn(steps=1)"),
           given=UNTRAINED)


@pytest.mark.thorough
def test_a_flow_that_was_not_trained_is_no_better_than_the_prior():
    broken(CELLS, ("flow = LatentFlowExperiment",), "Fréchet distance of 1,000", (r"run\(flow, 400", "run(flow, 1"),
           given=SEEDS)
