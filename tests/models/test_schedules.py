"""Schedules and the table of five kinds: derivatives by autograd, each way from each kind to each other."""

import itertools
import math

import pytest
import torch

from course_lib.models.noised import NoisedMixture
from course_lib.models.schedules import KINDS, SCHEDULES, VP, convert, determinant, target, weights
from course_lib.seeds import seeded

EACH = pytest.mark.parametrize("name", list(SCHEDULES))
T = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


@EACH
def test_the_derivatives_are_autograds_and_time_inverts_the_log_snr(name):
    schedule, t = SCHEDULES[name], T.clone().requires_grad_()
    for value, slope in ((schedule.alpha, schedule.d_alpha), (schedule.sigma, schedule.d_sigma),
                         (schedule.log_snr, schedule.d_log_snr)):
        (by_autograd,) = torch.autograd.grad(value(t).sum(), t)
        torch.testing.assert_close(slope(T), by_autograd, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(schedule.time(schedule.log_snr(T)), T, rtol=1e-12, atol=1e-12)
    assert (schedule.d_log_snr(T) < 0).all()


@EACH
def test_it_goes_from_data_to_noise(name):
    ends, schedule = torch.tensor([0.0, 1.0], dtype=torch.float64), SCHEDULES[name]
    alpha, sigma = schedule.alpha(ends), schedule.sigma(ends)
    assert alpha[0] == 1 and sigma[0] == 0 and sigma[1] > 0.999
    assert alpha[1] == 0 if name != "VP" else 0 < alpha[1] < 0.01
    preserved = (schedule.alpha(T) ** 2 + schedule.sigma(T) ** 2 - 1).abs().max()
    assert (preserved > 0.1) if name == "straight" else (preserved < 1e-14)


def test_the_vp_schedule_has_the_beta_of_its_paper():
    t = T.clone().requires_grad_()
    (slope,) = torch.autograd.grad(VP(0.1, 20.0).alpha(t).log().sum(), t)
    torch.testing.assert_close(-2 * slope, 0.1 + T * 19.9)
    assert VP().log_snr(torch.tensor(1e-9, dtype=torch.float64)) == pytest.approx(-math.log(1e-10), rel=1e-6)
    with pytest.raises(ValueError, match="must be positive and not fall"):
        VP(0.5, 0.1)


@pytest.mark.parametrize(("name", "given", "wanted"), list(itertools.product(SCHEDULES, KINDS, KINDS)))
def test_each_kind_leads_to_each_other(name, given, wanted):
    schedule, x_0, eps = SCHEDULES[name], normal(50, 3), normal(50, 3, seed=1)
    x_t = schedule.noised(x_0, T, eps)
    torch.testing.assert_close(x_t, schedule.alpha(T)[:, None] * x_0 + schedule.sigma(T)[:, None] * eps)
    found = convert(target(given, schedule, T, x_0, eps), x_t, T, schedule, given=given, wanted=wanted)
    torch.testing.assert_close(found, target(wanted, schedule, T, x_0, eps), rtol=1e-9, atol=1e-9)
    one = torch.tensor(0.3, dtype=torch.float64)
    found = convert(target(given, schedule, one, x_0, eps), schedule.noised(x_0, one, eps), one, schedule,
                    given=given, wanted=wanted)
    torch.testing.assert_close(found, target(wanted, schedule, one, x_0, eps), rtol=1e-9, atol=1e-9)


@EACH
def test_the_table_is_the_papers(name):
    schedule, t = SCHEDULES[name], torch.tensor(0.3, dtype=torch.float64)
    alpha, sigma = schedule.alpha(t).item(), schedule.sigma(t).item()
    table = {"data": (1, 0), "noise": (0, 1), "v": (-sigma, alpha), "score": (0, -1 / sigma),
             "velocity": (schedule.d_alpha(t).item(), schedule.d_sigma(t).item())}
    for kind, pair in table.items():
        assert tuple(map(float, weights(kind, schedule, t))) == pytest.approx(pair)
        assert determinant(kind, schedule, t).item() == pytest.approx(alpha * pair[1] - sigma * pair[0])
    assert determinant("v", schedule, t).item() == pytest.approx(alpha**2 + sigma**2)
    if name == "cosine":
        x_0, eps = normal(4, 2), normal(4, 2, seed=1)
        torch.testing.assert_close(target("velocity", schedule, t, x_0, eps),
                                   math.pi / 2 * target("v", schedule, t, x_0, eps))
    with pytest.raises(ValueError, match="kind must be one of data, noise"):
        weights("epsilon", schedule, t)


@EACH
@pytest.mark.parametrize("given", KINDS)
def test_the_table_holds_for_conditional_means_too(name, given):
    schedule = SCHEDULES[name]
    mixture = NoisedMixture(normal(3, 2), torch.tensor([0.1, 0.4, 0.0]), torch.tensor([0.2, 0.5, 0.3]))
    x = normal(50, 2, seed=2)
    found = convert(mixture.field(given, x, T, schedule), x, T, schedule, given=given, wanted="score")
    torch.testing.assert_close(found, mixture.score(x, schedule.alpha(T), schedule.sigma(T)), rtol=1e-7, atol=1e-7)
