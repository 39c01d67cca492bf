"""The Gaussian's rate–distortion function, against a search and against a linear VAE that is trained."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from course_lib.measure import gaussian_rate_distortion

VARIANCES = np.array([3.0, 1.2, 0.5, 0.1])


@pytest.mark.parametrize("level", [0.05, 0.3, 0.8, 2.0])
def test_no_other_errors_of_the_same_sum_need_a_lower_rate(level):
    rate, distortion = gaussian_rate_distortion(VARIANCES, level)
    found = minimize(lambda d: 0.5 * np.log(VARIANCES / d).sum(), 0.5 * np.minimum(VARIANCES, distortion / 4),
                     jac=lambda d: -0.5 / d, bounds=[(1e-6, v) for v in VARIANCES], method="SLSQP",
                     constraints={"type": "eq", "fun": lambda d: d.sum() - distortion}, options={"ftol": 1e-12})
    assert found.success and found.fun == pytest.approx(rate, abs=1e-5)


@pytest.mark.parametrize("level", [0.2, 0.7])
def test_the_slope_is_that_of_its_level(level):
    (r1, d1), (r2, d2) = (gaussian_rate_distortion(VARIANCES, level * factor) for factor in (1 - 1e-5, 1 + 1e-5))
    assert (r2 - r1) / (d2 - d1) == pytest.approx(-1 / (2 * level), rel=1e-6)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_a_linear_vae_with_its_kl_weighted_by_beta_ends_on_the_curve(beta):
    """x ~ N(0, diag λ), q(z | x) = N(A x, diag s²), mean W z: expectations are closed forms, so nothing is drawn."""
    sigma2, cov = 0.4, torch.diag(torch.tensor(VARIANCES))
    g = torch.Generator().manual_seed(0)
    W, A = (0.5 * torch.randn(*shape, generator=g, dtype=torch.float64) for shape in ((4, 4), (4, 4)))
    log_s2 = torch.zeros(4, dtype=torch.float64)
    parameters = [p.requires_grad_() for p in (W, A, log_s2)]

    def terms():
        off = torch.eye(4, dtype=torch.float64) - W @ A
        error = (off @ cov @ off.T).trace() + (W**2 * log_s2.exp()).sum()
        return 0.5 * ((A @ cov @ A.T).trace() + (log_s2.exp() - 1 - log_s2).sum()), error

    optimizer = torch.optim.LBFGS(parameters, max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        rate, error = terms()
        loss = error / (2 * sigma2) + beta * rate
        loss.backward()
        return loss

    optimizer.step(closure)
    rate, distortion = gaussian_rate_distortion(VARIANCES, beta * sigma2)
    assert [value.item() for value in terms()] == pytest.approx([rate, distortion], rel=1e-3)


def test_a_level_above_all_variances_needs_no_code():
    assert gaussian_rate_distortion(VARIANCES, 5.0) == (0.0, pytest.approx(VARIANCES.sum()))


@pytest.mark.parametrize(("variances", "level"), [([-1.0, 1.0], 1.0), ([1.0], 0.0), ([[1.0]], 1.0), ([np.nan], 1.0)])
def test_what_is_no_gaussian_or_no_level_is_told(variances, level):
    with pytest.raises(ValueError, match=r"variances|level"):
        gaussian_rate_distortion(np.array(variances), level)
