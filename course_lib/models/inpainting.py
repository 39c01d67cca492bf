"""Inpainting by replacement: a model that draws whole pictures fills in hidden pixels, without being trained for it.

On the way from noise to data, at every time, the seen pixels are overwritten by the true ones, noised as far as that
time asks. The hidden ones are drawn beside them, one ancestral step after another:

    x_s ~ N(a·x_t + b·x̂_0, c²),   a = (α_t/α_s) σ_s²/σ_t²,   b = α_s (1 − r²),   c² = σ_s² (1 − r²)

with r = α_t σ_s/(α_s σ_t), which is q(x_s | x_t, x_0) with the denoiser's x̂_0 = x_t − t·v(x_t, t) in the place of x_0.
It is biased: the noised seen pixels of one time say little of the clean ones, and what was decided early for the hidden
ones is kept. Going back to more noise and down again, several rounds at each time, lessens the bias.

References:
    Y. Song et al., Score-Based Generative Modeling through Stochastic Differential Equations, ICLR 2021: appendix I.2.
    A. Lugmayr et al., RePaint: Inpainting using Denoising Diffusion Probabilistic Models, CVPR 2022: algorithm 1, the
        rounds.
    J. Ho, A. Jain, P. Abbeel, Denoising Diffusion Probabilistic Models, NeurIPS 2020: equations 6 and 7.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from course_lib.models.flow_matching import PATH, Field
from course_lib.models.samplers import posterior


def step_down(x: Tensor, x_0: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
    """A draw `[n, …]` of q(x_s | x_t, x_0) on the straight path, from x_t, x_0 and noise `[n, …]`; 0 ≤ s < t ≤ 1."""
    a, c, variance = posterior(PATH, *torch.tensor([t, s], dtype=torch.float64))
    return a * x + c * x_0 + variance.sqrt() * eps


def step_up(x: Tensor, s: float, t: float, eps: Tensor) -> Tensor:
    """A draw `[n, …]` of q(x_t | x_s): more noise, on the straight path, from x_s and noise `[n, …]`; s < t ≤ 1."""
    shrink = (1 - t) / (1 - s)
    return shrink * x + (t**2 - shrink**2 * s**2) ** 0.5 * eps


@torch.no_grad()
def inpaint(field: Field, x_0: Tensor, seen: Tensor, steps: int, generator: torch.Generator, rounds: int = 1) -> Tensor:
    """Draws `[n, …]` whose seen numbers are those of x_0 `[n, …]`.

    Args:
        field: the velocity on the straight path, of x `[n, …]` at times `[n]`.
        x_0: what is known; what it has at hidden places does not matter, but must be finite.
        seen: bool, a shape that broadcasts to x_0's; True where a number is known.
        steps: from t = 1 to 0, of equal length.
        generator: draws the noise.
        rounds: how often each step is taken; before each of the others noise leads back up.

    Raises:
        ValueError: fewer than one step or round.
    """
    if steps < 1 or rounds < 1:
        raise ValueError(f"steps and rounds must be at least 1, not {steps} and {rounds}")

    def noise() -> Tensor:
        return torch.randn(x_0.shape, generator=generator, dtype=x_0.dtype)

    x, times = noise(), torch.linspace(1, 0, steps + 1, dtype=torch.float64).tolist()
    for t, s in itertools.pairwise(times):
        for round_ in range(rounds if s > 0 else 1):
            if round_:
                x = step_up(x, s, t, noise())
            clean = x - t * field(x, x.new_full((len(x),), t))
            x = step_down(x, clean, t, s, noise())
            x = torch.where(seen, (1 - s) * x_0 + s * noise(), x)
    return x
