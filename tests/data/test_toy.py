"""The toy distributions against quadrature, torch.distributions and their own samples."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from course_lib.data import Blobs, Normal1D, Ring, TwoGaussians


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def grid(limit: float, n: int) -> tuple[torch.Tensor, float]:
    axis = torch.linspace(-limit, limit, n, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis), (axis[1] - axis[0]).item() ** 2


@pytest.mark.parametrize("toy", [TwoGaussians(3, 0.8, 0.2), TwoGaussians(0, -0.5), Blobs(), Ring(5, 1.5, 0.2)])
def test_densities_integrate_to_one(toy):
    points, area = grid(9, 901)
    assert (toy.log_prob(points).exp().sum() * area).item() == pytest.approx(1, abs=1e-4)


def test_normal_1d(generator):
    x = torch.linspace(0, 8, 50, dtype=torch.float64)[:, None]
    torch.testing.assert_close(Normal1D().log_prob(x), Normal(4.0, 0.5).log_prob(x[:, 0]))
    sample = Normal1D().sample(20_000, generator)
    assert sample.shape == (20_000, 1)
    assert stats.kstest(sample[:, 0].numpy(), stats.norm(4, 0.5).cdf).pvalue > 0.01


def test_two_gaussians_log_joint():
    toy = TwoGaussians(separation=2, correlation=0.6, balance=0.3)
    x = torch.randn(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    covariance = torch.tensor([[1, 0.6], [0.6, 1]], dtype=torch.float64)
    for k, (weight, centre) in enumerate(((0.7, -1.0), (0.3, 1.0))):
        torch_says = MultivariateNormal(torch.tensor([centre, 0.0], dtype=torch.float64), covariance).log_prob(x)
        torch.testing.assert_close(toy.log_joint(x)[:, k], torch_says + math.log(weight), rtol=1e-12, atol=1e-12)


def test_two_gaussians_samples(generator):
    toy = TwoGaussians(separation=2, correlation=0.6, balance=0.3)
    x, y = toy.sample(50_000, generator)
    assert y.float().mean().item() == pytest.approx(0.3, abs=0.01)
    torch.testing.assert_close(x[y == 1].mean(dim=0), torch.tensor([1.0, 0.0]), rtol=0, atol=0.03)
    torch.testing.assert_close(x[y == 0].T.cov(), toy.covariance.float(), rtol=0, atol=0.03)
    again, _ = toy.sample(50_000, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)


@pytest.mark.parametrize("toy", [TwoGaussians(), TwoGaussians(1, 0.8, 0.2), TwoGaussians(0, 0, 0.3),
                                 TwoGaussians(2, -0.5, 0.9)])
def test_best_accuracy_is_that_of_the_exact_posterior(toy, generator):
    x, y = toy.sample(200_000, generator)
    measured = (toy.log_joint(x).argmax(dim=1) == y).double().mean().item()
    assert toy.best_accuracy == pytest.approx(measured, abs=4 * 0.5 / math.sqrt(200_000))


@pytest.mark.parametrize("toy", [Blobs(), Ring(8, 2.0, 0.05)])
def test_blobs_against_torch(toy):
    centres = torch.tensor(toy.centres, dtype=torch.float64)
    components = Independent(Normal(centres, torch.full_like(centres, toy.std)), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(len(centres), dtype=torch.float64)), components)
    x = 2 * torch.randn(100, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(toy.log_prob(x), mixture.log_prob(x), rtol=1e-12, atol=1e-12)


def test_ring_samples_sit_on_their_modes(generator):
    toy = Ring(8, 2.0, 0.05)
    x = toy.sample(20_000, generator)
    nearest, which = torch.cdist(x, torch.tensor(toy.centres)).min(dim=1)
    assert (nearest < 3 * toy.std).float().mean().item() == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert np.ptp(torch.bincount(which, minlength=8).numpy() / 20_000) < 0.02
    assert torch.tensor(toy.centres).norm(dim=1).numpy() == pytest.approx(2.0)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: TwoGaussians(correlation=1.0), "correlation must lie between"),
    (lambda: TwoGaussians(separation=-1.0), "separation must not be negative"),
    (lambda: TwoGaussians(balance=0.0), "balance must lie between"),
    (lambda: Normal1D(std=0.0), "std must be positive"),
    (lambda: Blobs(std=-1.0), "std must be positive"),
    (lambda: Blobs(centres=()), "centres must be a non-empty tuple"),
    (lambda: Blobs(centres=((0.0,), (0.0, 1.0))), "of one dimension"),
    (lambda: Ring(0), "n_modes must be at least 1"),
    (lambda: Blobs().log_prob(torch.zeros(3)), r"x must have shape \[n, 2\], not \[3\]"),
    (lambda: Normal1D().log_prob(torch.zeros(3)), r"x must have shape \[n, 1\], not \[3\]"),
    (lambda: TwoGaussians().log_joint(torch.zeros(3, 1)), r"x must have shape \[n, 2\], not \[3, 1\]"),
])
def test_bad_values_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()
