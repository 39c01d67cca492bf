"""Monotone rational-quadratic splines, and couplings that bend by them.

C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, *Neural Spline Flows*, NeurIPS 2019: the spline is equation 4, its
slope equation 5, its inverse equations 6 to 8; section 3.2 has the couplings.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.models.flows import Coupling

REACH = 4.0  # the spline acts on [−REACH, REACH]; outside it is the identity
LEAST = 1e-3  # of a bin's share of the width, of its share of the height, and of a slope


class Knots(NamedTuple):
    """Of K bins: knots x and y `[…, K + 1]`, both rising from −REACH to REACH, and slopes there, 1 at both ends."""

    x: Tensor
    y: Tensor
    slope: Tensor


def knots(parameters: Tensor) -> Knots:
    """The knots that 3K − 1 free numbers `[…, 3K − 1]` stand for: K widths, K heights, K − 1 inner slopes.

    All zeros are the identity.
    """
    K = (parameters.shape[-1] + 1) // 3
    widths, heights, slopes = parameters.split([K, K, K - 1], dim=-1)
    inner = LEAST + F.softplus(slopes + math.log(math.expm1(1 - LEAST)))
    return Knots(_rising(widths), _rising(heights), F.pad(inner, (1, 1), value=1.0))


def _rising(shares: Tensor) -> Tensor:
    K = shares.shape[-1]
    shares = LEAST + (1 - LEAST * K) * shares.softmax(dim=-1)
    inner = shares[..., :-1].cumsum(dim=-1)
    return REACH * (2 * F.pad(F.pad(inner, (1, 0)), (0, 1), value=1.0) - 1)


def spline(v: Tensor, at: Knots) -> tuple[Tensor, Tensor]:
    """y and log dy/dv, of the shape of v; `at` holds the knots of each number, `[*v.shape, K + 1]`."""
    inside = v.abs() < REACH
    x0, y0, width, height, slope0, slope1 = _bin(v, at.x, at)
    steep = height / width
    xi = ((torch.where(inside, v, 0) - x0) / width).clamp(0, 1)  # place in the bin, from 0 to 1
    both = xi * (1 - xi)
    below = steep + (slope0 + slope1 - 2 * steep) * both
    y = y0 + height * (steep * xi**2 + slope0 * both) / below
    return torch.where(inside, y, v), torch.where(inside, _log_slope(xi, steep, slope0, slope1, below), 0)


def spline_inverse(y: Tensor, at: Knots) -> tuple[Tensor, Tensor]:
    """v and log dv/dy, of the shape of y, with knots `[*y.shape, K + 1]`: the root between 0 and 1 of a quadratic
    equation in the place ξ within a bin."""
    inside = y.abs() < REACH
    x0, y0, width, height, slope0, slope1 = _bin(y, at.y, at)
    steep = height / width
    up = torch.where(inside, y, 0) - y0
    bent = up * (slope0 + slope1 - 2 * steep)
    a, b, c = height * (steep - slope0) + bent, height * slope0 - bent, -steep * up
    xi = (2 * c / (-b - (b**2 - 4 * a * c).clamp_min(0).sqrt())).clamp(0, 1)  # this form has no difference of equals
    below = steep + (slope0 + slope1 - 2 * steep) * xi * (1 - xi)
    log_slope = _log_slope(xi, steep, slope0, slope1, below)
    return torch.where(inside, x0 + xi * width, y), torch.where(inside, -log_slope, 0)


def _bin(v: Tensor, edges: Tensor, at: Knots) -> tuple[Tensor, ...]:
    """Of the bin that each number falls into: x and y of its left knot, width, height, slopes left and right."""
    left = (v[..., None] >= edges[..., 1:-1]).sum(dim=-1, keepdim=True)
    both = torch.cat([left, left + 1], dim=-1)
    (x0, x1), (y0, y1), (slope0, slope1) = (values.gather(-1, both).unbind(-1) for values in at)
    return x0, y0, x1 - x0, y1 - y0, slope0, slope1


def _log_slope(xi: Tensor, steep: Tensor, slope0: Tensor, slope1: Tensor, below: Tensor) -> Tensor:
    above = slope1 * xi**2 + 2 * steep * xi * (1 - xi) + slope0 * (1 - xi) ** 2
    return 2 * steep.log() + above.log() - 2 * below.log()


class SplineCoupling(Coupling):
    """A coupling whose bend is a spline of K bins, made by the network. The spline leads from x to z, so that log p(x)
    needs no root; drawing takes the inverse."""

    def __init__(self, D: int, width: int, swap: bool, generator: torch.Generator, K: int = 8) -> None:
        super().__init__(D, 3 * K - 1, width, swap, generator)

    def elementwise_forward(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return spline_inverse(b, knots(parameters))

    def elementwise_inverse(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return spline(b, knots(parameters))
