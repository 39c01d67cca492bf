"""The experiments of notebook 09c: coupled GANs, BiGAN and image to image, and their table."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.nn.utils import parametrize

from course_lib.comparisons.gan_family import Member, family_table, on_the_ring, shipped
from course_lib.comparisons.ring_seeds import recorded
from course_lib.data import load_mnist
from course_lib.experiments.bigan import BiGANExperiment, BiGANHyperparameters
from course_lib.experiments.coupled import CoupledExperiment, CoupledHyperparameters, same_digit
from course_lib.experiments.image_to_image import ImageToImageExperiment, ImageToImageHyperparameters, likeness
from course_lib.models.bigan import pair_losses
from course_lib.models.dcgan import Dropout, noise
from course_lib.models.penalties import r1_penalty
from course_lib.training import run
from course_lib.training.checkpoints import read
from course_lib.training.image_gan import scaled

KINDS = {"coupled": (CoupledExperiment, CoupledHyperparameters(width=4, batch_size=4, shared=1)),
         "bigan": (BiGANExperiment, BiGANHyperparameters(width=4, batch_size=4, regression=1.0)),
         "image_to_image": (ImageToImageExperiment,
                            ImageToImageHyperparameters(width=4, batch_size=4, adversarial=0.1))}


def experiment(name, seed=0, **changes):
    kind, hyperparameters = KINDS[name]
    return kind(hyperparameters.replace(**changes), seed)


def train(e, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def test_one_update_of_the_bigan_equals_the_step_written_out():
    e = experiment("bigan")
    G, E, D = (copy.deepcopy(network) for network in (e.players.G, e.players.E, e.D))
    x = scaled(e.images[e.batches.order[:4]])
    generator = torch.Generator()
    generator.set_state(e.generator.get_state())
    z = noise(4, generator, 20)
    optimizer_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    optimizer_ge = torch.optim.Adam([*G.parameters(), *E.parameters()], lr=1e-3, betas=(0.5, 0.999))
    metrics = e.step()
    made, code = G(z), E(x)
    loss_d, _ = pair_losses(D(x, code.detach()), D(made.detach(), z))
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    _, loss_ge = pair_losses(D(x, code), D(made, z))
    regression = F.mse_loss(E(made.detach()), z, reduction="sum") / 4 / 2
    optimizer_ge.zero_grad()
    (loss_ge + regression).backward()
    optimizer_ge.step()
    assert metrics["loss_d"].item() == pytest.approx(loss_d.item(), abs=2e-2)  # rounds of power iteration differ
    assert metrics["regression"].item() == pytest.approx(regression.item(), rel=1e-4)
    for ours, theirs in ((e.players.G, G), (e.players.E, E)):
        a, b = (torch.cat([p.detach().flatten() for p in n.parameters()]) for n in (ours, theirs))
        assert (a - b).abs().mean() < 2e-4  # a step of Adam is 1e-3


def test_coupled_gans_obey_the_hyperparameters_of_the_dcgan():
    e = experiment("coupled", preset="deep", dropout=0.3, spectral_norm=False, fault="no batch norm")
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in e.G.modules())
    assert {layer.p for layer in e.D.modules() if isinstance(layer, Dropout)} == {0.3}
    assert not any(parametrize.is_parametrized(layer) for layer in e.D.modules())
    assert hasattr(e.G.shared, "mix") and hasattr(e.D.backs[0], "down3")
    assert all(a is b for a, b in zip(*e.D.backs, strict=True))
    x, y = experiment("coupled", fault="data in [0, 1]").real_batch(torch.arange(4))
    assert (x.min(), x.max()) == (y.min(), y.max()) == (0, 1) and y.mean() > 0.5 > x.mean()


def test_losses_of_coupled_gans_are_sums_over_both_kinds():
    e = experiment("coupled", label_smoothing=0.2)
    e.D.eval()
    real = e.real_batch(torch.arange(4))
    fake = e.fake_batch(e.noise_batch(4, torch.Generator().manual_seed(1)))
    a, b = e.D(*real), e.D(*fake)
    (loss, _), (real_logits, fake_logits) = e.d_loss(real, fake), e.logits(real, fake)
    wanted = sum((F.softplus(-x) + 0.2 * x + F.softplus(y)).mean() for x, y in zip(a, b, strict=True))
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(real_logits, torch.cat(a))
    torch.testing.assert_close(fake_logits, torch.cat(b))
    torch.testing.assert_close(e.g_loss(None, fake)[0], sum(F.softplus(-y).mean() for y in b))


def steepness(**changes):
    """½ E ‖∇D‖² at real images after a short training of coupled GANs."""
    e = experiment("coupled", **changes)
    train(e, 24)
    real = e.scaled(e.images[:64])
    return r1_penalty(lambda x: e.D(x, -real)[0], real).item()


def test_r1_keeps_d_flat_at_real_images():
    assert steepness(r1=100.0) < 0.15 * steepness()


def test_without_z_in_d_the_encoder_stands_still():
    blind, seeing = (experiment("bigan", judged=judged, regression=0.0) for judged in ("images alone", "pairs"))
    moved = []
    for e in (blind, seeing):
        before = copy.deepcopy(list(e.players.E.parameters()))
        metrics = train(e, 2)
        moved.append(any(not torch.equal(a, b) for a, b in zip(before, e.players.E.parameters(), strict=True)))
        assert (metrics[0]["gradient_e"] > 0) == (e is seeing)
    assert moved == [False, True]


def test_the_two_kinds_have_no_picture_in_common():
    e, images = experiment("coupled"), load_mnist("train").images.unsqueeze(1)
    seen = []
    e.D.register_forward_pre_hook(lambda _, given: seen.append([x[:4] for x in given]))
    order = e.batches.order[:4] % 30_000
    e.step()
    torch.testing.assert_close(seen[0][0], images[:30_000][order] / 127.5 - 1)
    torch.testing.assert_close(seen[0][1], 1 - images[30_000:][order] / 127.5)
    assert torch.equal(seen[0][1], -e.scaled(images[30_000:][order]))  # to the last bit, or cards' digests move


def test_one_update_of_the_coupled_game_equals_the_step_written_out():
    e = experiment("coupled")
    G, D = copy.deepcopy(e.G), copy.deepcopy(e.D)
    generator = torch.Generator()
    generator.set_state(e.generator.get_state())
    fake, real = G(noise(4, generator)), e.real_batch(e.batches.order[:4])
    optimizer_d, optimizer_g = (torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.999))
                                for network, rate in ((D, 2e-3), (G, 1e-3)))
    metrics = e.step()
    loss_d = sum(F.softplus(-a).mean() + F.softplus(b).mean()
                 for a, b in zip(D(*real), D(*(x.detach() for x in fake)), strict=True))
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    loss_g = sum(F.softplus(-a).mean() for a in D(*fake))
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    assert metrics["loss_d"].item() == pytest.approx(loss_d.item(), abs=2e-2)  # rounds of power iteration differ
    a, b = (torch.cat([p.detach().flatten() for p in n.parameters()]) for n in (e.G, G))
    assert (a - b).abs().mean() < 2e-4  # a step of Adam is 1e-3


def test_r1_of_coupled_gans_counts_both_kinds():
    e = experiment("coupled")
    x, y = e.real_batch(torch.arange(4))
    steep = []
    for which, images in enumerate((x, y)):
        pixels = images.clone().requires_grad_()
        verdicts = e.D(*((pixels, y), (x, pixels))[which])[which]
        steep.append(torch.autograd.grad(verdicts.sum(), pixels)[0].square().sum() / 4 / 2)
    assert e.r1_term((x, y)).item() == pytest.approx(sum(steep).item(), rel=0.02)  # rounds of power iteration


def test_same_digit_turns_the_second_back():
    x = load_mnist("test")[:300].floats()
    assert same_digit(x, 1 - x) == 1
    assert same_digit(x, 1 - x.roll(1, 0)) < 0.3


def test_the_verdict_on_translated_images_counts_only_if_it_has_weight():
    assert set(train(experiment("image_to_image", adversarial=0.0), 1)[0]) == {"error"}
    e = experiment("image_to_image")
    assert set(train(e, 1)[0]) == {"error", "loss_d", "loss_g"}
    given, made = e.translated(load_mnist("test")[:3].floats())
    assert given.shape == made.shape == (3, 28, 28) and made.min() >= 0 and made.max() <= 1


def test_likeness_of_real_images_is_perfect():
    real = load_mnist("test")[:200]
    perfect, flat = likeness(real.floats(), real), likeness(torch.zeros(200, 28, 28), real)
    assert perfect["error"] == perfect["disagreement"] == 0 and perfect["sharpness"] == pytest.approx(1)
    assert perfect["accuracy"] > 0.97 and flat["sharpness"] == 0 and flat["error"] > 0.05


def test_the_table_has_a_line_for_each_member():
    ring, row = on_the_ring("vanilla", "vanilla", "plays"), recorded()["vanilla"]
    assert ring.modes == np.mean(row.covered) and ring.near == pytest.approx(np.mean(row.near))
    assert ring.seconds == row.seconds and ring.frechet is None
    members = [shipped("DCGAN", "dcgan", "draws"), Member("ring", "plays", 7.6, modes=7.96, near=0.951)]
    head, first, second = family_table(members).splitlines()
    assert head.split() == ["Fréchet", "digits", "modes", "near", "seconds", "what", "it", "can", "do"]
    _, card = read("dcgan")
    assert float(first.split()[1]) == pytest.approx(card.metrics["frechet"], abs=0.05)
    assert 9 < float(first.split()[2]) <= 10 and first.split()[3:5] == ["–", "–"]
    assert float(first.split()[5]) == pytest.approx(60 * card.minutes, abs=0.5)
    assert second.split() == ["ring", "–", "–", "8.0", "0.95", "8", "plays"]
