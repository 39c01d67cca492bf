"""What keeps a discriminator from being steep: penalties on its slope, for a loss to add.

References:
    L. Mescheder, A. Geiger, S. Nowozin, Which Training Methods for GANs do actually Converge?, ICML 2018: eq. 9.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def slopes(D: nn.Module, x: Tensor) -> Tensor:
    """∇D at each example of x `[n, …]`, of the same shape, itself differentiable: a loss made of it can train D.

    D must judge each example by itself; then the gradient of the sum of all scores by one example is the slope there.
    """
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return gradient


def r1_penalty(D: nn.Module, real: Tensor) -> Tensor:
    """½ E ‖∇D(x)‖² at real examples x `[n, …]`: zero where D is flat, as it is once it can tell nothing."""
    return slopes(D, real).flatten(1).square().sum(dim=1).mean() / 2
