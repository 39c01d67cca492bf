"""The claims of notebook 07 can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("07")
NINE = ("class PixelRNN", 'predict("07.sum"', "library = RasterRNN")
BARS = (*NINE, "bar = torch.zeros")
BRANCHES = ("rng = seeded()\nx = torch.rand(1000", "with torch.no_grad():\n    line, p_class")
COLOURS = ("creatures = sprites.Sprites()", "pixelcnn, sprite_card")
LAYER = ("def row_lstm",)
SIGHT = ('predict("07.sees"', "designs = ", "place = torch.arange", "earlier = place")
PASSES = ("creatures = sprites.Sprites()", "pixelcnn, sprite_card", "row_lstm_28, card", 'predict("07.passes"',
          "@torch.no_grad()\ndef draw_at_once")
LEAK = (*NINE, "designs = ", "def short_run", "@torch.no_grad()\ndef leaks", "with torch.no_grad():\n    sums")
KNOWN = ("creatures = sprites.Sprites()", "pixelcnn, sprite_card", "x_sprites = ")
WEIGHTS = (*BARS, "library.load_state_dict")
UNTRAINED = (r"short_run\(120", "short_run(1"), ("above=100", "above=0"), ("below=15", "below=1000")
FEW = (r"\[:2000\]", "[:200]")


def test_what_is_quick_holds_as_written():
    run(CELLS, *WEIGHTS)
    run(CELLS, *BRANCHES)
    run(CELLS, *LAYER, *SIGHT)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (NINE, r"log_p = log_p \+ log_probs", "log_p = log_p + 1.1 * log_probs", "library's network"),
    (NINE, r"before = F\.one_hot\(pixel", "before = F.one_hot(pixel * 0", "library's network"),
    (BARS, r"range\(400\)", "range(20)", "KL"),
    (BRANCHES, r"F\.mse_loss\(out, y\)", "F.mse_loss(out, y.abs())", "regression that lie on a branch"),
    (BRANCHES, r"edges\[1:-1\]\)", "edges[1:-1]) // 20 * 20", "draws from the classes"),
    (COLOURS, r"middle\.view\(8, 12, 6, 3\)", "sprites.to_rgb(from_pixelcnn)", "strength of colour"),
    (COLOURS, r"sprites\.PALETTE / 255", "sprites.PALETTE / 200", "true colour"),
    (LAYER, r"padding=1\)", "padding=1) * 0", "library's layer"),
    (SIGHT, r'"two stacks": GatedPixelCNN', '"two stacks": PlainPixelCNN', "two stacks, 28 layers"),
    (SIGHT, r'"Row LSTM": RowLSTM', '"Row LSTM": GatedPixelCNN', "blind to so many"),
    (SIGHT, r'\("Row LSTM", 1\)', '("Row LSTM", 2)', "triangle"),
    (PASSES, r"if not moved\.any\(\)", "if True", "drawn in a row"),
    (SIGHT, r'\("Row LSTM", 12\)', '("Row LSTM", 3)', "on the left"),
    (SIGHT, r'\("Row LSTM", 12\)', '("two stacks", 12)', "on the right"),
    (COLOURS, r"clusters\.labels_\]", "clusters.labels_ - 1]", "name of their true colour"),
    (WEIGHTS, r"\(draws\.log_p - draws\.log_q\)\.exp\(\)", "(0 * draws.log_p).exp()", "mean weight"),
    (WEIGHTS, r"below\[2\] = True", "below[0] = True", "ink above|unweighted"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"reacts & \(j <= j\[:, None\]\)", "reacts & (j < j[:, None])", "mask B: pixels"),
    (r"j <= j\[:, None\]", "j >= j[:, None]", "mask A, Row LSTM"),
    (r'for kind in "AB"', 'for kind in "BB"', "add up to"),
])
def test_a_check_that_is_blind_or_alarmed_by_everything_is_told(old, new, claim):
    broken(CELLS, LEAK, claim, *UNTRAINED, (old, new))


def test_without_a_leak_the_likelihood_is_not_wonderful():
    broken(CELLS, LEAK, "far below", (r'short_run\(120, first_mask="B"\)', "short_run(1)"),
           (r"short_run\(120", "short_run(1"))


def test_a_model_that_is_far_from_the_truth_is_told():
    broken(CELLS, KNOWN, "share of the way", FEW, (r"log_prob_of\(pixelcnn, part\)",
                                                   "1.5 * log_prob_of(pixelcnn, part)"))
    broken(CELLS, KNOWN, "share of the way", FEW, (r"log_prob_of\(pixelcnn, part\)",
                                                   "creatures.log_prob(part) + 1"))  # better than the truth
