"""The lab's distributions: densities that integrate to 1, samples that agree with them, drawings read right."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from course_lib.data import Drawing, Segment
from course_lib.data.plane import DRAWING_SIDE, EXTENT, PLANE, SPIRAL, WAVE

ALL = PLANE | {"wave": Drawing(WAVE), "spiral": Drawing(SPIRAL), "short": Segment((0.0, 0.0), (0.1, 0.3), 0.4)}


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("toy", ALL.values(), ids=ALL.keys())
def test_densities_integrate_to_one_over_the_square(toy):
    axis = (torch.arange(1200, dtype=torch.float64) + 0.5) / 1200 * 2 * EXTENT - EXTENT
    density = toy.log_prob(torch.cartesian_prod(axis, axis)).exp()
    assert (density.sum() * (axis[1] - axis[0]) ** 2).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("toy", ALL.values(), ids=ALL.keys())
def test_samples_have_the_density_and_the_seed_decides_them(toy, generator):
    x = toy.sample(40_000, generator)
    assert x.shape == (40_000, 2) and x.dtype == torch.float32
    assert torch.equal(x, toy.sample(40_000, torch.Generator().manual_seed(0)))
    cells, edges = 12, np.linspace(-EXTENT, EXTENT, 13)
    counts, _, _ = np.histogram2d(*x.numpy().T, bins=[edges, edges])
    fine = (torch.arange(cells * 80, dtype=torch.float64) + 0.5) / (cells * 80) * 2 * EXTENT - EXTENT
    density = toy.log_prob(torch.cartesian_prod(fine, fine)).exp().reshape(cells, 80, cells, 80)
    expected = density.sum((1, 3)).numpy() * (2 * EXTENT / (cells * 80)) ** 2
    assert np.abs(counts / 40_000 - expected).max() < 0.01


def test_the_line_against_quadrature():
    line = Segment((-1.0, 0.5), (1.5, -1.0), 0.3)
    ends = np.array([line.start, line.end])
    for x in ([0.0, 0.0], [1.4, -0.9], [3.0, -2.5], [-1.5, 2.0]):
        def blurred(u, x=x):
            return stats.multivariate_normal(ends[0] + u * (ends[1] - ends[0]), 0.3**2).pdf(x)

        exact = math.log(integrate.quad(blurred, 0, 1, epsabs=0, epsrel=1e-10)[0])
        assert line.log_prob(torch.tensor([x], dtype=torch.float64)).item() == pytest.approx(exact, abs=1e-6)


def test_a_drawing_stands_as_it_was_drawn():
    pixels = torch.zeros(4, 4)
    pixels[0, 3] = 1.0  # top right
    pixels[3, 0] = 0.4  # bottom left, less dark
    drawing = Drawing.of(pixels)
    assert drawing.ink == "000f" + "0000" * 2 + "6000"
    x = drawing.sample(5000, torch.Generator().manual_seed(1))
    right = x[:, 0] > 0
    assert right.float().mean().item() == pytest.approx(15 / 21, abs=0.03)
    assert (x[right] > EXTENT / 2).all() and (x[~right] < -EXTENT / 2).all() and (x.abs() <= EXTENT).all()
    inside, paper, outside = drawing.log_prob(torch.tensor([[2.9, 2.9], [2.9, -2.9], [3.5, 2.9]])).tolist()
    assert inside == pytest.approx(math.log(15 / 21 / 1.5**2)) and paper == outside == -math.inf


def test_what_there_is_to_choose():
    for ink in (WAVE, SPIRAL):
        assert Drawing(ink).side == DRAWING_SIDE and Drawing.of(Drawing(ink).pixels).ink == ink
    assert set(PLANE) == {"ring", "clusters", "disjoint", "line"}


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Drawing("0000"), "the drawing has no ink: draw something first"),
    (lambda: Drawing("00f"), "make it with Drawing.of"),
    (lambda: Drawing("00xf"), "make it with Drawing.of"),
    (lambda: Drawing.of(torch.zeros(3, 4)), r"must have shape \[side, side\], not \[3, 4\]"),
    (lambda: Segment(std=0.0), "std must be positive"),
    (lambda: Segment((1.0, 1.0), (1.0, 1.0)), "two different ends"),
])
def test_bad_values_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()
