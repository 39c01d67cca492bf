import math

import pytest
import torch
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from course_lib.models.infogan import Code, InfoDiscriminator, InfoGenerator, QOutput, draw_code, log_q, noise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=5):
    return 2 * torch.rand(n, 1, 28, 28, generator=seeded(5)) - 1


def test_codes_are_uniform():
    k, u = draw_code(20_000, seeded())
    assert k.dtype == torch.int64 and u.shape == (20_000, 2)
    assert torch.bincount(k, minlength=10).div(20_000).sub(0.1).abs().max() < 0.01
    assert u.min() >= -1 and u.max() <= 1 and u.mean(0).abs().max() < 0.02
    assert (u.var(0) - 1 / 3).abs().max() < 0.01


def test_g_is_the_dcgans_on_noise_and_code():
    G, z, code = InfoGenerator(width=4, generator=seeded()).eval(), noise(5, seeded()), draw_code(5, seeded(1))
    told = torch.cat([z, 4 * F.one_hot(code.k, 10).float(), code.u], 1)
    assert told.shape == (5, 100) and torch.equal(G(z, code), G.layers(told))
    sampled = G.sample(code, seeded(3))
    assert sampled.shape == (5, 28, 28) and sampled.min() >= 0 and sampled.max() <= 1
    torch.testing.assert_close(2 * sampled - 1, G(noise(5, seeded(3)), code)[:, 0].detach())


def test_d_judges_and_reads_from_the_same_features():
    D, x = InfoDiscriminator(width=4, spectral_norm=True, generator=seeded()).eval(), images()
    logits, read = D(x)
    features = D.features(x)
    torch.testing.assert_close(logits, D.layers.logit(features).squeeze(1))
    again = D.Q(features)
    assert all(torch.equal(a, b) for a, b in zip(read, again, strict=True))
    assert logits.shape == (5,) and [part.shape[1] for part in read] == [10, 2, 2]
    torch.testing.assert_close(read.log_q.exp().sum(1), torch.ones(5))
    read.log_q[0, 0].backward()
    assert D.layers.down1.parametrizations.weight.original.grad.abs().max() > 0  # Q's gradient reaches D's layers


def test_log_q_is_that_of_torchs_distributions():
    code = draw_code(7, seeded())
    read = QOutput(torch.randn(7, 10, generator=seeded(1)).log_softmax(1), torch.randn(7, 2, generator=seeded(2)),
                torch.randn(7, 2, generator=seeded(3)))
    category, numbers = log_q(code, read)
    torch.testing.assert_close(category, Categorical(logits=read.log_q).log_prob(code.k))
    torch.testing.assert_close(numbers, Normal(read.mu, (read.log_var / 2).exp()).log_prob(code.u))


def test_a_perfect_reader_reads_everything_and_a_blind_one_nothing():
    code = Code(torch.arange(10), torch.zeros(10, 2))
    sure = torch.full((10, 10), -40.0).fill_diagonal_(0.0)
    for log, expected in ((sure, math.log(10)), (torch.full((10, 10), 0.1).log(), 0.0)):
        category, _ = log_q(code, QOutput(log, code.u, code.u))
        assert (math.log(10) + category.mean()).item() == pytest.approx(expected, abs=1e-5)


def test_bad_images_are_told():
    with pytest.raises(ValueError, match="must lie in"):
        InfoDiscriminator(width=4, generator=seeded())(10 * images())
