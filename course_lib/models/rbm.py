"""The restricted Boltzmann machine: pixels x and hidden units h, all 0 or 1, joined by an energy.

    E(x, h) = −b·x − c·h − x·W h,      p(x, h) = exp(−E(x, h)) / Z.

Given x the hidden units are independent, and given h the pixels are. So h can be summed out,
p(x) = exp(−F(x)) / Z with the free energy F, and both conditionals can be drawn at once. Z sums over all pictures.

Every tensor may have leading dimensions: an `RBM` of `seeds=16` is sixteen machines that never meet, in one product.

References:
    P. Smolensky, Information Processing in Dynamical Systems: Foundations of Harmony Theory, 1986.
    G. Hinton, Training Products of Experts by Minimizing Contrastive Divergence, Neural Computation 14, 2002: CD-k.
    T. Tieleman, Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient, ICML 2008: PCD.
    R. Salakhutdinov, I. Murray, On the Quantitative Analysis of Deep Belief Networks, ICML 2008, section 4.1: AIS.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_lib.deprecated import old_members
from course_lib.validation import all_bits, all_finite, finite_result, float_tensor, whole_number

ENUMERABLE = 20  # units: a million states are still summed in a second


def all_states(units: int) -> Tensor:
    """Every vector of so many zeros and ones, float32 `[2^units, units]`. Raises ValueError where they are too many."""
    if not 1 <= units <= ENUMERABLE:
        raise ValueError(f"{units} units have 2^{units} states: only 1 to {ENUMERABLE} units can be enumerated")
    return (torch.arange(2**units)[:, None] >> torch.arange(units - 1, -1, -1) & 1).float()


def bernoulli(p: Tensor, generator: torch.Generator) -> Tensor:
    """Zeros and ones `[…]`, each 1 with its probability p `[…]`."""
    return (torch.rand(p.shape, generator=generator, dtype=p.dtype).to(p.device) < p).to(p.dtype)


def _checked(x: Tensor, size: int, what: str) -> Tensor:
    if x.ndim < 2 or x.shape[-1] != size:
        raise ValueError(f"{what} must have shape [n, {size}], not {list(x.shape)}")
    return x


@old_members(climb="gradient_step")
class RBM(nn.Module):
    """D pixels and H hidden units. Below, `*S` are the leading dimensions: `[seeds]`, or none.

    Args:
        D, H: how many pixels and hidden units.
        generator: of the weights, N(0, 0.01); biases start at 0.
        seeds: make so many machines side by side; None for one.

    Attributes:
        W, b, c: weights `[*S, D, H]`, biases of the pixels `[*S, D]` and of the hidden units `[*S, H]`.
    """

    def __init__(self, D: int, H: int, generator: torch.Generator, seeds: int | None = None) -> None:
        super().__init__()
        if D < 1 or H < 1:
            raise ValueError(f"D and H must be at least 1, not {D} and {H}")
        lead = () if seeds is None else (seeds,)
        self.W = nn.Parameter(0.1 * torch.randn(*lead, D, H, generator=generator))
        self.b = nn.Parameter(torch.zeros(*lead, D))
        self.c = nn.Parameter(torch.zeros(*lead, H))

    def machine(self, i: int) -> RBM:
        """A copy of machine i of several, as one without leading dimensions."""
        one = RBM(*self.W.shape[-2:], torch.Generator())
        one.load_state_dict({name: value[i] for name, value in self.state_dict().items()})
        return one

    def p_h(self, x: Tensor) -> Tensor:
        """p(h_j = 1 | x), `[*S, n, H]`, for pictures `[*S, n, D]`, else ValueError."""
        x = _checked(x, self.W.shape[-2], "pictures")
        return torch.sigmoid(x @ self.W + self.c[..., None, :])

    def p_x(self, h: Tensor) -> Tensor:
        """p(x_i = 1 | h), `[*S, n, D]`, for hidden states `[*S, n, H]`, else ValueError."""
        h = _checked(h, self.W.shape[-1], "hidden states")
        return torch.sigmoid(h @ self.W.mT + self.b[..., None, :])

    def free_energy(self, x: Tensor) -> Tensor:
        """F(x) = −log Σ_h exp(−E(x, h)) in nats, `[*S, n]`: −b·x − Σ_j log(1 + exp(c_j + x·W_j)), for pictures
        `[*S, n, D]`, else ValueError."""
        x = _checked(x, self.W.shape[-2], "pictures")
        return -(x * self.b[..., None, :]).sum(-1) - softplus(x @ self.W + self.c[..., None, :]).sum(-1)

    def log_partition(self) -> Tensor:
        """log Z in nats, `[*S]`, by summing over every state of the smaller side. Raises ValueError above 20 units."""
        D, H = self.W.shape[-2:]
        if D <= H:
            return (-self.free_energy(all_states(D).to(self.W))).logsumexp(-1)
        h = all_states(H).to(self.W)
        return ((h * self.c[..., None, :]).sum(-1) + softplus(h @ self.W.mT + self.b[..., None, :]).sum(-1)
                ).logsumexp(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, `[*S, n]`. Raises ValueError for pictures of another shape or other pixels than 0 and
        1, where Z cannot be enumerated, and where the machine has diverged."""
        x = _checked(float_tensor(x, "pictures"), self.W.shape[-2], "pictures").to(self.W.dtype)
        if not all_bits(x):
            raise ValueError("pictures must have pixels that are 0 or 1: binarize them first")
        return finite_result(-self.free_energy(x) - self.log_partition()[..., None], "log p(x)")

    @torch.no_grad()
    def gibbs(self, x: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """The pictures `[*S, n, D]` after so many rounds of h ~ p(h | x), x ~ p(x | h).

        Raises:
            ValueError: NaN or infinity among the pictures or the weights, of which a draw would make zeros.
        """
        x = float_tensor(x, "pictures").to(self.W.dtype)
        if not all(all_finite(part) for part in (self.W, self.b, self.c)):
            raise ValueError("the machine's weights have NaN or infinite numbers: its training has diverged")
        for _ in range(steps):
            x = bernoulli(self.p_x(bernoulli(self.p_h(x), generator)), generator)
        return x

    @torch.no_grad()
    def moments(self, x: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """E[x h], E[x] and E[h], shaped as W, b and c: averages over the pictures `[*S, n, D]` of what h is on average.

        `weights` `[*S, n]`, which sum to 1, replace 1/n.
        """
        weights = x.new_full(x.shape[:-1], 1 / x.shape[-2]) if weights is None else weights
        weighted, h = x * weights[..., None], self.p_h(x)
        return weighted.mT @ h, weighted.sum(-2), (h * weights[..., None]).sum(-2)

    @torch.no_grad()
    def exact_moments(self) -> tuple[Tensor, Tensor, Tensor]:
        """The same under the model itself, `[*S, D, H]`, `[*S, D]` and `[*S, H]`, by a sum over all 2^D pictures."""
        x = all_states(self.W.shape[-2]).to(self.W).expand(*self.W.shape[:-2], -1, -1)
        return self.moments(x, self.log_prob(x).exp())

    @torch.no_grad()
    def gradient_step(self, seen: tuple[Tensor, ...], negative_phase: tuple[Tensor, ...], rate: float) -> None:
        """One step up the log-likelihood, whose gradient is the moments of the data less those of the model, each as
        `moments` gives them: `[*S, D, H]`, `[*S, D]` and `[*S, H]`."""
        for parameter, positive, negative in zip((self.W, self.b, self.c), seen, negative_phase, strict=True):
            parameter += rate * (positive - negative)


@torch.no_grad()
def ais(rbm: RBM, base: Tensor, betas: Tensor, chains: int, generator: torch.Generator) -> Tensor:
    """Annealed importance sampling: log weights `[chains]` whose exponentials average to Z, without bias.

    The bridge at β is p*_β(x) = exp((1 − β) base·x + β b·x) Π_j (1 + exp(β (c_j + x·W_j))). At β = 0 the pixels are
    independent with logits `base` `[D]`, so draws are exact and Z_0 = 2^H Π_i (1 + exp(base_i)); at β = 1 it is the
    RBM. `base` is best the logit of each pixel's frequency in the data.

    Raises:
        ValueError: betas that do not rise from 0 to 1, no chains, or logits that are not finite.
    """
    base, chains = float_tensor(base, "base", (rbm.b.numel(),)).to(rbm.W.dtype), whole_number(chains, "chains")
    if betas[0] != 0 or betas[-1] != 1 or not (betas.diff() > 0).all():
        raise ValueError("betas must rise from 0 to 1")

    def log_bridge(x: Tensor, beta: Tensor) -> Tensor:
        return x @ ((1 - beta) * base + beta * rbm.b) + softplus(beta * (x @ rbm.W + rbm.c)).sum(-1)

    x = bernoulli(torch.sigmoid(base).expand(chains, -1), generator)
    log_w = torch.full((chains,), rbm.c.numel() * math.log(2) + float(softplus(base).sum()), dtype=base.dtype)
    for before, beta in itertools.pairwise(betas):
        log_w += log_bridge(x, beta) - log_bridge(x, before)
        h = bernoulli(torch.sigmoid(beta * (x @ rbm.W + rbm.c)), generator)
        x = bernoulli(torch.sigmoid((1 - beta) * base + beta * (h @ rbm.W.mT + rbm.b)), generator)
    return finite_result(log_w, "log Z")


def log_mean_exp(log_w: Tensor) -> float:
    """log of the mean of exp(log_w), over all entries `[n]`: an estimate of log Z from the weights of `ais`.

    Raises ValueError for none, and for NaN or infinity.
    """
    log_w = float_tensor(log_w, "log_w", ("n",), rows=1)
    return float(log_w.detach().logsumexp(0) - math.log(len(log_w)))
