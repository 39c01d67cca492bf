"""Likelihood by the ODE: the divergence against autograd, the integral against the density."""

import pytest
import torch

from course_lib.models.noised import NoisedMixture
from course_lib.models.ode_likelihood import exact_divergence, exact_log_prob
from course_lib.models.schedules import SCHEDULES
from course_lib.models.velocity import log_prob
from course_lib.seeds import seeded

COSINE = SCHEDULES["cosine"]
PI, S = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.3, 0.6, 0.2])


def mixture(D):
    return NoisedMixture(torch.randn(3, D, generator=seeded()), S, PI)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("D", [1, 2, 3])
@pytest.mark.parametrize("t", [0.05, 0.5, 0.97])
def test_the_divergence_is_autograds(schedule, D, t):
    m, at = mixture(D), torch.tensor(t, dtype=torch.float64)
    x = torch.randn(6, D, generator=seeded(1)).double().requires_grad_()
    u = m.field("velocity", x, at, schedule)
    trace = sum(torch.autograd.grad(u[:, j].sum(), x, retain_graph=True)[0][:, j] for j in range(D))
    torch.testing.assert_close(exact_divergence(m, x.detach(), at, schedule), trace, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("D", [1, 2, 3])
def test_the_likelihood_is_the_density(D):
    m = mixture(D)
    x = m.sample(20, seeded(2)).double()
    log_p, calls = exact_log_prob(m, x, COSINE, 1e-6)
    torch.testing.assert_close(log_p, m.log_prob(x), rtol=0, atol=1e-5)
    assert exact_log_prob(m, x, COSINE, 1e-3)[1] < calls


def test_any_field_in_equal_steps():
    m = mixture(2)
    x = m.sample(20, seeded(2)).double()

    def velocity(x, t):
        return m.field("velocity", x, t, COSINE)

    off = [(log_prob(velocity, x, steps, start=1e-3) - m.log_prob(x)).abs().max().item()
           for steps in (25, 50, 100)]
    assert off[2] < 4e-3 and off[1] < off[0] / 3 and off[2] < off[1] / 3  # Heun: with the square of the step
    assert not log_prob(velocity, x.clone().requires_grad_(), 2, start=1e-3).isnan().any()
