"""The claims of notebook 07c can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("07c")
WEIGHTS = ("bar = torch.zeros", "last_row = ")
PASSES = ("row_lstm_28, _ = ", "creatures, (pixelcnn, _) = ", 'predict("07c.passes"',
          "@torch.no_grad()\ndef draw_at_once")
QUICK = (r"x\.expand\(1000", "x.expand(50")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (WEIGHTS, r"\(draws\.log_p - draws\.log_q\)\.exp\(\)", "(0 * draws.log_p).exp()", "Mean weight"),
    (WEIGHTS, r"last_row\[2\] = True", "last_row[0] = True", "Exact probability|Unweighted"),
    (WEIGHTS, r"\(w\[:, None, None\] \* draws", "(w.mean() * draws", "Weighted draws"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_a_picture_that_is_not_yet_final_is_told():
    broken(CELLS, PASSES, "ancestral sampling", (r"if not moved\.any\(\)", "if True"), QUICK)
