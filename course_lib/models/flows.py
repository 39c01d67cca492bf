"""Normalizing flows: an invertible map x = f(z) of Gaussian noise, and with it the exact density of x.

A flow is a chain of layers. Each maps both ways and says how much it stretches: `forward` is z → x with
log |det ∂x/∂z|, `inverse` is x → z with log |det ∂z/∂x|. Then
    log p(x) = log N(z; 0, I) + log |det ∂z/∂x|,   z = f⁻¹(x).
x and z have the same number of coordinates, D.

References:
    L. Dinh, D. Krueger, Y. Bengio, NICE: Non-linear Independent Components Estimation, ICLR workshop 2015: additive
        couplings (section 3.2) and the scaling at the end (3.3).
    L. Dinh, J. Sohl-Dickstein, S. Bengio, Density Estimation Using Real NVP, ICLR 2017: affine couplings, equations 7
        and 8, their log-determinant, equation 6, and why the halves must take turns, section 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib.models.layers import mlp
from course_lib.validation import finite_result, float_tensor

Move = Callable[..., tuple[Tensor, Tensor]]  # to other numbers, and the logarithms of the slopes or determinants

BOUND = 3.0  # log scales lie in (−BOUND, BOUND): e³ is as much as one layer stretches


class Coupling(nn.Module):
    """Half of the coordinates, a, pass as they are; a network of them decides how each of the others, b, is bent.

    The Jacobian is triangular, so its log-determinant is a sum over b. Subclasses define `elementwise_forward` and
    `elementwise_inverse`.

    Args:
        D: number of coordinates, at least 2.
        n_parameters: of the bend of one coordinate.
        width: units of the network's two hidden layers.
        swap: the second half passes and the first is bent.
        generator: draws the first weights. The last layer begins at 0, and with it each coupling as a map that
            subclasses make the identity.

    Raises:
        ValueError: fewer than two coordinates.
    """

    def __init__(self, D: int, n_parameters: int, width: int, swap: bool, generator: torch.Generator) -> None:
        super().__init__()
        if D < 2:
            raise ValueError(f"a coupling needs two coordinates or more, so that one can decide for another, not {D}")
        first = D // 2
        self.sizes, self.swap, self.n_parameters = [first, D - first], swap, n_parameters
        n_a, self.n_b = reversed(self.sizes) if swap else self.sizes
        self.network = mlp([n_a, width, width, n_parameters * self.n_b], generator)
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x `[n, D]` and log |det ∂x/∂z| `[n]`."""
        return self._each(z, self.elementwise_forward)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z `[n, D]` and log |det ∂z/∂x| `[n]`."""
        return self._each(x, self.elementwise_inverse)

    def _each(self, v: Tensor, move: Move) -> tuple[Tensor, Tensor]:
        halves = v.split(self.sizes, dim=1)
        a, b = reversed(halves) if self.swap else halves
        parameters = self.network(a).view(len(v), self.n_b, self.n_parameters)
        b, log_slope = move(b, parameters)
        return torch.cat([b, a] if self.swap else [a, b], dim=1), log_slope.sum(dim=1)

    def elementwise_forward(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """From z to x: bent numbers and the logarithms of the slopes, both `[n, n_b]`, from parameters
        `[n, n_b, n_parameters]`."""
        raise NotImplementedError

    def elementwise_inverse(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """From x to z: the inverse of `elementwise_forward`, and the logarithms of its slopes, both `[n, n_b]`."""
        raise NotImplementedError


class AdditiveCoupling(Coupling):
    """x_b = z_b + t(z_a): areas stay (NICE, equation 9)."""

    def __init__(self, D: int, width: int, swap: bool, generator: torch.Generator) -> None:
        super().__init__(D, 1, width, swap, generator)

    def elementwise_forward(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return b + parameters[..., 0], torch.zeros_like(b)

    def elementwise_inverse(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return b - parameters[..., 0], torch.zeros_like(b)


class AffineCoupling(Coupling):
    """x_b = z_b · exp(s(z_a)) + t(z_a) (Real NVP, equation 8). The log scale is 3·tanh(s/3) of the network's s."""

    def __init__(self, D: int, width: int, swap: bool, generator: torch.Generator) -> None:
        super().__init__(D, 2, width, swap, generator)

    def elementwise_forward(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self._scale_and_shift(parameters)
        return b * s.exp() + t, s

    def elementwise_inverse(self, b: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self._scale_and_shift(parameters)
        return (b - t) * (-s).exp(), -s

    def _scale_and_shift(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        s, t = parameters.unbind(dim=-1)
        return BOUND * torch.tanh(s / BOUND), t


class Scaling(nn.Module):
    """x_j = z_j · exp(s_j): what additive couplings need to change areas at all (NICE, section 3.3)."""

    def __init__(self, D: int) -> None:
        super().__init__()
        self.s = nn.Parameter(torch.zeros(D))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x `[n, D]` and log |det ∂x/∂z| `[n]`."""
        return z * self.s.exp(), self.s.sum().expand(len(z))

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z `[n, D]` and log |det ∂z/∂x| `[n]`."""
        return x * (-self.s).exp(), -self.s.sum().expand(len(x))


class Flow(nn.Module):
    """x = f(z), z ~ N(0, I), through layers that each know their inverse and their log-determinant.

    Args:
        layers: from z to x; each with `forward` and `inverse` as `Coupling` has them.
        D: number of coordinates.
    """

    def __init__(self, layers: Sequence[nn.Module], D: int = 2) -> None:
        super().__init__()
        self.layers, self.D = nn.ModuleList(layers), D

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x = f(z) `[n, D]` and log |det ∂x/∂z| `[n]`."""
        return self._chain(z, [layer.forward for layer in self.layers])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f⁻¹(x) `[n, D]` and log |det ∂z/∂x| `[n]`."""
        return self._chain(x, [layer.inverse for layer in reversed(self.layers)])

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, `[n]`, of points `[n, D]`. Raises ValueError for another shape, NaN or infinity, and
        where the numbers overflow on their way, as those of a diverged flow do."""
        z, log_det = self.inverse(float_tensor(x, "points").to(next(self.parameters(), x).dtype))
        return finite_result(log_normal(z) + log_det, "log p(x)")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` points `[n, D]` in one pass."""
        return self.forward(torch.randn(n, self.D, generator=generator).to(next(self.parameters())))[0]

    def _chain(self, v: Tensor, moves: Sequence[Move]) -> tuple[Tensor, Tensor]:
        if v.ndim != 2 or v.shape[1] != self.D:
            raise ValueError(f"points must have shape [n, {self.D}], as many coordinates as the noise has, "
                             f"not {list(v.shape)}")
        total = v.new_zeros(len(v))
        for move in moves:
            v, log_det = move(v)
            total = total + log_det
        return v, total


def log_normal(z: Tensor) -> Tensor:
    """log N(z; 0, I) in nats, `[n]`, of points `[n, D]`."""
    return -0.5 * (z**2).sum(dim=1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
