"""The losses by hand, the penalties against finite differences in float64, and their gradients by D's weights."""

import math

import pytest
import torch

from course_lib.models.gan2d import (
    NOISES,
    VARIANTS,
    Critic,
    Generator,
    clip_weights,
    critic_loss,
    d_loss,
    discriminator_loss,
    g_loss,
    noise,
    penalty,
)
from course_lib.models.penalties import gradient_penalty, r1_penalty, slopes


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def points(count, generator, dim=2):
    return torch.randn(count, dim, generator=generator)


def test_losses_of_known_scores():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0])
    assert critic_loss(real, fake).item() == -1
    by_hand = sum(-math.log(1 / (1 + math.exp(-a))) for a in (2, 0)) / 2
    by_hand += sum(-math.log(1 - 1 / (1 + math.exp(-a))) for a in (-1, 1)) / 2
    assert discriminator_loss(real, fake).item() == pytest.approx(by_hand)
    assert discriminator_loss(torch.zeros(3), torch.zeros(3)).item() == pytest.approx(2 * math.log(2))
    assert g_loss("vanilla", torch.zeros(3)).item() == pytest.approx(math.log(2))
    assert g_loss("WGAN-GP", fake).item() == 0
    assert d_loss("WGAN", real, fake) == critic_loss(real, fake)
    assert d_loss("R1", real, fake) == discriminator_loss(real, fake)
    by_hand = sum(math.log(1 + math.exp(-(a - b))) for a, b in ((2, -1), (0, 1))) / 2
    assert d_loss("R3GAN", real, fake).item() == pytest.approx(by_hand)
    by_hand = sum(math.log(1 + math.exp(a - b)) for a, b in ((2, -1), (0, 1))) / 2
    assert g_loss("R3GAN", fake, real).item() == pytest.approx(by_hand)


def test_slopes_are_those_of_finite_differences(generator, doubles):
    D, x, h = Critic(16, generator), points(7, generator), 1e-6
    for axis in range(2):
        step = h * torch.eye(2)[axis]
        difference = (D(x + step) - D(x - step)) / (2 * h)
        torch.testing.assert_close(slopes(D, x)[:, axis], difference, atol=1e-8, rtol=1e-6)


def both_penalties(D, real, fake, seed):
    def same_rng():
        return torch.Generator().manual_seed(seed)

    return {"gradient penalty": lambda: gradient_penalty(D, real, fake, same_rng()), "R1": lambda: r1_penalty(D, real)}


@pytest.mark.parametrize("kind", ["gradient penalty", "R1"])
def test_a_penalty_trains_d_as_finite_differences_say(kind, generator, doubles):
    D, real, fake, h = Critic(8, generator), points(5, generator), points(5, generator), 1e-6
    value = both_penalties(D, real, fake, seed=3)[kind]
    value().backward()
    *trained, last_bias = D.parameters()
    assert last_bias.grad is None  # it shifts all scores and no slope
    for parameter in trained:
        flat, gradient = parameter.data.view(-1), parameter.grad.view(-1)
        for i in range(0, flat.numel(), max(flat.numel() // 5, 1)):
            kept = flat[i].item()
            flat[i] = kept + h
            above = value().item()
            flat[i] = kept - h
            below = value().item()
            flat[i] = kept
            assert gradient[i].item() == pytest.approx((above - below) / (2 * h), abs=1e-7, rel=1e-5)


def test_the_penalties_of_a_plane(generator):
    tilt = torch.tensor([3.0, 4.0])

    def plane(x):
        return x @ tilt + 1

    real, fake = points(6, generator), points(6, generator)
    assert gradient_penalty(plane, real, fake, generator).item() == pytest.approx((5 - 1) ** 2)
    assert gradient_penalty(plane, real, fake, generator, one_sided=True).item() == pytest.approx((5 - 1) ** 2)
    assert gradient_penalty(lambda x: plane(x) / 10, real, fake, generator).item() == pytest.approx(0.5**2)
    assert gradient_penalty(lambda x: plane(x) / 10, real, fake, generator, one_sided=True).item() == 0
    assert r1_penalty(plane, real).item() == pytest.approx(25 / 2)


def test_the_gradient_penalty_looks_between_the_two_batches(generator):
    seen = []

    def D(x):
        seen.append(x.detach())
        return x.sum(dim=1)

    gradient_penalty(D, torch.zeros(500, 2), torch.tensor([[4.0, 8.0]]).expand(500, 2), generator)
    share = seen[0][:, 0] / 4
    torch.testing.assert_close(seen[0][:, 1], 8 * share)  # each point on its own line, both coordinates alike
    assert 0 <= share.min() < 0.02 and 0.98 < share.max() <= 1 and abs(share.mean() - 0.5) < 0.05


def test_four_variants_have_a_penalty(generator):
    D, real, fake = Critic(8, generator), points(4, generator), points(4, generator)
    found = {v: penalty(v, D, real, fake, generator) for v in VARIANTS}
    assert {v for v, value in found.items() if value is not None} == {"R1", "R1+R2", "R3GAN", "WGAN-GP"}
    assert found["R1"] == r1_penalty(D, real) and found["R3GAN"] == found["R1+R2"]
    assert found["R1+R2"].item() == pytest.approx((r1_penalty(D, real) + r1_penalty(D, fake)).item())


def test_clipping_cuts_every_weight(generator):
    D = Critic(8, generator)
    before = [p.clone() for p in D.parameters()]
    clip_weights(D, 0.1)
    for now, was in zip(D.parameters(), before, strict=True):
        assert torch.equal(now, was.clamp(-0.1, 0.1)) and now.requires_grad
    assert any((p.abs() == torch.tensor(0.1)).any() for p in D.parameters())


@pytest.mark.parametrize("kind", NOISES)
def test_noise_and_shapes(kind, generator):
    z = noise(kind, 4000, generator)
    spread = 1.0 if kind == "normal" else 3**-0.5
    assert z.shape == (4000, 2) and z.std().item() == pytest.approx(spread, abs=0.03) and abs(z.mean()) < 0.03
    assert Generator(8, generator)(z).shape == (4000, 2) and Critic(8, generator)(z).shape == (4000,)
    assert Critic(8, generator, dim=1)(z[:, :1]).shape == (4000,)


def test_bad_values_are_told(generator):
    with pytest.raises(ValueError, match="noise must be one of normal, uniform, not 'loud'"):
        noise("loud", 3, generator)
    with pytest.raises(ValueError, match=r"one of vanilla, R1, R1\+R2, R3GAN, WGAN, WGAN-GP, not 'GAN'"):
        g_loss("GAN", torch.zeros(2))
    for real_scores in (None, torch.zeros(3)):
        with pytest.raises(ValueError, match="a real point for each fake one: give real_scores"):
            g_loss("R3GAN", torch.zeros(2), real_scores)
    with pytest.raises(ValueError, match=r"each real point needs a fake one: \[3, 2\] against \[4, 2\]"):
        gradient_penalty(Critic(8, generator), points(3, generator), points(4, generator), generator)
