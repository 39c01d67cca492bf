"""The claims of notebook 11e can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("11e")
ASKED = ("def ours",)
SLOPE = ('predict("11e.slope"', "spacing = 0.25")
AVERAGES = ("book = Codebook",)
FINITE = ("def finite",)
SMALL = ("digits = load_digits8", "small = learned", "distortion, q, _ = small(x)")


def test_what_is_quick_holds_as_written():
    run(CELLS, *ASKED, *SLOPE, *AVERAGES, *FINITE)


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (ASKED, r"- 2 \* z @ e\.T", "- z @ e.T", "Ours and the library's"),
    (SLOPE, r"slopes\(parabola, 1e-9\)", "slopes(parabola, 0.3)", "Narrow differences"),
    (SLOPE, r"wide, through = slopes\(parabola, spacing\)", "wide, through = slopes(parabola, 1.4 * spacing)",
     "Parabola"),
    (SLOPE, r"slopes\(torch\.sin, spacing\)", "slopes(lambda u: torch.sin(2 * u), spacing)", "Sine"),
    (AVERAGES, r"follow\(z, c, 0\.0", "follow(z, c, 0.5", "Averages without memory"),
    (FINITE, r"return 2 \* straight", "return straight", "Ours less the library's"),
])
def test_what_is_broken_is_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


def test_a_rate_that_is_counted_wrongly_is_told():
    broken(CELLS, SMALL, "Two parts less", (r"rate = -small_prior\.log_prob\(q\.codes\)",
                                           "rate = 0.1 - small_prior.log_prob(q.codes)"), (r"steps=600", "steps=20"))


def test_a_codebook_whose_restarts_do_nothing_is_told():
    starts = ("digits = load_digits8", 'predict("11e.collapse"', "SEEDS = range(5)", "revived = results")
    broken(CELLS, starts, "Perplexity: restarts less",
           (r"range\(5\)", "range(2)"), (r"steps=400", "steps=150"),
           (r"q\.codes, 0\.99, restarts, rng", "q.codes, 0.99, False, rng"))
