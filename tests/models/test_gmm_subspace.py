"""A mixture in a subspace and its noise make one mixture of all coordinates: by change of variables and by sampling."""

import math

import pytest
import torch

from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_subspace import Subspace


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


RNG = seeded()
X = torch.randn(500, 3, generator=RNG, dtype=torch.float64) @ torch.randn(3, 7, generator=RNG, dtype=torch.float64)
X = X + 0.1 * torch.randn(500, 7, generator=RNG, dtype=torch.float64) + 5
SPACE = Subspace.of(X, 3)
MODEL = GaussianMixture([0.3, 0.7], torch.randn(2, 3, generator=RNG), torch.stack([torch.eye(3), 0.5 * torch.eye(3)]))


def test_directions_are_orthonormal_and_the_noise_is_what_is_left():
    torch.testing.assert_close(SPACE.V.T @ SPACE.V, torch.eye(3, dtype=torch.float64))
    rest = X - SPACE.mean - SPACE.project(X) @ SPACE.V.T
    assert (rest**2).mean(dim=0).sum().item() / 4 == pytest.approx(SPACE.noise_var)
    assert SPACE.noise_var < 0.02


def test_log_densities_by_change_of_variables():
    c, lifted = SPACE.project(X), SPACE.lift(MODEL)
    rest = X - SPACE.mean - c @ SPACE.V.T
    log_noise = -0.5 * (rest**2).sum(dim=1) / SPACE.noise_var - 0.5 * 4 * math.log(2 * math.pi * SPACE.noise_var)
    torch.testing.assert_close(lifted.log_prob(X), MODEL.log_prob(c) + log_noise, rtol=1e-9, atol=1e-9)


def test_moments():
    lifted = SPACE.lift(MODEL)
    x, _ = lifted.sample(100_000, seeded(1))
    torch.testing.assert_close(SPACE.project(x).mean(dim=0), MODEL.pi @ MODEL.mu, atol=0.02, rtol=0)


@pytest.mark.parametrize("observed", [torch.arange(7) < 4, torch.rand(500, 7, generator=seeded(3)) < 0.6])
def test_completing_by_components_is_completing_by_the_whole_mixture(observed):
    x = torch.where(observed, X, torch.nan)
    expected = SPACE.lift(MODEL).inpaint(x, observed)
    torch.testing.assert_close(SPACE.inpaint(MODEL, x, observed), expected, rtol=1e-9, atol=1e-9)
    assert torch.equal(SPACE.inpaint(MODEL, x, observed)[observed.expand_as(x)], X[observed.expand_as(x)])


@pytest.mark.parametrize("d", [0, 7])
def test_a_wrong_dimension_is_told(d):
    with pytest.raises(ValueError, match=f"d must lie between 1 and 6, not {d}"):
        Subspace.of(X, d)
