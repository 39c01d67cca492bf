"""The RBM against sums over every state, automatic differentiation, and the transition matrix of its chain."""

import itertools
import math

import pytest
import torch
from sklearn.neural_network import BernoulliRBM

from course_lib.models.rbm import RBM, ais, all_states, bernoulli, log_mean_exp

D, H = 4, 3


@pytest.fixture
def rbm():
    return machine()


def machine(seed=0, D=D, H=H, seeds=None):
    generator = torch.Generator().manual_seed(seed)
    rbm = RBM(D, H, generator, seeds=seeds).double()
    for parameter in rbm.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return rbm


def joint(rbm):
    """p(x, h), `[2^D, 2^H]`, one state at a time."""
    E = torch.tensor([[-(sum(rbm.b[i] * x[i] for i in range(D)) + sum(rbm.c[j] * h[j] for j in range(H))
                         + sum(rbm.W[i, j] * x[i] * h[j] for i in range(D) for j in range(H))).item()
                       for h in itertools.product((0, 1), repeat=H)] for x in itertools.product((0, 1), repeat=D)],
                     dtype=torch.float64)
    return (-E).exp() / (-E).exp().sum(), (-E).exp().sum().log()


def test_all_states_count_in_binary():
    assert all_states(3).tolist() == [list(map(float, s)) for s in itertools.product((0, 1), repeat=3)]
    with pytest.raises(ValueError, match=r"2\^21 states"):
        all_states(21)


@pytest.mark.parametrize("sizes", [(4, 3), (3, 4)])  # the smaller side is the one that is summed over
def test_log_partition_and_log_prob_are_sums_over_every_state(sizes):
    rbm = machine(D=sizes[0], H=sizes[1])
    x, h = all_states(sizes[0]).double(), all_states(sizes[1]).double()
    minus_E = (x @ rbm.b)[:, None] + h @ rbm.c + x @ rbm.W @ h.T
    assert torch.allclose(rbm.log_partition(), minus_E.flatten().logsumexp(0), atol=1e-12)
    assert torch.allclose(-rbm.free_energy(x), minus_E.logsumexp(1), atol=1e-12)
    assert torch.allclose(rbm.log_prob(x).exp().sum(), torch.tensor(1.0, dtype=torch.float64), atol=1e-12)


def test_the_energy_is_the_documented_one(rbm):
    p, log_Z = joint(rbm)
    assert torch.allclose(rbm.log_prob(all_states(D).double()).exp(), p.sum(1), atol=1e-12)
    assert torch.allclose(rbm.log_partition(), log_Z, atol=1e-12)


def test_conditionals_are_those_of_the_joint(rbm):
    p, _ = joint(rbm)
    x, h = all_states(D).double(), all_states(H).double()
    assert torch.allclose(rbm.p_h(x), p @ h / p.sum(1, keepdim=True), atol=1e-12)
    assert torch.allclose(rbm.p_x(h), p.T @ x / p.sum(0)[:, None], atol=1e-12)


def test_free_energy_agrees_with_scikit_learns():
    rbm = machine(D=6, H=5)
    theirs = BernoulliRBM(n_components=5)
    theirs.components_, theirs.intercept_hidden_, theirs.intercept_visible_ = (
        parameter.detach().numpy() for parameter in (rbm.W.T, rbm.c, rbm.b))
    x = all_states(6)
    assert torch.allclose(rbm.free_energy(x.double()), torch.tensor(theirs._free_energy(x.numpy())), atol=1e-10)


def test_gradient_of_the_log_likelihood_is_a_difference_of_moments(rbm):
    data = all_states(D).double()[[1, 5, 5, 14]]
    gradients = torch.autograd.grad(rbm.log_prob(data).mean(), [rbm.W, rbm.b, rbm.c])
    for gradient, seen, negative_phase in zip(gradients, rbm.moments(data), rbm.exact_moments(), strict=True):
        assert torch.allclose(gradient, seen - negative_phase, atol=1e-12)
    before = rbm.log_prob(data).mean().item()
    rbm.gradient_step(rbm.moments(data), rbm.exact_moments(), 1e-3)
    norm2 = sum((g**2).sum().item() for g in gradients)
    assert rbm.log_prob(data).mean().item() - before == pytest.approx(1e-3 * norm2, rel=0.02)


def test_the_models_distribution_is_stationary_and_detailed_balance_holds(rbm):
    x, h = all_states(D).double(), all_states(H).double()
    p = rbm.log_prob(x).exp()
    up = torch.where(h[None] > 0, rbm.p_h(x)[:, None], 1 - rbm.p_h(x)[:, None]).prod(2)
    down = torch.where(x[None] > 0, rbm.p_x(h)[:, None], 1 - rbm.p_x(h)[:, None]).prod(2)
    T = up @ down
    assert torch.allclose(p @ T, p, atol=1e-12)
    assert torch.allclose(p[:, None] * T, (p[:, None] * T).T, atol=1e-12)

    generator = torch.Generator().manual_seed(0)  # and `gibbs` takes its steps by that matrix
    ends = rbm.gibbs(x[[6]].expand(40_000, -1), 2, generator)
    shares = torch.bincount((ends @ torch.tensor([8.0, 4, 2, 1], dtype=torch.float64)).long(), minlength=16) / 40_000
    assert (shares - (T @ T)[6]).abs().max() < 0.012


def test_machines_side_by_side_are_machines_alone():
    several = machine(seeds=3)
    x = all_states(D).double()
    for i in range(3):
        alone = several.machine(i).double()
        alone.load_state_dict({name: value[i] for name, value in several.state_dict().items()})  # in float64
        assert torch.allclose(several.log_prob(x)[i], alone.log_prob(x), atol=1e-12)
        for a, b in zip(several.exact_moments(), alone.exact_moments(), strict=True):
            assert torch.allclose(a[i], b, atol=1e-12)


def test_annealed_importance_sampling_is_unbiased_and_exact_where_there_is_nothing_to_cool(rbm):
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(D, generator=generator, dtype=torch.float64)
    log_w = ais(rbm, base, torch.linspace(0, 1, 6, dtype=torch.float64), 40_000, generator)
    ratio = (log_w - rbm.log_partition()).exp()
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(len(ratio))
    assert log_w.std() > 0.1 and log_w.mean() < rbm.log_partition()  # Jensen: the mean of the logs is too low

    rbm.W.data.zero_()
    rbm.c.data.zero_()
    rbm.b.data.copy_(base)
    log_w = ais(rbm, base, torch.linspace(0, 1, 4, dtype=torch.float64), 5, generator)
    assert torch.allclose(log_w, rbm.log_partition().expand(5), atol=1e-12)


def test_slow_cooling_finds_log_z_within_a_tenth_of_a_nat():
    rbm, generator = machine(3, D=9, H=16), torch.Generator().manual_seed(2)
    rbm.W.data.mul_(2)
    betas = torch.linspace(0, 1, 1001, dtype=torch.float64)
    log_w = ais(rbm, torch.zeros(9, dtype=torch.float64), betas, 100, generator)
    assert abs(log_mean_exp(log_w) - rbm.log_partition().item()) < 0.1


@pytest.mark.parametrize("betas", [[0.1, 1.0], [0.0, 0.9], [0.0, 0.5, 0.5, 1.0]])
def test_a_bridge_that_does_not_reach_is_refused(rbm, betas):
    with pytest.raises(ValueError, match="rise from 0 to 1"):
        ais(rbm, torch.zeros(D), torch.tensor(betas), 2, torch.Generator())


def test_bernoulli_draws_with_the_given_probabilities():
    p = torch.tensor([0.0, 0.2, 1.0])
    draws = bernoulli(p.expand(20_000, 3), torch.Generator().manual_seed(0))
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    assert draws.mean(0).tolist() == pytest.approx(p.tolist(), abs=0.012)


def test_sizes_without_sense_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        RBM(0, 3, torch.Generator())


@pytest.mark.parametrize("shape", [(4,), (3, 5)])
def test_what_is_no_batch_of_pictures_is_told(rbm, shape):
    D, H = rbm.W.shape
    for use, size in ((rbm.log_prob, D), (rbm.p_h, D), (rbm.p_x, H)):
        with pytest.raises(ValueError, match=rf"must have shape \[n, {size}\], not"):
            use(torch.zeros(shape, dtype=torch.float64))
