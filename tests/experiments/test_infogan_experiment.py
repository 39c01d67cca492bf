import copy
import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from course_lib.data import load_mnist
from course_lib.experiments.infogan import InfoGANExperiment, InfoGANHyperparameters, sample_codes, traversal_effect
from course_lib.measure import slant, thickness
from course_lib.models.infogan import Code, InfoGenerator
from course_lib.training import run
from course_lib.training.pretrained import load_pretrained

TINY = InfoGANHyperparameters(width=4, batch_size=4)


def experiment(seed=0, **changes):
    return InfoGANExperiment(TINY.replace(**changes), seed)


def train(e, steps):
    return [{k: float(v) for k, v in metrics.items()} for metrics in run(e, steps, progress=False)]


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def test_one_update_equals_the_step_written_out():
    """Both losses hold the information term; D's layers and Q learn it in D's step only, G in its own."""
    e = experiment(spectral_norm=False, information=0.7, information_u=0.2)
    G, D, batches = copy.deepcopy(e.G), copy.deepcopy(e.D), copy.deepcopy(e.batches)
    generator = torch.Generator()
    generator.set_state(e.generator.get_state())
    optimizer_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    bce, one, zero = F.binary_cross_entropy_with_logits, torch.ones(4), torch.zeros(4)
    metrics = e.step()

    k = torch.randint(10, (4,), generator=generator)
    u = 2 * torch.rand(4, 2, generator=generator) - 1
    z = torch.randn(4, 88, generator=generator)
    x = load_mnist("train").images[batches.order[:4]][:, None] / 127.5 - 1

    def unread(read):
        numbers = Normal(read.mu, (read.log_var / 2).exp()).log_prob(u).sum(1)
        return -(0.7 * Categorical(logits=read.log_q).log_prob(k) + 0.2 * numbers).mean()

    logits, read = D(G(z, Code(k, u)).detach())
    loss_d = bce(D(x)[0], one) + bce(logits, zero) + unread(read)
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    logits, read = D(G(z, Code(k, u)))
    loss_g = bce(logits, one) + unread(read)
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    assert metrics["loss_d"].item() == pytest.approx(loss_d.item(), rel=1e-5)
    assert metrics["loss_g"].item() == pytest.approx(loss_g.item(), rel=1e-5)
    torch.testing.assert_close(flat(e.D), flat(D), atol=1e-5, rtol=0)
    torch.testing.assert_close(flat(e.G), flat(G), atol=1e-5, rtol=0)


def test_without_the_term_the_reader_learns_nothing():
    e = experiment(information=0.0, information_u=0.0)
    before = flat(e.D.Q)
    train(e, 3)
    assert torch.equal(flat(e.D.Q), before)
    worth = experiment(information=1.0)
    train(worth, 3)
    assert not torch.equal(flat(worth.D.Q), before)


def test_the_samples_of_a_snapshot_are_images():
    shown = experiment().snapshot()
    assert shown["samples"].shape == (40, 28, 28) and shown["samples"].min() >= 0 and shown["samples"].max() <= 1


class Sheared(InfoGenerator):
    """Made-up pictures of a bar that leans by u₁ / 2 and is 3 + u₂ wide, whatever noise there is."""

    def __init__(self):
        super().__init__(width=4, generator=torch.Generator())

    def forward(self, z, code):
        row, column = torch.meshgrid(*(torch.arange(28.0) - 13.5,) * 2, indexing="ij")
        lean, width = (code.u[:, i, None, None] for i in (0, 1))
        inside = ((3 + width) / 2 + 0.5 - (column + lean / 2 * row).abs()).clamp(0, 1) * (row.abs() < 9)
        return 2 * inside[:, None] - 1


def test_what_a_number_does_is_measured_with_all_else_held():
    effect, real = traversal_effect(Sheared(), 20, seed=0), load_mnist("test").floats().numpy()
    assert effect["slant"][0] == pytest.approx(1 / slant(real).std(), rel=0.05)
    assert abs(effect["slant"][1]) < 0.1 and effect["thickness"][1] > 1.2 / thickness(real).std()
    assert abs(effect["thickness"][0]) < 0.3 * effect["thickness"][1]


def test_made_of_returns_the_codes_of_its_pictures():
    code, x, digits = sample_codes(Sheared(), 30, seed=0)
    assert x.shape == (30, 28, 28) and digits.shape == (30,)
    np.testing.assert_allclose(slant(x.numpy()), code.u[:, 0].numpy() / 2, atol=0.03)


def test_the_shipped_code_can_be_seen():
    """On other noise than its card's. Purity is told as measured; only that it is no luck is asked."""
    G, card = load_pretrained("infogan")
    effect = traversal_effect(G, 500, seed=123)
    assert max(np.abs(values).max() for values in effect.values()) >= 0.8
    assert max(card.metrics["largest_slant"], card.metrics["largest_thickness"]) >= 0.8
    assert card.metrics["purity"] > 0.3 and card.metrics["digit_information"] < math.log(10)


def test_r1_and_the_deeper_networks_of_the_dcgan_work_here_too():
    plain, penalised = experiment(preset="deep"), experiment(preset="deep", r1=10.0)
    for e in (plain, penalised):
        assert all(np.isfinite(value) for metrics in train(e, 2) for value in metrics.values())
    assert not torch.equal(flat(plain.D), flat(penalised.D))
