"""The table of families on the 8x8 digits."""

import math

import pytest
import torch

from course_lib.comparisons import digits8
from course_lib.models.rbm import bernoulli

TRAIN, TEST = digits8.flat_digits()
INK = digits8.frequencies(TRAIN)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def independent(log_prob=None):
    return digits8.TableRow("dust", "exact", "no", "1", "yes", "none",
                            lambda n, generator: bernoulli(INK.expand(n, -1), generator), log_prob)


def test_frequencies_are_never_certain():
    assert INK.min() > 0 and INK.max() < 1 and TRAIN.mean(0).min() == 0
    assert torch.allclose(INK, TRAIN.mean(0), atol=1e-3)


def test_made_trains_with_decaying_weights(monkeypatch):
    seen = []
    monkeypatch.setattr(digits8, "minimize", lambda *given, **named: seen.append(named))
    digits8.train_made(TRAIN, 1, seeded())
    monkeypatch.undo()
    norms = []
    for decay in (seen[0]["weight_decay"], 0.0):
        network = torch.nn.Linear(2, 2)
        before = network.weight.detach().norm()
        digits8.minimize(network, lambda network=network: 0 * network.weight.sum() + 0 * network.bias.sum(), 4, 0.1,
                         decay)
        norms.append((network.weight.detach().norm() / before).item())
    assert norms[0] < 0.99 and norms[1] == pytest.approx(1)


def test_measures_of_independent_pixels():
    log_prob = torch.distributions.Bernoulli(INK)
    got = digits8.measure(independent(lambda x: log_prob.log_prob(x).sum(1)), TRAIN, TEST, seeded())
    by_hand = -sum(math.log(INK[j] if x[j] else 1 - INK[j]) for x in TEST.tolist() for j in range(64)) / len(TEST)
    assert got.nll == pytest.approx(by_hand, abs=1e-3)
    assert got.samples.shape == (1440, 64) and got.seconds >= 0
    real = digits8.TableRow("real", "", "", "", "", "", lambda n, _: TEST.repeat(4, 1))
    real = digits8.measure(real, TRAIN, TEST, seeded())
    assert math.isnan(real.nll) and real.frechet < 0.35 and got.frechet > 1.5


def test_the_table_has_a_line_for_each_row():
    row = independent()
    text = digits8.table([row, row], [digits8.Measured(math.nan, 1.5, 0.25, TEST), digits8.Measured(9, 2, 3, TEST)])
    lines = text.splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert digits8.table([row], [digits8.Measured(9, 2, math.nan, TEST)]).endswith("| 9.00 | 2.00 | – |")
    assert lines[2].endswith("| – | 1.50 | 0.25 |") and lines[3].endswith("| 9.00 | 2.00 | 3 |")


def test_each_training_gets_somewhere_in_a_few_steps():
    rbm = digits8.train_rbm(TRAIN, 16, 600, seeded())
    assert -rbm.log_prob(TEST).mean() < 22
    fvbn = digits8.train_made(TRAIN, 150, seeded())
    assert -fvbn.log_prob(TEST.view(-1, 8, 8).long()).mean() < 21.3
    denoiser = digits8.train_denoiser(TRAIN, 60, seeded())
    before = digits8.train_denoiser(TRAIN, 0, seeded())
    corrupted = denoiser.corrupt(TEST, seeded(1))
    assert denoiser.log_prob(TEST, corrupted).mean() > before.log_prob(TEST, corrupted).mean() + 20

    def frechet(steps):
        G = digits8.train_generator(TRAIN, steps, seeded())
        row = digits8.TableRow("MMD", "none", "yes", "1", "yes", "any",
                          lambda n, generator: G(torch.randn(n, digits8.NOISE_SIZE, generator=generator)))
        return digits8.measure(row, TRAIN, TEST, seeded()).frechet

    assert frechet(150) < 0.4 * frechet(0)


def test_the_diffusion_model_of_three_pictures_names_them():
    pictures = 2 * TRAIN[:3] - 1
    network = digits8.train_diffusion(pictures, 150, seeded())
    x_t = 0.9 * pictures + 0.4 * torch.randn(3, 64, generator=seeded(1))
    said = network(x_t, torch.full((3,), 0.29))
    assert torch.equal(torch.cdist(said, pictures).argmin(dim=1), torch.arange(3))
    assert (said - pictures).square().sum(dim=1).max() < 5  # of 64 and more between two of them


class Striped:
    """A source of pictures of 2x3 pixels, a full row each."""

    D = 6

    def __call__(self, n, generator):
        top = torch.randint(2, (n, 1), generator=generator).float()
        return torch.cat([top.expand(-1, 3), 1 - top.expand(-1, 3)], dim=1)


def test_pictures_may_come_from_a_source():
    pictures = Striped()(200, seeded(1))
    made = digits8.train_made(Striped(), 100, seeded(), size=(2, 3), weight_decay=0.0)
    assert -made.log_prob(pictures.view(-1, 2, 3).long()).mean() < math.log(2) + 0.2
    rbm = digits8.train_rbm(Striped(), 4, 200, seeded())
    assert -rbm.log_prob(pictures).mean() < 3 < 6 * math.log(2)
    denoiser = digits8.train_denoiser(Striped(), 60, seeded())
    assert denoiser.log_prob(pictures, denoiser.corrupt(pictures, seeded(2))).mean() > -1.5
    z = torch.randn(9, digits8.NOISE_SIZE, generator=seeded())
    assert digits8.train_generator(Striped(), 1, seeded())(z).shape == (9, 6)
    assert digits8.train_diffusion(Striped(), 1, seeded())(pictures, torch.zeros(200)).shape == (200, 6)
