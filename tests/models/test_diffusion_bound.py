"""The bound in closed form against draws, against the chain's own marginal, and term by term."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from course_lib.models import schedules
from course_lib.models.diffusion import loss_floor
from course_lib.models.diffusion_bound import bound_terms, entropy, eps_weight, gap
from course_lib.models.noised import NoisedMixture
from course_lib.models.samplers import VARIANCES, errors, posterior, reverse_variance
from course_lib.models.schedules import SCHEDULES
from course_lib.seeds import seeded

COSINE, VP = SCHEDULES["cosine"], SCHEDULES["VP"]
VP_SHORT = schedules.VP(0.1, 2.0)  # it ends at α = 0.59: what is left is how far p_1 is from N(0, 1)
GAUSSIAN = NoisedMixture(torch.zeros(1, 1), 0.5)
MODES = NoisedMixture(torch.tensor([[-1.0], [1.0]]), 0.25)
PLANE = NoisedMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.5]]), 0.4, torch.tensor([0.4, 0.6]))


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("mixture", [MODES, PLANE], ids=["line", "plane"])
def test_each_term_is_the_mean_over_draws(mixture, variance):
    T, n, D = 3, 100_000, mixture.D
    x_0 = mixture.sample(n, seeded()).double()
    times = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    error = errors(mixture, VP, times[1:])
    mean = [kl_divergence(Normal(VP.alpha(times[-1]) * x_0, VP.sigma(times[-1])), Normal(0.0, 1.0)).sum(1).mean()]
    for i in range(1, T + 1):
        t, s = times[i], times[i - 1]
        x_t = VP.noised(x_0, t, torch.randn(n, D, generator=seeded(i), dtype=torch.float64))
        a, c, tilde = posterior(VP, t, s)
        p = Normal(a * x_t + c * mixture.field("data", x_t, t, VP),
                   reverse_variance(variance, VP, t, s, error[i - 1]).sqrt())
        of = -p.log_prob(x_0) if s == 0 else kl_divergence(Normal(a * x_t + c * x_0, tilde.sqrt()), p)
        mean.append(of.sum(1).mean())
    torch.testing.assert_close(bound_terms(mixture, VP, T, variance), torch.stack(mean), rtol=0.02, atol=2e-3)


def test_the_entropy_of_a_gaussian():
    assert entropy(GAUSSIAN) == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 0.25), abs=1e-9)


@pytest.mark.parametrize("T", [1, 2, 7, 50])
def test_the_optimal_variance_leaves_a_gaussian_no_gap(T):
    assert gap(GAUSSIAN, COSINE, T, "optimal") == pytest.approx(0, abs=1e-9)
    assert gap(NoisedMixture(torch.tensor([[2.0]]), 0.5), COSINE, T, "optimal") == pytest.approx(0, abs=1e-9)
    short = VP_SHORT.alpha(torch.tensor(1.0)).item()
    left = kl_divergence(Normal(0.0, (1 - 0.75 * short**2) ** 0.5), Normal(0.0, 1.0)).item()
    assert gap(GAUSSIAN, VP_SHORT, T, "optimal") == pytest.approx(left, abs=1e-6) and left > 0.01


@pytest.mark.parametrize("T", [1, 4, 20])
@pytest.mark.parametrize("variance", ["beta", "beta_tilde"])
def test_the_gap_is_at_least_the_divergence_of_the_chain_from_the_data(T, variance):
    times = torch.linspace(1, 0, T + 1, dtype=torch.float64)
    var = 1.0                                               # of the chain's x, a Gaussian all the way
    for t, s, error in zip(times[:-1], times[1:], errors(GAUSSIAN, COSINE, times[:-1]), strict=True):
        a, c, _ = posterior(COSINE, t, s)
        slope = a + c * COSINE.alpha(t) * 0.25 / (COSINE.alpha(t) ** 2 * 0.25 + COSINE.sigma(t) ** 2)
        var = float(slope**2 * var + reverse_variance(variance, COSINE, t, s, error))
    own = kl_divergence(Normal(0.0, 0.5), Normal(0.0, var**0.5)).item()
    assert 0 < own <= gap(GAUSSIAN, COSINE, T, variance) + 1e-7


def test_the_gap_falls_with_more_steps_but_for_beta_tilde():
    for kind in ("beta", "optimal"):
        falling = [gap(MODES, COSINE, T, kind) for T in (1, 4, 16, 64)]
        assert falling == sorted(falling, reverse=True) and falling[-1] < 0.05
    assert gap(MODES, COSINE, 64, "beta_tilde") > 0.5


def test_the_weight_of_the_noise_is_that_of_the_bound():
    times, T = torch.linspace(0, 1, 11, dtype=torch.float64), 10
    terms = bound_terms(MODES, VP, T, "beta")
    for i in range(2, T):
        t, s = times[i], times[i - 1]
        _, _, tilde = posterior(VP, t, s)
        ratio = (tilde / reverse_variance("beta", VP, t, s)).item()
        of_noise = eps_weight(VP, t, s).item() * loss_floor(MODES, VP, "noise", t.item())
        assert terms[i].item() == pytest.approx(0.5 * (-math.log(ratio) + ratio - 1) + of_noise, abs=1e-8)
        lam = VP.log_snr(s) - VP.log_snr(t)
        assert eps_weight(VP, t, s, "beta_tilde").item() == pytest.approx(0.5 * math.expm1(lam.item()), rel=1e-8)


def test_it_needs_steps():
    with pytest.raises(ValueError, match="T"):
        bound_terms(MODES, VP, 0, "beta")
