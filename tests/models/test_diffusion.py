"""Denoising score matching: the loss of any network is the floor and its squared distance from the exact field."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models.diffusion import DiffusionMLP, denoising_loss, loss_floor, mean_floor, sinusoids
from course_lib.models.noised import NoisedMixture, plane_grid
from course_lib.models.schedules import KINDS, SCHEDULES
from course_lib.seeds import seeded

MIXTURE = NoisedMixture(torch.tensor([[-1.0], [0.8]]), torch.tensor([0.3, 0.5]), torch.tensor([0.3, 0.7]))
NODES, PARTS = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(60))
PARTS = PARTS / PARTS.sum()


class Any(nn.Module):
    """A network as good as any other."""

    def forward(self, x, t):
        return torch.sin(2 * x + t[:, None]) - 0.3 * x


@pytest.mark.parametrize("name", list(SCHEDULES))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("t", [0.3, 0.8])
def test_the_loss_of_any_network_is_the_floor_and_its_distance_from_the_exact_field(name, kind, t):
    schedule, at = SCHEDULES[name], torch.tensor(t, dtype=torch.float64)
    alpha, sigma = schedule.alpha(at).item(), schedule.sigma(at).item()
    loss = 0.0
    for pi, mu, s in zip(MIXTURE.pi, MIXTURE.mu[:, 0], MIXTURE.s, strict=True):  # over x_0 and ε by Gauss and Hermite
        x_0, eps = (part.reshape(-1, 1) for part in torch.meshgrid(mu + s * NODES, NODES, indexing="ij"))
        weight = (PARTS[:, None] * PARTS).flatten()
        loss += pi * (weight * denoising_loss(Any(), x_0, at.expand(len(x_0)), eps, schedule, kind)).sum()
    x, cell = plane_grid(MIXTURE, alpha, sigma)
    times = at.expand(len(x))
    off = (Any()(x, times) - MIXTURE.field(kind, x, times, schedule)).square().sum(dim=1)
    distance = (MIXTURE.log_prob(x, alpha, sigma).exp() * off).sum() * cell
    assert loss.item() == pytest.approx(loss_floor(MIXTURE, schedule, kind, t) + distance.item(), rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(SCHEDULES))
def test_the_mean_floor_is_the_mean_over_even_times(name, kind):
    t = (torch.arange(400, dtype=torch.float64) + 0.5) / 400 * (0.95 - 0.02) + 0.02
    even = sum(loss_floor(MIXTURE, SCHEDULES[name], kind, at) for at in t.tolist()) / 400
    assert mean_floor(MIXTURE, SCHEDULES[name], kind, 0.02, 0.95) == pytest.approx(even, rel=0.01)


def test_a_floor_of_one_gaussian_in_closed_form():
    one, cosine = NoisedMixture(torch.zeros(1, 2, dtype=torch.float64), 0.5), SCHEDULES["cosine"]
    alpha, sigma = math.cos(0.4 * math.pi / 2), math.sin(0.4 * math.pi / 2)
    left = 2 * 0.25 * sigma**2 / (0.25 * alpha**2 + sigma**2)
    floors = {"data": left, "noise": left * (alpha / sigma) ** 2, "v": left / sigma**2,
              "score": left * alpha**2 / sigma**4, "velocity": left * (math.pi / 2) ** 2 / sigma**2}
    for kind, floor in floors.items():
        assert loss_floor(one, cosine, kind, 0.4) == pytest.approx(floor, rel=1e-7)


def test_a_network_that_is_not_told_the_time_says_the_same_at_each():
    x, times = torch.randn(5, 2, generator=seeded()), (torch.full((5,), 0.2), torch.full((5,), 0.7))
    for told in (True, False):
        network = DiffusionMLP(2, 16, seeded(1), told_time=told)
        early, late = (network(x, t) for t in times)
        assert early.shape == (5, 2) and torch.equal(early, late) != told


def test_sinusoids_tell_times_apart():
    t = torch.linspace(0, 1, 200, dtype=torch.float64)
    told = sinusoids(t)
    assert told.shape == (200, 32)
    assert torch.allclose(told[:, :16] ** 2 + told[:, 16:] ** 2, torch.ones(200, 16, dtype=torch.float64))
    assert torch.allclose(told[:, 0], t.sin()) and torch.allclose(told[:, 31], (30 * t).cos())
    assert torch.pdist(told).min() > 0.01
