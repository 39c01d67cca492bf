"""A VAE whose decoder reads pixels: normalised for every code, and a plain VAE where the reader says nothing."""

from itertools import product

import pytest
import torch

from course_lib.models.vae_autoregressive import AutoregressiveVAE

EVERY = torch.tensor(list(product((0.0, 1.0), repeat=9)), dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small():
    vae = AutoregressiveVAE((3, 3), latent_size=2, width=5, hidden=16, generator=seeded(1)).double()
    for parameter in vae.parameters():
        parameter.data.mul_(3).add_(0.1)
    return vae.requires_grad_(False)


def test_all_512_pictures_have_probability_one_in_all_for_each_code():
    vae = small()
    log_p = [vae.log_likelihood(EVERY, z.expand(512, -1))
             for z in torch.randn(4, 2, generator=seeded(2), dtype=torch.float64)]
    for each in log_p:
        assert each.exp().sum().item() == pytest.approx(1, abs=1e-9)
    assert (log_p[0] - log_p[1]).abs().max() > 0.1  # and the code matters


def test_without_its_reader_it_is_a_vae():
    vae = small()
    for parameter in vae.made.parameters():
        parameter.zero_()
    ours, plain = vae.elbo(EVERY[::50], seeded(3)), vae.vae.elbo(EVERY[::50], seeded(3))
    for part, expected in zip(ours, plain, strict=True):
        torch.testing.assert_close(part, expected)


def test_the_elbo_is_below_log_p_of_x():
    """log p(x) of all pictures by a sum over a grid of the plane; so the mean gap is positive, and no term is lost."""
    vae, axis = small(), torch.linspace(-7, 7, 141, dtype=torch.float64)
    grid, x = torch.cartesian_prod(axis, axis), EVERY[[3, 100, 511]]
    weight = torch.distributions.Normal(0, 1).log_prob(grid).sum(1) + 2 * (axis[1] - axis[0]).log()
    log_p = torch.stack([(vae.log_likelihood(one.expand(len(grid), -1), grid) + weight).logsumexp(0) for one in x])
    elbo = torch.stack([vae.elbo(x, seeded(seed)).value for seed in range(200)]).mean(0)
    assert (elbo < log_p + 0.02).all()
