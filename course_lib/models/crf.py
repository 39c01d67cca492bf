"""A linear-chain conditional random field: p(y | x) directly, the discriminative partner of the hidden Markov model.

p(y | x) = exp(score(x, y)) / Z(x), with

    score(x, y) = u_{y_1} + Σ_t U_{y_{t−1} y_t} + Σ_t (W x_t + b)_{y_t}:

softmax regression for each word, and a score for each pair of neighbours. See J. Lafferty, A. McCallum, F. Pereira,
*Conditional Random Fields*, ICML (2001), and C. Sutton, A. McCallum, *An Introduction to Conditional Random Fields*,
Foundations and Trends in Machine Learning 4(4) (2012), section 2.3 and eq. 5.4 (the gradient).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_lib.models.hmm import BernoulliHMM, forward, posteriors, viterbi
from course_lib.validation import finite_result, float_tensor, label_tensor, number, whole_number


@dataclass(frozen=True)
class CRF:
    """The parameters, and what they can be asked: everything but p(x). Sequences in one call have one length T.

    Attributes:
        W, b: weights `[K, D]` and biases `[K]` of a word's features, as in softmax regression.
        u: score of the first tag, `[K]`.
        U: score of tag i followed by tag j, `[K, K]`, i down and j across.
    """

    W: Tensor
    b: Tensor
    u: Tensor
    U: Tensor

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, K: int, *, l2: float = 1.0, max_iter: int = 200,
            tolerance: float = 1e-3) -> Self:
        """Minimise −Σ log p(y | x) + (l2 / 2)·(‖W‖² + ‖u‖² + ‖U‖²), in nats, by L-BFGS from zero; b is free.

        The penalty is a Gaussian prior of variance 1/l2 on each weight, whatever the number of sequences.

        Args:
            x: features `[n, T, D]`.
            y: tags, int64 `[n, T]`, 0 … K − 1.
            K: number of tags.
            l2: strength of the penalty, positive: without one, tags that a line separates have no optimum.
            max_iter: most iterations.
            tolerance: stop when no entry of the gradient is larger.

        Raises:
            ValueError: shapes that do not match, NaN or infinity, tags outside 0 … K − 1, l2 ≤ 0, or features so large
                that the search overflows.
        """
        x = float_tensor(x, "x").detach().double()
        if x.ndim != 3 or y.shape != x.shape[:2] or y.numel() == 0:
            raise ValueError(f"fit needs x of shape [n, T, D] and y of shape [n, T], not {list(x.shape)}, "
                             f"{list(y.shape)}")
        y = label_tensor(y, "tags", ("n", "T"), whole_number(K, "K"))
        l2 = number(l2, "l2", above=0)
        D = x.shape[2]
        parameters = [torch.zeros(shape, dtype=x.dtype, requires_grad=True) for shape in ((K, D), (K,), (K,), (K, K))]
        optimizer = torch.optim.LBFGS(parameters, max_iter=max_iter, tolerance_grad=tolerance, tolerance_change=0.0,
                                      history_size=20, line_search_fn="strong_wolfe")

        def objective() -> Tensor:
            with torch.no_grad():
                model = cls(*(p.detach() for p in parameters))
                log_p, gradient = model.log_prob_and_gradient(x, y)
                penalised = [l2 * p for p in parameters]
                penalised[1] = torch.zeros_like(parameters[1])
                for p, g, penalty in zip(parameters, gradient, penalised, strict=True):
                    p.grad = penalty - g
                return -log_p.sum() + sum((penalty * p).sum() for p, penalty in
                                          zip(parameters, penalised, strict=True)) / 2

        optimizer.step(objective)
        return cls(*(finite_result(p.detach(), "the fit") for p in parameters))

    @classmethod
    def of_hmm(cls, hmm: BernoulliHMM) -> Self:
        """The weights with which a CRF gives exactly the HMM's p(y | x): an HMM is a CRF fitted to something else."""
        theta = hmm.theta
        return cls(W=theta.log() - (1 - theta).log(), b=(1 - theta).log().sum(dim=1), u=hmm.pi.log(), U=hmm.A.log())

    def chain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores in place of log π, log A and log p(x_t | y_t), for the recursions of `hmm`; x `[..., T, D]`.

        Raises:
            ValueError: x of another shape, NaN or infinite, or so large that scores overflow.
        """
        x = float_tensor(x, "x", ("...", "T", self.W.shape[1]))
        return self.u, self.U, finite_result(x.to(self.W) @ self.W.T + self.b, "a score")

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """score(x, y) in nats, `[...]`, for features `[..., T, D]` and tags int64 `[..., T]`."""
        u, U, words = self.chain(x)
        y = label_tensor(y, "tags", tuple(x.shape[:-1]), len(self.b))
        steps = U[y[..., :-1], y[..., 1:]].sum(dim=-1)
        return u[y[..., 0]] + steps + words.gather(-1, y[..., None]).sum(dim=(-2, -1))

    def log_partition(self, x: Tensor) -> Tensor:
        """log Z(x) = log Σ_y exp(score(x, y)), `[...]`: the forward recursion, on scores."""
        return forward(*self.chain(x))[..., -1, :].logsumexp(dim=-1)

    def log_prob(self, x: Tensor, y: Tensor) -> Tensor:
        """log p(y | x) in nats, `[...]`, of features `[..., T, D]` and tags `[..., T]`."""
        return self.score(x, y) - self.log_partition(x)

    def log_prob_and_gradient(self, x: Tensor, y: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """log p(y | x) `[n]` and the gradient of its sum by W, b, u and U, for x `[n, T, D]` and y `[n, T]`.

        The gradient is the number of times each feature was observed minus its expectation under p(y | x).
        """
        y = label_tensor(y, "tags", tuple(x.shape[:-1]), len(self.b))
        log_single, log_pair, log_Z = posteriors(*self.chain(x))
        surplus = one_hot(y, len(self.b)).to(self.W) - log_single.exp()  # observed minus expected tags, [n, T, K]
        observed = one_hot(y[:, :-1] * len(self.b) + y[:, 1:], len(self.b) ** 2).sum(dim=(0, 1)).view_as(self.U)
        gradient = (torch.einsum("ntk,ntd->kd", surplus, x.to(self.W)), surplus.sum(dim=(0, 1)),
                    surplus[:, 0].sum(dim=0), observed - log_pair.exp().sum(dim=(0, 1)))
        return self.score(x, y) - log_Z, gradient

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y_t | x) in nats, `[..., T, K]`: each tag given the whole sequence."""
        return posteriors(*self.chain(x))[0]

    def viterbi(self, x: Tensor) -> Tensor:
        """The most probable path, int64 `[..., T]`."""
        return viterbi(*self.chain(x))[0]
