"""Arcs blurred by a Gaussian: a density that integrates to 1, samples that have it, and a quadrature that is fine."""

import math

import numpy as np
import pytest
import torch

from course_lib.data.moons import CIRCLE, MOONS, Arcs

BOTH = pytest.mark.parametrize("arcs", [MOONS, CIRCLE, Arcs(((0.3, -0.2, 0.5, 1.0, 2.0),), std=0.3)],
                               ids=["moons", "circle", "one arc"])
AXIS = (torch.arange(96, dtype=torch.float64) + 0.5) / 96 * 5 - 2.5


@BOTH
def test_the_density_integrates_to_one(arcs):
    density = arcs.log_prob(torch.cartesian_prod(AXIS, AXIS)).exp()
    assert (density.sum() * (AXIS[1] - AXIS[0]) ** 2).item() == pytest.approx(1, abs=1e-6)


@BOTH
def test_samples_have_the_density_and_the_seed_decides_them(arcs):
    x = arcs.sample(40_000, torch.Generator().manual_seed(0))
    assert x.shape == (40_000, 2) and x.dtype == torch.float32
    assert torch.equal(x, arcs.sample(40_000, torch.Generator().manual_seed(0)))
    counts, _, _ = np.histogram2d(*x.numpy().T, bins=[np.linspace(-2.5, 2.5, 17)] * 2)
    density = arcs.log_prob(torch.cartesian_prod(AXIS, AXIS)).exp().reshape(16, 6, 16, 6)
    assert np.abs(counts / 40_000 - density.sum((1, 3)).numpy() * (5 / 96) ** 2).max() < 0.01


def test_400_nodes_an_arc_are_enough():
    x = MOONS.sample(500, torch.Generator().manual_seed(1)).double()
    assert (MOONS.log_prob(x) - MOONS.log_prob(x, 4_000)).abs().max() < 2e-3
    assert (MOONS.log_prob(x, 10) - MOONS.log_prob(x, 4_000)).abs().max() > 1


def test_a_circle_against_its_closed_form():
    x = torch.randn(500, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    r, var = x.norm(dim=1), CIRCLE.std**2
    bessel = torch.special.i0e(r / var).log() + r / var  # the mean over angles of exp(x·node/σ²), radius 1
    assert torch.allclose(CIRCLE.log_prob(x), bessel - (r**2 + 1) / (2 * var) - math.log(2 * math.pi * var))


def test_the_moons_lie_about_0():
    assert MOONS.nodes().mean(dim=0).abs().max() < 1e-12


def test_what_is_no_arc_is_told():
    with pytest.raises(ValueError, match="at least one arc"):
        Arcs(())
    with pytest.raises(ValueError, match="positive radius"):
        Arcs(((0.0, 0.0, -1.0, 0.0, 1.0),))
    with pytest.raises(ValueError, match="two different angles"):
        Arcs(((0.0, 0.0, 1.0, 1.0, 1.0),))
    with pytest.raises(ValueError, match="std must be positive, not 0"):
        Arcs(MOONS.arcs, std=0)
    with pytest.raises(ValueError, match=r"shape \[n, 2\], not \[3\]"):
        MOONS.log_prob(torch.zeros(3))
