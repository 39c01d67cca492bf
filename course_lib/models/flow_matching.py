"""Flow matching on the straight path: learn the velocity that carries noise to data, then follow it.

    x_t = (1 − t)·x + t·ε,   ε ~ N(0, I),  t from 0 (data) to 1 (noise)         the conditional path
    d x_t / dt = ε − x                                                          its velocity
    v(x_t, t) = E[ε − x | x_t]                                                  the marginal velocity: what is learned
    dx = v(x, t) dt from t = 1 back to 0                                        draws from the data's distribution

The squared error between a network and ε − x is least for the conditional mean, so no velocity of the marginal ever
needs to be known. Lipman et al. count time from noise (0) to data (1), so their velocity is −v.

References:
    Y. Lipman et al., Flow Matching for Generative Modeling, ICLR 2023: theorem 2, the loss (eq. 9).
    X. Liu, C. Gong, Q. Liu, Flow Straight and Fast, ICLR 2023: the straight path (eq. 1).
    J. Ho, T. Salimans, Classifier-Free Diffusion Guidance, 2022: labels left out in training, and eq. 6 (their w is
        ours less 1).
    D. P. Kingma et al., Variational Diffusion Models, NeurIPS 2021, appendix I.1: times spread evenly over a batch.
    T. Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, NeurIPS 2022, algorithm 1:
        Heun's steps, and Euler's for the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.diffusion import FREQUENCIES, sinusoids
from course_lib.models.layers import device_of, mlp
from course_lib.models.schedules import Straight
from course_lib.models.unet import CLASSES, NO_LABEL, SIZE

PATH = Straight()
Field = Callable[[Tensor, Tensor], Tensor]  # x `[n, …]` and times t `[n]` → velocities `[n, …]`


def even_times(n: int, generator: torch.Generator) -> Tensor:
    """Times `[n]`, each uniform in [0, 1), together evenly spread: (u + i/n) mod 1 with one uniform u."""
    return (torch.rand((), generator=generator) + torch.arange(n) / n) % 1


def flow_matching_loss(velocity: Tensor, x: Tensor, eps: Tensor) -> Tensor:
    """‖v − (ε − x)‖² per number, mean over the batch, 0-d: of a network's velocities at x_t, all `[n, …]`."""
    return (velocity - (eps - x)).square().mean()


def drop_labels(y: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Labels `[n]`, this share of which is replaced by `NO_LABEL`, so that one network learns v(x, t) as well as
    v(x, t | y)."""
    return torch.where(torch.rand(len(y), generator=generator) < share, NO_LABEL, y)


class LabelledMLP(nn.Module):
    """f(x, t, y) of flat x `[n, D]`, such as codes: three hidden layers of SiLUs on x, sinusoids of t `[n]`, and one
    number that is 1 for each label of y `[n]`, `NO_LABEL` among them. `[n, D]`."""

    def __init__(self, D: int, width: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = mlp([D + 2 * FREQUENCIES + CLASSES + 1, width, width, width, D], generator, activation=nn.SiLU)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x, sinusoids(t), F.one_hot(y, CLASSES + 1).to(x.dtype)], dim=1))


def guided(model: nn.Module, y: Tensor, w: float) -> Field:
    """The field v_∅ + w·(v_y − v_∅) of labels y `[n]`: with w = 1 that is v_y, no guidance; with 0 the unconditional
    one; above 1 what tells y from other digits is exaggerated."""
    if w == 1:
        return lambda x, t: model(x, t, y)

    def field(x: Tensor, t: Tensor) -> Tensor:
        v_y, v_none = model(torch.cat([x, x]), t.repeat(2), torch.cat([y, torch.full_like(y, NO_LABEL)])).chunk(2)
        return v_none + w * (v_y - v_none)

    return field


METHODS = ("euler", "midpoint", "heun")


def follow(field: Field, x: Tensor, steps: int, method: str = "heun", start: float = 1.0, end: float = 0.0,
           last: str | None = None) -> Tensor:
    """x `[n, …]` carried along a field from time `start` to `end` in equal steps.

    Args:
        method: 'euler', one call of the field a step; 'midpoint' or 'heun', two, and an error that falls with the
            square of the step.
        last: the method of the last step; None for the same.

    Raises:
        ValueError: no steps, or another method.
    """
    last = last or method
    if steps < 1 or not {method, last} <= set(METHODS):
        raise ValueError(f"steps must be at least 1, and methods euler, midpoint or heun, not {steps}, {method!r} and "
                         f"{last!r}")
    times = torch.linspace(start, end, steps + 1, dtype=x.dtype, device=x.device)
    for i, (t, after) in enumerate(zip(times[:-1].split(1), times[1:].split(1), strict=True), start=1):
        method = last if i == steps else method
        h, v = after - t, field(x, t.expand(len(x)))
        if method == "midpoint":
            v = field(x + h / 2 * v, (t + h / 2).expand(len(x)))
        elif method == "heun":
            v = (v + field(x + h * v, after.expand(len(x)))) / 2
        x = x + h * v
    return x


@torch.no_grad()
def draw(model: nn.Module, y: Tensor, shape: tuple[int, ...], generator: torch.Generator, steps: int = 10,
         method: str = "heun", last: str = "euler", w: float = 1.0, at_a_time: int = 500) -> Tensor:
    """A draw `[n, *shape]` for each label of y `[n]`, int64 from 0 to 9 or `NO_LABEL`: noise that follows the field.

    The last step is Euler's unless told otherwise: it ends at t = 0, where no noise is left in x_t and v(x, 0) = −x
    knows of none. Heun's mean with it would leave half of the last step's noise in the picture.

    Args:
        model: the velocity, called with x, t and y.
        shape: of one draw.
        steps, method, last: of `follow`.
        w: of `guided`.
    """
    made = [torch.empty(0, *shape)]
    for part in y.split(at_a_time) if len(y) else ():
        noise, part = (tensor.to(device_of(model)) for tensor in
                       (torch.randn(len(part), *shape, generator=generator), part))
        made.append(follow(guided(model, part, w), noise, steps, method, last=last).cpu())
    return torch.cat(made)


def sample(model: nn.Module, y: Tensor, generator: torch.Generator, **ways: Any) -> Tensor:
    """An image `[n, 28, 28]` with pixels in [0, 1] for each label of y `[n]`; `ways` as of `draw`."""
    images = draw(model, y, (1, SIZE, SIZE), generator, **ways)
    return (images.squeeze(1) + 1).div(2).clamp(0, 1)


def in_turn(n: int) -> Tensor:
    """Labels 0 to 9 in turn, int64 `[n]`."""
    return torch.arange(n) % CLASSES
