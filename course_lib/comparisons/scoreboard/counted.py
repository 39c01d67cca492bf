"""Families that need no network: naive Bayes, which counts, and a mixture of Gaussians, by EM."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.comparisons.scoreboard.family import Family, in_parts
from course_lib.measure import iw_bound
from course_lib.models import gmm_em
from course_lib.models.gmm import GaussianMixture
from course_lib.models.gmm_subspace import Subspace

ALPHA = 1.0  # imaginary examples of each value (Laplace)
DIRECTIONS, COMPONENTS, REG = 30, 20, 0.01  # of the mixture, as in notebook 02
FITTED = 10_000  # pictures that the mixture is fitted to
DEQUANTIZED = 16  # draws of the noise, for one picture's bound


class NaiveBayes(Family):
    """p(y) Π_j p(x_j | y) by counting the fixed training set once: `models.naive_bayes.BernoulliNB`, for any number of
    colours. Its draws and completions choose a label first."""

    density, completes = "exact", "exact"

    def build(self, generator: torch.Generator) -> None:
        """Nothing is drawn."""

    def fit(self) -> None:
        (x, y), data = self.pictures.train, self.pictures
        values = range(data.n_classes)
        counts = torch.stack([torch.stack([(x[y == k] == value).sum(0).flatten() for value in values], dim=1)
                              for k in range(data.n_labels)]).double()
        self.log_prior = (y.bincount(minlength=data.n_labels).double() / len(y)).log()
        self.log_p = ((counts + ALPHA) / (counts + ALPHA).sum(2, keepdim=True)).log()  # [K, pixels, N]

    def log_joint(self, x: Tensor, observed: Tensor) -> Tensor:
        """log p(seen pixels, y), float64 `[n, K]`, of pictures `[n, H, W]`; `observed` is bool `[H, W]`."""
        one_hot = F.one_hot(x.flatten(1), self.pictures.n_classes)[:, observed.flatten()].double().flatten(1)
        return self.log_prior + one_hot @ self.log_p[:, observed.flatten()].flatten(1).T

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        everything = torch.ones(self.pictures.size, dtype=torch.bool)
        return torch.cat([self.log_joint(part, everything).logsumexp(1) for part in x.split(1000)])

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        y = torch.multinomial(self.log_prior.exp(), n, replacement=True, generator=generator)
        return self.draw_given(y, generator)

    def draw_given(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures int64 `[n, H, W]` of labels `[n]`."""
        u = torch.rand(len(y), self.pictures.pixels, 1, generator=generator, dtype=torch.float64)
        below = self.log_p.exp().cumsum(2)[..., :-1]
        parts = [(u_part > below[y_part]).sum(2) for u_part, y_part in zip(u.split(500), y.split(500), strict=True)]
        return torch.cat(parts).view(-1, *self.pictures.size)

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        posterior = self.log_joint(x, self.pictures.seen).softmax(1)
        y = torch.multinomial(posterior, count, replacement=True, generator=generator).T.flatten()
        drawn = self.draw_given(y, generator).view(count, *x.shape)
        return torch.where(self.pictures.seen, x, drawn)

    @property
    def parameters(self) -> int:
        K, pixels, N = self.log_p.shape
        return K - 1 + K * pixels * (N - 1)


class Mixture(Family):
    """A mixture of Gaussians in the space of the first principal components, and even noise around it, of dequantized
    bits: log P(x) ≥ E log p(x + u), u uniform in [0, 1)^D, and a draw is rounded down. Steps are rounds of EM.

    L. Theis, A. van den Oord, M. Bethge, A note on the evaluation of generative models, ICLR 2016, section 3.1.
    """

    density, completes = "bound", "exact"

    def build(self, generator: torch.Generator) -> None:
        x = _dequantized(self.pictures.bits(self.pictures.train[0][:FITTED]), generator)
        self.space = Subspace.of(x, DIRECTIONS)
        self.codes = self.space.project(x)
        self.model = gmm_em.start(self.codes, COMPONENTS, generator, reg=REG)

    def fit(self) -> None:
        self.model, _ = gmm_em.fit(self.codes, self.model, self.steps, reg=REG)
        del self.codes

    def log_density(self, v: Tensor) -> Tensor:
        """log p of dequantized bits `[n, D]`, float64 `[n]`: of the codes, and of what the subspace leaves over."""
        v = v.double()
        c, left = self.space.project(v), self.pictures.D - DIRECTIONS
        rest = (v - self.space.mean).square().sum(1) - c.square().sum(1)
        return self.model.log_prob(c) - 0.5 * (rest / self.space.noise_var
                                               + left * math.log(2 * math.pi * self.space.noise_var))

    def log_prob(self, x: Tensor, generator: torch.Generator) -> Tensor:
        bits = self.pictures.bits(x)
        log_p = torch.stack([self.log_density(_dequantized(bits, generator)) for _ in range(DEQUANTIZED)])
        return iw_bound(log_p, DEQUANTIZED)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        drawn = []
        for size in in_parts(n):
            c, _ = self.model.sample(size, generator)
            noise = torch.randn(size, self.pictures.D, generator=generator, dtype=torch.float64)
            around = noise - (noise @ self.space.V) @ self.space.V.T
            v = self.space.mean + c @ self.space.V.T + self.space.noise_var**0.5 * around
            drawn.append(self.pictures.from_bits(_rounded_down(v)))
        return torch.cat(drawn)

    def complete(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """So many completions `[count, n, H, W]`: given dequantized seen bits, a component by its posterior,
        then a draw of its conditional; one component at a time, as its covariance has D² numbers."""
        observed, wanted = self.pictures.seen_bits, self.repeated(x, count)
        v = _dequantized(self.pictures.bits(wanted), generator).double()
        lifted = [self._lifted(k, v, observed) for k in range(len(self.model.pi))]
        r = torch.stack([log_joint for log_joint, _, _ in lifted], dim=1).softmax(1)
        k = torch.multinomial(r, 1, generator=generator)[:, 0]
        noise = torch.randn(len(v), int((~observed).sum()), generator=generator, dtype=torch.float64)
        for component, (_, mean, root) in enumerate(lifted):
            here = k == component
            v[here.nonzero(), ~observed] = mean[here] + noise[here] @ root.T
        done = self.pictures.from_bits(_rounded_down(v)).view(count, *x.shape)
        return torch.where(self.pictures.seen, x, done)

    def _lifted(self, k: int, v: Tensor, observed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of component k: log p(seen, k) `[n]`, mean of the hidden bits `[n, h]`, and the root of their covariance."""
        alone = GaussianMixture(torch.ones(1), self.model.mu[k:k + 1], self.model.cov[k:k + 1])
        one = self.space.lift(alone)
        (B,), (C,) = one.regression(observed)
        mean = one.mu[0, ~observed] + (v[:, observed] - one.mu[0, observed]) @ B.T
        return self.model.pi[k].log() + one.log_prob(v, observed), mean, torch.linalg.cholesky(C)

    @property
    def parameters(self) -> int:
        of_space = self.pictures.D * (DIRECTIONS + 1) + 1
        return of_space + gmm_em.n_parameters(COMPONENTS, DIRECTIONS)


def _dequantized(bits: Tensor, generator: torch.Generator) -> Tensor:
    return bits + torch.rand(bits.shape, generator=generator)


def _rounded_down(v: Tensor) -> Tensor:
    return v.floor().clamp(0, 1)
