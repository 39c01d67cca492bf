"""MMD against scikit-learn's kernel, a closed form, quadrature, and its own bias."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

from course_lib.measure import gaussian_kernel, kid, mmd2, mmd2_gaussians


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_kernel_is_scikit_learns_averaged_over_widths():
    x, y = draws(0, 7, 3), draws(1, 5, 3)
    expected = (rbf_kernel(x, y, gamma=1 / (2 * 0.5**2)) + rbf_kernel(x, y, gamma=1 / (2 * 2.0**2))) / 2
    assert np.allclose(gaussian_kernel(x, y, (0.5, 2.0)), expected, atol=1e-12)


def test_the_estimate_is_the_mean_over_pairs_of_different_points():
    x, y = draws(0, 4, 2), draws(1, 6, 2)

    def k(a, b):
        return math.exp(-float(((a - b) ** 2).sum()) / 2)

    within = [sum(k(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j) / (len(s) * (len(s) - 1))
              for s in (x, y)]
    across = sum(k(a, b) for a in x for b in y) / 24
    assert mmd2(x, y, (1.0,)).item() == pytest.approx(sum(within) - 2 * across, abs=1e-12)


def test_the_closed_form_is_the_mean_of_the_estimates_and_they_straddle_zero():
    mean, scale = torch.tensor([1.0, -0.5], dtype=torch.float64), torch.tensor([[0.5, 0.0], [0.8, 1.2]],
                                                                            dtype=torch.float64)
    estimates = torch.stack([mmd2(draws(i, 12, 2), mean + draws(1000 + i, 9, 2) @ scale.T, (0.9,))
                             for i in range(1000)])
    eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    truth = mmd2_gaussians(zero, eye, mean, scale @ scale.T, 0.9)
    assert abs(estimates.mean() - truth) < 4 * estimates.std() / math.sqrt(1000)
    assert truth > 6 * estimates.std() / math.sqrt(1000)  # else the test could not tell it from 0

    same = torch.stack([mmd2(draws(i, 12, 2), draws(5000 + i, 9, 2), (0.9,)) for i in range(500)])
    assert abs(same.mean()) < 4 * same.std() / math.sqrt(500) and 0.3 < (same < 0).double().mean() < 0.8


def test_the_closed_form_by_quadrature():
    grid = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    p, q = (torch.exp(-0.5 * ((grid - m) / s) ** 2) / (s * math.sqrt(2 * math.pi)) * 0.02
            for m, s in ((0.0, 1.0), (0.7, 1.5)))
    K = gaussian_kernel(grid[:, None], grid[:, None], (0.6,))
    by_sum = (p - q) @ K @ (p - q)
    one = torch.ones(1, 1, dtype=torch.float64)
    closed = mmd2_gaussians(0 * one[0], one, 0.7 * one[0], 2.25 * one, 0.6)
    assert closed.item() == pytest.approx(by_sum.item(), abs=1e-10)
    assert mmd2_gaussians(one[0], one, one[0], one, 0.6).item() == pytest.approx(0, abs=1e-15)


def test_its_gradient_is_right():
    x, y = draws(0, 5, 2), draws(1, 4, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda made: mmd2(x, made, (0.7, 2.0)), y)


@pytest.mark.parametrize(("x", "y", "widths", "message"), [
    (torch.zeros(3, 2), torch.zeros(3, 1), (1.0,), "one D"), (torch.zeros(3, 2), torch.zeros(3, 2), (), "widths"),
    (torch.zeros(3, 2), torch.zeros(3, 2), (0.0,), "widths"), (torch.zeros(1, 2), torch.zeros(3, 2), (1.0,), "two")])
def test_bad_input_is_refused(x, y, widths, message):
    with pytest.raises(ValueError, match=message):
        mmd2(x, y, widths)


def test_kid_is_the_mean_of_scikit_learns_kernel_over_pairs_of_different_points():
    x, y = draws(0, 4, 3), draws(1, 6, 3)
    within = [polynomial_kernel(s, degree=3)[~np.eye(len(s), dtype=bool)].mean() for s in (x, y)]  # gamma is 1/D
    assert kid(x, y).item() == pytest.approx(sum(within) - 2 * polynomial_kernel(x, y, degree=3).mean(), abs=1e-12)
    with pytest.raises(ValueError, match="of 3 and 2"):
        kid(x, draws(2, 5, 2))
