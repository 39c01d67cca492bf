import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models.conditional import (
    CONDITIONINGS,
    ConditionalDiscriminator,
    ConditionalGenerator,
    noise,
    one_hot,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pairs(n=6):
    return 2 * torch.rand(n, 1, 28, 28, generator=seeded(5)) - 1, torch.arange(n) % 10


def discriminator(conditioning, **options):
    return ConditionalDiscriminator(width=4, conditioning=conditioning, generator=seeded(), **options)


def test_one_hot_is_torchs_and_refuses_what_is_no_label():
    y = torch.tensor([3, 0, 9])
    assert torch.equal(one_hot(y), F.one_hot(y, 10).float())
    for bad in (torch.tensor([10]), torch.tensor([-1]), torch.tensor([1.0]), torch.tensor([[1]])):
        with pytest.raises(ValueError, match="labels"):
            one_hot(bad)


def test_g_is_the_dcgans_on_noise_and_label():
    G, z, (_, y) = ConditionalGenerator(width=4, generator=seeded()).eval(), noise(6, seeded()), pairs()
    assert z.shape == (6, 90)
    assert torch.equal(G(z, y), G.layers(torch.cat([z, one_hot(y)], 1)))
    sampled = G.sample(y, seeded(3))
    assert sampled.shape == (6, 28, 28) and sampled.min() >= 0 and sampled.max() <= 1
    torch.testing.assert_close(2 * sampled - 1, G(noise(6, seeded(3)), y)[:, 0].detach())
    assert not torch.equal(G(z, y), G(z, (y + 1) % 10))
    with pytest.raises(ValueError, match=r"\[n, 100\]"):
        G(torch.zeros(6, 100), y)


def test_projection_adds_the_dot_product_with_the_labels_vector():
    D, (x, y) = discriminator("projection"), pairs()
    phi = D.features(x)
    by_hand = [D.layers.logit(phi[i]).item() + (D.v[y[i]] * phi[i]).sum().item() for i in range(6)]
    torch.testing.assert_close(D(x, y), torch.tensor(by_hand))


def test_concatenated_equals_a_convolution_of_eleven_planes():
    D, (x, y) = discriminator("concatenated"), pairs()
    first = nn.Conv2d(11, 4, 4, stride=2, padding=1)
    first.weight.data = torch.cat([D.layers.down1.weight, D.planes.weight], 1).detach()
    first.bias.data = D.layers.down1.bias.detach() + 0.3
    D.layers.down1.bias.data += 0.3
    planes = torch.zeros(6, 10, 28, 28)
    planes[torch.arange(6), y] = 1
    expected = D.layers[1:](first(torch.cat([x, planes], 1))).squeeze(1)
    torch.testing.assert_close(D(x, y), expected)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_which_discriminators_hear_the_label(conditioning):
    D, (x, y) = discriminator(conditioning, spectral_norm=True).eval(), pairs()
    assert D(x, y).shape == (6,)
    assert torch.equal(D(x, y), D(x, (y + 1) % 10)) == (conditioning == "none")


def test_appended_to_the_last_features_a_label_never_meets_the_picture():
    """Why concatenation must come early: w·φ + b_y orders all pictures alike, whatever the label."""
    phi, w, b = (torch.randn(shape, generator=seeded(i)) for i, shape in enumerate([(6, 5), (5,), (10,)]))
    appended = torch.stack([torch.cat([phi, one_hot(torch.full((6,), y))], 1) @ torch.cat([w, b]) for y in range(10)])
    assert (appended.argsort(1) == appended.argsort(1)[0]).all()
    projected = phi @ w + torch.randn(10, 5, generator=seeded(4)) @ phi.T
    assert not (projected.argsort(1) == projected.argsort(1)[0]).all()


def test_bad_input_is_told():
    x, y = pairs()
    with pytest.raises(ValueError, match="projection, concatenated, none"):
        discriminator("appended")
    for conditioning in CONDITIONINGS:
        with pytest.raises(ValueError, match="labels run from 0 to 9"):
            discriminator(conditioning)(x, y + 9)
        with pytest.raises(ValueError, match="must lie in"):
            discriminator(conditioning)(10 * x, y)


@pytest.mark.parametrize("conditioning", ["projection", "concatenated"])
def test_gradient_against_finite_differences(conditioning):
    torch.set_default_dtype(torch.float64)
    try:
        D, (x, y) = discriminator(conditioning), pairs()
        weight = D.v if conditioning == "projection" else D.planes.weight
        (gradient,) = torch.autograd.grad(D(x, y).sum(), weight)
        place, h = int(gradient.abs().argmax()), 1e-6
        with torch.no_grad():
            flat = weight.view(-1)
            flat[place] += h
            up = D(x, y).sum()
            flat[place] -= 2 * h
            down = D(x, y).sum()
        assert gradient.view(-1)[place].item() == pytest.approx(((up - down) / (2 * h)).item(), rel=1e-5)
    finally:
        torch.set_default_dtype(torch.float32)
