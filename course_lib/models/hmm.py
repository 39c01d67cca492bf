"""Hidden Markov models: mixtures whose component, the tag y_t, depends on the one before it.

p(x, y) = π_{y_1} Π_t A_{y_{t−1} y_t} Π_t p(x_t | y_t). Sums over all K^T paths are done by recursion along the sequence
and in log space, where nothing underflows. See L. R. Rabiner, *A Tutorial on Hidden Markov Models and Selected
Applications in Speech Recognition*, Proc. IEEE 77(2) (1989), section III (problems 1, 2 and 3), whose π, A, B, α, β are
used here; Baum–Welch: L. E. Baum et al., Ann. Math. Statist. 41 (1970); A. Viterbi, IEEE Trans. Inf. Theory 13 (1967).

The functions take scores in nats that need not be normalised, so that a conditional random field uses them too. Any
leading dimensions `...` are a batch of sequences of one length T.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_lib.validation import (
    all_bits,
    dense_tensor,
    float_tensor,
    float_tensors,
    label_tensor,
    number,
    whole_number,
)


def forward(log_pi: Tensor, log_A: Tensor, log_b: Tensor) -> Tensor:
    """log α_t(k) = log p(x_1 … x_t, y_t = k) in nats, `[..., T, K]`.

    Args:
        log_pi: log p(y_1), `[K]`.
        log_A: log p(y_t = j | y_{t−1} = i), `[K, K]`, i down and j across.
        log_b: log p(x_t | y_t = k), `[..., T, K]`. A row of zeros is a word that nobody heard: it is summed out.

    Raises:
        ValueError: shapes that do not match, NaN or +inf; −inf is a probability of 0.
    """
    log_pi, log_A, log_b = _chain(log_pi, log_A, log_b)
    log_alpha = [log_pi + log_b[..., 0, :]]
    for t in range(1, log_b.shape[-2]):
        arrive = (log_alpha[-1][..., :, None] + log_A).logsumexp(dim=-2)  # sum over i, the tag before
        log_alpha.append(arrive + log_b[..., t, :])
    return torch.stack(log_alpha, dim=-2)


def backward(log_A: Tensor, log_b: Tensor) -> Tensor:
    """log β_t(k) = log p(x_{t+1} … x_T | y_t = k) in nats, `[..., T, K]`; arguments as for `forward`."""
    _, log_A, log_b = _chain(log_A[0], log_A, log_b)
    log_beta = [torch.zeros_like(log_b[..., 0, :])]
    for t in range(log_b.shape[-2] - 1, 0, -1):
        follow = log_b[..., t, :] + log_beta[-1]
        log_beta.append((log_A + follow[..., None, :]).logsumexp(dim=-1))  # sum over j, the tag after
    return torch.stack(log_beta[::-1], dim=-2)


def posteriors(log_pi: Tensor, log_A: Tensor, log_b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What all of x says about each tag and each pair of neighbours; arguments as for `forward`.

    Returns:
        log p(y_t | x) `[..., T, K]`, log p(y_t = i, y_{t+1} = j | x) `[..., T−1, K, K]`, and log p(x) `[...]`, in nats.

    Raises:
        ValueError: shapes that do not match, or a sequence that no path can produce.
    """
    log_alpha, log_beta = forward(log_pi, log_A, log_b), backward(log_A, log_b)
    log_Z = log_alpha[..., -1, :].logsumexp(dim=-1)
    _require_possible(log_Z)
    log_single = log_alpha + log_beta - log_Z[..., None, None]
    arrive, follow = log_alpha[..., :-1, :, None], (log_b + log_beta)[..., 1:, None, :]
    return log_single, arrive + log_A + follow - log_Z[..., None, None, None], log_Z


def viterbi(log_pi: Tensor, log_A: Tensor, log_b: Tensor) -> tuple[Tensor, Tensor]:
    """The most probable path, int64 `[..., T]`, and its log p(x, y) in nats `[...]`; arguments as for `forward`.

    Raises:
        ValueError: shapes that do not match, or a sequence that no path can produce.
    """
    log_pi, log_A, log_b = _chain(log_pi, log_A, log_b)
    best, came_from = log_pi + log_b[..., 0, :], []
    for t in range(1, log_b.shape[-2]):
        arrive, i = (best[..., :, None] + log_A).max(dim=-2)  # forward's sum has become a maximum
        best = arrive + log_b[..., t, :]
        came_from.append(i)
    score, k = best.max(dim=-1)
    _require_possible(score)
    path = [k]
    for i in reversed(came_from):
        path.append(i.gather(-1, path[-1][..., None])[..., 0])
    return torch.stack(path[::-1], dim=-1), score


class HMM(ABC):
    """What every hidden Markov model can be asked, whatever it emits. Parameters are probabilities, not logarithms.

    Attributes:
        pi: p(y_1), `[K]`.
        A: p(y_t = j | y_{t−1} = i), `[K, K]`; each row sums to one.
    """

    def __init__(self, pi: Tensor, A: Tensor) -> None:
        if pi.ndim != 1 or A.shape != (len(pi), len(pi)):
            raise ValueError(f"pi must have shape [K] and A [K, K], not {list(pi.shape)} and {list(A.shape)}")
        _require_rows("pi", pi)
        _require_rows("A", A)
        self.pi, self.A = pi, A

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, K: int, *, alpha: float = 1.0, **sizes: int) -> Self:
        """Maximum likelihood from tagged sequences, which is counting.

        Args:
            x: observations `[n, T]` (words) or `[n, T, D]` (features).
            y: their tags, int64 `[n, T]`, 0 … K − 1.
            K: number of tags.
            alpha: imaginary examples added to each count (Laplace's rule for 1).
            sizes: what the emission needs to know: `V` for words, nothing for features.

        Raises:
            ValueError: shapes that do not match, tags outside 0 … K − 1, a negative alpha, or observations that are no
                words or no bits.
        """
        if number(alpha, "alpha") < 0:
            raise ValueError(f"alpha must not be negative, not {alpha}")
        x, y = dense_tensor(x, "x"), dense_tensor(y, "tags")
        if y.ndim != 2 or x.shape[:2] != y.shape or y.numel() == 0:
            raise ValueError(f"fit needs x of shape [n, T, …] and y of shape [n, T], not {list(x.shape)}, "
                             f"{list(y.shape)}")
        y = label_tensor(y, "tags", ("n", "T"), whole_number(K, "K"))
        single = one_hot(y, K).double()
        pairs = torch.einsum("nti,ntj->ij", single[:, :-1], single[:, 1:])
        return cls._from_counts(x, single, pairs, alpha, **sizes)

    @classmethod
    @abstractmethod
    def _from_counts(cls, x: Tensor, single: Tensor, pairs: Tensor, alpha: float, **sizes: int) -> Self:
        """The model whose parameters are shares: how often each tag `[n, T, K]` and pair `[K, K]` occurred."""

    def _sizes(self) -> dict[str, int]:
        """What `fit` must be told besides K to make a model like this one."""
        return {}

    @abstractmethod
    def log_emission(self, x: Tensor) -> Tensor:
        """log p(x_t | y_t = k) in nats, `[..., T, K]`."""

    @abstractmethod
    def _emit(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """x ~ p(x | y), one for each tag of `y` `[n, T]`."""

    def chain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The arguments of `forward`, `posteriors` and `viterbi` for observations `x`: logarithms of pi `[K]`, of A
        `[K, K]`, and of the emissions `[..., T, K]`."""
        return self.pi.log(), self.A.log(), self.log_emission(x)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, `[...]`, all paths summed out."""
        return forward(*self.chain(x))[..., -1, :].logsumexp(dim=-1)

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y_t | x) in nats, `[..., T, K]`: each tag given the whole sequence."""
        return posteriors(*self.chain(x))[0]

    def viterbi(self, x: Tensor) -> Tensor:
        """The most probable path, int64 `[..., T]`."""
        return viterbi(*self.chain(x))[0]

    def sample(self, n: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Ancestral sampling of `n` sequences: y_1, then each y_t given y_{t−1}; then x_t given y_t.

        Returns:
            observations `[n, T]` or `[n, T, D]`, and tags int64 `[n, T]`.
        """
        y = [torch.multinomial(self.pi, n, replacement=True, generator=generator)]
        for _ in range(1, T):
            y.append(torch.multinomial(self.A[y[-1]], 1, generator=generator)[:, 0])
        path = torch.stack(y, dim=1)
        return self._emit(path, generator), path

    def baum_welch_step(self, x: Tensor) -> tuple[Self, float]:
        """One step of EM on untagged sequences `[n, T]` or `[n, T, D]`: E by forward–backward, M by counting (Rabiner,
        eqs. 40a–c).

        Returns:
            the next model, and Σ log p(x) in nats of the present one: a sequence that never falls.
        """
        log_single, log_pair, log_Z = posteriors(*self.chain(x))
        pairs = log_pair.exp().sum(dim=(0, 1))
        return self._from_counts(x, log_single.exp(), pairs, alpha=0.0, **self._sizes()), log_Z.sum().item()


class CategoricalHMM(HMM):
    """Emits one word of V: p(x_t = v | y_t = k) = B_kv, with x int64 `[..., T]` and `B` `[K, V]`."""

    def __init__(self, pi: Tensor, A: Tensor, B: Tensor) -> None:
        super().__init__(pi, A)
        if B.ndim != 2 or len(B) != len(pi):
            raise ValueError(f"B must have shape [{len(pi)}, V], not {list(B.shape)}")
        _require_rows("B", B)
        self.B = B

    @classmethod
    def _from_counts(cls, x: Tensor, single: Tensor, pairs: Tensor, alpha: float, *, V: int) -> Self:
        x = label_tensor(x, "words", tuple(single.shape[:2]), whole_number(V, "V"))
        words = torch.einsum("ntk,ntv->kv", single, one_hot(x, V).to(single))
        return cls(*(_shares(counts + alpha) for counts in (single[:, 0].sum(dim=0), pairs, words)))

    def _sizes(self) -> dict[str, int]:
        return {"V": self.B.shape[1]}

    def log_emission(self, x: Tensor) -> Tensor:
        if dense_tensor(x, "words").is_floating_point() or not ((x >= 0) & (x < self.B.shape[1])).all():
            raise ValueError(f"words must be whole numbers in 0 … {self.B.shape[1] - 1}")
        return self.B.log().T[x.long()]  # an index of bytes would be taken for a mask

    def _emit(self, y: Tensor, generator: torch.Generator) -> Tensor:
        return torch.multinomial(self.B[y.flatten()], 1, generator=generator).view(y.shape)


class BernoulliHMM(HMM):
    """Emits D bits, independent given the tag: p(x_tj = 1 | y_t = k) = θ_kj, with x `[..., T, D]`, `theta` `[K, D]`.

    It is the Bernoulli naive Bayes of each word, tied together by A. The thetas must lie strictly between 0 and 1.
    """

    def __init__(self, pi: Tensor, A: Tensor, theta: Tensor) -> None:
        super().__init__(pi, A)
        if theta.ndim != 2 or len(theta) != len(pi) or not ((theta > 0) & (theta < 1)).all():
            raise ValueError(f"theta must have shape [{len(pi)}, D] and lie strictly between 0 and 1")
        self.theta = theta

    @classmethod
    def _from_counts(cls, x: Tensor, single: Tensor, pairs: Tensor, alpha: float) -> Self:
        ones = torch.einsum("ntk,ntd->kd", single, cls._bits(x).to(single))
        theta = (ones + alpha) / (single.sum(dim=(0, 1))[:, None] + 2 * alpha)
        return cls(_shares(single[:, 0].sum(dim=0) + alpha), _shares(pairs + alpha), theta)

    def log_emission(self, x: Tensor) -> Tensor:
        x = self._bits(x).to(self.theta)
        if x.shape[-1] != self.theta.shape[1]:
            raise ValueError(f"x must have shape [..., T, {self.theta.shape[1]}], not {list(x.shape)}")
        return x @ self.theta.log().T + (1 - x) @ (1 - self.theta).log().T

    def _emit(self, y: Tensor, generator: torch.Generator) -> Tensor:
        return torch.bernoulli(self.theta[y], generator=generator)

    @staticmethod
    def _bits(x: Tensor) -> Tensor:
        x = float_tensor(x, "x", ("...", "T", "D"))
        if not all_bits(x):
            raise ValueError("x must hold bits, 0 or 1")
        return x


def _shares(counts: Tensor) -> Tensor:
    """Rows divided by their sums; a row of zeros, a tag never seen, becomes uniform."""
    total = counts.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, counts / total, torch.full_like(counts, 1 / counts.shape[-1]))


def _chain(log_pi: Tensor, log_A: Tensor, log_b: Tensor) -> tuple[Tensor, ...]:
    log_pi, log_A, log_b = float_tensors(finite=False, log_pi=log_pi, log_A=log_A, log_b=log_b)
    K = len(log_A)
    if log_A.shape != (K, K) or log_pi.shape != (K,) or log_b.ndim < 2 or log_b.shape[-1] != K or not log_b.shape[-2]:
        raise ValueError(f"wanted log_pi [K], log_A [K, K] and log_b [..., T, K] with T > 0, got {list(log_pi.shape)}, "
                         f"{list(log_A.shape)} and {list(log_b.shape)}")
    for name, scores in (("log_pi", log_pi), ("log_A", log_A), ("log_b", log_b)):
        if not (scores < torch.inf).all():  # NaN is not below it either
            raise ValueError(f"{name} has NaN or +inf: scores are logarithms in nats, and −inf is a probability of 0")
    return log_pi, log_A, log_b


def _require_possible(log_Z: Tensor) -> None:
    if not log_Z.isfinite().all():
        raise ValueError("a sequence is impossible under this model: every path has probability zero (or is NaN)")


def _require_rows(name: str, p: Tensor) -> None:
    if not ((p >= 0).all() and torch.allclose(p.sum(dim=-1), torch.ones_like(p.sum(dim=-1)))):
        raise ValueError(f"{name} must hold probabilities that sum to one along the last dimension")
