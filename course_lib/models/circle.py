"""A model small enough to know everything about it: one latent number z that winds a line around a circle.

    z ~ N(0, 1),    x | z ~ N((cos az, sin az), σ² I)    with x in the plane.

Its log p(x) is an integral over a line, so quadrature gives it to machine precision. Its posterior is no Gaussian: bent
inside the circle, and two-peaked behind it, where both ends of the line meet. For a Gaussian q even the ELBO has a
closed form, since E_q[cos az] = exp(−a²s²/2) cos am. So the gaps below log p(x) can be measured without any sampling.

References:
    C. Cremer, X. Li, D. Duvenaud, Inference Suboptimality in Variational Autoencoders, ICML 2018: the two gaps (eqs. 3
        to 5), and encoders of different size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from course_lib.models.gan1d import Linear
from course_lib.validation import finite_result, float_tensor

REACH = 9.0    # of the quadrature over z: the prior holds 1e-19 beyond


class Circle:
    """p(x, z) as above.

    Args:
        a: the angle in radians per unit of z. For 2 a z of ±π/2 lies at the back.
        noise: σ, the standard deviation of x around its place on the circle.

    Raises:
        ValueError: `a` or `noise` is not positive.
    """

    def __init__(self, a: float = 2.0, noise: float = 0.4) -> None:
        if not (a > 0 and noise > 0):
            raise ValueError(f"a and noise must be positive, not {a!r} and {noise!r}")
        self.a, self.noise = a, noise
        self.narrow = noise / (noise + a)    # about the width of the narrowest posterior, in units of z

    def place(self, z: Tensor) -> Tensor:
        """E[x | z] = (cos az, sin az): z `[…]`, result `[…, 2]`."""
        return torch.stack([torch.cos(self.a * z), torch.sin(self.a * z)], dim=-1)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) in nats, `[…, n]`, for x `[n, 2]` and z `[…, n]`, or `[…, 1]` for the same z at each x."""
        distance = ((_pairs(x) - self.place(float_tensor(z, "z"))) ** 2).sum(-1)
        log_x = -0.5 * distance / self.noise**2 - math.log(2 * math.pi * self.noise**2)
        return finite_result(log_x - 0.5 * z**2 - 0.5 * math.log(2 * math.pi), "log p(x, z)")

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log ∫ p(x, z) dz in nats, `[n]`, by the trapezoid rule (to about 1e-13 in float64).

        The integrand is smooth and vanishes at both ends, where this rule is far better than its name.
        """
        x = _pairs(x)
        nodes = math.ceil(10 * REACH / self.narrow) + 1
        z = torch.linspace(-REACH, REACH, nodes, dtype=x.dtype)
        return self.log_joint(x, z[:, None]).logsumexp(dim=0) + math.log(2 * REACH / (nodes - 1))

    def elbo(self, x: Tensor, m: Tensor, s: Tensor) -> Tensor:
        """E_q[log p(x | z)] − KL(q ‖ p(z)) in nats for q = N(m, s²), in closed form.

        x is `[n, 2]`; m and s are `[…, n]`, and so is the result.

        Raises:
            ValueError: x of another shape, NaN or infinity, or an s that is not positive.
        """
        m, s = float_tensor(m, "m"), float_tensor(s, "s")
        if not (s > 0).all():
            raise ValueError("s is a standard deviation and must be positive")
        return finite_result(self._elbo(_pairs(x), m, s), "the ELBO")

    def _elbo(self, x: Tensor, m: Tensor, s: Tensor) -> Tensor:
        shrink = torch.exp(-0.5 * (self.a * s) ** 2)
        mean_place = shrink[..., None] * self.place(m)
        distance = (x**2).sum(-1) + 1 - 2 * (x * mean_place).sum(-1)    # E|x − place|², and |place| = 1
        log_x = -0.5 * distance / self.noise**2 - math.log(2 * math.pi * self.noise**2)
        return log_x - 0.5 * (s**2 + m**2 - 1) + s.log()

    def best_gaussian(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """For each x `[n, 2]` the m and s, `[n]` each, at which the ELBO is largest: the best that a Gaussian can do.

        The best of a grid over both, then of smaller and smaller ones around it, so that no start can mislead it. Of
        two peaks that tie within the grid's error (some hundredths of a nat, for a much smaller noise than the default)
        it may take the lower one.
        """
        x = _pairs(x)
        places = torch.arange(-4, 4, self.narrow / 2, dtype=x.dtype)
        widths = torch.logspace(math.log10(self.narrow / 4), 0.1, 20, dtype=x.dtype)
        m, s = _best_of(self, x, *_pairings(places, widths))
        offset = torch.linspace(-1, 1, 5, dtype=x.dtype)
        by_m, by_log_s = _pairings(offset, offset)
        for shrink in 0.8 ** torch.arange(80, dtype=x.dtype):
            m, s = _best_of(self, x, m + shrink * self.narrow / 2 * by_m, s * torch.exp(0.2 * shrink * by_log_s))
        return m, s

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
        """Ancestral sampling: x `[n, 2]` and the z `[n]` it came from."""
        z = torch.randn(n, generator=generator, dtype=dtype)
        return self.place(z) + self.noise * torch.randn(n, 2, generator=generator, dtype=dtype), z


class Encoder(nn.Module):
    """q(z | x) = N(m(x), s(x)²) for points x of the plane: one network for all x, which is to *amortise* inference.

    Args:
        hidden: widths of the tanh layers; none of them leaves an affine encoder.
        generator: draws the first weights.
    """

    def __init__(self, hidden: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        sizes = [2, *hidden, 2]
        self.layers = nn.ModuleList(Linear(a, b, "pytorch", generator) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """m and s, `[n]` each, for x `[n, 2]`."""
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        m, log_s = self.layers[-1](x).unbind(-1)
        return m, log_s.exp()


def _best_of(model: Circle, x: Tensor, m: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Of candidates m, s `[candidates, n or 1]`, those with the largest ELBO at each x."""
    m, s = m.expand(-1, len(x)), s.expand(-1, len(x))
    parts = zip(x.split(256), m.split(256, dim=1), s.split(256, dim=1), strict=True)     # to spare memory
    best = torch.cat([model._elbo(*part).argmax(dim=0) for part in parts])[None]
    return m.gather(0, best)[0], s.gather(0, best)[0]


def _pairings(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """All pairs of an entry of a and one of b, `[len(a)·len(b), 1]` each."""
    first, second = torch.meshgrid(a, b, indexing="ij")
    return first.reshape(-1, 1), second.reshape(-1, 1)


def _pairs(x: Tensor) -> Tensor:
    return float_tensor(x, "x", ("n", 2), whole=False)
