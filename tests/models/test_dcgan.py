import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models import dcgan
from course_lib.models.dcgan import (
    PRESETS,
    Discriminator,
    Dropout,
    Generator,
    SpectralNorm,
    discriminator_loss,
    generator_loss,
    joined_in_unit_range,
    noise,
    shapes,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=3):
    return 2 * torch.rand(n, 1, 28, 28, generator=seeded(5)) - 1


@pytest.mark.parametrize("preset", PRESETS)
def test_shapes_and_ranges(preset):
    G, D = Generator(preset, width=4, generator=seeded()), Discriminator(preset, width=4, generator=seeded())
    x = G(noise(6, seeded()))
    assert x.shape == (6, 1, 28, 28) and x.min() >= -1 and x.max() <= 1 and x.std() > 0
    assert D(x).shape == (6,)
    sampled = G.eval().sample(5, seeded())
    assert sampled.shape == (5, 28, 28) and sampled.min() >= 0 and sampled.max() <= 1


def test_the_layers_of_the_paper_and_their_parameters():
    G, D = Generator("tutorial", generator=seeded()), Discriminator("tutorial", generator=seeded())
    found = {row.name: (row.shape, row.parameters) for row in shapes(G)}
    assert found["input"] == ((100,), 0)
    assert found["dense"] == ((7 * 7 * 256,), 100 * 7 * 7 * 256)  # no bias
    assert found["image"][0] == found["norm1"][0] == (256, 7, 7) and found["norm1"][1] == 2 * 256
    assert found["up1"] == ((64, 14, 14), 256 * 64 * 25) and found["norm2"][1] == 2 * 64
    assert found["up2"] == ((1, 28, 28), 64 * 25 + 1) and list(found)[-1] == "tanh"
    found = {row.name: (row.shape, row.parameters) for row in shapes(D)}
    assert found["down1"] == ((64, 14, 14), 64 * 25 + 64) and found["down2"] == ((128, 7, 7), 64 * 128 * 25 + 128)
    assert found["logit"] == ((1,), 128 * 7 * 7 + 1) and next(iter(found)) == "input"
    for network in (G, D):
        assert sum(row.parameters for row in shapes(network)) == sum(p.numel() for p in network.parameters())


def test_looking_at_shapes_changes_nothing():
    G = Generator(width=4, generator=seeded())
    before = {name: value.clone() for name, value in G.state_dict().items()}
    shapes(G)
    assert G.training and all(torch.equal(value, before[name]) for name, value in G.state_dict().items())


def test_the_generator_equals_its_layers_written_out():
    G, z = Generator(width=4, generator=seeded()), noise(5, seeded(1))
    layers = G.layers
    h = (z @ layers.dense.weight.T).view(5, 16, 7, 7)
    for norm, up in ((layers.norm1, layers.up1), (layers.norm2, layers.up2)):
        mean, var = h.mean((0, 2, 3), keepdim=True), h.var((0, 2, 3), keepdim=True, correction=0)
        h = (h - mean) / (var + norm.eps).sqrt()
        h = F.conv_transpose2d(torch.where(h > 0, h, 0.2 * h), up.weight, up.bias, stride=2, padding=1)
    torch.testing.assert_close(G(z), torch.tanh(h), atol=1e-5, rtol=1e-4)


def test_without_batch_norm_a_bias_is_left():
    G = Generator(width=4, batch_norm=False, generator=seeded())
    assert not [m for m in G.modules() if isinstance(m, nn.BatchNorm2d)]
    assert G.layers.dense.bias is not None and G.layers.up1.bias is not None
    z = noise(4, seeded())
    torch.testing.assert_close(G(z)[:1], G(z[:1]))  # no image depends on its batch


def test_first_weights_are_those_of_the_preset_and_of_the_generator_passed():
    before = torch.get_rng_state()
    paper, same, other = (Generator(generator=seeded(seed)).layers.dense.weight for seed in (1, 1, 2))
    glorot = Discriminator("tutorial", generator=seeded()).layers.down2.weight
    Discriminator(spectral_norm=True, dropout=0.5, width=4, generator=seeded())(images())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(paper, same) and not torch.equal(paper, other)
    assert paper.std().item() == pytest.approx(0.02, rel=0.01)
    assert glorot.abs().max().item() == pytest.approx(math.sqrt(6 / (25 * (64 + 128))), rel=0.01)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Generator("fast", generator=seeded()), "course, deep, tutorial"),
    (lambda: Discriminator("fast", generator=seeded()), "course, deep, tutorial"),
    (lambda: Generator(width=4, generator=seeded())(torch.zeros(3, 50)), r"\[n, 100\]"),
    (lambda: Discriminator(width=4, generator=seeded())(torch.zeros(3, 28, 28)), r"\[n, 1, 28, 28\]"),
    (lambda: Discriminator(width=4, generator=seeded())((images() + 1) * 127.5), "must lie in"),
    (lambda: Discriminator(width=4, generator=seeded())(images() * float("nan")), "must lie in"),
])
def test_bad_input_is_told(make, says):
    with pytest.raises(ValueError, match=says):
        make()


@pytest.mark.parametrize("shape", [(3, 5), (8, 4, 4, 4), (1, 40)])
def test_spectral_norm_divides_by_the_largest_singular_value(shape):
    weight = torch.randn(shape, generator=seeded(2))
    norm = SpectralNorm(weight, seeded())
    for _ in range(100):
        found = norm(weight)
    torch.testing.assert_close(found, weight / torch.linalg.matrix_norm(weight.flatten(1), 2))


def test_spectral_norm_has_the_values_and_gradients_of_torch():
    weight = torch.randn(6, 3, 4, 4, generator=seeded(3), requires_grad=True)
    ours, theirs = SpectralNorm(weight, seeded()), nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 6, 4))
    theirs = theirs.parametrizations.weight[0]
    for _ in range(100):  # theirs turns u before v, so that the two agree only once they have settled
        ours(weight)
    theirs._u, theirs._v = ours.u.clone(), ours.v.clone()
    mine, other = ours(weight), theirs(weight)
    torch.testing.assert_close(mine, other)
    direction = torch.randn(weight.shape, generator=seeded(4))
    torch.testing.assert_close(*(torch.autograd.grad((w * direction).sum(), weight)[0] for w in (mine, other)))


def test_spectral_norm_turns_in_training_only_and_stays_float32():
    D = Discriminator(width=4, spectral_norm=True, generator=seeded())
    norm = D.layers.down2.parametrizations.weight[0]
    D.layers.down2.parametrizations.weight.original.data.normal_(generator=seeded(1))
    u = norm.u
    D.eval()(images())
    assert norm.u is u
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = D.train()(images())
    assert norm.u is not u and norm.u.dtype == norm.v.dtype == logits.dtype == torch.float32


def test_normalised_layers_bound_the_slope_of_the_features():
    plain, bounded = (Discriminator(width=4, spectral_norm=s, generator=seeded()) for s in (False, True))
    x = images().requires_grad_()
    for network, low, high in ((plain, 40, math.inf), (bounded, 0, 4.1)):  # at stride 2 kernels overlap, 2 a layer
        for p in network.parameters():
            p.data *= 100
        network.layers.logit.weight.data /= network.layers.logit.weight.data.norm()
        slope = torch.autograd.grad(network(x).sum(), x)[0].flatten(1).norm(dim=1).max()
        assert low < slope <= high


def test_dropout_keeps_the_mean_and_draws_from_its_own_generator():
    x = torch.ones(200, 500)
    layer = Dropout(0.3, seeded(7))
    first, second = layer(x), layer(x)
    assert (first == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert first.mean().item() == pytest.approx(1, abs=0.01) and not torch.equal(first, second)
    assert torch.equal(Dropout(0.3, seeded(7))(x), first)
    assert torch.equal(layer.eval()(x), x) and torch.equal(Dropout(0.0, seeded())(x), x)


def test_losses_where_the_discriminator_can_tell_nothing():
    logits = torch.zeros(8)
    assert discriminator_loss(logits, logits).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(logits).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_losses_are_cross_entropies_of_the_targets(smoothing):
    real, fake = 3 * torch.randn(8, generator=seeded()), 3 * torch.randn(8, generator=seeded(1))
    bce = F.binary_cross_entropy_with_logits
    expected = bce(real, torch.full((8,), 1 - smoothing)) + bce(fake, torch.zeros(8))
    torch.testing.assert_close(discriminator_loss(real, fake, smoothing), expected)
    torch.testing.assert_close(generator_loss(fake), bce(fake, torch.ones(8)))
    assert torch.isfinite(discriminator_loss(torch.tensor([-1e4]), torch.tensor([1e4])))


def test_with_smoothing_d_is_best_at_the_target():
    a = torch.linspace(-5, 5, 10_001)
    losses = torch.stack([discriminator_loss(v[None], torch.zeros(1), 0.2) for v in a])
    assert torch.sigmoid(a[losses.argmin()]).item() == pytest.approx(0.8, abs=1e-3)


def test_gradients_against_finite_differences():
    torch.set_default_dtype(torch.float64)
    try:
        G, D = Generator(width=2, generator=seeded()), Discriminator(width=2, generator=seeded())
        z = noise(4, seeded())
        for layer in ("dense", "up1", "up2"):
            weight = G.layers.get_submodule(layer).weight
            (gradient,) = torch.autograd.grad(generator_loss(D(G(z))), weight)
            place, h = int(gradient.abs().argmax()), 1e-6
            with torch.no_grad():
                flat = weight.view(-1)
                flat[place] += h
                up = generator_loss(D(G(z)))
                flat[place] -= 2 * h
                down = generator_loss(D(G(z)))
                flat[place] += h
            assert gradient.view(-1)[place].item() == pytest.approx(((up - down) / (2 * h)).item(), rel=1e-4)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_generator_learns_through_d_alone():
    """Whatever the real images are, G's step is the same: D's weights and D's slope are all that reaches it."""
    G, D = Generator(width=4, generator=seeded()), Discriminator(width=4, generator=seeded())
    fake = G(noise(4, seeded()))
    (slope,) = torch.autograd.grad(generator_loss(D(fake)), fake, retain_graph=True)
    direct = torch.autograd.grad(generator_loss(D(fake)), list(G.parameters()), retain_graph=True)
    through = torch.autograd.grad(fake, list(G.parameters()), grad_outputs=slope)
    for a, b in zip(direct, through, strict=True):
        torch.testing.assert_close(a, b)


def test_noise_is_normal():
    z = noise(2000, seeded())
    assert z.shape == (2000, dcgan.LATENT_SIZE)
    assert z.mean().item() == pytest.approx(0, abs=0.01) and z.std().item() == pytest.approx(1, abs=0.01)


def test_parts_are_joined_from_the_range_of_a_tanh_to_that_of_pixels_and_stay_as_they_are():
    parts = [2 * torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(n)) - 1 for n in (3, 2)]
    kept = [part.clone() for part in parts]
    for some in (parts, parts[:1]):
        assert joined_in_unit_range(some, sum(map(len, some))).equal((torch.cat(some)[:, 0] + 1) / 2)
    assert all(part.equal(before) for part, before in zip(parts, kept, strict=True))
