"""The claims of notebook 07 can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("07")
NINE = ("class PixelRNN", 'predict("07.sum"', "library = RasterRNN")
BARS = (*NINE, "bar = torch.zeros")
BRANCHES = ("rng = seeded()\nx = torch.rand(1000", "with torch.no_grad():\n    line, p_class")
LAYER = ("def row_lstm", "plain = nn.LSTM")
SIGHT = ('predict("07.sees"', "designs = ", "place = torch.arange", "earlier = place")
LEAK = (*NINE, "designs = ", "def short_run", "@torch.no_grad()\ndef leaks")
KNOWN = ("creatures, (pixelcnn, _) = ", "true = creatures")
COLOURS = ("creatures, (pixelcnn, _) = ", "x_creatures = creatures", "rows = {")
DRAWN = "drawn = pixelcnn.sample(8, seeded())"
UNTRAINED = (r"short_run\(120", "short_run(1"), ("above=100, below=125", "above=0"), ("below=5", "below=1000")
FEW = (r"\[:2000\]", "[:200]")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (NINE, r"log_p = log_p \+ log_probs", "log_p = log_p + 1.1 * log_probs", "library's network"),
    (NINE, r"before = F\.one_hot\(pixel", "before = F.one_hot(pixel * 0", "library's network"),
    (BARS, r"range\(400\)", "range(20)", "KL"),
    (BRANCHES, r"F\.mse_loss\(out, y\)", "F.mse_loss(out, y.abs())", "regression's predictions that lie on a branch"),
    (BRANCHES, r"edges\[1:-1\]\)", "edges[1:-1]) // 20 * 20", "draws from the classes"),
    (LAYER, r"padding=1\)", "padding=1) * 0", "library's layer"),
    (LAYER, r"torch\.cat\(\[i, f, g, o\]\)", "torch.cat([f, i, g, o])", "plain LSTM"),
    (LAYER, r"K_ss\[:, :, 1\]", "K_ss[:, :, 0]", "plain LSTM"),
    (SIGHT, r'"two stacks": GatedPixelCNN', '"two stacks": PlainPixelCNN', "Two stacks, 28 layers"),
    (SIGHT, r'"Row LSTM": RowLSTM', '"Row LSTM": GatedPixelCNN', "40 layers, mid-picture"),
    (SIGHT, r"by\[12\]\[2\]", "by[28][2]", "Last pixel: earlier pixels that twelve layers miss"),
    (SIGHT, r'\("Row LSTM", 1\)', '("Row LSTM", 2)', "triangle"),
    (SIGHT, r'\("Row LSTM", 12\)', '("Row LSTM", 3)', "on the left"),
    (SIGHT, r'\("Row LSTM", 12\)', '("two stacks", 12)', "On the right"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"middle\.view\(8, 12, 6, 3\)", "sprites.to_rgb(drawn.images)", "Strength of colour"),
    (r"noise = spread", "noise = 0 * spread", "regression plus noise"),
    (r"sprites\.PALETTE / 255", "sprites.PALETTE / 200", "true colour"),
    (r"clusters\.labels_\]", "clusters.labels_ - 1]", "stands for their true colour"),
])
def test_colours_that_are_not_found_or_not_lost_are_told(old, new, claim):
    broken(CELLS, COLOURS, claim, FEW, (r"x_sprites = ", f"{DRAWN}; x_sprites = "), (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"reacts & \(j <= j\[:, None\]\)", "reacts & (j < j[:, None])", "Mask B: pixels"),
    (r"j <= j\[:, None\]", "j >= j[:, None]", "Mask A, the three designs"),
    (r'for kind in "AB"', 'for kind in "BB"', "Nine pixels, mask A"),
])
def test_a_check_that_is_blind_or_alarmed_by_everything_is_told(old, new, claim):
    broken(CELLS, LEAK, claim, *UNTRAINED, (old, new))


def test_without_a_leak_the_likelihood_is_not_far_below_published_ones():
    broken(CELLS, LEAK, "far below", (r'short_run\(120, first_mask="B"\)', "short_run(1)"),
           (r"short_run\(120", "short_run(1"), ("above=100, below=125", "above=0"))


def test_a_model_that_is_far_from_the_truth_is_told():
    broken(CELLS, KNOWN, "Share of the way", FEW, (r"log_prob_of\(pixelcnn, part\)",
                                                   "1.5 * log_prob_of(pixelcnn, part)"))
    broken(CELLS, KNOWN, "Share of the way", FEW, (r"log_prob_of\(pixelcnn, part\)",
                                                   "creatures.log_prob(part) + 1"))  # better than the truth
