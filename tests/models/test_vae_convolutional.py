"""Only its two networks differ from a VAE: their layers against torch's own, draws of any batch, a bound that holds."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from course_lib.models.vae_convolutional import ConvolutionalVAE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small():
    vae = ConvolutionalVAE(2, (3, 4), size=(4, 8), generator=seeded(1)).double()
    for parameter in vae.parameters():
        parameter.data.mul_(2).add_(0.05)
    return vae.requires_grad_(False)


def pictures(n=5):
    return torch.rand(n, 32, generator=seeded(2), dtype=torch.float64).round()


def test_it_has_a_tenth_of_the_papers_parameters():
    vae = ConvolutionalVAE(20, generator=seeded())
    assert sum(p.numel() for p in vae.parameters()) == 112_649


def test_the_networks_are_these_layers():
    vae, x = small(), pictures()
    parameters = iter(vae.parameters())
    (conv1, bias1, conv2, bias2, out, bias3, into, bias4, up1, bias5, up2, bias6) = parameters
    h = F.relu(F.conv2d(x.view(5, 1, 4, 8), conv1, bias1, stride=2, padding=1))
    h = F.relu(F.conv2d(h, conv2, bias2, stride=2, padding=1))
    assert h.shape == (5, 4, 1, 2)
    mu, log_var = F.linear(h.flatten(1), out, bias3).chunk(2, dim=1)
    for ours, expected in zip(vae.encode(x), (mu, log_var), strict=True):
        torch.testing.assert_close(ours, expected)
    h = F.relu(F.linear(mu, into, bias4)).view(5, 4, 1, 2)
    h = F.relu(F.conv_transpose2d(h, up1, bias5, stride=2, padding=1))
    a = F.conv_transpose2d(h, up2, bias6, stride=2, padding=1)
    torch.testing.assert_close(vae.decode(mu), torch.sigmoid(a.flatten(1)))


def test_draws_of_several_for_each_picture_are_those_of_one_at_a_time():
    vae, z = small(), torch.randn(3, 5, 2, generator=seeded(3), dtype=torch.float64)
    together = vae.log_likelihood(pictures(), z)
    assert together.shape == (3, 5)
    torch.testing.assert_close(together, torch.stack([vae.log_likelihood(pictures(), each) for each in z]))
    assert vae.iw_bound(pictures(), 4, seeded()).shape == (5,) and vae.sample(6, seeded())[0].shape == (6, 32)


def test_the_bound_lies_below_log_p_of_x():
    """log p(x) by a sum over a grid of the plane of z, of six pictures of 4x4."""
    vae = ConvolutionalVAE(2, (3, 4), size=(4, 4), generator=seeded(1)).double().requires_grad_(False)
    for parameter in vae.decoder.parameters():  # the encoder's q stays wide, or few draws would bear all the weight
        parameter.mul_(2)
    x = torch.tensor(list(itertools.islice(itertools.product((0.0, 1.0), repeat=16), 0, 60_000, 10_000)),
                     dtype=torch.float64)
    axis = torch.linspace(-7, 7, 141, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    weight = torch.distributions.Normal(0, 1).log_prob(grid).sum(1) + 2 * (axis[1] - axis[0]).log()
    log_p = torch.stack([(vae.log_likelihood(one.expand(len(grid), -1), grid) + weight).logsumexp(0) for one in x])
    elbo = torch.stack([vae.elbo(x, seeded(seed)).value for seed in range(100)]).mean(0)
    tight = vae.iw_bound(x, 5000, seeded(7))
    assert (elbo < log_p + 0.02).all()
    torch.testing.assert_close(tight, log_p, atol=0.05, rtol=0)


def test_a_step_of_training_reaches_every_weight():
    vae = ConvolutionalVAE(20, generator=seeded())
    (-vae.elbo((torch.rand(8, 784, generator=seeded(1)) > 0.5).float(), seeded()).value.mean()).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in vae.parameters())


@pytest.mark.parametrize(("options", "said"), [
    ({"channels": (16,)}, "two numbers"), ({"size": (28, 30)}, "multiples of 4"), ({"size": (0, 28)}, "multiples of 4"),
    ({"likelihood": "poisson"}, "likelihood must be one of")])
def test_what_it_cannot_be_is_said(options, said):
    with pytest.raises(ValueError, match=said):
        ConvolutionalVAE(2, generator=seeded(), **options)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"must have shape \[n, 32\]"):
        small().encode(torch.zeros(2, 1, 4, 8, dtype=torch.float64))
