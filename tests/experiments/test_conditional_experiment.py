import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.conditional import ConditionalExperiment, ConditionalHyperparameters, classed_as_asked
from course_lib.training import run
from course_lib.training.pretrained import load_pretrained

TINY = ConditionalHyperparameters(width=4, batch_size=4)


def experiment(seed=0, **changes):
    return ConditionalExperiment(TINY.replace(**changes), seed)


def train(e, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_one_update_equals_the_step_written_out():
    e = experiment(spectral_norm=False)
    G, D, batches = copy.deepcopy(e.G), copy.deepcopy(e.D), copy.deepcopy(e.batches)
    generator = torch.Generator()
    generator.set_state(e.generator.get_state())
    optimizer_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    bce, one, zero = F.binary_cross_entropy_with_logits, torch.ones(4), torch.zeros(4)
    metrics = e.step()

    train_set = load_mnist("train")
    picked = batches.order[:4]
    x, y = train_set.images[picked][:, None] / 127.5 - 1, train_set.labels[picked]
    asked = train_set.labels[torch.randint(60_000, (4,), generator=generator)]
    z = torch.randn(4, 90, generator=generator)
    loss_d = bce(D(x, y), one) + bce(D(G(z, asked).detach(), asked), zero)
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    loss_g = bce(D(G(z, asked), asked), one)
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    assert metrics["loss_d"].item() == pytest.approx(loss_d.item(), rel=1e-5)
    assert metrics["loss_g"].item() == pytest.approx(loss_g.item(), rel=1e-5)
    torch.testing.assert_close(flat(e.D), flat(D), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat(e.G), flat(G), atol=1e-5, rtol=0)


def test_real_pictures_keep_their_labels_and_orders_come_as_often_as_in_the_data():
    e = experiment()
    x, y = e.real_batch(torch.arange(5))
    assert torch.equal(x, e.scaled(e.images[:5])) and torch.equal(y, load_mnist("train").labels[:5])
    _, asked = e.noise_batch(3000, torch.Generator().manual_seed(0))
    share = torch.bincount(load_mnist("train").labels, minlength=10) / 60_000
    assert (torch.bincount(asked, minlength=10) / 3000 - share).abs().max() < 0.025


def test_the_snapshot_orders_each_digit_in_its_column():
    e = experiment()
    train(e, 2)
    shown = e.snapshot()
    assert shown["samples"].shape == (40, 28, 28) and all(np.isfinite(a).all() for a in shown.values())
    asked = torch.arange(40) % 10
    assert np.array_equal(shown["samples"], e.model.sample(asked, torch.Generator().manual_seed(2**32)).numpy())


def test_classed_as_asked_counts_by_digit():
    test = load_mnist("test")[:1000]
    real = classed_as_asked(test.floats(), test.labels)
    assert real.shape == (10,) and real.min() > 0.95
    wrong = test.labels.clone()
    wrong[test.labels == 3] = 5
    shares = classed_as_asked(test.floats(), torch.where(test.labels == 5, 3, wrong))
    assert shares[3] < 0.05 and shares[5] < 0.05 and shares[[0, 1, 2, 4, 6, 7, 8, 9]].min() > 0.95


def test_the_shipped_one_gives_what_is_asked():
    """On other noise than its card's."""
    G, card = load_pretrained("conditional")
    asked = torch.arange(10).repeat_interleave(300)
    shares = classed_as_asked(G.sample(asked, torch.Generator().manual_seed(123)), asked)
    assert shares.mean() >= 0.97 and shares.min() >= 0.92
    assert card.metrics["as_asked"] >= 0.97 and card.metrics["worst_class"] >= 0.92


def test_r1_and_the_deeper_networks_of_the_dcgan_work_here_too():
    plain, penalised = experiment(preset="deep"), experiment(preset="deep", r1=10.0)
    for e in (plain, penalised):
        assert all(np.isfinite(value) for metrics in train(e, 2) for value in metrics.values())
    assert not torch.equal(flat(plain.D), flat(penalised.D))
