"""The claims of notebook 06b can fail: each is broken on purpose; and its exercises explain what goes wrong."""

import re

import numpy as np
import pytest
import torch
from notebook_cells import broken, cells_of, run

from course_lib.teach import check
from course_lib.training import image_scores

pytestmark = pytest.mark.usefixtures("as_in_ci")
CELLS = cells_of("06b")
UNSCORED = ((r"/ real_sharpness", "/ 1"), (r'(?s)reveal\("06b\.moment".*?below=0\.05\)', "pass"))


def test_holds_as_written_where_it_is_cheap():
    run(CELLS, "a, b = ")
    run(CELLS, "unmoved = ")


@pytest.mark.parametrize(("start", "old", "new", "claim"), [
    ("a, b = ", r"\(a\.mean\(\) - b\.mean\(\)\) \*\* 2", "abs(a.mean() - b.mean())", "On a line"),
    ("a, b = ", r"np\.linalg\.eigvals\(product\)", "np.ones(4) + 0j", "complex or negative"),
    ("unmoved = ", r"BatchNorm2d\(8\)\.eval\(\)", "BatchNorm2d(8)", "before any training step"),
])
def test_what_is_not_so_is_told(start, old, new, claim):
    broken(CELLS, (start,), claim, (old, new))


@pytest.mark.parametrize(("start", "old", "new", "claim"), [
    ("grey, raised = ", r'fault="data in \[0, 1\]"', 'fault="none"', "Data in .0, 1.: "),
    ("bare = ", r'"G in inference mode"\)', '"none")', "Inference mode: "),
])
def test_a_failure_that_is_none_is_told(monkeypatch, start, old, new, claim):
    """In small: a few steps, and scores of 200 pictures."""
    monkeypatch.setattr(image_scores, "IMAGES", 200)
    small = [re.sub(r"10_000", "200", c) for c in CELLS]
    small = [re.sub(r"\b(75|150|300|450|600)\b", lambda m: str(int(m[1]) // 75), c) if i else c
             for i, c in enumerate(small)]
    starts = ("narrow = ", "def spoiled", "along = ", 'predict("06b.range"', start)
    broken(small, starts, claim, *UNSCORED, (old, new))


@pytest.mark.parametrize(("old", "new", "claim"), [
    (r"sigma=1\.0", "sigma=0.5", "largest squared error"),
    (r'"grainy": .*', '"grainy": lambda x: v2.functional.gaussian_blur(x, 7, 1.0)}', "relative to blurred"),
    (r'"turned": .*', '"turned": lambda x: v2.functional.gaussian_blur(x, 7, 1.0),', "turned digits relative"),
])
def test_a_classifier_with_other_preferences_is_told(old, new, claim):
    given = 'kinds = {"exact copies": load_mnist("train").images[:10_000]}'
    broken(CELLS, ('predict("06b.damage"', "from torchvision"), claim, (old, new), given=given)


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
