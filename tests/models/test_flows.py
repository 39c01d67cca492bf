"""Flows: log-determinants against autograd's Jacobian, inverses, densities that integrate to 1, what couplings keep."""

import math

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian
from torch.distributions import MultivariateNormal, TransformedDistribution
from torch.distributions.transforms import AffineTransform

from course_lib.models.flows import AdditiveCoupling, AffineCoupling, Flow, Scaling, log_normal
from course_lib.models.splines import SplineCoupling

COUPLINGS = [AdditiveCoupling, AffineCoupling, SplineCoupling]
EVERY = pytest.mark.parametrize("kind", COUPLINGS, ids=lambda k: k.__name__)


def flow(kind, D=2, layers=4, permute=True, std=0.5):
    """In float64, with weights far from the identity they begin at."""
    generator = torch.Generator().manual_seed(0)
    made = Flow([*(kind(D, 8, permute and i % 2 == 1, generator) for i in range(layers)), Scaling(D)], D).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=std, generator=generator)
    return made.requires_grad_(False)


def noise(n, D=2):
    return torch.randn(n, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@EVERY
@pytest.mark.parametrize("D", [2, 3, 4])
def test_the_log_determinant_is_autograds_both_ways(kind, D):
    made, z = flow(kind, D), noise(20, D)
    x, log_det = made(z)
    for move, at, told in ((made, z, log_det), (made.inverse, x, made.inverse(x)[1])):
        J = jacobian(lambda v, move=move: move(v)[0].sum(dim=0), at).movedim(1, 0)
        assert torch.allclose(J.det().abs().log(), told, atol=1e-8)


@EVERY
@pytest.mark.parametrize(("dtype", "std", "within"), [(torch.float64, 0.5, 1e-8), (torch.float32, 0.2, 1e-5)])
def test_the_inverse_leads_back(kind, dtype, std, within):
    """In float32 with tamer weights: slopes of a thousandth multiply its rounding to 1e-4 … 0.5, by seed; so it is
    4e-6 at most, and 6e-6 in the log-determinant."""
    made, z = flow(kind, std=std).to(dtype), 2 * noise(500).to(dtype)
    x, log_det = made(z)
    back, log_det_back = made.inverse(x)
    assert (back - z).abs().max() < within and (log_det + log_det_back).abs().max() < 2 * within


@EVERY
def test_the_density_integrates_to_one(kind):
    made = flow(kind, std=0.3)
    z = torch.cartesian_prod(*2 * [torch.linspace(-5, 5, 101, dtype=torch.float64)])
    reach = made(z)[0].abs().amax(dim=0)  # a box that holds all but the tails
    sides = [(2 * (torch.arange(500, dtype=torch.float64) + 0.5) / 500 - 1) * r for r in reach]
    cell = (sides[0][1] - sides[0][0]) * (sides[1][1] - sides[1][0])
    assert (made.log_prob(torch.cartesian_prod(*sides)).exp().sum() * cell).item() == pytest.approx(1, abs=5e-3)


@EVERY
def test_it_begins_as_the_identity_and_the_seed_decides_its_weights(kind):
    new = kind(2, 8, False, torch.Generator().manual_seed(0))
    z = noise(50).float()
    x, log_det = new(z)
    assert torch.allclose(x, z, atol=1e-5) and log_det.abs().max() < 1e-5
    same = kind(2, 8, False, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(new.parameters(), same.parameters(), strict=True))


@EVERY
def test_half_passes_as_it_is(kind):
    z = noise(50, 4)
    for swap, kept in ((False, slice(0, 2)), (True, slice(2, 4))):
        layer = kind(4, 8, swap, torch.Generator().manual_seed(0)).double()
        nn.init.normal_(layer.network[-1].weight, generator=torch.Generator().manual_seed(2))
        x, _ = layer(z)
        other = slice(2, 4) if kept.start == 0 else slice(0, 2)
        assert torch.equal(x[:, kept], z[:, kept]) and not torch.allclose(x[:, other], z[:, other])
    assert torch.equal(flow(kind, permute=False).layers[0](noise(9))[0][:, 0], noise(9)[:, 0])


def test_additive_couplings_keep_areas_and_the_scaling_changes_them():
    made = flow(AdditiveCoupling)
    assert made.layers[0](noise(9))[1].abs().max() == 0
    assert torch.allclose(made(noise(9))[1], made.layers[-1].s.sum().expand(9))
    assert made.log_prob(3 * noise(2000)).max() <= -math.log(2 * math.pi) - made.layers[-1].s.sum() + 1e-9


def test_one_linear_layer_is_torchs_transformed_normal():
    layer, x = Scaling(2), noise(50)
    nn.init.constant_(layer.s, 0.7)
    oracle = TransformedDistribution(MultivariateNormal(torch.zeros(2, dtype=x.dtype), torch.eye(2, dtype=x.dtype)),
                                     AffineTransform(0, math.exp(0.7), event_dim=1))
    assert torch.allclose(Flow([layer.double()]).log_prob(x), oracle.log_prob(x))
    assert torch.allclose(log_normal(x), oracle.base_dist.log_prob(x))


def test_samples_have_the_density():
    made = flow(AffineCoupling, std=0.3)
    x = made.sample(20_000, torch.Generator().manual_seed(3))
    by_samples = -made.log_prob(x).mean()
    z = noise(20_000)
    assert by_samples.item() == pytest.approx((-log_normal(z) + made(z)[1]).mean().item(), abs=0.05)
    assert torch.equal(x, made.sample(20_000, torch.Generator().manual_seed(3)))


def test_wrong_shapes_are_told():
    with pytest.raises(ValueError, match=r"shape \[n, 2\], as many coordinates as the noise has, not \[5, 3\]"):
        flow(AffineCoupling).log_prob(torch.zeros(5, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="two coordinates or more"):
        AffineCoupling(1, 8, False, torch.Generator())
