"""Notebook 00's claims can fail: a wrong likelihood, KL, density, completion or vote is caught where it is made."""

import pytest
import torch
from notebook_cells import broken, cell, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("00")
DENSITY = ("points = ",)
COMPLETION = ("network, _",)
COIN = ("theta = ",)
GAUSSIAN = ("data, model",)
VOTE = ("G, _", "test = ", "my_real", "is_real")


@pytest.mark.parametrize("starts", [DENSITY, COMPLETION, COIN, GAUSSIAN, VOTE])
def test_claims_hold_as_written(starts):
    run(CELLS, *starts)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (DENSITY, r"log_prob\(torch\.tensor\(grid\)\)", "log_prob(1.2 * torch.tensor(grid))", "adds up to one"),
    (COMPLETION, r"\.images\.view", ".images.flip(2).view", "given pixels are kept"),
    (COMPLETION, r"seeded\(\)\)\.images", "seeded(), 1e-6).images", "different lower halves"),
    (COIN, r"kl = p_hat", "kl = 2 * p_hat", "largest distance"),
    (COIN, r"likelihood = p_hat \* np\.log\(theta\)", "likelihood = p_hat * np.log2(theta)", "largest distance"),
    (GAUSSIAN, r"\(0\.5\*\*2 \+ 0\.5\*\*2\)", "(0.5**2)", "by the formula"),
    (GAUSSIAN, r"4 \+ 0\.5 \* torch", "4 + 0.6 * torch", "100,000 draws"),
    (VOTE, r"said == is_real", "said & is_real", "each time"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_the_sheet_holds_six_of_each_and_a_readers_numbers_are_counted():
    names = run(CELLS, *VOTE)
    sheet, shuffle, is_real = names["sheet"], names["shuffle"], names["is_real"]
    assert torch.allclose(sheet[shuffle][is_real].sum(0), names["real"][-6:].sum(0)) and is_real.sum() == 6
    right = names["right_of_twelve"]
    assert right([]) == 6 and right(list(range(1, 13))) == 6
    truth = (is_real.nonzero().flatten() + 1).tolist()
    assert right(truth) == 12 and right(truth[1:]) == 11


def test_the_discriminator_never_sees_what_it_is_tested_on_and_can_learn():
    names = run(CELLS, "G, _", "test = ", "def trained_against",
                change=((r"(?s)\nright, D = .*", "\n"),))
    noise = torch.rand(4_000, 28, 28, generator=torch.Generator().manual_seed(0))
    share, _ = names["trained_against"](noise, epochs=1)
    assert share > 0.99
    assert "x[3_000:]" in cell(CELLS, "def trained_against") and "randperm(3_000" in cell(CELLS, "def trained_against")


def test_the_picker_marks_what_it_names():
    names = run(CELLS, "numbers = {", "def picker", change=((r"(?s)\nexplore\(.*", "\n"),))
    ax = names["picker"]("not at all", True, False).axes[0]
    stars = [text.get_text() for text in ax.texts if text.get_text().startswith("★")]
    assert ax.get_title(loc="left") == "Begin with: adversarial networks, or moment matching" and len(stars) == 2
