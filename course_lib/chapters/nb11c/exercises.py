"""Exercises of notebook 11c: a point of the straight path and its velocity, a step of the midpoint rule, the density
along a way, and the loss of reflow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.teach.exercises import Exercise, Mistake

Answer = tuple[Tensor, Tensor]


def _tensor(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(scale * rng.normal(size=shape))


def _times(rng: np.random.Generator, n: int) -> Tensor:
    return torch.tensor(rng.uniform(0.1, 0.9, size=n))


def _straight(x_0: Tensor, eps: Tensor, t: Tensor) -> Answer:
    t = t[:, None]
    return (1 - t) * x_0 + t * eps, eps - x_0


def _straight_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [(_tensor(rng, n, D, scale=2), _tensor(rng, n, D), _times(rng, n)) for n, D in ((5, 2), (3, 4), (1, 1))]


STRAIGHT = Exercise(
    reference=_straight,
    cases=_straight_cases,
    mistakes=(
        Mistake(lambda x_0, eps, t: (_straight(x_0, eps, t)[0], x_0 - eps),
                ("the velocity has the wrong sign: as t grows, x_t comes nearer to ε. Differentiate your own first "
                 "line by t.",)),
        Mistake(lambda x_0, eps, t: (t[:, None] * x_0 + (1 - t[:, None]) * eps, eps - x_0),
                ("time is reversed in the first answer: at t = 0 it must be the data point, at t = 1 the noise.",)),
        Mistake(lambda x_0, eps, t: (t[:, None] * x_0 + (1 - t[:, None]) * eps, x_0 - eps),
                ("this is Lipman's clock, noise at 0 and data at 1. In this course data are at t = 0: the two parts "
                 "change places, and the velocity its sign.",)),
        Mistake(lambda x_0, eps, t: ((1 - t[:, None] ** 2).sqrt() * x_0 + t[:, None] * eps, eps - x_0),
                ("no roots: on a straight path the weights themselves add up to 1. Yours is variance preserving.",)),
        Mistake(lambda x_0, eps, t: (x_0 + t[:, None] * eps, eps - x_0),
                ("the data do not fade in yours: they are multiplied by 1 − t.",)),
        Mistake(lambda x_0, eps, t: (_straight(x_0, eps, t)[0], eps),
                ("the data fade, too: their part of the velocity, −x_0, is missing.",)),
        Mistake(lambda x_0, eps, t: (_straight(x_0, eps, t)[0], (eps - x_0) * t[:, None]),
                ("t ε − t x_0 is how far it has come. The velocity is the derivative of that by t.",)),
        Mistake(lambda x_0, eps, t: _straight(x_0, eps, t)[::-1],
                ("the two answers are exchanged: first x_t, then the velocity.",)),
    ),
    hints=("x_t = (1 − t) x_0 + t ε, with a time of its own for each row: t[:, None].",
           "the velocity is dx_t/dt, and x_0 and ε do not depend on t.",
           "return the tuple ((1 − t) x_0 + t ε, ε − x_0)."),
)


Field = Callable[[Tensor, float], Tensor]


class _Swirl:
    """A field to step through, v(x, t), that turns with time."""

    def __init__(self, A: Tensor, b: Tensor) -> None:
        self.A, self.b = A, b

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return (x @ self.A.T).sin() + 3 * t**2 * self.b


def _midpoint(v: Field, x: Tensor, t: float, h: float) -> Tensor:
    return x - h * v(x - h / 2 * v(x, t), t - h / 2)


def _midpoint_cases(rng: np.random.Generator) -> list[tuple[Field, Tensor, float, float]]:
    return [(_Swirl(_tensor(rng, D, D), _tensor(rng, D)), _tensor(rng, n, D), t, h)
            for n, D, t, h in ((4, 2, 1.0, 0.25), (3, 3, 0.6, 0.2), (1, 2, 0.5, 0.5))]


MIDPOINT = Exercise(
    reference=_midpoint,
    cases=_midpoint_cases,
    mistakes=(
        Mistake(lambda v, x, t, h: x + h * v(x + h / 2 * v(x, t), t + h / 2),
                ("you walk towards the noise. From t to t − h time runs backwards, so each step is −h times a "
                 "velocity.",)),
        Mistake(lambda v, x, t, h: x + h * v(x + h / 2 * v(x, t), t - h / 2),
                ("time goes down, as it should, but the points go the other way: their step is −h times a "
                 "velocity.",)),
        Mistake(lambda v, x, t, h: x - h * v(x + h / 2 * v(x, t), t - h / 2),
                ("the half step to the middle has the wrong sign: it leads back, too.",)),
        Mistake(lambda v, x, t, h: x - h * v(x, t),
                ("this is Euler's step: it asks the velocity at the beginning only.",
                 "go half a step, ask again there, and take the whole step *from the beginning* with that answer.")),
        Mistake(lambda v, x, t, h: x - h * v(x - h / 2 * v(x, t), t),
                ("the place is the middle, but the time is still that of the beginning: ask at t − h/2.",)),
        Mistake(lambda v, x, t, h: x - h * v(x - h / 2 * v(x, t), t - h),
                ("the place is the middle, but the time is that of the end: ask at t − h/2.",)),
        Mistake(lambda v, x, t, h: x - h * v(x - h / 2 * v(x, t), t + h / 2),
                ("the middle in time is at t − h/2: time runs from t down to t − h.",)),
        Mistake(lambda v, x, t, h: x - h * v(x, t - h / 2),
                ("the time is the middle, but the place is still the beginning: go half a step first.",)),
        Mistake(lambda v, x, t, h: x - h * v(x - h * v(x, t), t - h / 2),
                ("half a step leads to the middle; yours is a whole one.",)),
        Mistake(lambda v, x, t, h: x - h / 2 * v(x, t) - h / 2 * v(x - h / 2 * v(x, t), t - h / 2),
                ("two half steps of Euler. The midpoint rule takes the *whole* step from x, with the velocity of the "
                 "middle.",)),
        Mistake(lambda v, x, t, h: x - h / 2 * (v(x, t) + v(x - h * v(x, t), t - h)),
                ("this is Heun's step, the mean of the velocities at both ends: of the same order, but another rule.",
                 )),
        Mistake(lambda v, x, t, h: x - h / 2 * v(x - h / 2 * v(x, t), t - h / 2),
                ("the last step is only half as long: it must go from t to t − h.",)),
    ),
    hints=("first half a step of Euler: middle = x − h/2 · v(x, t).", "then ask the velocity there, at time t − h/2.",
           "return x − h · v(middle, t − h/2)."),
)


def _log_density(z: Tensor, divergences: Tensor) -> Tensor:
    return divergences.mean(dim=0) - 0.5 * (z.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi))


def _log_density_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    return [(_tensor(rng, n, D), _tensor(rng, steps, n, scale=2)) for n, D, steps in ((5, 2, 4), (3, 3, 10), (2, 1, 2))]


def _normal(z: Tensor, constant: float = math.log(2 * math.pi)) -> Tensor:
    return -0.5 * (z.square().sum(dim=1) + z.shape[1] * constant)


LOG_DENSITY = Exercise(
    reference=_log_density,
    cases=_log_density_cases,
    mistakes=(
        Mistake(lambda z, divergences: _normal(z) - divergences.mean(dim=0),
                ("the sign: on the way from data to noise d log p/dt = −∇·v, so log p at the *end* is log p at the "
                 "beginning less the integral. Solve that for the beginning.",
                 "think of data that must be spread to become noise: ∇·v > 0, and their density was higher before.")),
        Mistake(lambda z, divergences: _normal(z) + divergences.sum(dim=0),
                ("each divergence lasts for one step alone, of length 1/steps: multiply the sum by it.",)),
        Mistake(lambda z, divergences: _normal(z) - divergences.sum(dim=0),
                ("two things: the length of a step, 1/steps, is missing, and the sign is turned.",)),
        Mistake(lambda z, divergences: _normal(z, 0.0) + divergences.mean(dim=0),
                ("the Gaussian's normaliser is missing: −D/2 · log 2π.",)),
        Mistake(lambda z, divergences: -0.5 * (z.square().sum(dim=1) + math.log(2 * math.pi))
                + divergences.mean(dim=0),
                ("the normaliser log 2π counts once for each of the D coordinates.",)),
        Mistake(lambda z, divergences: _normal(z),
                ("this is the noise's density at the end. The integral of the divergence is missing.",)),
        Mistake(lambda z, divergences: -z.square().sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
                + divergences.mean(dim=0),
                ("log N(z; 0, I) has half of the square: −½ ‖z‖².",)),
        Mistake(lambda z, divergences: _log_density(z, divergences).exp(),
                ("that is the density: its logarithm is asked for.",)),
        Mistake(lambda z, divergences: _log_density(z, divergences).mean(),
                ("one number for each point: do not take the mean over the points.",)),
    ),
    hints=("log p_0(x_0) = log N(z; 0, I) + ∫ ∇·v dt, from t = 0 to 1.",
           "the integral is the sum over steps times 1/steps, which is the mean along the first dimension.",
           "`divergences.mean(dim=0) - 0.5 * (z.square().sum(dim=1) + D * log(2π))`"),
)


class Carrier(nn.Module):
    """A small velocity network that can also carry noise to data, for the exercise on reflow: weights A `[D, D]`,
    b `[D]`."""

    def __init__(self, A: Tensor, b: Tensor) -> None:
        super().__init__()
        self.A, self.b = nn.Parameter(A), nn.Parameter(b)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Velocities `[n, D]` at points `[n, D]` and times `[n]`."""
        return (x @ self.A.T).tanh() + t[:, None] * self.b

    def carry(self, z: Tensor) -> Tensor:
        """Where two Euler steps carry noises `[n, D]`."""
        for at in (1.0, 0.5):
            z = z - 0.5 * self(z, torch.full((len(z),), at, dtype=z.dtype))
        return z


def _loss_of_pair(network: Carrier, x: Tensor, z: Tensor, t: Tensor) -> Tensor:
    x_t, velocity = _straight(x, z, t)
    return (network(x_t, t) - velocity).square().sum(dim=1).mean()


def _reflow(network: Carrier, z: Tensor, t: Tensor) -> Tensor:
    return _loss_of_pair(network, network.carry(z).detach(), z, t)


def _reflow_cases(rng: np.random.Generator) -> list[tuple[Carrier, Tensor, Tensor]]:
    return [(Carrier(_tensor(rng, D, D), _tensor(rng, D)), _tensor(rng, n, D), _times(rng, n))
            for n, D in ((6, 2), (3, 3), (2, 1))]


def _with_gradients(function: Callable[..., Tensor], network: Carrier, z: Tensor, t: Tensor) -> Answer:
    loss = function(network, z, t)
    slopes = torch.autograd.grad(loss.sum(), list(network.parameters()), allow_unused=True)
    return (loss.detach(), *(slope if slope is not None else torch.zeros_like(parameter)
                             for slope, parameter in zip(slopes, network.parameters(), strict=True)))


def _half_detached(network: Carrier, z: Tensor, t: Tensor) -> Tensor:
    """The target alone is cut off; x_t still depends on the network."""
    x = network.carry(z)
    x_t = _straight(x, z, t)[0]
    return (network(x_t, t) - (z - x.detach())).square().sum(dim=1).mean()


def _target_not_detached(network: Carrier, z: Tensor, t: Tensor) -> Tensor:
    x = network.carry(z)
    return (network(_straight(x.detach(), z, t)[0], t) - (z - x)).square().sum(dim=1).mean()


def _turned(network: Carrier, z: Tensor, t: Tensor) -> Tensor:
    x = network.carry(z).detach()
    return (network(_straight(x, z, t)[0], t) - (x - z)).square().sum(dim=1).mean()


def _mean_of_coordinates(network: Carrier, z: Tensor, t: Tensor) -> Tensor:
    return _reflow(network, z, t) / z.shape[1]


REFLOW = Exercise(
    reference=_reflow,
    cases=_reflow_cases,
    mistakes=(
        Mistake(lambda network, z, t: _loss_of_pair(network, network.carry(z), z, t),
                ("the number is right, but the gradient also runs through `carry`: the network may then move the "
                 "points to where they are easy to hit, away from the data. The partners are data now: "
                 "`network.carry(z).detach()`.",)),
        Mistake(_half_detached,
                ("x_t still depends on the network through `carry`: detach the partner once, before it is used.",)),
        Mistake(_target_not_detached,
                ("the target still depends on the network through `carry`: detach the partner once, before it is "
                 "used.",)),
        Mistake(_turned,
                ("the velocity has the wrong sign: it is noise less data, z − x.",)),
        Mistake(lambda network, z, t: _loss_of_pair(network, z, network.carry(z).detach(), t),
                ("noise and data are exchanged: at t = 0 stands the point that the noise was carried to, at t = 1 the "
                 "noise.",)),
        Mistake(_mean_of_coordinates,
                ("you took the mean over the coordinates as well. Sum over them, and take the mean over the points.",)),
        Mistake(lambda network, z, t: _reflow(network, z, t) * len(z),
                ("you summed over the points: take their mean.",)),
        Mistake(lambda network, z, t: _loss_of_pair(network, network.carry(z).detach(), z.flip(0), t),
                ("each noise goes with the point that *it* was carried to: that pairing is all of reflow.",)),
    ),
    hints=("the partner of z is x = network.carry(z).detach(): data, from now on.",
           "then flow matching as before: x_t = (1 − t) x + t z, and the target is z − x.",
           "`(network(x_t, t) - (z - x)).square().sum(dim=1).mean()`"),
    observe=_with_gradients,
)

EXERCISES = {"11c.straight": STRAIGHT, "11c.midpoint": MIDPOINT, "11c.log_density": LOG_DENSITY, "11c.reflow": REFLOW}
