import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.experiments.dcgan import FAULTS, R1_EVERY, TUTORIAL, DCGANExperiment, DCGANHyperparameters
from course_lib.training import run

TINY = DCGANHyperparameters(width=4, batch_size=4)


def experiment(seed=0, **changes):
    return DCGANExperiment(TINY.replace(**changes), seed)


def train(e, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_metrics_are_losses_probabilities_and_the_norm_of_the_gradient():
    e = experiment(learning_rate_d=1e-5, learning_rate_g=1e-5)
    metrics = e.step()
    assert set(metrics) == {"loss_d", "loss_g", "d_real", "d_fake", "gradient_g"}
    assert all(m.dim() == 0 and not m.requires_grad for m in metrics.values())
    assert metrics["gradient_g"].item() == pytest.approx(
        torch.cat([p.grad.ravel() for p in e.G.parameters()]).norm().item(), rel=1e-5)
    for parameter in e.D.layers.logit.parameters():
        parameter.data.zero_()
    metrics = e.step()
    assert metrics["loss_d"].item() == pytest.approx(2 * math.log(2), abs=0.01)
    assert metrics["loss_g"].item() == pytest.approx(math.log(2), abs=0.01)
    assert metrics["d_real"].item() == pytest.approx(0.5) == metrics["d_fake"].item()


def test_one_update_equals_the_step_written_out():
    """Plain: two forward passes of D, fakes made anew for G's step from the same noise, optimisers not fused."""
    e = experiment(spectral_norm=False, label_smoothing=0.1, learning_rate_d=3e-3)
    G, D, batches = copy.deepcopy(e.G), copy.deepcopy(e.D), copy.deepcopy(e.batches)
    generator = torch.Generator()
    generator.set_state(e.generator.get_state())
    optimizer_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(D.parameters(), lr=3e-3, betas=(0.5, 0.999))
    bce, one, zero = F.binary_cross_entropy_with_logits, torch.ones(4), torch.zeros(4)
    metrics = e.step()

    z = torch.randn(4, 100, generator=generator)
    real = e.images[batches.order[:4]] / 127.5 - 1
    loss_d = bce(D(real), 0.9 * one) + bce(D(G(z).detach()), zero)
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    loss_g = bce(D(G(z)), one)
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    assert metrics["loss_d"].item() == pytest.approx(loss_d.item(), rel=1e-5)
    assert metrics["loss_g"].item() == pytest.approx(loss_g.item(), rel=1e-5)
    torch.testing.assert_close(flat(e.D), flat(D), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat(e.G), flat(G), atol=1e-5, rtol=0)


def test_r1_adds_ds_squared_slope_at_the_real_images_each_eighth_step():
    """Held against D's gradient at the same images, with optimisers that note the gradient and do not move."""
    plain, penalised = experiment(), experiment(r1=2.0)
    for e in (plain, penalised):
        e.optimizer_d.step = e.optimizer_g.step = lambda: None
    D = copy.deepcopy(plain.D)
    real = (plain.images[plain.batches.order[:4]] / 127.5 - 1).requires_grad_()
    D(real), D(real)  # power iteration goes on where D is used in training: once for the losses, once for the slope
    slope, = torch.autograd.grad(D.eval()(real).sum(), real, create_graph=True)
    expected = torch.autograd.grad(R1_EVERY * 2.0 * slope.square().sum((1, 2, 3)).mean() / 2, list(D.parameters()),
                                   allow_unused=True)
    noted = []
    for e in (plain, penalised):
        gradients = []
        for _ in range(2):
            e.step()
            gradients.append([p.grad.clone() for p in e.D.parameters()])
        noted.append(gradients)
    for without, with_it, more in zip(noted[0][0], noted[1][0], expected, strict=True):
        torch.testing.assert_close(with_it - without, torch.zeros_like(without) if more is None else more,
                                   atol=2e-5, rtol=1e-2)
    assert any(not torch.allclose(a, b, atol=1e-6) for a, b in zip(noted[0][0], noted[1][0], strict=True))


def test_the_pixels_g_is_moved_by_are_ds_gradient_alone():
    """Other real images change what reaches G only through what D has learned of them: not at all if D stands still."""
    first, second = experiment(), experiment()
    second.images = second.images.flip(0)
    for e in (first, second):
        e.optimizer_d.step = lambda: None
        train(e, 3)
    assert torch.equal(flat(first.G), flat(second.G))


def test_what_changes_the_networks_needs_a_restart():
    fields = DCGANHyperparameters.fields()
    assert {name for name, k in fields.items() if k.restart} == {"spectral_norm", "preset", "width", "fault"}


def test_the_tutorials_values_train():
    assert all(math.isfinite(v) for m in train(DCGANExperiment(TUTORIAL.replace(batch_size=4, width=4)), 2)
               for v in m.values())


def test_the_average_is_that_of_the_weights_so_far():
    e = experiment()
    weight, mean = e.G.layers.up1.weight, e.G.layers.up1.weight.detach().clone()
    for step in range(30):
        e.step()
        keep = (1 + step) / (10 + step)
        mean = keep * mean + (1 - keep) * weight.detach()
    torch.testing.assert_close(e.model.layers.up1.weight, mean, atol=1e-6, rtol=0)
    assert not e.model.training and not e.model.layers.up1.weight.requires_grad
    assert e.model.layers.norm2.running_mean.abs().max() > 0  # the statistics are averaged too
    e.average.n_averaged.fill_(10**6)
    before = e.model.layers.up1.weight.clone()
    e.average.update_parameters(e.G)
    torch.testing.assert_close(e.model.layers.up1.weight, 0.999 * before + 0.001 * weight, atol=1e-7, rtol=0)


def test_the_arrays_of_a_snapshot():
    shown = experiment(dropout=0.3).snapshot()
    assert shown["samples"].shape == (40, 28, 28) and shown["samples"].min() >= 0 and shown["samples"].max() <= 1
    assert [shown[name].sum() for name in ("real", "fake")] == pytest.approx([1, 1])
    assert shown["real"].shape == shown["fake"].shape == shown["logits"].shape == (32,)


def test_each_fault_is_what_it_says():
    assert FAULTS[0] == "none"
    good = experiment()
    assert good.scaled(good.images[:50]).aminmax() == (-1, 1)
    half = experiment(fault="data in [0, 1]")
    assert half.scaled(half.images[:50]).aminmax() == (0, 1)
    bare = experiment(fault="no batch norm")
    assert not [m for m in bare.G.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    frozen = experiment(fault="G in inference mode")
    for e in (good, half, bare, frozen):
        train(e, 2)
    moved = [e.G.layers.norm1.running_mean.abs().max() > 0 for e in (good, half, frozen)]
    assert moved == [True, True, False]
