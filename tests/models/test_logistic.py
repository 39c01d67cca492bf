"""Softmax regression against scikit-learn, by its gradient, and against finite differences."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from course_lib.models.logistic import SoftmaxRegression

RNG = np.random.default_rng(0)


def problem(classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    y = np.concatenate([np.arange(classes), RNG.integers(classes, size=300 - classes)])
    x = RNG.normal(size=(300, 4)) + np.eye(classes, 4)[y]
    return torch.tensor(x), torch.tensor(3 * y + 1)  # labels need not be 0, 1, 2, …


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("l2", [1e-3, 1e-1])
def test_equals_scikit_learn(classes, l2):
    x, y = problem(classes)
    ours = SoftmaxRegression(l2, max_iter=500, tolerance=1e-9).fit(x, y)
    C = (2 if classes == 2 else 1) / (len(x) * l2)
    theirs = LogisticRegression(C=C, tol=1e-10, max_iter=5000).fit(x, y)
    assert ours.gradient < 5e-8  # L-BFGS compares values, so rounding ends it: 8e-11 to 1e-8 on 240 problems
    np.testing.assert_allclose(ours.log_posterior(x), theirs.predict_log_proba(x), rtol=1e-6, atol=1e-6)
    assert (ours.predict(x).numpy() == theirs.predict(x)).all()


def test_reported_gradient_is_the_objectives_by_finite_differences():
    x, y = problem(3)
    model = SoftmaxRegression(l2=0.05, max_iter=2).fit(x, y)  # broken off early, so that it is not zero
    k = torch.searchsorted(model.classes, y)

    def objective(W, b):
        return -(x @ W.T + b).log_softmax(dim=1)[torch.arange(300), k].mean() + 0.05 / 2 * (W**2).sum()

    h, slopes = 1e-6, []
    for i in range(3):
        for j in range(4):
            step = torch.zeros_like(model.W)
            step[i, j] = h
            slopes.append((objective(model.W + step, model.b) - objective(model.W - step, model.b)) / (2 * h))
        step = torch.zeros_like(model.b)
        step[i] = h
        slopes.append((objective(model.W, model.b + step) - objective(model.W, model.b - step)) / (2 * h))
    assert model.gradient == pytest.approx(max(abs(s.item()) for s in slopes), rel=1e-5)
    assert model.gradient > 1e-3


def test_separable_data_have_no_optimum_without_a_penalty():
    x, y = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]], dtype=torch.float64), torch.tensor([0, 0, 1, 1])
    few, many = (SoftmaxRegression(0.0, max_iter=n, tolerance=0.0).fit(x, y) for n in (3, 30))
    assert many.W.abs().max() > 5 * few.W.abs().max() > 1
    a, b = (SoftmaxRegression(1e-2, max_iter=n, tolerance=1e-10).fit(x, y) for n in (200, 400))
    torch.testing.assert_close(a.W, b.W)


@pytest.mark.parametrize(("act", "message"), [
    (lambda: SoftmaxRegression(l2=-1), "l2 must not be negative"),
    (lambda: SoftmaxRegression().fit(torch.zeros(3, 2), torch.tensor([4, 4, 4])), "needs two classes"),
    (lambda: SoftmaxRegression().fit(torch.zeros(3), torch.tensor([0, 1, 1])), r"x of shape \[n, D\]"),
    (lambda: SoftmaxRegression().fit(*problem(2)).predict(torch.zeros(1, 7)), r"shape \[n, 4\], not \[1, 7\]"),
])
def test_bad_input_is_told(act, message):
    with pytest.raises(ValueError, match=message):
        act()
