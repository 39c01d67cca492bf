"""The claims of notebook 03 can fail: each derivation is broken on purpose."""


import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("03")
LINES = ("model, x = ", "view = ", "q = normal", "kl_to_prior")
MOVES = ("model, x = ", "view = ", "predict(\"03.move_q\"", "movers", "best = ", "predict(\"03.theta\"", "thetas = ")
EM = ("points = ", "r, means")
DRAWS = ("model, x = ", "view = ", "q = normal", "kl_to_prior", "rng = ", "n = np")
CURVES = ("def distances",)
BETA = ("model, x = ", "predict(\"03.width\"", "def fit_q", "best_centre")
PEAKS = ("predict(\"03.peaks\"", "grid = ", "p = torch", "spread = ")


@pytest.mark.parametrize("starts", [LINES, MOVES, EM, DRAWS, CURVES])
def test_it_holds_as_written(starts):
    run(CELLS, *starts)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (LINES, r"log_posterior = log_joint - log_p ", "log_posterior = log_joint ", "line 2"),
    (LINES, r"\(Z \+ Z\*\*2\)", "(Z - Z**2)", "minus the library's"),
    (LINES, r"KL = integral\(q \* \(log_q - log_posterior\)\)", "KL = integral(q * (log_posterior - log_q))", "line 4"),
    (LINES, r"-kl_to_prior \+ expected_fit", "kl_to_prior + expected_fit", r"-KL\(q"),
    (MOVES, r"best = normal_density\(Z, \*model.best_gaussian\(x\)\)", "best = normal_density(Z, -1.9, 0.25)",
     "best Gaussian"),
    (MOVES, r"exact, poor = np\.exp\(log_posterior\)", "exact, poor = normal_density(Z, 1.4, 0.3)",
     "after an exact E-step"),
    (MOVES, r"normal_density\(Z, 1\.4, 0\.3\)", "np.exp(log_posterior)", "there the bound rises"),
    (EM, r"r = np\.exp\(joint - np\.logaddexp\.reduce\(joint, axis=1\)\[:, None\]\)", "r = np.full((6, 2), 0.5)",
     "largest KL"),
    (EM, r"\(r \* points\[:, None\]\)", "(r * points[:, None] ** 2)", "smallest"),
    (DRAWS, r"np\.log\(0\.8\) \+ 0\.5 \* draws", "np.log(0.8) - 0.5 * draws", "standard errors"),
    (DRAWS, r"exact_kl = 0\.5 \* ", "exact_kl = ", "20 random pairs"),
    (CURVES, r"distances\(kl_standard_log_std\)", "distances(kl_standard)", "log standard deviation"),
    (CURVES, r"twice = 2 \* kl_standard", "twice = kl_standard", "twice the KL"),
])
def test_a_broken_derivation_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_the_failure_lab_can_fail():
    short = (r"_, later = .*", "later = widths")  # looked at after the claims that fail here
    broken(CELLS, BETA, "β = 1", short, (r"penalty=kl_standard_log_std", "penalty=kl_standard"))
    broken(CELLS, BETA, "β = 0", short, (r"-fit \+ beta \*", "-fit + 1 *"))


def test_forward_and_reverse_cannot_be_exchanged():
    broken(CELLS, PEAKS, "forward: largest", (r'if direction == "forward"', 'if direction == "reverse"'))
