"""Generative stochastic networks: corrupt, denoise by a draw, and again; a Markov chain is the model.

From x, draw a corrupted x̃ ~ C(x̃ | x), then x' ~ p_θ(x' | x̃). If p_θ is the true posterior of x given x̃, the data's
distribution is the chain's stationary one: (x, x̃) and (x', x̃) are draws from one joint.

**Walkback** training also starts from where the chain strays: it walks k steps from a data point and teaches the
denoiser to return to that point from each corrupted picture on the way.

References:
    Y. Bengio, L. Yao, G. Alain, P. Vincent, Generalized Denoising Auto-Encoders as Generative Models, NIPS 2013:
        Theorem 1, and walkback as Algorithm 1.
    Y. Bengio, É. Thibodeau-Laufer, G. Alain, J. Yosinski, Deep Generative Stochastic Networks Trainable by Backprop,
        ICML 2014.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.models.layers import mlp
from course_lib.validation import finite_result, float_tensor


class Denoiser(nn.Module, ABC):
    """C(x̃ | x) and p_θ(x | x̃), for batches `[n, D]`."""

    @abstractmethod
    def corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A draw x̃ ~ C(x̃ | x), `[n, D]` as x."""

    @abstractmethod
    def log_prob(self, x: Tensor, corrupted: Tensor) -> Tensor:
        """log p_θ(x | x̃) in nats, `[n]`, of x and x̃ `[n, D]`."""

    @abstractmethod
    def draw(self, corrupted: Tensor, generator: torch.Generator) -> Tensor:
        """A draw x ~ p_θ(x | x̃), `[n, D]` as x̃."""


class MixtureDenoiser(Denoiser):
    """For numbers `[n, 1]`: x̃ = x + noise·ε, and p_θ(x | x̃) is a mixture of K Gaussians that an MLP reads off x̃.

    (C. Bishop, Mixture Density Networks, 1994.) With K = 1 it can only put one bump somewhere between the causes of x̃.
    """

    def __init__(self, K: int, noise: float, generator: torch.Generator, width: int = 64) -> None:
        super().__init__()
        if K < 1 or not noise > 0:
            raise ValueError(f"K must be at least 1 and noise positive, not {K} and {noise}")
        self.noise, self.net = noise, mlp([1, width, width, 3 * K], generator, nn.Tanh)

    def corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return x + self.noise * torch.randn(x.shape, generator=generator)

    def components(self, corrupted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, means and log standard deviations of the mixture, each `[n, K]`."""
        log_pi, mu, rho = self.net(corrupted).chunk(3, dim=-1)
        return log_pi.log_softmax(-1), mu, rho.clamp(-5, 3)

    def log_prob(self, x: Tensor, corrupted: Tensor) -> Tensor:
        x, corrupted = float_tensor(x, "x", ("n", 1)), float_tensor(corrupted, "corrupted", ("n", 1))
        log_pi, mu, rho = self.components(corrupted)
        log_p = (log_pi - 0.5 * ((x - mu) / rho.exp()) ** 2 - rho - 0.5 * math.log(2 * math.pi)).logsumexp(-1)
        return finite_result(log_p, "log p(x)")

    @torch.no_grad()
    def draw(self, corrupted: Tensor, generator: torch.Generator) -> Tensor:
        log_pi, mu, rho = self.components(corrupted)
        k = torch.multinomial(log_pi.exp(), 1, generator=generator)
        return mu.gather(1, k) + rho.gather(1, k).exp() * torch.randn(k.shape, generator=generator)


class PixelDenoiser(Denoiser):
    """For black and white pictures `[n, D]`: each pixel is replaced by a fair coin with probability `noise`, and
    p_θ(x | x̃) takes the pixels as independent given x̃, with probabilities from an MLP."""

    def __init__(self, D: int, width: int, noise: float, generator: torch.Generator) -> None:
        super().__init__()
        if not 0 < noise <= 1:
            raise ValueError(f"noise is a probability above 0, not {noise}")
        self.noise, self.net = noise, mlp([D, width, width, D], generator)

    def corrupt(self, x: Tensor, generator: torch.Generator) -> Tensor:
        coin = (torch.rand(x.shape, generator=generator) < 0.5).to(x.dtype)
        return torch.where(torch.rand(x.shape, generator=generator) < self.noise, coin, x)

    def log_prob(self, x: Tensor, corrupted: Tensor) -> Tensor:
        x, corrupted = float_tensor(x, "x", ("n", "D")), float_tensor(corrupted, "corrupted", ("n", "D"))
        return -F.binary_cross_entropy_with_logits(self.net(corrupted), x, reduction="none").sum(-1)

    @torch.no_grad()
    def draw(self, corrupted: Tensor, generator: torch.Generator) -> Tensor:
        p = finite_result(torch.sigmoid(self.net(corrupted)), "p(x)")  # of NaN a draw would make paper
        return (torch.rand(p.shape, generator=generator) < p).to(p.dtype)


@torch.no_grad()
def walk(denoiser: Denoiser, x: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Where the chains that start at x `[n, D]` are after so many steps, of x's shape."""
    for _ in range(steps):
        x = denoiser.draw(denoiser.corrupt(x, generator), generator)
    return x


def walkback_loss(denoiser: Denoiser, x: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Mean of −log p_θ(x | x̃) in nats, 0-d, over `steps` corrupted x̃ along a walk from x; 1 step is plain denoising."""
    corrupted = denoiser.corrupt(x, generator)
    loss = -denoiser.log_prob(x, corrupted).mean()
    for _ in range(steps - 1):
        corrupted = denoiser.corrupt(denoiser.draw(corrupted, generator), generator)
        loss = loss - denoiser.log_prob(x, corrupted).mean()
    return loss / steps
