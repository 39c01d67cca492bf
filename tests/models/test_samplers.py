"""Samplers against Bayes' rule, data for which one step is exact, and the moments of Gaussians."""

import pytest
import torch

from course_lib.models.noised import NoisedMixture
from course_lib.models.samplers import (
    VARIANCES,
    ancestral,
    ddim,
    drift_and_diffusion,
    errors,
    langevin,
    posterior,
    reverse_sde,
    reverse_variance,
)
from course_lib.models.schedules import SCHEDULES
from course_lib.seeds import seeded

COSINE, VP = SCHEDULES["cosine"], SCHEDULES["VP"]
PAIRS = [(0.9, 0.5), (0.5, 0.49), (0.3, 0.01), (0.2, 0.0)]


def at(*times):
    return (torch.tensor(t, dtype=torch.float64) for t in times)


def denoiser(mixture, schedule):
    return lambda x, t: mixture.field("data", x, t, schedule)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize(("late", "early"), PAIRS)
def test_the_posterior_is_that_of_the_joint_gaussian(schedule, late, early):
    t, s = at(late, early)
    a, c, tilde = posterior(schedule, t, s)
    ratio = schedule.alpha(t) / schedule.alpha(s)
    cov, var, prior = ratio * schedule.sigma(s) ** 2, schedule.sigma(t) ** 2, schedule.sigma(s) ** 2
    gain = cov / var                                        # regression of x_s on x_t, with x_0 given
    torch.testing.assert_close(a, gain)
    torch.testing.assert_close(c, schedule.alpha(s) - gain * schedule.alpha(t))
    torch.testing.assert_close(tilde, prior - gain * cov, atol=1e-14, rtol=1e-9)
    assert reverse_variance("beta", schedule, t, s).item() == pytest.approx((var - ratio**2 * prior).item())


def test_the_variances_are_the_true_ones_of_the_data_that_they_are_made_for():
    t, s = at(0.6, 0.4)
    for kind, spread in (("beta", 1.0), ("beta_tilde", 0.0), ("optimal", 0.7)):  # N(0, spread²), VP: p(x_s | x_t)
        mixture = NoisedMixture(torch.zeros(1, 1), spread)
        joint = VP.alpha(t) / VP.alpha(s) * (VP.alpha(s) ** 2 * spread**2 + VP.sigma(s) ** 2)
        true = (VP.alpha(s) * spread) ** 2 + VP.sigma(s) ** 2 - joint**2 / ((VP.alpha(t) * spread) ** 2
                                                                            + VP.sigma(t) ** 2)
        error = errors(mixture, VP, t[None])[0]
        assert reverse_variance(kind, VP, t, s, error).item() == pytest.approx(true.item(), rel=1e-7)
    zero = torch.zeros((), dtype=torch.float64)
    assert reverse_variance("beta_tilde", VP, t, zero) == reverse_variance("beta", VP, t, zero) > 0
    with pytest.raises(ValueError, match="beta"):
        reverse_variance("gamma", VP, t, s)


@pytest.mark.parametrize("kind", VARIANCES)
def test_ancestral_sampling_of_a_gaussian_has_the_variance_of_its_chain(kind):
    mixture, times = NoisedMixture(torch.tensor([[0.3]]), 0.5), torch.linspace(1, 0, 6, dtype=torch.float64)
    x = torch.randn(40_000, 1, generator=seeded(), dtype=torch.float64)
    error = errors(mixture, COSINE, times[:-1])
    path = ancestral(denoiser(mixture, COSINE), x, times, COSINE, seeded(1), variance=kind, error=error)
    assert path.shape == (6, 40_000, 1) and torch.equal(path[0], x)
    var = 1.0
    for t, s, left in zip(times[:-1], times[1:], error, strict=True):
        alpha, sigma = COSINE.alpha(t), COSINE.sigma(t)
        a, c, _ = posterior(COSINE, t, s)
        slope = a + c * alpha * 0.25 / (alpha**2 * 0.25 + sigma**2)
        var = slope**2 * var + (reverse_variance(kind, COSINE, t, s, left) if s > 0 else 0.0)
    assert path[-1].var().item() == pytest.approx(float(var), rel=0.03)
    assert path[-1].mean().item() == pytest.approx(0.3, abs=0.01)


def test_ddim_is_exact_in_one_step_for_one_point():
    mixture, x = NoisedMixture(torch.tensor([[0.5, -2.0]]), 0.0), torch.randn(5, 2, generator=seeded()).double()
    for ends in ((0.8, 0.3), (0.8, 0.0)):
        t, s = at(*ends)
        path = ddim(denoiser(mixture, COSINE), x, torch.stack([t, s]), COSINE)
        eps = (x - COSINE.alpha(t) * mixture.mu) / COSINE.sigma(t)
        torch.testing.assert_close(path[-1], COSINE.alpha(s) * mixture.mu + COSINE.sigma(s) * eps)


def test_ddim_nears_the_ode_of_a_gaussian_which_scales_by_its_deviations():
    mixture, x = NoisedMixture(torch.zeros(1, 1), 0.5), torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    off = [(ddim(denoiser(mixture, COSINE), x, torch.linspace(1, 0, T + 1, dtype=torch.float64), COSINE)[-1]
            - 0.5 * x).abs().max().item() for T in (50, 100, 200)]
    assert off[0] < 0.05 and off[1] == pytest.approx(off[0] / 2, rel=0.1) and off[2] == pytest.approx(off[1] / 2,
                                                                                                     rel=0.1)


def test_the_drift_and_diffusion_move_the_moments_as_the_schedule_says():
    t = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    for schedule in SCHEDULES.values():
        f, g2 = drift_and_diffusion(schedule, t)
        torch.testing.assert_close(f * schedule.alpha(t), schedule.d_alpha(t))
        moved = 2 * schedule.sigma(t) * schedule.d_sigma(t)              # d σ²/dt = 2 f σ² + g²
        torch.testing.assert_close(2 * f * schedule.sigma(t) ** 2 + g2, moved)
    torch.testing.assert_close(drift_and_diffusion(VP, t)[1], 0.1 + 19.9 * t)  # of VP it is β(t)


def test_the_reverse_sde_ends_at_the_data():
    mixture = NoisedMixture(torch.tensor([[-1.0], [1.0]]), 0.3, torch.tensor([0.3, 0.7]))
    x = torch.randn(8_000, 1, generator=seeded(), dtype=torch.float64)
    path = reverse_sde(lambda x, t: mixture.score(x, VP.alpha(t), VP.sigma(t)), x,
                       torch.linspace(1, 0, 301, dtype=torch.float64), VP, seeded(1))
    assert path.shape == (301, 8_000, 1)
    end = path[-1]
    assert (end > 0).double().mean().item() == pytest.approx(0.7, abs=0.025)
    assert end[end > 0].std().item() == pytest.approx(0.3, abs=0.02)


def test_langevin_has_the_variance_of_its_own_recursion():
    x = langevin(lambda x: -x, torch.randn(40_000, 1, generator=seeded(), dtype=torch.float64), 0.2, 60, seeded(1))
    assert x.var().item() == pytest.approx(1 / (1 - 0.1), rel=0.03)
