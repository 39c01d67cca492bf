"""The claims of notebook 11 can fail: each identity and each failure lab is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11")
LINE = ("line = NoisedMixture",)
SCORE = "x = 3 * torch.randn(500"
BLIND = ('predict("11.blind"', "modes = torch.tensor")
OVER = (*BLIND, "lam = torch.linspace(-14")
TWEEDIE = (*LINE, "x = torch.linspace(-3, 3, 61")
TABLE = "x_0s, noise = "
MATCHING = (*LINE, "def network")
ENTROPY = (*LINE, "lam = torch.linspace(-16")
PARTS = (*LINE, "def network", "x = x_0.clone()")
MOONS = """
moons, cosine = mixture_of("moons"), SCHEDULES["cosine"]
levels = [(0.95, 0.3), (0.7, 0.7), (0.2, 0.98)]
"""


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (LINE, r"alpha \* x_0, sigma\)", "alpha * x_0, sigma**2)", "noised mixture's density"),
    ((SCORE,), r"moons\.score\(x, alpha, sigma\)", "-moons.score(x, alpha, sigma)", "score in closed form"),
    (BLIND, r"modes = torch\.tensor\(\[\[-4\.0\], \[4\.0\]\]\)", "modes = torch.tensor([[-2.0], [2.0]])",
     "KL|Fisher divergence"),
    (OVER, r"cosine\.sigma\(t\)\.numpy\(\) \*\* 2", "cosine.sigma(t).numpy()", "Half the integral"),
    (TWEEDIE, r"sigma\*\*2 \* line\.score", "sigma * line.score", "Tweedie"),
    (TWEEDIE, r"\[:, 0\] / alpha\)", "[:, 0])", "Tweedie"),
    ((TABLE,), r"t = 0\.02 \+ 0\.96", "t = 0.0 + 0.0", "From each kind"),
    (MATCHING, r"network\(x_t\) \+ e / sigma", "network(x_t) - e / sigma", "Denoising loss"),
    (MATCHING, r"1 / sigma\*\*2 - fisher", "1 / sigma - fisher", "Denoising loss"),
    (ENTROPY, r"\- left\) \* gamma, lam\)", "- left) * gamma**0.5, lam)", "Entropy"),
    (PARTS, r"2 \* slope", "slope", "Both sides"),
])
def test_a_broken_identity_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), given=MOONS)


SHORT = MOONS + """
def train(steps, seed, family=Diffusion2DExperiment, **knobs):
    experiment = family(Diffusion2DHyperparameters(total_steps=steps, width=32, **knobs), seed=seed)
    losses = [metrics["loss"].item() for metrics in run(experiment, steps, progress=False)]
    return experiment, np.array(losses)
trained = [train(150, seed) for seed in range(3)]
floor = trained[0][0].floor.item()
"""


def test_the_failure_lab_of_the_sign_can_fail():
    run(CELLS, "def gain", given=SHORT)
    broken(CELLS, ("def gain",), "sign forgotten", (r"gain\(e, -1\)", "gain(e, 1)"), given=SHORT)


def test_a_network_that_learned_nothing_is_not_near_its_floor():
    untrained = SHORT.replace("train(150, seed)", "train(3, seed)")
    broken(CELLS, ("def gain",), "log p after a step along the score", given=untrained)
