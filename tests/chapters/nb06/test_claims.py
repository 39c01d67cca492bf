"""The claims of notebook 06 can fail: each is broken on purpose."""

import pytest
import torch
from notebook_cells import broken, cells_of

from course_lib.teach import check

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("06")
UP = ("w = torch.tensor", 'predict("06.inverse"', "y = torch.tensor", "library = conv_transpose2d")
BUILT = ("def normal", "def flow", "def train_step", "plain = ")
GAME = ('predict("06.losses"', "game = DCGANExperiment")
SHORT = ((r"steps=1000", "steps=60"), (r"reshape\(20, 50, 2\)", "reshape(4, 15, 2)"),
         (r"np\.arange\(25, 1000, 50\)", "np.arange(4)"))
TRAINED = ('predict("06.nearest"', "(G, card)", "alpha = ")
FEW = ((r"\)\)\[:400\]", "))[:20]"), (r"sample\(400", "sample(20"))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (UP, r"stride=2, padding=1\)\.view\(16, 4\)\.T", "stride=2, padding=1).flip(2).view(16, 4).T", "the product C x"),
    (UP, r"\* C\[i\]\.view", "* C[3 - i].view", "less the sum of stamps"),
    (UP, r"library\.flatten\(\) - C\.T", "library.flatten() - C.roll(1, 1).T", "less the matrix product"),
    (UP, r"C\.T @ \(C @ x\.flatten\(\)\)", "2 * x.flatten()", "Down and up again"),
    (("most = ",), r"stride=2", "stride=3", "Kernel of side 4"),
    (("most = ",), r"most\[side\] = ", "most[4] = most[5] = ", "Kernel of side 4"),
    (("W = 3 * torch",), r"\(SpectralNorm\(W, seeded\(\)\)\(W\)\)|SpectralNorm\(W, seeded\(\)\)\(W\)", "W / W.norm()",
     "after a few rounds"),
    (("W = 3 * torch",), r"stretch\(W / before", "stretch(W / before / 2", "whole convolution stretches"),
])
def test_06_broken_convolutions_and_norms_are_caught(starts, old, new, claim):
    broken(CELLS, starts, claim, (old, new))


@pytest.mark.parametrize(("old", "new"), [
    (r"softplus\(-D\(fake\)\)\.mean", "-softplus(D(fake)).mean"),
    (r"softplus\(-D\(real\)\) \+", "softplus(D(real)) +"),
    (r"nn\.LeakyReLU\(0\.2\)", "nn.LeakyReLU(0.1)"),
    (r"optimizer_d\.step\(\)", "pass"),
    (r"betas=\(0\.5, 0\.999\)", "betas=(0.9, 0.999)"),
])
def test_06_a_step_that_is_not_the_librarys_is_caught(old, new):
    broken(CELLS, BUILT, "library's losses|library's G", (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"grad_outputs=-force", "grad_outputs=-2 * force", "from the forces alone"),
    (r"if not D_learns", "if D_learns", "does not learn"),
])
def test_06_what_reaches_the_generator_can_be_told(old, new, claim):
    broken(CELLS, (*GAME, "z = noise(16", "def generator_after"), claim, *SHORT, (old, new))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (("pairs = ", "whose = "), r"G\.sample\(20, seeded\(\)\)", "train.floats()[:20]", "exact copy"),
    (("pairs = ", "whose = "), r"roll\(1, dims=2\)", "roll(0, dims=2)", "exact copy"),
    (("a, b = ",), r"faded = .*", "faded = pictured(a)", "averages of two pictures"),
    (("def project", "show(images(torch.cat([x,"), r"steps=150", "steps=3", "found nearer than any training"),
])
def test_06_copies_fades_and_failed_searches_are_told(starts, old, new, claim):
    broken(CELLS, (*TRAINED, *starts), claim, *FEW, (old, new))


@pytest.mark.parametrize(("normalised", "r1", "claim"), [
    ('{"spectral_norm": False, "learning_rate_d": 1e-5}', "1.0", "spectral normalisation relative"),
    ('{"spectral_norm": False}', "0.0", "R1 relative"),
])
def test_06_other_slopes_are_told(normalised, r1, claim):
    """After a few steps only, and with two seeds: the one remedy is as steep as neither until it is broken."""
    broken(CELLS, ("def slope_at_real",), claim, (r"steps=150", "steps=16"), (r"range\(4\)", "range(2)"),
           (r'"spectral normalisation": \{\}', f'"spectral normalisation": {normalised}'),
           (r'"r1": 1\.0', f'"r1": {r1}'))


def too_small(y, w, stride):
    out = torch.zeros(y.shape[0] * stride, y.shape[1] * stride)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[i * stride:i * stride + len(w), j * stride:j * stride + len(w)] += y[i, j] * w
    return out


def test_an_error_that_students_meet_is_explained():
    verdict = check("06.stamp", too_small)
    assert verdict.status == "not yet"
    assert "Is the picture large enough" in verdict.text
