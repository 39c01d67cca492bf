"""Inpainting by replacement against closed forms: its steps, what it keeps, and its bias for a mixture in the plane."""

import math

import pytest
import torch

from course_lib.models.flow_matching import PATH
from course_lib.models.inpainting import inpaint, step_down, step_up
from course_lib.models.noised import NoisedMixture
from course_lib.seeds import seeded

N = 200_000
SEEN = torch.tensor([True, False])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.9), (0.7, 0.4), (0.3, 0.05), (0.2, 0.0)])
def test_a_step_down_is_bayes_rule(t, s):
    """Of one pixel x_0: x_s and then x_t are drawn forwards; the step, from x_t and x_0, must have the same x_s."""
    x_0 = torch.full((N,), 0.8, dtype=torch.float64)
    x_s = (1 - s) * x_0 + s * normal(N, seed=1)
    x_t = step_up(x_s, s, t, normal(N, seed=2))
    again = step_down(x_t, x_0, t, s, normal(N, seed=3))
    for a, b in ((x_s, again), (x_s * x_t, again * x_t), (x_s**2, again**2)):
        error = (a.var() / N + b.var() / N).sqrt().item()
        assert (a.mean() - b.mean()).abs().item() <= 5 * error + 1e-12


@pytest.mark.parametrize(("s", "t"), [(0.0, 0.3), (0.4, 0.7), (0.9, 1.0)])
def test_a_step_up_leads_to_the_noise_of_its_time(s, t):
    x_0 = torch.full((N,), -1.5, dtype=torch.float64)
    x_t = step_up((1 - s) * x_0 + s * normal(N), s, t, normal(N, seed=1))
    assert x_t.mean().item() == pytest.approx(-1.5 * (1 - t), abs=5 * t / math.sqrt(N))
    assert x_t.std().item() == pytest.approx(t, rel=0.01)


def drawn(mixture, first, rounds=1, steps=50, n=4000, seed=0):
    x_0 = torch.tensor([[first, math.pi]], dtype=torch.float64).repeat(n, 1)
    return inpaint(lambda x, t: mixture.field("velocity", x, t, PATH), x_0, SEEN, steps, seeded(seed), rounds)


def test_what_is_seen_stays_and_what_is_hidden_is_not_used():
    mixture = NoisedMixture(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), 0.3)
    x = drawn(mixture, 0.25, n=50)
    assert (x[:, 0] == 0.25).all() and (x[:, 1] != math.pi).all()
    other = inpaint(lambda x, t: mixture.field("velocity", x, t, PATH),
                    torch.tensor([[0.25, -50.0]], dtype=torch.float64).repeat(50, 1), SEEN, 50, seeded())
    assert torch.equal(x, other)


def test_independent_coordinates_are_filled_without_bias():
    """Where the seen number says nothing of the hidden one, replacement is right: N(0.5, 0.6²) must come out."""
    hidden = drawn(NoisedMixture(torch.tensor([[-1.0, 0.5]]), 0.6), -0.4, steps=200)[:, 1]
    assert hidden.mean().item() == pytest.approx(0.5, abs=5 * 0.6 / math.sqrt(4000))
    assert hidden.std().item() == pytest.approx(0.6, rel=0.05)


def test_replacement_is_biased_and_rounds_lessen_it():
    mixture = NoisedMixture(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), 0.4)
    first = 0.3
    exact = 1 / (1 + math.exp(-2 * first / 0.4**2))  # share of the upper Gaussian, given the first number
    shares = [(drawn(mixture, first, rounds)[:, 1] > 0).double().mean().item() for rounds in (1, 5, 20)]
    assert exact == pytest.approx(0.977, abs=0.001)
    assert shares[0] < shares[1] < shares[2] < exact + 0.01 and exact - shares[0] > 0.1


@pytest.mark.parametrize(("steps", "rounds"), [(0, 1), (1, 0)])
def test_no_steps_and_no_rounds_are_refused(steps, rounds):
    with pytest.raises(ValueError, match="at least 1"):
        drawn(NoisedMixture(torch.tensor([[0.0, 0.0]]), 1.0), 0.0, rounds, steps)
