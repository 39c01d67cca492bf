"""The penalties on D's slope, against autograd done otherwise, finite differences and what is known of a plane."""

import torch
from torch import nn

from course_lib.models.penalties import r1_penalty, slopes


def network():
    D = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(2 * 2 * 2, 1), nn.Flatten(0)).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in D.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return D


def images(n=3):
    return torch.randn(n, 1, 4, 4, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def test_slopes_are_each_examples_own_gradient():
    D, x = network(), images()
    for one, slope in zip(x, slopes(D, x), strict=True):
        expected = torch.autograd.functional.jacobian(lambda v: D(v[None]).squeeze(), one)
        torch.testing.assert_close(slope.detach(), expected)


def test_r1_of_a_plane_is_half_its_squared_slope_everywhere():
    D = nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0)).double()
    expected = D[1].weight.detach().square().sum() / 2
    torch.testing.assert_close(r1_penalty(D, images()).detach(), expected)
    torch.testing.assert_close(r1_penalty(D, images(7)).detach(), expected)


def test_r1_trains_d_through_its_slope():
    """The double backward against central differences in float64, for every weight."""
    D, x, step = network(), images(), 1e-6
    r1_penalty(D, x).backward()
    for parameter in D.parameters():
        if parameter.grad is None:
            continue  # the last bias moves no slope
        flat = parameter.data.view(-1)
        for i in range(len(flat)):
            flat[i] += step
            above = r1_penalty(D, x).item()
            flat[i] -= 2 * step
            below = r1_penalty(D, x).item()
            flat[i] += step
            assert abs((above - below) / (2 * step) - parameter.grad.view(-1)[i].item()) < 1e-7
