"""The claims of notebook 10 can fail: each identity and each failure lab is broken on purpose. No flow is trained."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("10")
LINE = ('predict("10.forget"', "z = np.linspace")
SQUARE = ("def coupled", "small = ")
UNMIX = ("def rotation", "def draw_sources")
COUPLING = ("class AffineCoupling", "library = ")
MADE = ("def masks", "every = ")
ONE = ("def touched",)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (LINE, r"height / np\.sqrt\(1 \+ x\*\*2\)", "height / (1 + x**2)", "Area under p"),
    (SQUARE, r"z_b \* np\.exp\(s\) \+ t", "z_b * (1 + s) + t", "Growth of a small square"),
    (SQUARE, r"z_b \* np\.exp\(s\) \+ t", "(z_b + t) * np.exp(s + t)", "Growth of"),
    (UNMIX, r"- \(1 - g\*\*2\)\.mean\(dim=0\)\[:, None\] \* W", "", "Each|Amari"),
    (UNMIX, r"directions\.T / values\.sqrt\(\)\[:, None\]", "directions.T", "Each|Amari"),
    (COUPLING, r"-s\.sum\(dim=1\)", "s.sum(dim=1)", r"log p\(x\) is that of the library"),
    (COUPLING, r"3 \* torch\.tanh\(s / 3\)", "0.9 * torch.tanh(s)", r"log p\(x\) is that of the library"),
    (MADE, r"\(m\[-1\]\[:, None\] > m\[-2\]\)", "(m[-1][:, None] >= m[-2])", "The masks are the library"),
    (MADE, r"\(m\[-1\]\[:, None\] >= m\[-2\]\)\.float\(\) ", "(m[-1][:, None] > m[-2]).float() ",
     "With ≥ in the last mask"),
    (ONE, r"torch\.sin\(6 \* one\)", "3 * torch.rand(400_000, 1, generator=seeded(5)) - 1.5", "by the curve"),
])
def test_a_broken_identity_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_the_failure_lab_of_ica_can_fail():
    few = (r"for seed in range\(10\)", "for seed in range(4)")
    broken(CELLS, (*UNMIX[:2], 'predict("10.gauss"', "errors, gaussian_errors"), "Gaussian sources, ten", few,
           (r"\(lambda n, rng: torch\.randn\(n, 4, generator=rng, dtype=torch\.float64\), gaussian_errors\)",
            "(draw_sources, gaussian_errors)"))


GRID = """
axis, square = square_grid(60)
cell = (axis[1] - axis[0]).item() ** 2
log_p = MOONS.log_prob(square)
def kl_on_the_square(log_p, log_q):
    return ((log_p.exp() * (log_p - log_q)).sum() * cell).item()
distance = {"affine couplings": 0.05}
def train(steps, **knobs):  # shorter, for a claim that no training changes
    experiment = FlowExperiment(FlowHyperparameters(**knobs), seed=0)
    for _ in run(experiment, 20, progress=False):
        pass
    return experiment.model.requires_grad_(False)
"""


def test_the_half_that_never_takes_its_turn():
    grid = (r"view\(200, 200\)", "view(60, 60)")
    run(CELLS, "stuck = ", change=[grid], given=GRID)
    broken(CELLS, ("stuck = ",), "z_1 is x_1", grid, (r"permute=False", "permute=True"), given=GRID)


def test_a_bridge_that_does_not_get_thinner_is_told():
    hole = ("rows = flow_hole",)
    run(CELLS, *hole)
    broken(CELLS, hole, "Longest training: the ratio", (r"ratios\[-1\] / ratios", "ratios[0] / ratios"))
    broken(CELLS, hole, "Longest training: flow over truth", (r"row\.ratio for", "[r / 10 for r in row.ratio] for"))


COMON = ("degrees, root_3",)
DEQUANTIZED = ("grey = load_digits8", "noisy, _")
SHORT = ((r"True, 200, seeded", "True, 20, seeded"), (r"False, 300, seeded", "False, 20, seeded"))
VARIATIONAL = (*DEQUANTIZED, "def best_bound")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (COMON, r"\(bell, bell\)", "(bell, flat)", "Both Gaussian"),
    (COMON, r"\(flat, bell\), *\n", "(bell, flat),\n", "the largest value is at the first source"),
    (DEQUANTIZED, r"log_slope - math\.log\(2\.5\)", "log_slope", "less that by Φ"),
    (DEQUANTIZED, r"log_density\.mean\(dim=2\)", "log_density.amax(dim=2)", "less the bound: each pixel"),
    (VARIATIONAL, r"\.logsumexp\(dim=2\) - math\.log\(bins\)", ".mean(dim=2)", "as fine as the density"),
    (VARIATIONAL, r"\(bins, -1\)\)", "(-1, bins))", "One bin"),
])
def test_a_broken_direction_or_cell_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new), *(SHORT if starts is not COMON else ()))


def test_a_density_that_stays_below_the_entropy_is_told():
    broken(CELLS, (*DEQUANTIZED, "widths = "), "log density at the levels", *SHORT)
