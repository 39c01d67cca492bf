"""Quantization, its gradient, codebooks that learn in two ways, finite scalars; a small VQ-VAE, added up exactly."""

import itertools

import numpy as np
import pytest
import torch

from course_lib.models.vq_vae import (
    UNUSED,
    Codebook,
    FiniteScalar,
    code_perplexity,
    image_vqvae,
    nearest,
    small_vqvae,
    straight_through,
)
from course_lib.seeds import seeded


def real(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def book(averages=True, K=6, D=3, seed=1):
    return Codebook(K, D, averages, generator=seeded(seed)).double()


def test_nearest_is_the_entry_of_the_least_distance():
    z, entries = real(4, 5, 3), real(7, 3, seed=1)
    expected = (z[:, :, None] - entries).square().sum(dim=3).argmin(dim=2)
    assert torch.equal(nearest(z, entries), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # which would make of near entries the same one
        close = 1 + 1e-3 * torch.arange(7).float()[:, None].expand(7, 3)
        assert torch.equal(nearest(close, close), torch.arange(7))


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other():
    z, z_q = real(5, 3).requires_grad_(), real(5, 3, seed=1).requires_grad_()
    out = straight_through(z, z_q)
    assert torch.allclose(out, z_q, atol=1e-15)
    gradients = torch.autograd.grad((out ** 2).sum(), (z, z_q), allow_unused=True)
    assert torch.allclose(gradients[0], 2 * z_q) and gradients[1] is None


def test_who_learns_by_which_term():
    """dL/de = 2 Σ (e − z) by the codebook loss alone; dL/dz is what the decoder says at e, and 2 β (z − e)."""
    b, z, beta = book(averages=False), real(4, 5, 3).requires_grad_(), 0.3
    q, w = b(z), real(4, 5, 3, seed=2)
    loss = (w * q.z_q).sum() + q.codebook_loss.sum() + beta * q.commitment.sum()
    g_z, g_e = torch.autograd.grad(loss, (z, b.entries))
    e = b.entries[q.codes]
    assert torch.allclose(g_z, w + 2 * beta * (z - e), atol=1e-6)
    expected = torch.zeros_like(b.entries).index_add(0, q.codes.flatten(), 2 * (e - z).flatten(0, 1))
    assert torch.allclose(g_e, expected, atol=1e-6)


def test_moving_averages_by_the_formulas_written_out():
    b, gamma = book(), 0.9
    N, m = b.counts.clone(), b.counts[:, None] * b.entries
    for step in range(3):
        z = real(8, 4, 3, seed=step)
        codes = b(z).codes
        for i in range(6):
            chose = z[codes == i]
            N[i] = gamma * N[i] + (1 - gamma) * len(chose)
            m[i] = gamma * m[i] + (1 - gamma) * chose.sum(dim=0)
        b.follow(z, codes, gamma, False, seeded())
        assert torch.allclose(b.counts, N, rtol=1e-6) and torch.allclose(b.entries, m / N[:, None], rtol=1e-5)


def test_without_memory_an_average_is_the_mean_which_the_codebook_loss_asks_for():
    b, z = book(), real(40, 4, 3)
    codes = b(z).codes
    before = b(z).commitment.sum()
    b.follow(z, codes, 0.0, False, seeded())
    for i in codes.unique():
        assert torch.allclose(b.entries[i], z[codes == i].mean(dim=0), atol=1e-6)
    assert (z - b.entries[codes]).square().sum() < before


def test_only_entries_that_are_hardly_used_begin_anew_and_at_a_vector():
    b = book()
    b.entries[2:] += 100  # nobody's nearest
    z = real(30, 4, 3)
    codes = b(z).codes
    kept, generator, other = book(), seeded(5), seeded(5)
    kept.load_state_dict(b.state_dict())
    for _ in range(400):
        b.follow(z, codes, 0.99, True, generator)
        kept.follow(z, codes, 0.99, False, other)
        if (b.counts[2:] >= b.counts.mean() * (1 - 1e-6)).all():
            break
    assert torch.equal(generator.get_state(), other.get_state())
    assert torch.allclose(kept.entries[2:], book().entries[2:] + 100) and torch.equal(kept.entries[:2], b.entries[:2])
    distance = torch.cdist(b.entries[2:], z.flatten(0, 1).float().double()).amin(dim=1)
    assert (distance < 1e-6).all() and UNUSED < 1


def test_finite_scalars_are_the_entries_of_their_codes():
    levels = (3, 4, 2)
    q = FiniteScalar(levels)
    grid = torch.tensor(list(itertools.product(*(np.linspace(-1, 1, n) for n in levels))))
    assert q.n_entries == 24 and len(q.entries.unique(dim=0)) == 24
    assert torch.allclose(q.entries.unique(dim=0).double(), grid, atol=1e-6)
    z = (3 * real(50, 6, 3)).float().requires_grad_()
    found = q(z)
    assert torch.allclose(q.entries[found.codes], found.z_q, atol=1e-6)
    (gradient,) = torch.autograd.grad(found.z_q.sum(), z)
    assert torch.allclose(gradient, 2 * z.sigmoid() * (1 - z.sigmoid()), atol=1e-6)
    assert found.codebook_loss.abs().sum() == found.commitment.abs().sum() == 0


def test_perplexity_is_the_exponential_of_the_entropy():
    assert code_perplexity(torch.zeros(4, 5, dtype=torch.int64), 7).item() == 1
    assert code_perplexity(torch.arange(8).view(2, 4), 8).item() == pytest.approx(8)
    codes = torch.tensor([[0, 0, 1], [0, 2, 2]])
    p = np.array([3, 1, 2]) / 6
    assert code_perplexity(codes, 5).item() == pytest.approx(np.exp(-(p * np.log(p)).sum()))


@pytest.mark.parametrize("quantizer", ["codebook", "scalars"])
def test_all_codes_of_a_small_one_add_up_and_one_is_a_bound(quantizer):
    generator = seeded()
    q = book(K=3, D=2) if quantizer == "codebook" else FiniteScalar((3,))
    model = small_vqvae(q, 2 if quantizer == "codebook" else 1, places=2, side=2, width=5,
                        generator=generator).double().requires_grad_(False)
    every = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    log_prior = torch.randn(9, generator=generator, dtype=torch.float64).log_softmax(0)
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64).view(16, 2, 2)
    pixels = model.images(every).double()[:, None]  # of each code
    log_x = (x * pixels.log() + (1 - x) * (1 - pixels).log()).sum(dim=(2, 3))  # [codes, images]
    log_p = (log_prior[:, None] + log_x).logsumexp(dim=0)
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-6)
    distortion, told, _ = model(x)
    place = told.codes[:, 0] * 3 + told.codes[:, 1]
    assert torch.allclose(distortion.double(), -log_x[place, torch.arange(16)], atol=1e-5)
    gap = log_p - log_prior[place] + distortion  # −log p(code | x)
    posterior = (log_prior[:, None] + log_x).log_softmax(dim=0)[place, torch.arange(16)]
    assert torch.allclose(gap, -posterior, atol=1e-5) and (gap > 0).all()


@pytest.mark.parametrize(("coarse", "places"), [(True, 16), (False, 49)])
def test_an_image_has_a_code_for_each_place_and_back(coarse, places):
    model = image_vqvae(Codebook(10, 4, True, generator=seeded()), 4, 8, coarse, generator=seeded())
    x = (torch.rand(3, 28, 28, generator=seeded()) < 0.3).float()
    distortion, q, z = model(x)
    assert q.codes.shape == (3, places) == model.codes(x).shape and z.shape == (3, places, 4)
    assert model.places == places and distortion.shape == (3,)
    images = model.images(q.codes)
    assert images.shape == (3, 28, 28) and images.min() > 0 and images.max() < 1
    by_pixels = -(x * images.log() + (1 - x) * (1 - images).log()).sum(dim=(1, 2))
    assert torch.allclose(by_pixels, distortion, rtol=1e-4)


def test_the_place_of_a_code_is_that_of_its_pixels():
    model = image_vqvae(Codebook(10, 4, True, generator=seeded()), 4, 8, generator=seeded()).requires_grad_(False)
    codes = torch.zeros(16, 16, dtype=torch.int64)
    codes[torch.arange(16), torch.arange(16)] = 1
    change = (model.images(codes) - model.images(0 * codes)).abs()
    across = torch.arange(28.0)
    row, column = ((change.sum(dim=d) * across).sum(dim=1) / change.sum(dim=(1, 2)) for d in (2, 1))
    assert row.view(4, 4).diff(dim=0).min() > 0 and column.view(4, 4).diff(dim=1).min() > 0
