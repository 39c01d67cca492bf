"""What keeps a discriminator from being steep: penalties on its slope, for a loss to add.

References:
    I. Gulrajani et al., Improved Training of Wasserstein GANs, NIPS 2017: eq. 3.
    H. Petzka, A. Fischer, D. Lukovnikov, On the Regularization of Wasserstein GANs, ICLR 2018: the one-sided penalty.
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


def gradient_penalty(D: nn.Module, real: Tensor, fake: Tensor, generator: torch.Generator,
                     one_sided: bool = False) -> Tensor:
    """E (‖∇D(x̂)‖₂ − 1)² at random points x̂ = ε x + (1 − ε) x̃, ε ~ U(0, 1), 0-d, between real and fake points
    `[n, dim]`.

    `one_sided` counts only slopes above 1: a critic may then be flat, as 1-Lipschitz functions may, and so can turn
    round on its way from one slope to the opposite one.

    Raises ValueError for batches of unequal shapes.
    """
    if real.shape != fake.shape:
        raise ValueError(f"each real point needs a fake one: {list(real.shape)} against {list(fake.shape)}")
    epsilon = torch.rand(len(real), 1, generator=generator, dtype=real.dtype).to(real.device)
    between = epsilon * real + (1 - epsilon) * fake
    excess = slopes(D, between).norm(dim=1) - 1
    return (excess.clamp(min=0) if one_sided else excess).square().mean()


def r1_penalty(D: nn.Module, real: Tensor) -> Tensor:
    """½ E ‖∇D(x)‖² at real examples x `[n, …]`: zero where D is flat, as it is once it can tell nothing."""
    return slopes(D, real).flatten(1).square().sum(dim=1).mean() / 2
