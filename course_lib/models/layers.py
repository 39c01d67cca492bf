"""What several networks share: layers whose first weights come from a given generator, and the check of their input."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

Layer = TypeVar("Layer", bound=nn.Module)


def init_layer(kind: type[Layer], *arguments: Any, generator: torch.Generator, **options: Any) -> Layer:
    """A linear or convolutional layer as PyTorch makes it, but with first weights and biases drawn from `generator`.

    They are U(−1/√n, 1/√n), where n is the number of inputs of one unit, as in nn.Linear and nn.Conv2d.
    """
    layer = skip_init(kind, *arguments, **options)
    bound = layer.weight[0].numel() ** -0.5
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer


def device_of(network: nn.Module) -> torch.device:
    """Where a network's parameters lie: random numbers are drawn on the CPU and moved there."""
    return next(network.parameters()).device


def joined(parts: Iterable[Tensor], n: int) -> Tensor:
    """n rows `[n, …]` that are made part by part, as one tensor.

    As `torch.cat` of all, but no part is kept. What is kept between the large buffers of a network's layers would stop
    the C library from using their place again: hundreds of megabytes, at times, for ten thousand images.

    Raises:
        ValueError: the parts have fewer or more rows.
    """
    whole, first = torch.empty(0), 0
    for part in parts:
        if first == 0:
            whole = part.new_empty(n, *part.shape[1:])
        if first + len(part) > n:
            raise ValueError(f"the parts have more than {n} rows")
        whole[first:first + len(part)] = part
        first += len(part)
    if first != n:
        raise ValueError(f"the parts have {first} rows, not {n}")
    return whole


def mlp(sizes: Sequence[int], generator: torch.Generator, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """linear → ReLU → … → linear: `mlp([784, 512, 256, 4], generator)` has two hidden layers, `mlp([784, 4],
    generator)` none."""
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [init_layer(nn.Linear, n_in, n_out, generator=generator), activation()]
    return nn.Sequential(*layers[:-1])


def check_images(x: Tensor, n_pixels: int, unit_range: bool = True) -> None:
    """Raises ValueError unless x is a batch of flat images `[n, n_pixels]`, finite and, by default, within [0, 1]."""
    if x.ndim != 2 or x.shape[1] != n_pixels:
        flatten = ": flatten the images, x.flatten(1)" if x.ndim > 2 and x[0].numel() == n_pixels else ""
        raise ValueError(f"images must have shape [n, {n_pixels}], not {list(x.shape)}{flatten}")
    if not x.is_floating_point():
        raise ValueError(f"images must be of a floating type, not {x.dtype}: use MNIST.flat() or x / 255")
    if len(x) == 0:
        return
    low, high = (value.item() for value in x.aminmax())
    if not (-torch.inf < low and high < torch.inf):  # NaN compares false
        raise ValueError("images have NaN or infinite pixels")
    if unit_range and not (low >= 0 and high <= 1):
        raise ValueError(f"images must lie in [0, 1], these reach from {low:.4g} to {high:.4g}: bytes must be divided "
                         "by 255, and images made for a tanh are brought back by (x + 1) / 2")
