"""Naive Bayes: p(x, y) = p(y) Π_j p(x_j | y), every feature drawn on its own once the class is known.

Both versions are fitted by maximum likelihood, which here is counting and averaging. See M. E. Maron, *Automatic
Indexing*, JACM 8 (1961), and K. P. Murphy, *Probabilistic Machine Learning* (2022), section 9.3.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from course_lib.deprecated import old_members
from course_lib.models.layers import joined
from course_lib.validation import (
    all_bits,
    all_finite,
    finite_result,
    float_tensor,
    label_tensor,
    mask_tensor,
    possible,
    require_spread,
)

PART = 1000  # rows at a time


@old_members(complete="inpaint")
class NaiveBayes(ABC):
    """What every naive Bayes model can be asked, whatever the distribution of one feature.

    Attributes (after `fit`):
        classes: the labels seen, sorted, int64 `[K]`.
        log_prior: log p(y), `[K]`, in nats.
    """

    classes: Tensor
    log_prior: Tensor

    def fit(self, x: Tensor, y: Tensor) -> NaiveBayes:
        """Maximum likelihood on features `x` `[n, D]` and integer labels `y` `[n]`.

        Raises:
            ValueError: shapes that do not match, no data, labels that are no whole numbers, features that are no
                floating numbers, or are NaN or infinite.
        """
        x = self._features(x)
        if x.ndim != 2 or y.shape != x.shape[:1] or len(x) == 0:
            raise ValueError(f"fit needs x of shape [n, D] and y of shape [n], not {list(x.shape)}, {list(y.shape)}")
        y = label_tensor(y, "y", ("n",))
        if x.is_floating_point() and not all_finite(x):
            raise ValueError("x has NaN or infinite values: training data must be complete. Features may be hidden "
                             "later: pass `observed` to the fitted model's methods")
        self.classes, counts = y.unique(return_counts=True)
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        self.log_prior = counts.to(dtype).log() - torch.tensor(len(y), dtype=dtype).log()
        self._fit_features(x, [y == k for k in self.classes])
        return self

    def _features(self, x: Tensor) -> Tensor:
        """Training features of a type that can be counted and averaged."""
        return float_tensor(x, "x", finite=False, whole=False).detach()

    @abstractmethod
    def _fit_features(self, x: Tensor, members: list[Tensor]) -> None:
        """Fit p(x_j | y = k) for every class k, whose rows of `x` are those of the mask `members[k]` `[n]`."""

    @abstractmethod
    def _log_likelihood(self, x: Tensor, observed: Tensor) -> Tensor:
        """Σ_j observed_j · log p(x_j | y), `[n, K]`, for `x` `[n, D]` and ones and zeros `observed` of x's dtype."""

    @abstractmethod
    def _mean(self) -> Tensor:
        """E[x_j | y = k], `[K, D]`."""

    @abstractmethod
    def _sample_features(self, k: Tensor, generator: torch.Generator) -> Tensor:
        """x ~ p(x | y) for class indices `k` `[n]`: `[n, D]`."""

    def log_joint(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(x, y) in nats, `[n, K]`.

        Args:
            x: features `[n, D]`.
            observed: mask `[D]` or `[n, D]` of ones and zeros. A feature that was not observed is summed out exactly:
                its factor Σ_{x_j} p(x_j | y) is 1, so it is left out of the product; what `x` holds there is ignored.

        Raises:
            ValueError: `x` or `observed` of another shape, a mask with other values than 0 and 1, NaN or infinity where
                x is observed, or numbers whose squares overflow.
        """
        mean = self._mean()
        D = mean.shape[1]
        x = float_tensor(x, "x", ("n", D), finite=observed is None)
        x = x.to(torch.promote_types(x.dtype, mean.dtype))
        seen = torch.ones(D, dtype=torch.bool) if observed is None else mask_tensor(observed, "observed", (D,),
                                                                                    tuple(x.shape))
        parts = zip(x.split(PART), seen.expand_as(x).split(PART), strict=True)
        return self.log_prior + torch.cat([self._of_part(*part) for part in parts])

    def _of_part(self, x: Tensor, seen: Tensor) -> Tensor:
        """`_log_likelihood` of few rows, since it makes several arrays of x's size."""
        visible = torch.where(seen, x, torch.zeros_like(x))  # NaN·0 would be NaN
        return self._log_likelihood(float_tensor(visible, "x, where observed,"), seen.to(x))

    def log_prob(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(x) = log Σ_y p(x, y) in nats, `[n]`; arguments as for `log_joint`."""
        return self.log_joint(x, observed).logsumexp(dim=1)

    def log_posterior(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """log p(y | x) by Bayes' rule, `[n, K]`; arguments as for `log_joint`.

        Raises:
            ValueError: as `log_joint`; also for an x that is impossible in every class, as 0/0 is no probability.
        """
        return possible(self.log_joint(x, observed), "an x").log_softmax(dim=1)

    def predict(self, x: Tensor, observed: Tensor | None = None) -> Tensor:
        """The most probable label of each row, int64 `[n]`; arguments and errors as for `log_posterior`."""
        return self.classes[possible(self.log_joint(x, observed), "an x").argmax(dim=1)]

    def inpaint(self, x: Tensor, observed: Tensor) -> Tensor:
        """Hidden features replaced by their mean given the observed ones, `[n, D]`; arguments as for `log_joint`.

        E[x_j | x_observed] = Σ_y p(y | x_observed) E[x_j | y].
        """
        expected = self.log_posterior(x, observed).exp() @ self._mean()
        return torch.where(observed.bool(), x.to(expected), expected)

    def sample(self, n: int, generator: torch.Generator, label: int | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral sampling: y ~ p(y) (or the given `label`), then each x_j ~ p(x_j | y).

        Returns:
            features `[n, D]` and labels int64 `[n]`.

        Raises:
            ValueError: `label` was not among the training labels.
        """
        if label is None:
            k = torch.multinomial(self.log_prior.exp(), n, replacement=True, generator=generator)
        else:
            if label not in self.classes:
                raise ValueError(f"label {label} was not in the training data: {self.classes.tolist()} were")
            k = (self.classes == label).nonzero().flatten().expand(n)
        return self._sample_features(k, generator), self.classes[k]


class GaussianNB(NaiveBayes):
    """p(x_j | y = k) = N(x_j; μ_kj, σ²_kj).

    Args:
        var_smoothing: this share of the largest feature variance is added to every σ², so that a feature which never
            varies within a class does not give an infinite density (scikit-learn's convention and default).

    Attributes (after `fit`):
        mu, var: mean and variance of each feature in each class, `[K, D]`.
    """

    def __init__(self, var_smoothing: float = 1e-9) -> None:
        self.var_smoothing = var_smoothing

    def _fit_features(self, x: Tensor, members: list[Tensor]) -> None:
        self.mu = torch.stack([x[m].mean(dim=0) for m in members])
        self.var = torch.stack([x[m].var(dim=0, correction=0) for m in members])
        self.var += self.var_smoothing * x.var(dim=0, correction=0).max()
        if not (self.var > 0).all():
            raise ValueError("a feature has zero variance within a class: give more data or var_smoothing > 0")
        finite_result(self.var, "a variance")
        require_spread(self.mu, self.var.sqrt(), "x")

    def _log_likelihood(self, x: Tensor, observed: Tensor) -> Tensor:
        per_class = [(-0.5 * ((x - mu) ** 2 / var + (2 * math.pi * var).log()) * observed).sum(dim=1)
                     for mu, var in zip(self.mu, self.var, strict=True)]
        return finite_result(torch.stack(per_class, dim=1), "log p(x | y)")

    def _mean(self) -> Tensor:
        return self.mu

    def _sample_features(self, k: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(self.mu[k].shape, generator=generator, dtype=self.mu.dtype)
        return self.mu[k] + self.var[k].sqrt() * noise


class BernoulliNB(NaiveBayes):
    """p(x_j = 1 | y = k) = θ_kj for features that are 0 or 1. `fit` takes Booleans, too: a quarter of the memory.

    Args:
        alpha: imaginary examples of each value added to every count (Laplace's rule for 1), so that a pixel never
            inked in training does not make a test image impossible. With 0 it does: its log probability is −inf.

    Attributes (after `fit`):
        theta: probability of a one for each feature in each class, `[K, D]`.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _features(self, x: Tensor) -> Tensor:
        return x if isinstance(x, Tensor) and x.dtype == torch.bool else super()._features(x)

    def _fit_features(self, x: Tensor, members: list[Tensor]) -> None:
        self._require_bits(x)
        ones = torch.stack([x[m].sum(dim=0) for m in members]).to(self.log_prior)
        n = torch.stack([m.sum() for m in members]).to(self.log_prior)[:, None]
        self.theta = (ones + self.alpha) / (n + 2 * self.alpha)

    def _log_likelihood(self, x: Tensor, observed: Tensor) -> Tensor:
        self._require_bits(x)
        theta = self.theta.to(x.dtype)
        # The logarithm of 0 is made finite and its share counted apart, since 0·log 0 must be 0 and not NaN.
        ink, white = x * observed, (1 - x) * observed
        impossible = ink @ (theta == 0).to(x).T + white @ (theta == 1).to(x).T
        smallest = torch.finfo(x.dtype).tiny
        log_p = ink @ theta.clamp(min=smallest).log().T + white @ (1 - theta).clamp(min=smallest).log().T
        return log_p.masked_fill(impossible > 0, -torch.inf)

    @staticmethod
    def _require_bits(x: Tensor) -> None:
        if x.dtype != torch.bool and not all_bits(x):
            raise ValueError("BernoulliNB needs features that are 0 or 1: binarize them first")

    def _mean(self) -> Tensor:
        return self.theta

    def _sample_features(self, k: Tensor, generator: torch.Generator) -> Tensor:
        return joined((torch.bernoulli(self.theta[part], generator=generator) for part in k.split(PART)), len(k))
