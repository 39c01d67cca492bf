"""Lengths and shortest paths, on decoders whose geometry is known: a plane, a cylinder and a sphere."""

import math

import pytest
import torch

from course_lib.models.geodesics import curved_path, geodesic_bends, path_length, pullback_metric
from course_lib.models.latent import linear_path

THERE = torch.linspace(0, 1, 201, dtype=torch.float64)


def cylinder(z):
    return torch.stack([z[..., 0].cos(), z[..., 0].sin(), z[..., 1]], dim=-1)


def sphere(z):
    longitude, latitude = z.unbind(dim=-1)
    return torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], dim=-1)


def ends(*places):
    return [torch.tensor([place], dtype=torch.float64).deg2rad() for place in places]


def test_the_metric_is_that_of_the_map():
    z = torch.rand(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(pullback_metric(cylinder, z), torch.eye(2, dtype=torch.float64).expand(5, 2, 2))
    expected = torch.diag_embed(torch.stack([z[:, 1].cos() ** 2, torch.ones(5, dtype=torch.float64)], dim=1))
    torch.testing.assert_close(pullback_metric(sphere, z), expected)
    A = torch.randn(7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(pullback_metric(lambda code: code @ A.T, torch.zeros(2, 3, dtype=torch.float64)),
                               (A.T @ A).expand(2, 3, 3))


def test_the_metric_tells_the_length_of_a_small_step():
    z, step = ends((20, 40))[0], torch.tensor([3e-5, -2e-5], dtype=torch.float64)
    moved = (sphere(z + step) - sphere(z)).norm().item()
    assert moved == pytest.approx((step @ pullback_metric(sphere, z)[0] @ step).sqrt().item(), rel=1e-4)


def test_length_of_a_parallel_and_of_several_paths():
    a, b = ends((0, 60), (120, 60))
    assert path_length(sphere(linear_path(a, b, THERE))).item() == pytest.approx(math.pi / 3, rel=1e-4)
    square = torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]], [[3.0, 5.0]]]).expand(3, 2, 2)
    assert path_length(square).tolist() == [6.0, 6.0]


def test_a_curved_path_has_its_ends_and_its_bends():
    a, b = torch.zeros(2, 3), torch.ones(2, 3)
    bends = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(2))
    path = curved_path(a, b, torch.tensor([0.0, 0.25, 1.0]), bends)
    torch.testing.assert_close(path[[0, 2]], torch.stack([a, b]))
    torch.testing.assert_close(path[1], 0.25 + math.sin(math.pi / 4) * bends[0] + bends[1])


def test_on_the_sphere_it_finds_the_great_circle():
    a, b = ends((0, 60), (120, 60))
    found = sphere(curved_path(a, b, THERE, geodesic_bends(sphere, a, b, terms=6, pieces=32, steps=200)))
    assert path_length(found).item() == pytest.approx(math.acos(5 / 8), abs=1e-4)
    plane = torch.linalg.cross(sphere(a), sphere(b))
    assert (found @ plane.T / plane.norm()).abs().max() < 0.01  # it lies in the plane of its ends and the centre


def test_on_a_cylinder_the_straight_path_stays():
    a, b = ends((0, 10), (150, 90))
    bends = geodesic_bends(cylinder, a, b, pieces=32, steps=100)
    length = path_length(cylinder(curved_path(a, b, THERE, bends))).item()
    assert length == pytest.approx((b - a).norm().item(), rel=1e-3) and bends.abs().max() < 0.05


def test_each_path_is_found_as_if_alone():
    pairs = [ends((0, 60), (120, 60)), ends((0, 10), (40, 80))]
    together = geodesic_bends(sphere, *(torch.cat(side) for side in zip(*pairs, strict=True)), steps=30)
    for i, (a, b) in enumerate(pairs):
        torch.testing.assert_close(together[:, i:i + 1], geodesic_bends(sphere, a, b, steps=30))


def test_what_makes_no_path_is_told():
    a, b = ends((0, 60), (120, 60))
    with pytest.raises(ValueError, match="one shape"):
        geodesic_bends(sphere, a, b.expand(2, 2))
    with pytest.raises(ValueError, match="pieces"):
        geodesic_bends(sphere, a, b, pieces=0)
    with pytest.raises(ValueError, match=r"finite|NaN"):
        geodesic_bends(sphere, a, torch.full_like(b, torch.nan))
