"""The deep Boltzmann machine against a sum over every state of all three layers."""

import pytest
import torch

from course_lib.models.dbm import DBM, entropy
from course_lib.models.rbm import all_states

D, H1, H2 = 4, 3, 2


@pytest.fixture
def dbm():
    generator = torch.Generator().manual_seed(0)
    made = DBM(D, H1, H2, generator).double()
    for parameter in made.parameters():
        parameter.data = 1.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return made


def minus_energy(dbm):
    """−E of every state, `[2^D, 2^H1, 2^H2]`."""
    x, h, g = (all_states(n).double() for n in (D, H1, H2))
    return ((x @ dbm.b)[:, None, None] + (h @ dbm.c1)[None, :, None] + (g @ dbm.c2)[None, None]
            + (x @ dbm.W1 @ h.T)[:, :, None] + (h @ dbm.W2 @ g.T)[None])


def test_log_prob_and_log_partition_are_sums_over_every_state(dbm):
    minus_E, x = minus_energy(dbm), all_states(D).double()
    assert torch.allclose(dbm.log_partition(), minus_E.flatten().logsumexp(0), atol=1e-12)
    assert torch.allclose(dbm.log_unnormalised(x), minus_E.flatten(1).logsumexp(1), atol=1e-12)
    assert dbm.log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_gap_of_the_bound_is_the_kl_to_the_posterior(dbm, seed):
    x, generator = all_states(D).double(), torch.Generator().manual_seed(seed)
    q_h, q_g = (torch.rand(len(x), n, generator=generator, dtype=torch.float64) for n in (H1, H2))
    log_posterior = minus_energy(dbm).flatten(1).log_softmax(1)
    h, g = all_states(H1).double(), all_states(H2).double()
    of_h = torch.where(h[None] > 0, q_h[:, None], 1 - q_h[:, None]).prod(2)
    of_g = torch.where(g[None] > 0, q_g[:, None], 1 - q_g[:, None]).prod(2)
    q = (of_h[:, :, None] * of_g[:, None]).flatten(1)
    kl = (q * (q.log() - log_posterior)).sum(1)
    assert torch.allclose(dbm.log_prob(x) - dbm.bound(x, q_h, q_g), kl, atol=1e-10)
    assert (kl > 0).all()


def test_every_sweep_of_the_mean_field_raises_the_bound(dbm):
    x = all_states(D).double()
    bounds = torch.stack([dbm.bound(x, *dbm.mean_field(x, sweeps)) for sweeps in range(1, 12)])
    assert (bounds.diff(dim=0) > -1e-12).all() and (bounds[-1] - bounds[0]).max() > 1e-3
    assert (bounds <= dbm.log_prob(x)).all()


def test_without_the_second_layer_the_mean_field_is_exact(dbm):
    dbm.W2.data.zero_()
    x = all_states(D).double()
    assert torch.allclose(dbm.bound(x, *dbm.mean_field(x, 1)), dbm.log_prob(x), atol=1e-12)


def test_entropy_of_coins():
    assert entropy(torch.tensor([[0.5, 0.5], [0.0, 1.0]])).tolist() == pytest.approx([2 * 0.6931472, 0])


def test_an_empty_layer_is_refused():
    with pytest.raises(ValueError, match="at least 1 unit"):
        DBM(4, 0, 2, torch.Generator())
