import math

import numpy as np
import pytest
import torch

from course_lib.measure import js, kl, normal_density, optimal_discriminator
from course_lib.models import gan1d
from course_lib.models.gan1d import (
    Discriminator,
    Generator,
    MinibatchDiscrimination,
    discriminator_loss,
    generator_loss,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_real_data_are_normal_with_mean_4_and_std_a_half():
    x = gan1d.real_data(100_000, seeded())
    assert x.shape == (100_000, 1)
    assert x.mean().item() == pytest.approx(4, abs=0.01) and x.std().item() == pytest.approx(0.5, abs=0.01)


def test_textbook_noise_is_spikes_a_hundredth_wide():
    z = gan1d.noise("textbook", 8, seeded())
    above = (z - torch.linspace(-8, 8, 8)[:, None]).squeeze()
    assert z.shape == (8, 1) and (above >= -1e-6).all() and (above <= 0.01 + 1e-6).all() and above.std() > 1e-4


def test_normal_noise_has_mean_0_and_std_1():
    z = gan1d.noise("normal", 100_000, seeded())
    assert z.mean().item() == pytest.approx(0, abs=0.02) and z.std().item() == pytest.approx(1, abs=0.02)


def test_initial_weights_are_those_of_the_init_asked_for():
    pytorch = gan1d.initial_weight(100, 1000, "pytorch", seeded())
    assert pytorch.abs().max() <= 0.1 and pytorch.std().item() == pytest.approx(0.1 / math.sqrt(3), rel=0.01)
    assert gan1d.initial_weight(100, 1000, "normal", seeded()).std().item() == pytest.approx(1, rel=0.01)
    assert MinibatchDiscrimination(500, "normal", seeded()).T.std().item() == pytest.approx(0.02, rel=0.05)


def test_all_randomness_comes_from_the_generator_passed():
    before = torch.get_rng_state()
    D, same, other = (Discriminator(8, "tanh", True, "pytorch", seeded(seed)) for seed in (1, 1, 2))
    gan1d.noise("textbook", 8, seeded())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(D.hidden1.W, same.hidden1.W) and not torch.equal(D.hidden1.W, other.hidden1.W)


@pytest.mark.parametrize("make", [
    lambda: gan1d.noise("uniform", 8, seeded()),
    lambda: gan1d.initial_weight(1, 1, "zeros", seeded()),
    lambda: Discriminator(8, "sigmoid", False, "pytorch", seeded()),
    lambda: generator_loss(torch.zeros(1), "wasserstein"),
])
def test_an_unknown_choice_is_refused_with_the_known_ones(make):
    with pytest.raises(ValueError, match="must be one of"):
        make()


def test_generator_is_linear_softplus_linear():
    G, z = Generator(4, "pytorch", seeded()), torch.randn(7, 1, generator=seeded(1))
    G.requires_grad_(False)
    expected = [sum(G.out.W[k, 0] * math.log1p(math.exp(G.hidden.W[0, k] * v + G.hidden.b[0, k])) for k in range(4))
                + G.out.b[0, 0] for v in z[:, 0].tolist()]
    assert torch.allclose(G(z)[:, 0], torch.stack(expected), atol=1e-5)


def test_minibatch_features_equal_a_plain_loop():
    layer, f = MinibatchDiscrimination(8, "pytorch", seeded()), torch.randn(6, 8, generator=seeded(1))
    layer.requires_grad_(False)
    M = (f @ layer.T).reshape(6, 5, 3)
    expected = torch.zeros(6, 5)
    for i, j, k in np.ndindex(6, 6, 5):
        expected[i, k] += math.exp(-sum(abs(float(M[i, k, b] - M[j, k, b])) for b in range(3)))
    assert torch.allclose(layer(f), expected, atol=1e-5)


def test_minibatch_features_of_a_batch_of_equals_count_the_batch():
    layer = MinibatchDiscrimination(8, "pytorch", seeded())
    assert torch.allclose(layer(torch.ones(6, 8)), torch.full((6, 5), 6.0))


def test_company_is_the_batch_with_one_number_replaced():
    D, x = Discriminator(8, "tanh", True, "pytorch", seeded()), torch.tensor([[1.0], [4.0]])
    reference_batch = torch.rand(5, 1, generator=seeded(1))
    one_by_one = torch.stack([D(torch.cat([v[None], reference_batch]))[0] for v in x])
    assert torch.allclose(D(x, reference_batch), one_by_one, atol=1e-5)
    assert not torch.allclose(D(x), one_by_one, atol=1e-3)  # and the batch does matter


def test_leading_dimensions_are_batches_of_their_own():
    G, z = Generator(4, "pytorch", seeded()), torch.randn(2, 6, 1, generator=seeded(1))
    for minibatch in (False, True):
        D = Discriminator(8, "relu", minibatch, "pytorch", seeded())
        assert torch.allclose(D(G(z)), torch.stack([D(G(z[0])), D(G(z[1]))]), atol=1e-6)


@pytest.mark.parametrize("activation", gan1d.ACTIVATIONS)
def test_the_chosen_activation_is_used(activation):
    D = Discriminator(1, activation, True, "pytorch", seeded())
    for linear in (D.hidden1, D.hidden2):
        linear.W.data.fill_(1.0), linear.b.data.zero_()
    apply = {"tanh": math.tanh, "relu": lambda a: max(a, 0.0), "leaky_relu": lambda a: max(a, 0.2 * a)}[activation]
    assert D.features(torch.tensor([[-1.5]])).item() == pytest.approx(apply(apply(-1.5)), abs=1e-6)


def test_losses_where_the_discriminator_can_tell_nothing():
    logits = torch.zeros(8)
    assert discriminator_loss(logits, logits).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(logits, "non-saturating").item() == pytest.approx(math.log(2))
    assert generator_loss(logits, "saturating").item() == pytest.approx(-math.log(2))


def test_losses_are_the_logarithms_of_the_definition(float64):
    real, fake = torch.randn(8, generator=seeded()), torch.randn(8, generator=seeded(1))
    D_real, D_fake = torch.sigmoid(real), torch.sigmoid(fake)
    assert torch.allclose(discriminator_loss(real, fake), (-D_real.log() - (1 - D_fake).log()).mean())
    assert torch.allclose(generator_loss(fake, "non-saturating"), -D_fake.log().mean())
    assert torch.allclose(generator_loss(fake, "saturating"), (1 - D_fake).log().mean())
    assert torch.isfinite(discriminator_loss(torch.tensor([-1e4]), torch.tensor([1e4])))


def at_optimal_discriminator(kind, mean, std):
    """Gradient of G's loss in (mean, std) of a generator x = mean + std·ε, with D fixed at p/(p + q): quadrature."""
    epsilon = torch.linspace(-12, 12, 20_001)
    weights = torch.distributions.Normal(0.0, 1.0).log_prob(epsilon).exp() * (epsilon[1] - epsilon[0])
    theta = torch.tensor([mean, std], requires_grad=True)
    x = theta[0] + theta[1] * epsilon
    p, q = torch.distributions.Normal(4.0, 0.5), torch.distributions.Normal(mean, std)
    logits = p.log_prob(x) - q.log_prob(x)  # of D* = p/(p + q): it knows today's q, not how q depends on theta
    loss = (weights * generator_loss(logits[:, None], kind)).sum()
    return torch.autograd.grad(loss, theta)[0].numpy()


def slope(divergence, mean, std, h=1e-4):
    """Gradient of divergence(p, q, grid) in (mean, std) of q, by central differences of the quadrature."""
    grid = np.linspace(-12, 16, 20_001)
    p = normal_density(grid, 4.0, 0.5)

    def at(m, s):
        return divergence(p, normal_density(grid, m, s), grid)

    return np.array([at(mean + h, std) - at(mean - h, std), at(mean, std + h) - at(mean, std - h)]) / (2 * h)


@pytest.mark.parametrize(("mean", "std"), [(3.0, 0.7), (4.5, 0.4), (2.0, 1.0)])
def test_at_the_optimal_discriminator_the_two_generator_losses_follow_two_divergences(float64, mean, std):
    saturating = slope(lambda p, q, x: 2 * js(p, q, x), mean, std)
    non_saturating = slope(lambda p, q, x: kl(q, p, x) - 2 * js(p, q, x), mean, std)
    np.testing.assert_allclose(at_optimal_discriminator("saturating", mean, std), saturating, rtol=1e-5)
    np.testing.assert_allclose(at_optimal_discriminator("non-saturating", mean, std), non_saturating, rtol=1e-5)
    assert np.abs(saturating - non_saturating).max() > 0.1  # they are not the same


def test_a_discriminator_trained_alone_approaches_p_over_p_plus_q():
    D, r = Discriminator(16, "tanh", False, "pytorch", seeded()), seeded(1)
    optimizer = torch.optim.Adam(D.parameters(), lr=1e-2, fused=True)
    for step in range(1200):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step / 1200)
        real, fake = 4 + 0.5 * torch.randn(256, 1, generator=r), 3 + torch.randn(256, 1, generator=r)
        loss = discriminator_loss(D(real), D(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    grid = np.linspace(0.5, 5.5, 101)
    p, q = normal_density(grid, 4, 0.5), normal_density(grid, 3, 1)
    learned = torch.sigmoid(D(torch.tensor(grid, dtype=torch.float32)[:, None])).detach().numpy()
    error, seen = np.abs(learned - optimal_discriminator(p, q)), (p + q) / 2
    assert np.average(error, weights=seen) < 0.03 and error[seen > 0.1].max() < 0.1
    fine = np.linspace(-8, 12, 4001)
    least = 2 * math.log(2) - 2 * js(normal_density(fine, 4, 0.5), normal_density(fine, 3, 1), fine)
    assert loss.item() == pytest.approx(least, abs=0.15)
