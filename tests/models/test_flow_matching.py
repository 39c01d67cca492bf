"""Flow matching against closed forms: of one Gaussian, whose velocity is a straight line in x at every time."""

import math

import pytest
import torch

from course_lib.models.flow_matching import (
    PATH,
    draw,
    drop_labels,
    even_times,
    flow_matching_loss,
    follow,
    guided,
    in_turn,
    sample,
)
from course_lib.models.unet import NO_LABEL, UNet
from course_lib.seeds import seeded

M, S = 1.5, 0.4  # of the data, N(M, S²)


def velocity(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """E[ε − x_0 | x_t] of Gaussian data, by linear regression of one Gaussian on another."""
    t = t.view(-1, 1)
    variance, covariance = (1 - t) ** 2 * S**2 + t**2, t - (1 - t) * S**2
    return -M + covariance / variance * (x - (1 - t) * M)


def test_the_loss_is_least_at_the_marginal_velocity():
    generator = seeded()
    x = M + S * torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    eps = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    t = torch.rand(len(x), generator=generator, dtype=torch.float64)
    x_t = PATH.noised(x, t, eps)
    best = velocity(x_t, t)
    residual = eps - x - best
    features = torch.cat([torch.ones_like(x_t), x_t, t[:, None], x_t * t[:, None], x_t**2], 1)
    correlation = (residual * features).mean(0) / (residual.std() * features.square().mean(0).sqrt())
    assert correlation.abs().max() < 4 / math.sqrt(len(x))  # nothing that is known at x_t explains what is left
    least = flow_matching_loss(best, x, eps)
    worse = [flow_matching_loss(best + change, x, eps) for change in (0.1, -0.1, 0.1 * x_t, -0.1 * x_t)]
    assert all(other - least > 0.005 for other in worse)


def test_the_path_runs_from_data_to_noise():
    x, eps = torch.full((2, 3), 5.0), torch.full((2, 3), -1.0)
    assert torch.equal(PATH.noised(x, torch.zeros(2), eps), x) and torch.equal(PATH.noised(x, torch.ones(2), eps), eps)
    torch.testing.assert_close(PATH.noised(x, torch.tensor([0.25, 0.5]), eps)[:, 0], torch.tensor([3.5, 2.0]))


def test_one_euler_step_lands_on_the_mean_of_the_data():
    z = torch.randn(7, 1, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(follow(velocity, z, steps=1, method="euler"), torch.full_like(z, M))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_method(method, order):
    x = torch.linspace(0.5, 2, 9, dtype=torch.float64)[:, None]
    exact = 1 / (1 / x - 1 / 3)  # of dx/dt = x² t², whose 1/x + t³/3 stays; midpoint happens to be better on a Gaussian
    errors = [(follow(lambda x, t: x**2 * t[:, None] ** 2, x, steps, method, start=0.0, end=1.0)
               - exact).abs().max() for steps in (128, 256)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)
    assert errors[1] < 0.2


def test_there_and_back_again():
    x = torch.linspace(0, 3, 5, dtype=torch.float64)[:, None]
    z = follow(velocity, x, steps=400, start=0.0, end=1.0)
    torch.testing.assert_close(z, (x - M) / S, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(follow(velocity, z, steps=400), x, rtol=1e-4, atol=1e-4)


def to_a_point(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """E[ε − x_0 | x_t] where all data are the point M: the noise is known but at t = 0, where its mean is 0."""
    return torch.where(t.view(-1, 1) > 0, (x - M) / t.view(-1, 1), -x)


class ToAPoint(torch.nn.Linear):
    """The same, as a network."""

    def forward(self, x: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return to_a_point(x, t)


def test_heuns_mean_with_the_velocity_of_data_leaves_half_of_the_last_steps_noise():
    z = torch.randn(7, 1, generator=seeded(), dtype=torch.float64)
    before = follow(to_a_point, z, 4, end=0.2)
    torch.testing.assert_close(follow(to_a_point, z, 5), M + (before - M) / 2 + 0.2 * M / 2)
    torch.testing.assert_close(follow(to_a_point, z, 5, last="euler"), torch.full_like(z, M))


def test_a_draw_ends_with_eulers_step():
    model = ToAPoint(1, 1)
    torch.testing.assert_close(draw(model, in_turn(9), (1,), seeded(), steps=5), torch.full((9, 1), M))
    assert (draw(model, in_turn(9), (1,), seeded(), steps=5, last="heun") - M).abs().max() > 0.1


@pytest.mark.parametrize(("steps", "method", "last"), [(0, "heun", None), (3, "rk4", None), (3, "heun", "rk4")])
def test_an_unknown_way_is_refused(steps, method, last):
    with pytest.raises(ValueError, match="euler, midpoint or heun"):
        follow(velocity, torch.zeros(1, 1), steps, method, last=last)


def test_times_are_uniform_and_evenly_spread():
    t = torch.stack([even_times(8, seeded(seed)) for seed in range(2000)])
    gaps = t.sort(1).values.diff(dim=1)
    torch.testing.assert_close(gaps, torch.full_like(gaps, 1 / 8))
    assert t.min() >= 0 and t.max() < 1
    assert t[:, 3].mean() == pytest.approx(0.5, abs=4 * 12**-0.5 / math.sqrt(2000))
    assert t[:, 3].std() == pytest.approx(12**-0.5, rel=0.05)


def test_a_share_of_the_labels_is_left_out():
    y = torch.arange(10).repeat(2000)
    kept = drop_labels(y, 0.1, seeded())
    left_out = kept == NO_LABEL
    assert left_out.float().mean() == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / len(y)))
    assert torch.equal(kept[~left_out], y[~left_out])
    assert torch.equal(drop_labels(y, 0.0, seeded()), y) and (drop_labels(y, 1.0, seeded()) == NO_LABEL).all()


@pytest.fixture(scope="module")
def net() -> UNet:
    net, generator = UNet(4, generator=seeded()), seeded(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return net.eval().requires_grad_(False)


def test_guidance_goes_on_from_no_label_past_the_label(net):
    x, t, y = torch.randn(3, 1, 28, 28, generator=seeded(2)), torch.tensor([0.1, 0.5, 0.9]), torch.tensor([1, 2, 3])
    asked, unasked = net(x, t, y), net(x, t, torch.full_like(y, NO_LABEL))
    assert torch.equal(guided(net, y, 1)(x, t), asked)  # w = 1 is no guidance
    torch.testing.assert_close(guided(net, y, 0)(x, t), unasked)
    torch.testing.assert_close(guided(net, y, 3)(x, t), unasked + 3 * (asked - unasked), rtol=1e-4, atol=1e-4)


def test_samples_are_images_and_come_from_the_generator(net):
    y = in_turn(12)
    images = sample(net, y, seeded(), steps=2)
    assert images.shape == (12, 28, 28) and images.min() >= 0 and images.max() <= 1
    assert torch.equal(images, sample(net, y, seeded(), steps=2))
    assert not torch.equal(images, sample(net, y, seeded(1), steps=2))
    assert sample(net, y[:0], seeded()).shape == (0, 28, 28)


def test_samples_follow_the_guided_field(net):
    y, noise = torch.tensor([4, 4]), torch.randn(2, 1, 28, 28, generator=seeded())
    by_hand = noise
    for t in (1.0, 0.5):
        by_hand = by_hand - 0.5 * guided(net, y, 2.0)(by_hand, torch.full((2,), t))
    images = sample(net, y, seeded(), steps=2, method="euler", w=2.0)
    torch.testing.assert_close(images, ((by_hand.squeeze(1) + 1) / 2).clamp(0, 1), rtol=1e-4, atol=1e-4)
