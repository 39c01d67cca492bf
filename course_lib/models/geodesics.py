"""Lengths in a latent space as the decoder has them: the pull-back metric, and shortest paths between two codes.

A small step dz of the code moves the decoded picture by J dz, J the decoder's Jacobian, so by the length
√(dzᵀ Jᵀ J dz): Jᵀ J is the pull-back metric. A path z(t) has the length ∫ ‖d/dt decode(z(t))‖ dt, and a geodesic is one
that no small change makes shorter. It is found by making the energy ∫ ‖d/dt decode(z(t))‖² dt small: at least the
length squared, and equal to it where the speed is even.

References:
    H. Shao, A. Kumar, P. T. Fletcher, The Riemannian Geometry of Deep Generative Models, CVPR workshops 2018: the
        energy of a path in pieces.
    G. Arvanitidis, L. K. Hansen, S. Hauberg, Latent Space Oddity: on the Curvature of Deep Generative Models, ICLR
        2018: the metric (section 2), also of a decoder's noise, which is left out here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from course_lib.validation import float_tensor, whole_number

Decode = Callable[[Tensor], Tensor]  # pictures `[n, D]` of codes `[n, d]`, each on its own


def pullback_metric(decode: Decode, z: Tensor) -> Tensor:
    """Jᵀ J at each code, `[n, d, d]`, for codes `[n, d]`, J `[D, d]` the Jacobian of `decode` there."""
    J = vmap(jacrev(lambda code: decode(code[None])[0]))(float_tensor(z, "z", ("n", "d")))
    return J.mT @ J


def path_length(x: Tensor) -> Tensor:
    """Length `[…]` of paths of pictures `[steps, …, D]`, the sum of the straight pieces between neighbours.

    Of points on a curve it is at most the curve's length, and comes near it as the steps become finer.
    """
    return float_tensor(x, "x").diff(dim=0).norm(dim=-1).sum(dim=0)


def curved_path(a: Tensor, b: Tensor, t: Tensor, bends: Tensor) -> Tensor:
    """(1 − t)·a + t·b + Σ_j sin(π j t)·bends_j, `[steps, n, d]`: from a to b `[n, d]` at places t `[steps]` in [0, 1].

    `bends` is `[terms, n, d]`, j from 1 on; each sine vanishes at both ends.
    """
    j = torch.arange(1, len(bends) + 1, dtype=t.dtype)
    return a + t[:, None, None] * (b - a) + torch.einsum("sj,jnd->snd", torch.sin(torch.pi * t[:, None] * j), bends)


def geodesic_bends(decode: Decode, a: Tensor, b: Tensor, *, terms: int = 4, pieces: int = 16, steps: int = 60,
                   learning_rate: float = 0.1) -> Tensor:
    """The `bends` `[terms, n, d]` of `curved_path` that make the energy of each path from a to b `[n, d]` small.

    Begins at the straight path and goes down by Adam, each path by itself; so what is found is a local minimum.

    Args:
        decode: differentiable; of each code alone.
        terms: sines; more of them allow sharper bends.
        pieces: of the path whose energy is taken.
        steps, learning_rate: of Adam; the rate falls to 0 over the second half.

    Raises:
        ValueError: ends of two shapes, with NaN or infinity, or no terms, pieces or steps.
    """
    a, b = float_tensor(a, "a", ("n", "d")), float_tensor(b, "b", ("n", "d"))
    if a.shape != b.shape:
        raise ValueError(f"both ends must be codes of one shape [n, d], not {list(a.shape)} and {list(b.shape)}")
    terms, pieces, steps = (whole_number(value, name, least=1) for value, name in
                            ((terms, "terms"), (pieces, "pieces"), (steps, "steps")))
    t = torch.linspace(0, 1, pieces + 1, dtype=a.dtype)
    bends = torch.zeros(terms, *a.shape, dtype=a.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([bends], lr=learning_rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / steps)))
    for _ in range(steps):
        x = decode(curved_path(a, b, t, bends).flatten(0, 1)).unflatten(0, (len(t), len(a)))
        energy = pieces * x.diff(dim=0).square().sum()  # of all paths: no path's depends on another's bends
        bends.grad, = torch.autograd.grad(energy, bends)
        optimizer.step()
        falling.step()
    return bends.detach()
