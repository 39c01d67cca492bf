"""Optimisers, the decay of their learning rate, and the average of weights along the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from course_lib.training.hyperparameters import hyperparameter

BETAS = (0.5, 0.999)  # of Adam in a game: old gradients point at an opponent who has moved (A. Radford et al., 2016)
FUSED = ("cpu", "cuda", "mps")  # devices where Adam can be one call for all parameters


def adam(network: nn.Module, **settings: Any) -> torch.optim.Adam:
    """Adam over all of a network; `fused`, since for few parameters the calls cost more than the sums."""
    fused = all(parameter.device.type in FUSED for parameter in network.parameters())
    return torch.optim.Adam(network.parameters(), fused=fused, **settings)


def linear_decay(learning_rate: float, step: int, total_steps: int, warmup: int = 0) -> float:
    """The learning rate of update number `step`, from 0 on: flat for half of `total_steps`, then falling in a line
    to 0 at their end. With `total_steps` 0 the end is not known and the rate stays. Over the first `warmup` updates it
    rises in a line, since the first gradients of a deep network are wild."""
    if total_steps > 0:
        learning_rate *= min(1.0, max(0.0, 2 * (1 - step / total_steps)))
    return learning_rate if warmup == 0 else learning_rate * min(1.0, (step + 1) / warmup)


def length_of_training() -> Any:
    """The hyperparameter `total_steps`, for `linear_decay`."""
    return hyperparameter(0, label="length of training", low=0, high=10_000_000, unit="steps",
                help="Learning rates fall to 0 over the second half of so many steps; 0 where the end is open.")


def gradient_clip(unit: str = "", why: str = "") -> Any:
    """The hyperparameter `clip`, for `longest_gradient`; `why` ends its help."""
    return hyperparameter(1.0, label="longest gradient", low=1e-3, high=1000.0, log=True, unit=unit,
                          help="A longer gradient is cut to this length" + (f": {why}." if why else "."))


def weight_average(network: nn.Module, keep: Callable[[int], float]) -> AveragedModel:
    """The moving average of a network's weights and of its buffers that are no counters, beginning at the network as
    it is (Y. Yazıcı et al., The Unusual Effectiveness of Averaging in GAN Training, ICLR 2019).

    Args:
        network: is copied; the copy is in inference mode and asks for no gradients.
        keep: which part of the average update number n keeps, from n = 1 on.
    """

    @torch.no_grad()
    def move(average: list[Tensor], now: list[Tensor], n: Tensor) -> None:
        weight = 1 - keep(int(n))
        for a, b in zip(average, now, strict=True):
            if a.is_floating_point():
                a.lerp_(b, weight)

    average = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    average.n_averaged.fill_(1)  # the copy is the first one; at 0 the first update would forget it
    return average.requires_grad_(False).eval()
