"""The claims of notebook 03 can fail: each derivation is broken on purpose."""


import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("03")
LINES = ("model, x = ", "view = ", "q = normal", "kl_to_prior")
MOVES = ("model, x = ", "view = ", "predict(\"03.move_q\"", "movers", "best = ", "predict(\"03.theta\"", "thetas = ")
EM = ("points = ", "r, means")
DRAWS = ("model, x = ", "view = ", "q = normal", "kl_to_prior", "rng = ", "n = np")
STORED = ("def distances",)
BETA = ("model, x = ", "view = ", "predict(\"03.width\"", "def fit_q", "best_centre")
MIXED = (*BETA, *STORED, "def wrong", "one = ")
PEAKS = ("predict(\"03.peaks\"", "grid = ", "p = torch", "spread = ")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (LINES, r"log_posterior = log_joint - log_p ", "log_posterior = log_joint ", "Line 2"),
    (LINES, r"\(Z \+ Z\*\*2\)", "(Z - Z**2)", "minus the library's"),
    (LINES, r"KL = integral\(q \* \(log_q - log_posterior\)\)", "KL = integral(q * (log_posterior - log_q))", "Line 4"),
    (LINES, r"-kl_to_prior \+ expected_fit", "kl_to_prior + expected_fit", r"-KL\(q"),
    (MOVES, r"best = normal_density\(Z, \*model.best_gaussian\(x\)\)", "best = normal_density(Z, -1.9, 0.25)",
     "best Gaussian"),
    (MOVES, r"exact, poor = np\.exp\(log_posterior\)", "exact, poor = normal_density(Z, 1.4, 0.3)",
     "From the exact posterior as q"),
    (MOVES, r"normal_density\(Z, 1\.4, 0\.3\)", "np.exp(log_posterior)", "poor q the bound rises"),
    (EM, r"r = np\.exp\(joint - np\.logaddexp\.reduce\(joint, axis=1\)\[:, None\]\)", "r = np.full((6, 2), 0.5)",
     "largest KL after"),
    (EM, r"\(r \* points\[:, None\]\)", "(r * points[:, None] ** 2)", "smallest"),
    (DRAWS, r"np\.log\(0\.8\) \+ 0\.5 \* draws", "np.log(0.8) - 0.5 * draws", "standard errors"),
    (DRAWS, r"exact_kl = 0\.5 \* ", "exact_kl = ", "20 random pairs"),
    (STORED, r"distances\(kl_standard_log_std\)", "distances(kl_standard)", "log standard deviation"),
    (MIXED, r"twice = 2 \* kl_standard", "twice = kl_standard", "twice the KL"),
])
def test_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_the_failure_lab_can_fail():
    short = (r"_, later = .*", "later = stds")  # looked at after the claims that fail here
    broken(CELLS, BETA, "β = 1", short, (r"penalty=kl_standard_log_std", "penalty=kl_standard"))
    broken(CELLS, BETA, "β = 0", short, (r"-fit \+ beta \*", "-fit + 1 *"))


def test_forward_and_reverse_cannot_be_exchanged():
    broken(CELLS, PEAKS, "Forward: the largest", (r'if direction == "forward"', 'if direction == "reverse"'))
