import math

import pytest
import torch

from course_lib.models.latent import attribute_vector, class_centroids, linear_path, spherical_path


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_class_centroids():
    z = torch.tensor([[0.0, 0], [2, 4], [10, 10], [20, 0], [40, 2]])
    centroids = class_centroids(z, torch.tensor([3, 3, 1, 7, 7]))
    assert centroids.tolist() == [[10, 10], [1, 2], [30, 1]]
    for codes, labels in [(z, torch.tensor([1, 2])), (z[0], torch.tensor(1)), (z[:0], torch.zeros(0))]:
        with pytest.raises(ValueError, match="codes must have shape"):
            class_centroids(codes, labels)


@pytest.mark.parametrize("path", [linear_path, spherical_path])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_paths_begin_at_a_and_end_at_b(path, shape):
    a, b = randn(*shape), randn(*shape, seed=1)
    along = path(a, b, torch.linspace(0, 1, 7, dtype=torch.float64))
    assert along.shape == (7, *shape)
    torch.testing.assert_close(along[0], a)
    torch.testing.assert_close(along[-1], b)


def test_a_linear_path_goes_on_beyond_its_ends():
    a, b = randn(4), randn(4, seed=1)
    torch.testing.assert_close(linear_path(a, b, torch.tensor([2.0, -1.0], dtype=torch.float64)),
                               torch.stack([2 * b - a, 2 * a - b]))


def test_a_spherical_path_turns_evenly_and_keeps_the_norm():
    a, b = randn(20), randn(20, seed=1)
    b = b / b.norm() * a.norm()
    along = spherical_path(a, b, torch.linspace(0, 1, 9, dtype=torch.float64))
    torch.testing.assert_close(along.norm(dim=-1), a.norm().expand(9))
    angles = ((along[:-1] * along[1:]).sum(-1) / a.norm() ** 2).acos()
    torch.testing.assert_close(angles, angles[0].expand(8))
    assert linear_path(a, b, torch.tensor([0.5], dtype=torch.float64)).norm() < 0.9 * a.norm()


def test_a_quarter_of_a_circle():
    half = spherical_path(torch.tensor([1.0, 0]), torch.tensor([0.0, 1]), torch.tensor([0.5]))
    torch.testing.assert_close(half, torch.tensor([[math.sqrt(0.5)] * 2]))


def test_where_both_point_the_same_way_the_path_is_straight():
    a = randn(5)
    t = torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    torch.testing.assert_close(spherical_path(a, 3 * a, t), linear_path(a, 3 * a, t))
    torch.testing.assert_close(spherical_path(a, a, t), a.expand(3, -1))


@pytest.mark.parametrize(("a", "b", "t", "told"), [
    (torch.ones(3), torch.ones(4), torch.zeros(2), "one shape"),
    (torch.tensor(1.0), torch.tensor(2.0), torch.zeros(2), "one shape"),
    (torch.ones(3), 2 * torch.ones(3), torch.tensor(0.5), "one row of places"),
])
@pytest.mark.parametrize("path", [linear_path, spherical_path])
def test_mistakes_are_told(path, a, b, t, told):
    with pytest.raises(ValueError, match=told):
        path(a, b, t)


def test_where_no_spherical_path_is_shortest():
    with pytest.raises(ValueError, match="opposite directions"):
        spherical_path(torch.ones(3), -torch.ones(3), torch.zeros(1))
    with pytest.raises(ValueError, match="no direction"):
        spherical_path(torch.ones(3), torch.zeros(3), torch.zeros(1))


def attribute_case():
    generator = torch.Generator().manual_seed(3)
    y = torch.arange(60) % 3
    attribute = torch.randn(60, generator=generator) + 4 * y
    own = torch.tensor([1.0, -2.0])
    return attribute, y, own, 10 * torch.randn(3, 2, generator=generator)


def test_an_attribute_vector_does_not_turn_towards_a_class():
    attribute, y, own, place = attribute_case()
    z = place[y] + attribute[:, None] * own
    way = attribute_vector(z, attribute, y)
    assert torch.allclose(way / way.norm(), own / own.norm(), atol=1e-4)  # wherever the classes lie
    plain = z[attribute > attribute.median()].mean(0) - z[attribute <= attribute.median()].mean(0)
    assert (plain / plain.norm() @ own / own.norm()).abs() < 0.9


def test_an_attribute_vector_by_plain_loops():
    attribute, y, own, place = attribute_case()
    z = place[y] + attribute[:, None].sin() * own
    ways = []
    for k in range(3):
        rows = [i for i in range(60) if y[i] == k]
        middle = sorted(attribute[i].item() for i in rows)[9]  # the lower of the two in the middle, as torch has it
        much = [z[i] for i in rows if attribute[i] > middle]
        little = [z[i] for i in rows if attribute[i] <= middle]
        ways.append(sum(much) / len(much) - sum(little) / len(little))
    assert torch.allclose(attribute_vector(z, attribute, y), sum(ways) / 3, atol=1e-4)


def test_attribute_vectors_that_cannot_be_are_told():
    z, y = torch.zeros(4, 2), torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match="all of class 1 have the same value"):
        attribute_vector(z, torch.tensor([0.0, 1.0, 2.0, 2.0]), y)
    with pytest.raises(ValueError, match=r"the attribute and the labels \[n\], not \[4, 2\], \[3\] and \[4\]"):
        attribute_vector(z, torch.zeros(3), y)
