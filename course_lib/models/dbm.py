"""A deep Boltzmann machine of two hidden layers: with Z and with the posterior of the hidden units out of reach.

    E(x, h, g) = −b·x − c₁·h − c₂·g − x·W₁ h − h·W₂ g,      p(x, h, g) = exp(−E(x, h, g)) / Z.

Given h, the pixels x and the second layer g are independent, so sums over both are products; what is left is a sum
over h, which a machine as small as the course's can still do. Larger ones need the bound: for any q(h, g | x),

    log p(x) ≥ E_q[−E(x, h, g)] + H(q) − log Z,

with a gap of KL(q ‖ p(h, g | x)). The mean field takes a q with independent units.

Reference: R. Salakhutdinov, G. Hinton, Deep Boltzmann Machines, AISTATS 2009, section 2 and eqs. 7 to 9.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_lib.models.rbm import all_states
from course_lib.validation import all_bits, finite_result, float_tensor


def entropy(p: Tensor) -> Tensor:
    """Entropy `[…]` in nats of independent units that are 1 with probability p `[…, units]`, summed over them."""
    return (torch.special.entr(p) + torch.special.entr(1 - p)).sum(-1)


class DBM(nn.Module):
    """D pixels x under H₁ hidden units h under H₂ hidden units g.

    Args:
        D, H1, H2: units of each layer.
        generator: of the weights, N(0, 0.01); biases start at 0.
    """

    def __init__(self, D: int, H1: int, H2: int, generator: torch.Generator) -> None:
        super().__init__()
        if min(D, H1, H2) < 1:
            raise ValueError(f"every layer needs at least 1 unit, not {D}, {H1} and {H2}")
        self.W1 = nn.Parameter(0.1 * torch.randn(D, H1, generator=generator))
        self.W2 = nn.Parameter(0.1 * torch.randn(H1, H2, generator=generator))
        self.b, self.c1, self.c2 = (nn.Parameter(torch.zeros(n)) for n in (D, H1, H2))

    def log_unnormalised(self, x: Tensor) -> Tensor:
        """log Σ_h Σ_g exp(−E(x, h, g)), `[n]`, for pictures `[n, D]`. Raises ValueError above 20 units in h, and for
        pictures of another shape, or NaN or infinite."""
        x = self._pictures(x)
        h = all_states(len(self.c1)).to(x)
        given_h = h @ self.c1 + softplus(h @ self.W2 + self.c2).sum(-1)
        return x @ self.b + (x @ self.W1 @ h.T + given_h).logsumexp(-1)

    def log_partition(self) -> Tensor:
        """log Z in nats, 0-d. Raises ValueError above 20 units in h."""
        h = all_states(len(self.c1)).to(self.W1)
        return (h @ self.c1 + softplus(h @ self.W2 + self.c2).sum(-1) + softplus(h @ self.W1.T + self.b).sum(-1)
                ).logsumexp(0)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, `[n]`. Raises ValueError as `log_unnormalised`, for other pixels than 0 and 1, and
        where the machine has diverged."""
        x = self._pictures(x)
        if not all_bits(x):
            raise ValueError("pictures must have pixels that are 0 or 1, not NaN: binarize them first")
        return finite_result(self.log_unnormalised(x) - self.log_partition(), "log p(x)")

    @torch.no_grad()
    def mean_field(self, x: Tensor, sweeps: int = 50) -> tuple[Tensor, Tensor]:
        """q(h_j = 1 | x) `[n, H1]` and q(g_k = 1 | x) `[n, H2]`, set in turns to the best for the other: each half
        sweep raises the bound of every picture, or leaves it."""
        x = self._pictures(x)
        q_g = torch.full((len(x), len(self.c2)), 0.5, dtype=x.dtype)
        for _ in range(sweeps):
            q_h = torch.sigmoid(x @ self.W1 + q_g @ self.W2.T + self.c1)
            q_g = torch.sigmoid(q_h @ self.W2 + self.c2)
        return q_h, q_g

    def bound(self, x: Tensor, q_h: Tensor, q_g: Tensor) -> Tensor:
        """E_q[−E(x, h, g)] + H(q) − log Z in nats, `[n]`, for pictures `[n, D]` and a q with independent units, whose
        probabilities are `[n, H1]` and `[n, H2]`: never above log p(x)."""
        x = self._pictures(x)
        q_h, q_g = (float_tensor(q, "q", (len(x), len(c))).to(x.dtype) for q, c in ((q_h, self.c1), (q_g, self.c2)))
        energy = (x @ self.b + q_h @ self.c1 + q_g @ self.c2 + ((x @ self.W1) * q_h).sum(-1)
                  + ((q_h @ self.W2) * q_g).sum(-1))
        return finite_result(energy + entropy(q_h) + entropy(q_g) - self.log_partition(), "the bound")

    def _pictures(self, x: Tensor) -> Tensor:
        return float_tensor(x, "pictures", ("n", len(self.b))).to(self.b.dtype)
