"""Denoising chains: densities by quadrature, draws against them, and a walk whose end is known."""

import itertools

import pytest
import torch

from course_lib.models.gsn import Denoiser, MixtureDenoiser, PixelDenoiser, walk, walkback_loss


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_mixture_is_a_density_and_draws_follow_it():
    denoiser = MixtureDenoiser(3, 0.5, seeded())
    for parameter in denoiser.parameters():
        parameter.data.mul_(1.5)
    x = torch.linspace(-30, 30, 6001)[:, None]
    with torch.no_grad():
        p = denoiser.log_prob(x, torch.full_like(x, 0.7)).exp()
        total, mean = p.sum() * 0.01, (p * x[:, 0]).sum() * 0.01
        second = (p * x[:, 0] ** 2).sum() * 0.01
    assert total.item() == pytest.approx(1, abs=1e-3)
    draws = denoiser.draw(torch.full((40_000, 1), 0.7), seeded(1))
    assert draws.shape == (40_000, 1)
    assert draws.mean().item() == pytest.approx(mean.item(), abs=5 * (second - mean**2).sqrt().item() / 200)
    assert draws.square().mean().item() == pytest.approx(second.item(), rel=0.05)


def test_noise_of_both_corruptions():
    x = torch.full((40_000, 1), 2.0)
    noisy = MixtureDenoiser(1, 0.5, seeded()).corrupt(x, seeded(1))
    assert noisy.mean().item() == pytest.approx(2, abs=0.02) and noisy.std().item() == pytest.approx(0.5, abs=0.01)
    flipped = PixelDenoiser(1, 4, 0.4, seeded()).corrupt(torch.ones(40_000, 1), seeded(1))
    assert set(flipped.unique().tolist()) == {0.0, 1.0}
    assert flipped.mean().item() == pytest.approx(0.8, abs=0.01)  # half of the replaced pixels keep their colour


def test_pixels_have_probabilities_that_sum_to_one_and_draws_follow_them():
    denoiser = PixelDenoiser(3, 8, 0.3, seeded())
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)))
    seen = torch.tensor([1.0, 0.0, 1.0])
    with torch.no_grad():
        p = denoiser.log_prob(x, seen.expand(8, -1)).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    draws = denoiser.draw(seen.expand(40_000, -1), seeded(1))
    assert draws.mean(0).tolist() == pytest.approx((p[:, None] * x).sum(0).tolist(), abs=0.012)


class Exact(Denoiser):
    """The true posterior of x ~ N(0, 1) with Gaussian noise: x | x̃ ~ N(x̃ / (1 + s²), s² / (1 + s²))."""

    s = 0.8

    def corrupt(self, x, generator):
        return x + self.s * torch.randn(x.shape, generator=generator)

    def log_prob(self, x, corrupted):
        v = self.s**2 / (1 + self.s**2)
        return torch.distributions.Normal(corrupted / (1 + self.s**2), v**0.5).log_prob(x).sum(1)

    def draw(self, corrupted, generator):
        v = self.s**2 / (1 + self.s**2)
        return corrupted / (1 + self.s**2) + v**0.5 * torch.randn(corrupted.shape, generator=generator)


def test_with_the_true_posterior_the_walk_ends_at_the_data():
    x = walk(Exact(), torch.full((40_000, 1), 5.0), 20, seeded())
    assert x.mean().item() == pytest.approx(0, abs=0.025) and x.std().item() == pytest.approx(1, abs=0.02)
    after_one = walk(Exact(), torch.full((40_000, 1), 5.0), 1, seeded())
    assert after_one.mean().item() == pytest.approx(5 / 1.64, abs=0.025)


def test_walkback_averages_over_the_places_of_a_walk():
    x, denoiser = torch.randn(50, 1, generator=seeded(3)), MixtureDenoiser(2, 0.5, seeded())
    generator = seeded(4)
    first = denoiser.corrupt(x, generator)
    second = denoiser.corrupt(denoiser.draw(first, generator), generator)
    by_hand = -(denoiser.log_prob(x, first).mean() + denoiser.log_prob(x, second).mean()) / 2
    assert torch.allclose(walkback_loss(denoiser, x, 2, seeded(4)), by_hand, atol=1e-6)
    assert torch.allclose(walkback_loss(denoiser, x, 1, seeded(4)), -denoiser.log_prob(x, first).mean(), atol=1e-6)


@pytest.mark.parametrize("make", [lambda: MixtureDenoiser(0, 0.5, seeded()), lambda: MixtureDenoiser(2, 0.0, seeded()),
                                  lambda: PixelDenoiser(4, 8, 0.0, seeded())])
def test_bad_settings_are_refused(make):
    with pytest.raises(ValueError, match="noise"):
        make()
