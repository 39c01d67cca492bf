"""A generative adversarial network on a line (Goodfellow et al. 2014), with minibatch discrimination.

The generator G turns noise z into numbers x = G(z); the discriminator D says with which probability x is real. The
real data are N(4, 0.5²). Everything here is a product of matrices, so every function also takes leading dimensions:
`stack` gives parameters a first dimension of seeds, and then the same lines train many networks at once.

References:
    I. Goodfellow et al., Generative Adversarial Nets, NIPS 2014: the game (eq. 1), Algorithm 1, the generator's other
        objective (end of section 3).
    T. Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.2: minibatch discrimination.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.deprecated import takes_rng

REAL_MEAN, REAL_STD = 4.0, 0.5
NOISES = ("normal", "textbook")
ACTIVATIONS = {"leaky_relu": lambda a: F.leaky_relu(a, 0.2), "relu": torch.relu, "tanh": torch.tanh}
INITS = ("pytorch", "normal")
LOSSES = ("non-saturating", "saturating")

Module = TypeVar("Module", bound=nn.Module)


def real_data(batch_size: int, generator: torch.Generator) -> Tensor:
    """A batch from N(4, 0.5²), `[batch_size, 1]`."""
    return REAL_MEAN + REAL_STD * torch.randn(batch_size, 1, generator=generator)


def noise(kind: str, batch_size: int, generator: torch.Generator) -> Tensor:
    """What G makes its numbers from, `[batch_size, 1]`.

    'normal' is z ~ N(0, 1). 'textbook' is linspace(−8, 8, batch_size) + 0.01·U(0, 1), as some tutorials have it: with
    8 numbers a batch these are eight narrow spikes 16/7 apart, and G never meets the z between them.
    """
    if kind == "normal":
        return torch.randn(batch_size, 1, generator=generator)
    if kind == "textbook":
        return torch.linspace(-8, 8, batch_size)[:, None] + 0.01 * torch.rand(batch_size, 1, generator=generator)
    raise ValueError(f"noise must be one of {', '.join(NOISES)}, not {kind!r}")


def initial_weight(n_in: int, n_out: int, init: str, generator: torch.Generator, std: float = 1.0) -> Tensor:
    """Weights `[n_in, n_out]`: 'pytorch' is U(−1/√n_in, 1/√n_in), as nn.Linear does; 'normal' is N(0, std²)."""
    if init == "pytorch":
        return (2 * torch.rand(n_in, n_out, generator=generator) - 1) / n_in**0.5
    if init == "normal":
        return std * torch.randn(n_in, n_out, generator=generator)
    raise ValueError(f"init must be one of {', '.join(INITS)}, not {init!r}")


class Linear(nn.Module):
    """x W + b, `[…, batch, n_in]` → `[…, batch, n_out]`. Unlike nn.Linear it draws from `generator`, and W may have a
    leading dimension of seeds."""

    def __init__(self, n_in: int, n_out: int, init: str, generator: torch.Generator) -> None:
        super().__init__()
        self.W = nn.Parameter(initial_weight(n_in, n_out, init, generator))
        bound = n_in**-0.5 if init == "pytorch" else 0.0
        self.b = nn.Parameter(bound * (2 * torch.rand(1, n_out, generator=generator) - 1))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W + self.b


@takes_rng
class Generator(nn.Module):
    """G(z): linear → softplus → linear. Noise `[…, batch, 1]` → numbers `[…, batch, 1]`."""

    def __init__(self, hidden_size: int, init: str, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden, self.out = Linear(1, hidden_size, init, generator), Linear(hidden_size, 1, init, generator)

    def forward(self, z: Tensor) -> Tensor:
        return self.out(F.softplus(self.hidden(z)))


class MinibatchDiscrimination(nn.Module):
    """Tells each number how close its features are to those of the others in its batch (Salimans et al. 2016).

    Features f(x_i) times a tensor T give M_i, `kernels` rows of `kernel_dim` numbers; then
        c_k(x_i, x_j) = exp(−‖M_ik − M_jk‖₁)  and  o(x_i)_k = Σ_j c_k(x_i, x_j).
    """

    def __init__(self, n_in: int, init: str, generator: torch.Generator, kernels: int = 5, kernel_dim: int = 3) -> None:
        super().__init__()
        self.shape = (kernels, kernel_dim)
        self.T = nn.Parameter(initial_weight(n_in, kernels * kernel_dim, init, generator, std=0.02))

    def forward(self, f: Tensor, reference_batch: Tensor | None = None) -> Tensor:
        """Closeness of each row of f `[…, batch, n_in]` to its batch, `[…, batch, kernels]`.

        With `reference_batch` `[…, others, n_in]`, each row of f stands alone among those others instead.
        """
        M = (f @ self.T).unflatten(-1, self.shape)  # [..., batch, kernels, kernel_dim]
        others = M if reference_batch is None else (reference_batch @ self.T).unflatten(-1, self.shape)
        distance = (M[..., :, None, :, :] - others[..., None, :, :, :]).abs().sum(-1)  # [..., batch, others, kernels]
        o = torch.exp(-distance).sum(-2)
        return o if reference_batch is None else o + 1  # the sum over j holds j = i, where exp(−0) = 1


@takes_rng
class Discriminator(nn.Module):
    """The logit of D(x), so that D = sigmoid(logit). Numbers `[…, batch, 1]` → logits `[…, batch]`.

    Deeper and wider than G: two hidden layers, then a third one, or minibatch discrimination in its place.
    """

    def __init__(self, width: int, activation: str, minibatch: bool, init: str, generator: torch.Generator) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}")
        self.activation = ACTIVATIONS[activation]
        self.hidden1, self.hidden2 = Linear(1, width, init, generator), Linear(width, width, init, generator)
        self.minibatch = MinibatchDiscrimination(width, init, generator) if minibatch else None
        self.hidden3 = None if minibatch else Linear(width, width, init, generator)
        self.out = Linear(width + 5 if minibatch else width, 1, init, generator)

    def features(self, x: Tensor) -> Tensor:
        """What the second hidden layer makes of numbers `[…, batch, 1]`: `[…, batch, units]`."""
        return self.activation(self.hidden2(self.activation(self.hidden1(x))))

    def forward(self, x: Tensor, reference_batch: Tensor | None = None) -> Tensor:
        """Logits `[…, batch]` of x `[…, batch, 1]`. With minibatch discrimination they depend on the batch that x sits
        in: on the rest of x, or, where `reference_batch` `[…, others, 1]` is given, on that (and then not on the rest
        of x)."""
        f = self.features(x)
        if self.minibatch is None:
            h = self.activation(self.hidden3(f))
        else:
            h = torch.cat([f, self.minibatch(f, None if reference_batch is None else self.features(reference_batch))],
                          dim=-1)
        return self.out(h).squeeze(-1)


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean over the batch of −log D(x) − log(1 − D(G(z))), in nats, `[…, batch]` → `[…]`; 2·log 2 where D can tell
    nothing.

    −log sigmoid(a) = softplus(−a), which never takes the logarithm of a rounded 0 and so needs no clipping.
    """
    return (F.softplus(-real_logits) + F.softplus(fake_logits)).mean(-1)


def generator_loss(fake_logits: Tensor, kind: str) -> Tensor:
    """Mean over the batch, in nats, of −log D(G(z)) ('non-saturating') or log(1 − D(G(z))) ('saturating'): logits
    `[…, batch]` → `[…]`.

    Where D can tell nothing they are log 2 and −log 2. Both fall as D(G(z)) rises, and yet they are not equivalent:
    where D is sure of the fake, the first has slope 1 in the logit and the second almost none.
    """
    if kind == "non-saturating":
        return F.softplus(-fake_logits).mean(-1)
    if kind == "saturating":
        return -F.softplus(fake_logits).mean(-1)
    raise ValueError(f"loss must be one of {', '.join(LOSSES)}, not {kind!r}")


def stack(networks: Sequence[Module]) -> Module:
    """One network whose parameters are those of many alike ones, along a new first dimension of seeds."""
    stacked = copy.deepcopy(networks[0])
    for name, parameter in stacked.named_parameters():
        parameter.data = torch.stack([network.get_parameter(name).data for network in networks])
    return stacked
