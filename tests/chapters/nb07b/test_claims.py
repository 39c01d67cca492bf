"""The claims of notebook 07b can fail: each is broken on purpose."""

import pytest
from notebook_cells import broken, cells_of, run

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("07b")
TEXT = ('texts = ', 'predict("07b.bits"', "def bits(", "step, seen, unseen")
OVERFITTED = (*TEXT, "with claim_table():\n    claim(\"Bits a character at the end", "model.load_state_dict(young)")
SOUND = ("def gates(", 'predict("07b.reach"', "precise = ")


def test_a_network_that_never_learned_is_told():
    broken(CELLS, TEXT, "Bits a character on unseen", (r"range\(601\)", "range(51)"))


def test_where_nothing_overfits_there_is_nothing_to_repair():
    briefly = (r"range\(601\)", "range(101)"), ("near=3.36, within=0.1", "below=9"), ("above=1.1", "above=0")
    broken(CELLS, OVERFITTED, "verses that it learned from", *briefly)
    broken(CELLS, OVERFITTED, "longest copy", *briefly, ("below=2\\)", "below=9)"), ("above=0.4", "above=-9"))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"F\.pad\(x, \(d, 0\)\), K, b, dilation=d\)", "F.pad(x, (0, d)), K, b, dilation=d)", "Dilation 1"),
    (r"K, b, dilation=d\)", "K, b)[..., -50:]", "Dilation 8"),
    (r"layers=7, generator=seeded\(\)\)\.double", "layers=6, generator=seeded()).double", "one sample changes"),
    (r"mu_law_decode\(classes, levels\) - sound", "mu_law_decode(classes // 4 * 4, levels) - sound", "rounding"),
])
def test_a_sound_that_is_handled_wrongly_is_told(old, new, claim):
    broken(CELLS, SOUND, claim, (old, new))


def test_what_is_sound_holds():
    run(CELLS, *SOUND)
