"""Importance-weighted bounds: against plain sums, in their order, below an exact log p(x), and at their limits."""

import itertools
import math

import numpy as np
import pytest
import torch

from course_lib.measure import effective_sample_size, iw_bound, ratio_moments
from course_lib.models.circle import Circle


def weights(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("k", [1, 2, 5, 10])
@pytest.mark.parametrize("shape", [(10,), (10, 3), (20, 2, 4)])
def test_it_is_the_mean_over_groups_of_the_log_of_the_mean(shape, k):
    log_w = weights(*shape)
    w = np.exp(log_w.numpy())
    expected = np.mean([np.log(w[i:i + k].mean(axis=0)) for i in range(0, shape[0], k)], axis=0)
    np.testing.assert_allclose(iw_bound(log_w, k).numpy(), expected, atol=1e-12)


def test_the_ends_are_the_elbo_and_the_log_of_the_mean():
    log_w = weights(50, 4)
    torch.testing.assert_close(iw_bound(log_w, 1), log_w.mean(dim=0))
    torch.testing.assert_close(iw_bound(log_w, 50), log_w.exp().mean(dim=0).log())


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_for_the_same_draws_a_multiple_of_k_never_gives_less(scale):
    log_w = weights(60, 5_000, scale=scale)
    bounds = [iw_bound(log_w, k) for k in (1, 2, 6, 12, 60)]
    assert all((low <= high + 1e-12).all() for low, high in itertools.pairwise(bounds))


def test_on_average_it_rises_towards_the_exact_value_from_below():
    circle, x = Circle(), torch.tensor([[0.3, 0.2]], dtype=torch.float64)
    exact, repeats = circle.log_prob(x).item(), 20_000
    z = weights(50, repeats, seed=1)                                                       # q is the prior
    log_w = circle.log_joint(x.expand(repeats, 2), z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)
    means, errors = zip(*((v.mean().item(), v.std().item() / repeats**0.5)
                          for v in (iw_bound(log_w, k) for k in (1, 5, 50))), strict=True)
    assert means[0] < means[1] < means[2] < exact + 4 * errors[2]
    assert exact - means[2] < 0.02
    elbo = circle.elbo(x, torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)).item()
    assert abs(means[0] - elbo) < 4 * errors[0]


def test_huge_and_zero_weights():
    log_w = torch.tensor([[-1000.0, 900.0, -torch.inf], [-1000.0, 900.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([-1000.0, 900.0, -math.log(2)], dtype=torch.float64)
    torch.testing.assert_close(iw_bound(log_w, 2), expected)


def test_the_gradient_is_that_of_normalised_weights_and_agrees_with_finite_differences():
    log_w = weights(6, 2).requires_grad_()
    (slope,) = torch.autograd.grad(iw_bound(log_w, 6).sum(), log_w)
    torch.testing.assert_close(slope, log_w.softmax(dim=0))
    assert torch.autograd.gradcheck(lambda v: iw_bound(v, 3), (log_w,))


def test_effective_sample_size():
    log_w = weights(12, 5)
    w = log_w.exp()
    torch.testing.assert_close(effective_sample_size(log_w), w.sum(dim=0) ** 2 / (w**2).sum(dim=0))
    torch.testing.assert_close(effective_sample_size(torch.full((9,), -700.0)), torch.tensor(9.0))
    one = torch.tensor([0.0, -torch.inf, -torch.inf])
    assert effective_sample_size(one) == 1 and effective_sample_size(one[1:]) == 0


@pytest.mark.parametrize(("log_w", "k", "words"), [
    (torch.zeros(50), 7, "k must divide the number of draws, 50; 7 does not"),
    (torch.zeros(50), 0, "k must divide"),
    (torch.zeros(50), 100, "k must divide"),
    (torch.tensor([0.0, torch.nan]), 1, "NaN"),
    (torch.tensor([0.0, torch.inf]), 1, r"\+inf"),
    (torch.tensor(0.0), 1, "first dimension of draws"),
    (torch.zeros(0, 3), 1, "at least one"),
])
def test_bad_input_is_told(log_w, k, words):
    with pytest.raises(ValueError, match=words):
        iw_bound(log_w, k)


FOUR = torch.tensor([-2.0, 0.0, 0.3, 1.5], dtype=torch.float64)                         # log w of four kinds of draw
A = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
CHANCES = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_moments_of_a_ratio_are_those_over_all_tuples_of_draws(power):
    ks = [1, 2, 5]
    for k, *moments in zip(ks, *ratio_moments(FOUR, A, CHANCES, ks, power), strict=True):
        tuples = torch.cartesian_prod(*[torch.arange(4)] * k).reshape(-1, k)
        chance, value = CHANCES[tuples].prod(dim=1), A[tuples].sum(dim=1) / FOUR.exp()[tuples].sum(dim=1) ** power
        mean = (chance * value).sum()
        expected = mean, (chance * (value - mean) ** 2).sum().sqrt()
        torch.testing.assert_close(tuple(moments), expected, rtol=1e-9, atol=0)


def test_the_scale_of_the_weights_divides_the_ratio_and_equal_weights_leave_a_mean_of_a():
    for here, there in zip(ratio_moments(FOUR, A, CHANCES, [3], 2), ratio_moments(FOUR + 20, A, CHANCES, [3], 2),
                           strict=True):
        torch.testing.assert_close(there * math.exp(40), here, rtol=1e-9, atol=0)
    mean, deviation = ratio_moments(torch.zeros_like(A), A, CHANCES, [10_000])
    exact = (CHANCES * A).sum()
    torch.testing.assert_close(mean[0], exact, rtol=1e-9, atol=0)
    torch.testing.assert_close(deviation[0], ((CHANCES * A**2).sum() - exact**2).sqrt() / 100, rtol=1e-5, atol=0)


@pytest.mark.parametrize(("change", "words"), [
    ({"weights": CHANCES / 2}, "of sum 1, not 0.5"), ({"weights": CHANCES - 0.1}, "none negative"),
    ({"a": A[:3]}, "need one shape"), ({"ks": [2, 0]}, "k must be"), ({"power": 0}, "power must be"),
    ({"log_w": torch.full((4,), torch.nan)}, "log_w"),
])
def test_moments_of_what_is_no_distribution_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        ratio_moments(**({"log_w": FOUR, "a": A, "weights": CHANCES, "ks": [2], "power": 1} | change))
