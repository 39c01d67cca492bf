"""The claims of notebooks 06 and 06b can fail: each is broken on purpose."""

import re

import numpy as np
import pytest
import torch
from notebook_cells import broken, cells_of, run

from course_lib.teach import check
from course_lib.training import image_scores

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS, CELLS_B = cells_of("06"), cells_of("06b")
UP = ("w = torch.tensor", 'predict("06.inverse"', "y = torch.tensor", "library = conv_transpose2d")
BUILT = ("def normal", "def flow", "def train_step", "plain = ")
GAME = ('predict("06.losses"', "game = DCGANExperiment")
SHORT = ((r"steps=1000", "steps=60"), (r"reshape\(20, 50, 2\)", "reshape(4, 15, 2)"),
         (r"np\.arange\(25, 1000, 50\)", "np.arange(4)"))
TRAINED = ('predict("06.nearest"', "(G, card)", "alpha = ")
FEW = ((r"\)\)\[:400\]", "))[:20]"), (r"sample\(400", "sample(20"))
(AS_BYTES,) = re.findall(r"(?m)^def as_bytes.*(?:\n .*)+", "\n".join(CELLS_B))
UNJUDGED = ((r"/ real_sharpness", "/ 1"), (r'(?s)reveal\("06b\.moment".*?below=0\.06\)', "pass"))


def test_06_holds_as_written_where_it_is_cheap():
    run(CELLS, *UP, "for side in", *BUILT)
    run(CELLS, "W = 3 * torch")


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (UP, r"stride=2, padding=1\)\.view\(16, 4\)\.T", "stride=2, padding=1).flip(2).view(16, 4).T", "less C x"),
    (UP, r"\* C\[i\]\.view", "* C[3 - i].view", "less the sum of stamps"),
    (UP, r"library\.flatten\(\) - C\.T", "library.flatten() - C.roll(1, 1).T", "less the matrix product"),
    (UP, r"C\.T @ \(C @ x\.flatten\(\)\)", "2 * x.flatten()", "down and up again"),
    (("for side in",), r"\(4, 5\)", "(4, 6)", "most / fewest"),
    (("W = 3 * torch",), r"\(SpectralNorm\(W, seeded\(\)\)\(W\)\)|SpectralNorm\(W, seeded\(\)\)\(W\)", "W / W.norm()",
     "and after"),
    (("W = 3 * torch",), r"stretch\(W / before", "stretch(W / before / 2", "stretches pictures more"),
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
    broken(CELLS, BUILT, "library's losses|G's weights", (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"grad_outputs=force", "grad_outputs=2 * force", "the two gradients"),
    (r"if not police_learns", "if police_learns", "does not learn"),
])
def test_06_what_reaches_the_forger_can_be_told(old, new, claim):
    broken(CELLS, (*GAME, "z = noise(16", "def forger_after"), claim, *SHORT, (old, new))


@pytest.mark.parametrize(("starts", "old", "new", "claim"), [
    (("pairs = ", "whose = "), r"G\.sample\(20, seeded\(\)\)", "train.floats()[:20]", "exact copy"),
    (("pairs = ", "whose = "), r"roll\(1, dims=2\)", "roll(0, dims=2)", "exact copy"),
    (("a, b = ",), r"faded = .*", "faded = pictured(a)", "averages of two pictures"),
    (("def project", "show(images(torch.cat([x,"), r"steps=150", "steps=3", "found nearer than any training"),
])
def test_06_copies_fades_and_failed_searches_are_told(starts, old, new, claim):
    broken(CELLS, (*TRAINED, *starts), claim, *FEW, (old, new))


def test_06b_holds_as_written_where_it_is_cheap():
    run(CELLS_B, "a, b = ")
    run(CELLS_B, "unmoved = ")


@pytest.mark.parametrize(("start", "old", "new", "claim"), [
    ("a, b = ", r"\(a\.mean\(\) - b\.mean\(\)\) \*\* 2", "abs(a.mean() - b.mean())", "formula on a line"),
    ("a, b = ", r"np\.linalg\.eigvals\(product\)", "np.ones(4) + 0j", "complex or negative"),
    ("unmoved = ", r"BatchNorm2d\(8\)\.eval\(\)", "BatchNorm2d(8)", "never trained"),
])
def test_06b_what_is_not_so_is_told(start, old, new, claim):
    broken(CELLS_B, (start,), claim, (old, new))


@pytest.mark.parametrize(("start", "old", "new", "claim"), [
    ("grey, raised = ", r'fault="data in \[0, 1\]"', 'fault="none"', "relative to the healthy twin"),
    ("bare = ", r'"G in inference mode"\)', '"none")', "inference mode: "),
])
def test_06b_a_failure_that_is_none_is_told(monkeypatch, start, old, new, claim):
    """In small: a few steps, and scores of 200 pictures."""
    monkeypatch.setattr(image_scores, "IMAGES", 200)
    small = [re.sub(r"10_000", "200", c) for c in CELLS_B]
    small = [re.sub(r"\b(75|150|300|450|600)\b", lambda m: str(int(m[1]) // 75), c) if i else c
             for i, c in enumerate(small)]
    starts = ("narrow = ", "def spoiled", "along = ", 'predict("06b.range"', start)
    broken(small, starts, claim, *UNJUDGED, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"sigma=1\.0", "sigma=0.5", "largest squared error"),
    (r'"grainy": .*', '"grainy": lambda x: v2.functional.gaussian_blur(x, 7, 1.0)}', "relative to blurred"),
    (r'"turned": .*', '"turned": lambda x: v2.functional.gaussian_blur(x, 7, 1.0),', "turned ones relative to grainy"),
])
def test_06b_a_judge_with_other_tastes_is_told(old, new, claim):
    given = 'kinds = {"photocopier": load_mnist("train").images[:10_000]}'
    broken([*CELLS_B, AS_BYTES], (AS_BYTES, 'predict("06b.damage"', "from torchvision"), claim, (old, new), given=given)


def too_small(y, w, stride):
    out = torch.zeros(y.shape[0] * stride, y.shape[1] * stride)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[i * stride:i * stride + len(w), j * stride:j * stride + len(w)] += y[i, j] * w
    return out


def complex_root(mu_a, cov_a, mu_b, cov_b):
    return ((mu_a - mu_b) ** 2).sum() - 2 * np.sqrt(np.linalg.eigvals(cov_a @ cov_b).astype(complex)).sum()


def by_cholesky(mu_a, cov_a, mu_b, cov_b):
    return float(np.linalg.cholesky(cov_a).trace())


def without_minlength(predicted, classes):
    return float((np.bincount(predicted) / len(predicted) * np.full(classes, 1 / classes)).sum())


def step(order):
    """A step of the game: `order` says which of its lines to write, and how."""
    def written(G, D, optimizer_g, optimizer_d, real, z):
        softplus, fake = torch.nn.functional.softplus, G(z)
        shown = fake if order == "attached" else fake.detach()
        loss_d = (softplus(-D(real)) + softplus(D(shown))).mean()
        early = softplus(-D(fake)).mean()
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        loss_g = early if order == "both first" else softplus(-D(fake)).mean()
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        return (loss_d, loss_g) if order == "tensors" else (loss_d.item(), loss_g.item())
    return written


@pytest.mark.parametrize(("name", "function", "hint"), [
    ("06.stamp", too_small, "Is the picture large enough"),
    ("06b.frechet", complex_root, "the result is complex"),
    ("06b.frechet", by_cholesky, "Cholesky needs"),
    ("06b.coverage", without_minlength, "minlength=classes"),
    ("06b.repaired_step", step("attached"), "fake.detach()"),
    ("06b.repaired_step", step("both first"), "after D's step"),
    ("06b.repaired_step", step("tensors"), "two floats"),
])
def test_errors_that_students_meet_are_explained(name, function, hint):
    verdict = check(name, function)
    assert verdict.status == "not yet"
    assert hint in verdict.text


def test_a_right_step_passes():
    assert check("06b.repaired_step", step("right")).status == "passed"
