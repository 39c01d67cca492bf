"""Rational-quadratic splines: through their knots, with the slopes given there, rising, and inverted exactly."""

import pytest
import torch

from course_lib.models.splines import REACH, knots, spline, spline_inverse


@pytest.fixture
def at():
    return knots(2 * torch.randn(300, 23, generator=torch.Generator().manual_seed(0), dtype=torch.float64))


def test_zeros_are_the_identity_and_knots_rise_from_end_to_end(at):
    v = torch.linspace(-5, 5, 41, dtype=torch.float64)
    y, log_slope = spline(v, knots(torch.zeros(41, 23, dtype=torch.float64)))
    assert torch.allclose(y, v) and log_slope.abs().max() < 1e-9
    for edges in (at.x, at.y):
        assert edges.shape == (300, 9) and (edges.diff(dim=1) > 0).all()
        assert (edges[:, 0] == -REACH).all() and (edges[:, -1] == REACH).all()
    assert (at.slope[:, [0, -1]] == 1).all() and (at.slope > 0).all()


def test_it_goes_through_its_knots_with_their_slopes(at):
    for k in range(1, 8):
        y, log_slope = spline(at.x[:, k], at)
        assert torch.allclose(y, at.y[:, k]) and torch.allclose(log_slope.exp(), at.slope[:, k])
    for end in (-REACH, REACH):  # the last pieces meet the identity outside without a step
        y, log_slope = spline(torch.full((300,), end * (1 - 1e-12), dtype=torch.float64), at)
        assert (y - end).abs().max() < 1e-6 and log_slope.abs().max() < 1e-6


def test_slopes_are_autograds_and_the_spline_rises(at):
    v = (2 * torch.rand(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1) * REACH
    v.requires_grad_()
    y, log_slope = spline(v, at)
    (gradient,) = torch.autograd.grad(y.sum(), v)
    assert torch.allclose(gradient.log(), log_slope) and (gradient > 0).all()


def test_the_inverse_leads_back_inside_and_outside(at):
    v = torch.linspace(-6, 6, 300, dtype=torch.float64)
    y, log_slope = spline(v, at)
    back, log_slope_back = spline_inverse(y, at)
    assert (back - v).abs().max() < 1e-6 and (log_slope + log_slope_back).abs().max() < 1e-5
    outside = v.abs() > REACH
    assert torch.equal(y[outside], v[outside]) and (log_slope[outside] == 0).all()
