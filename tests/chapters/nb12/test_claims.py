"""The claims of notebook 12 can fail: the record, or a definition, is broken on purpose."""

import numpy as np
import pytest
from notebook_cells import broken, cells_of, run
from scipy.stats import kendalltau

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("12")
BOARD = ("board = rows()",)
NLL = (*BOARD, "digits = ", "first, second = ")
DRAWS = (*BOARD, "digits = ", 'predict("12.copier"', 'show(scores(digits, ["frechet"',
         'with claim_table():\n    claim("Fr')
MADE_ANEW = "def trained(name)"
SPRITES = (*BOARD, "sprites = ", "with claim_table():\n    claim(\"KL(sprites")
KID = (*BOARD, "digits = ", 'predict("12.hundred"', MADE_ANEW, "again = ")
THEIS = (*BOARD, "digits = ", MADE_ANEW, "good = ")
TAU = (*BOARD, "digits = ", "sprites = ", "def tau(", 'predict("12.likely"', "pairs = ")
LONGER = (*BOARD, "digits = ", 'predict("12.longer"', "longer = ")


def test_tau_is_kendall_s():
    tau = run(CELLS, "def tau(")["tau"]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b = rng.normal(size=(2, 9))
        assert tau(a, b) == pytest.approx(kendalltau(a, b).statistic)
    assert tau([1, 2, 3], [2, 4, 9]) == 1 and tau([1, 2, 3], [3, 2, 1]) == -1


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (NLL, r'of\(digits, "VQ-VAE", "nll"\)', 'of(digits, "VAE", "nll")', "VQ-VAE's bound less"),
    (NLL, r'"masked diffusion", "anomaly"\)', '"MADE", "anomaly")', "Share of chimeras told"),
    (SPRITES, r'"flow matching", "anomaly"', '"naive Bayes", "anomaly"', "less the truth itself"),
    (DRAWS, r'of\(digits, "copier", "frechet"\)', 'of(digits, "shifted copier", "frechet")', "less the copier's"),
    (DRAWS, r'"copier", "copied"', '"shifted copier", "copied"', "Share of the copier's"),
    (THEIS, r"log_p - math\.log\(100\)", "log_p - math.log(10)", "The mixture less MADE"),
    (THEIS, r"of_log_prob\(good", "of_log_prob(made('MADE', 'digits8', 1, 0)", "measured again"),
    (KID, r'again\["naive Bayes"\] - again', "again[\"MADE\"] - again", "a hundred sets of draws"),
    (TAU, r"9 \* n \* \(n - 1\)", "9 * n * n * (n - 1)", "random orders of fourteen"),
    (TAU, r'agreement\(sprites, "frechet", "kid"\)', 'agreement(sprites, "precision", "recall")', "distance and KID"),
    (LONGER, r'of\(longer, "transformer", "copied"\)', 'of(longer, "MADE", "copied")', "training pictures, long"),
    (LONGER, r'of\(longer, "transformer", "nll"\)', 'of(longer, "VAE", "nll")', "long less short, nats"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))
