"""Masked diffusion: a process hides symbols one after the other, and a network says what was under each mask.

Data x are pictures of D symbols 0 … N−1; z has the further symbol m = N, the mask. At time t from 0, data, to 1, all
hidden, each symbol is still there with probability α_t, independently of the others:
    q(z_t | x) = α_t [z_t = x] + (1 − α_t) [z_t = m].
For s < t Bayes' rule gives the step back: what is seen stays, and what is hidden
    q(z_s | z_t = m, x) = ((1 − α_s) [z_s = m] + (α_s − α_t) [z_s = x]) / (1 − α_t).
The model puts its p(x | z_t) in the place of x, and loses by that a weighted cross-entropy of the hidden symbols:
    −log p(x) ≤ ∫ −α'_t / (1 − α_t) E Σ_{j hidden} −log p(x_j | z_t) dt.
How many symbols are hidden is all that t decides, so the integral is a sum over that number k, whatever α is:
    Σ_{k=1…D} 1/k E_{k hidden} Σ_{j hidden} −log p(x_j | z),
and that is the chain rule's −log p(x), averaged over all orders of the symbols.

References:
    J. Austin et al., Structured Denoising Diffusion Models in Discrete State-Spaces, NeurIPS 2021: the absorbing state.
    S. Sahoo et al., Simple and Effective Masked Diffusion Language Models, NeurIPS 2024: the symbols used here.
    J. Shi et al., Simplified and Generalized Masked Diffusion for Discrete Data, NeurIPS 2024: the integral.
    J. Ou et al., Your Absorbing Discrete Diffusion Secretly Models the Conditional Distributions of Clean Data, ICLR
        2025: the integral as a mean over orders.
    E. Hoogeboom et al., Autoregressive Diffusion Models, ICLR 2022: the sum over k; B. Uria, I. Murray, H. Larochelle,
        A Deep and Tractable Density Estimator, ICML 2014: the same for one network of all orders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import init_layer
from course_lib.models.transformer import Blocks

Predictor = Callable[[Tensor], Tensor]  # logits of p(x_j = v | z), [n, N, H, W], of masked pictures z [n, H, W]
ALPHAS: dict[str, Callable[[Tensor], Tensor]] = {  # α_t of times in [0, 1], from 1 to 0
    "linear": lambda t: 1 - t,
    "cosine": lambda t: 1 - torch.sin(math.pi / 2 * t),
    "square": lambda t: 1 - t**2,
}


def hide(x: Tensor, t: Tensor, n_classes: int, generator: torch.Generator) -> Tensor:
    """z_t `[n, H, W]`: each symbol of x `[n, H, W]` hidden with probability t `[n]`, that is 1 − α_t."""
    u = torch.rand(x.shape, generator=generator, dtype=torch.float64).to(x.device)
    return torch.where(u < t.view(-1, *[1] * (x.ndim - 1)).to(u), n_classes, x)


def hide_number(x: Tensor, k: Tensor, n_classes: int, generator: torch.Generator) -> Tensor:
    """z `[n, H, W]`: of x `[n, H, W]` so many symbols hidden, k `[n]`, every set of that size as likely."""
    u = torch.rand(len(x), x[0].numel(), generator=generator).to(x.device)
    rank = u.argsort(1).argsort(1).view_as(x)
    return torch.where(rank < k.view(-1, *[1] * (x.ndim - 1)).to(x.device), n_classes, x)


def even_numbers(n: int, D: int, generator: torch.Generator) -> Tensor:
    """How many to hide, int64 `[n]`: each evenly from 1 … D, and together spread evenly, which lessens the noise of a
    mean (D. Kingma et al., Variational Diffusion Models, NeurIPS 2021, appendix I.1)."""
    u = (torch.rand(1, generator=generator, dtype=torch.float64) + torch.arange(n) / n) % 1
    return 1 + (u * D).long()[torch.randperm(n, generator=generator)]


def step_back(z: Tensor, p: Tensor, alpha_s: float, alpha_t: float) -> Tensor:
    """q(z_s | z_t = z, x) where p is one-hot in x, and the model's p(z_s | z_t) where p are its p(x | z_t).

    Args:
        z: `[n, H, W]`, N where hidden.
        p: probabilities of the values, `[n, N, H, W]`.
        alpha_s, alpha_t: of s < t, so that α_s > α_t.

    Returns:
        Probabilities of the values and, last, of the mask, `[n, N + 1, H, W]`.

    Raises:
        ValueError: not 1 ≥ α_s ≥ α_t ≥ 0, or no symbol can be hidden at t.
    """
    if not 1 >= alpha_s >= alpha_t >= 0 or alpha_t == 1:
        raise ValueError(f"a step back needs 1 >= alpha_s >= alpha_t >= 0 and alpha_t < 1, not {alpha_s}, {alpha_t}")
    N, shown = p.shape[1], (alpha_s - alpha_t) / (1 - alpha_t)
    back = torch.cat([shown * p, torch.full_like(p[:, :1], 1 - shown)], dim=1)
    stays = F.one_hot(z, N + 1).movedim(-1, 1).to(p)
    return torch.where((z == N)[:, None], back, stays)


def symbol_nll(logits: Tensor, x: Tensor) -> Tensor:
    """−log p(x_j | z) of each symbol in nats, `[n, H, W]`, from logits `[n, N, H, W]`."""
    return F.cross_entropy(logits.to(torch.promote_types(logits.dtype, torch.float32)), x, reduction="none")


def hidden_nll(logits: Tensor, x: Tensor, z: Tensor) -> Tensor:
    """Σ over hidden symbols of −log p(x_j | z) in nats, `[n]`, from logits `[n, N, H, W]`."""
    return torch.where(z == logits.shape[1], symbol_nll(logits, x), 0).flatten(1).sum(1)


def bound(predict: Predictor, x: Tensor, n_classes: int, generator: torch.Generator) -> Tensor:
    """One draw for each picture x `[n, H, W]` of the upper bound on −log p(x) in nats, `[n]`: k of its D symbols are
    hidden, and their −log p(x_j | z) weighs D/k."""
    D = x[0].numel()
    k = even_numbers(len(x), D, generator)
    z = hide_number(x, k, n_classes, generator)
    return D / k.to(x.device) * hidden_nll(predict(z), x, z)


@torch.no_grad()
def unmask(predict: Predictor, z: Tensor, n_classes: int, shown: Sequence[int], generator: torch.Generator) -> Tensor:
    """Show hidden symbols, so many in each step, everywhere as likely; those of a step independently of each other.

    With one in each step and nothing seen before, pictures come from the mean over all orders of the model's p(x).

    Args:
        z: `[n, H, W]`, N where hidden, which may differ from picture to picture.
        shown: how many are shown in each step; what is left after the last stays hidden.

    Returns:
        All states, `[steps + 1, n, H, W]`.
    """
    states = [z]
    for count in shown:
        p = predict(z).double().softmax(1)
        u = torch.rand(z.shape, generator=generator, dtype=torch.float64).to(z.device)
        drawn = (u[:, None] > p[:, :-1].cumsum(1)).sum(1)
        order = torch.rand(z.shape, generator=generator).to(z.device).masked_fill(z != n_classes, 2)
        first = order.flatten(1).argsort(1).argsort(1).view_as(z) < count
        z = torch.where(first & (z == n_classes), drawn, z)
        states.append(z)
    return torch.stack(states)


def shares(D: int, steps: int) -> list[int]:
    """D symbols shared out evenly among the steps; earlier steps get the remainder."""
    return [D // steps + (i < D % steps) for i in range(steps)]


class MaskedTransformer(nn.Module):
    """Logits of every symbol from a picture with masks, by attention among its patches in all directions.

    A patch's token is a linear map of its symbols, the mask being one of them; a linear map of its state tells all of
    its symbols, each independently of the others given z.

    Args:
        size: (H, W) of the pictures.
        n_classes: N, the number of values.
        channels, layers, heads: as in `Blocks`.
        patch: rows and columns of a patch.

    Raises:
        ValueError: pictures that are not made of whole patches.
    """

    def __init__(self, size: tuple[int, int], n_classes: int, channels: int = 128, layers: int = 3, heads: int = 4,
                 patch: tuple[int, int] = (1, 1), *, generator: torch.Generator) -> None:
        super().__init__()
        if size[0] % patch[0] or size[1] % patch[1]:
            raise ValueError(f"pictures of {size[0]} x {size[1]} have no patches of {patch[0]} x {patch[1]}")
        self.size, self.n_classes, self.patch = size, n_classes, patch
        self.grid, symbols = (size[0] // patch[0], size[1] // patch[1]), patch[0] * patch[1]
        self.read = init_layer(nn.Linear, symbols * (n_classes + 1), channels, generator=generator)
        self.blocks = Blocks(channels, layers, heads, self.grid[0] * self.grid[1], "learned", generator,
                             look_ahead=None)
        self.tell = init_layer(nn.Linear, channels, symbols * n_classes, generator=generator)

    def forward(self, z: Tensor) -> Tensor:
        """Logits `[n, N, H, W]` of z `[n, H, W]`, N where hidden. Raises ValueError for others."""
        if z.ndim != 3 or tuple(z.shape[1:]) != self.size:
            raise ValueError(f"pictures must have shape [n, {self.size[0]}, {self.size[1]}], not {list(z.shape)}")
        if z.is_floating_point() or z.dtype == torch.bool:
            raise ValueError(f"symbols must be whole numbers, not {z.dtype}")
        if z.numel() and not (z.min() >= 0 and z.max() <= self.n_classes):
            raise ValueError(f"symbols must lie in 0 … {self.n_classes}, the last of which is the mask; these reach "
                             f"from {z.min()} to {z.max()}")
        (p, q), (rows, columns) = self.patch, self.grid
        patches = z.view(-1, rows, p, columns, q).transpose(2, 3).reshape(len(z), rows * columns, p * q)
        one_hot = F.one_hot(patches, self.n_classes + 1).flatten(2).to(self.read.weight.dtype)
        told = self.tell(self.blocks(self.read(one_hot)))
        told = told.view(-1, rows, columns, p, q, self.n_classes)
        return told.permute(0, 5, 1, 3, 2, 4).reshape(-1, self.n_classes, *self.size)
