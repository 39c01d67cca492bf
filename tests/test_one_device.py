"""The mode that stands in for a GPU: what it refuses, and what it allows as torch does."""

import pytest
import torch
from one_device import MixedDevices, OneDevice
from torch import nn

THERE = torch.zeros(3, 3, device="meta")
HERE = torch.zeros(3, 3)
NUMBER = torch.tensor(2.0)


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("mixed", [
    lambda: THERE + HERE,
    lambda: HERE @ THERE,
    lambda: torch.cat([HERE, THERE]),
    lambda: torch.stack([NUMBER, THERE.sum()]),
    lambda: torch.where(THERE > 0, HERE, 0.0),
    lambda: nn.functional.linear(HERE, THERE),
    lambda: HERE[THERE[0].long()],
    lambda: NUMBER.clone().add_(THERE.sum()),
    lambda: HERE.clone().lerp_(THERE, 0.5),
    lambda: torch.rand(3, generator=seeded(), device="meta"),
    lambda: torch.bernoulli(THERE, generator=seeded()),
], ids=["sum", "product", "cat", "stack of numbers", "where", "layer", "index", "into a number", "average", "rand",
        "bernoulli"])
def test_what_a_gpu_would_refuse_is_refused(mixed):
    with OneDevice(), pytest.raises(MixedDevices):
        mixed()


@pytest.mark.parametrize("allowed", [
    lambda: THERE * NUMBER + 1.5,
    lambda: NUMBER * THERE,
    lambda: THERE[torch.tensor([0, 2])],
    lambda: THERE + HERE.to("meta"),
    lambda: HERE + THERE.cpu(),
    lambda: THERE.clone().copy_(HERE),
    lambda: torch.rand(3, generator=seeded()).to("meta") + THERE,
], ids=["a number of the CPU", "and before it", "indices of the CPU", "moved there", "moved here", "copied",
        "drawn here and moved"])
def test_what_torch_allows_is_allowed(allowed):
    with OneDevice():
        allowed()


def test_a_mixture_in_a_gradient_is_found_too():
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * HERE

    with OneDevice(), pytest.raises(MixedDevices):
        Scaled.apply(THERE.clone().requires_grad_()).sum().backward()


def test_what_leaves_the_meta_device_is_one():
    with OneDevice():
        assert THERE.sum().item() == 1.0 and int(THERE.long().max()) == 1
        assert (THERE >= 0).all() and THERE.min() >= 0 and not THERE.isnan().any()
        assert torch.equal((THERE + 1).cpu(), HERE + 1) and torch.equal(torch.zeros(3, 3).copy_(THERE), HERE + 1)
