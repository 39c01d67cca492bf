"""Notebook 00's claims can fail: a copy, a wrong density, completion, count or likelihood is caught where it is made.
"""

import math

import numpy as np
import pytest
import torch
from notebook_cells import broken, cell, cells_of, run

from course_lib.teach import check
from course_lib.teach.exercises import _tries

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("00")
SAMPLES = ("G, _",)
DENSITY = ("points = ",)
COMPLETION = ("network, classifier",)
COIN = ("theta = ",)
GAUSSIAN = ("mu_0, sigma_0",)
SHEET = ("G, _", "made = ", "my_real", "def right_of_twelve")
VOTE = (*SHEET, 'predict("00.vote"', "def share_right", "D, right", 'predict("00.count"', "def nearly_white")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (SAMPLES, r"samples = .*", "samples = load_mnist('train').floats()[:20]", "Smallest distance"),
    (DENSITY, r"log_prob\(torch\.tensor\(grid\)\)", "log_prob(1.2 * torch.tensor(grid))", "adds up to one"),
    (DENSITY, r"median\(\)", "amin()", "typical point"),
    (DENSITY, r"\[0, -1\.2\]", "[0, -0.7]", "a surprise"),
    (DENSITY, r"density = mixture", "density = MOONS", "the true one"),
    (COMPLETION, r"\.images\.view", ".images.flip(2).view", "given pixels are kept"),
    (COMPLETION, r"seeded\(\)\)\.images", "seeded(), 1e-6).images", "Different digits"),
    (COIN, r"kl = p_hat", "kl = 2 * p_hat", "largest distance"),
    (COIN, r"likelihood = p_hat \* np\.log\(theta\)", "likelihood = p_hat * np.log2(theta)", "largest distance"),
    (GAUSSIAN, r"\(sigma_0\*\*2 \+ \(mu_0 - mu\) \*\* 2\)", "(mu_0 - mu) ** 2", "by the formula, in nats"),
    (GAUSSIAN, r"data\.log_prob\(x\) - model", "model.log_prob(x) - model", "minus the integral"),
    (GAUSSIAN, r"sigma_0 \* torch\.randn", "1.2 * sigma_0 * torch.randn", "100,000 draws"),
    (VOTE, r"made = \(G", "made = 1 - (G", "The discriminator's share"),
    (VOTE, r"optimiser\.step\(\)", "pass", "from blurred ones"),
    (VOTE, r"5\.5 / 255", "128 / 255", "right by counting"),
    (VOTE, r"n: share_right\(pale_real", "n: -share_right(pale_real", "right by counting"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_the_sheet_holds_six_of_each_and_a_readers_numbers_are_counted():
    names = run(CELLS, *SHEET)
    sheet, is_real, right = names["sheet"], names["is_real"], names["right_of_twelve"]
    assert torch.allclose(sheet[is_real].sum(0), names["real"][-6:].sum(0)) and is_real.sum() == 6
    assert right([]) == "6 of 12 right" == right(list(range(1, 13)))
    truth = (is_real.nonzero().flatten() + 1).tolist()
    assert right(truth) == "12 of 12 right" and right(truth[1:]) == "11 of 12 right"
    assert [word.split()[1] for word in names["truth"]] == ["real" if r else "made" for r in is_real]


@pytest.mark.parametrize(("typed", "said"), [
    ("[1, 2, 3, 4, 5, 6]", "you: "), ("[]", "you: no answer yet"), ("[3]", "Six are real"),
    ("[1, 2, 3, 4, 5, 13]", "Six are real"), ("[0, 2, 3, 4, 5, 6]", "Six are real"),
    ("[1, 1, 2, 3, 4, 5]", "Six are real"), ("[1, 1, 2, 3, 4, 5, 6]", "Six are real"),
    ("list(range(1, 13))", "Six are real")])
def test_the_truth_is_shown_after_a_vote_that_can_be_counted(typed, said, capsys):
    sheet = "import torch\nsheet, is_real = torch.zeros(12, 28, 28), torch.arange(12) % 2 == 0"
    run(CELLS, *SHEET[2:], change=((r"my_real = \[\]", f"my_real = {typed}"),), given=sheet)
    out = capsys.readouterr().out
    assert out.startswith(said) and ("The same twelve digits: 1 real" in out) == said.startswith("you")


def test_network_and_count_never_see_what_they_are_tested_on_and_the_network_can_learn():
    noise = r"torch.rand(3_000, 28, 28, generator=seeded(1))"
    names = run(CELLS, *SHEET[:2], "def share_right", change=((r"made = .*", f"made = {noise}"),))
    assert names["trained"](names["real"], names["made"])[1] > 0.99
    training = cell(CELLS, "def share_right")
    assert "x[2_000:]" in training and "randperm(2_000" in training
    counting = cell(CELLS, "def nearly_white")
    assert "pale_real[:2_000] <= n, pale_made[:2_000] <= n" in counting
    assert "pale_real[2_000:] <= cut, pale_made[2_000:] <= cut" in counting


def test_the_picker_marks_and_counts_what_it_names():
    names = run(CELLS, "numbers = {", change=((r"(?s)\nexplore\(.*", "\n"),))
    ax = names["picker"]("not at all", True, False).axes[0]
    stars = [text.get_text() for text in ax.texts if text.get_text().startswith("★")]
    assert ax.get_title(loc="left") == "5 of 10 families give what you need" and len(stars) == 5
    said = names["in_words"](score="not at all", one_pass=True, code=False)
    assert all(star.removeprefix("★ ").split("  ")[0] in said for star in stars)


def _by_powers(log):
    return lambda flips, theta: log(theta ** flips.sum() * (1 - theta) ** (len(flips) - flips.sum()))


def test_a_likelihood_too_small_for_a_computer_gets_its_hint_whichever_logarithm_was_taken():
    with np.errstate(divide="ignore"):
        for log in (np.log, math.log):
            _tries.clear()
            assert "Take the logarithm of each factor first" in check("00.log_likelihood", _by_powers(log)).text


def test_other_errors_of_a_likelihood_are_told_as_they_are():
    assert "ValueError" in check("00.log_likelihood", lambda flips, theta: math.log(theta - 1)).text

    def stumbles(flips, theta):
        raise ValueError("no such theta")

    assert "ValueError: no such theta" in check("00.log_likelihood", stumbles).text
