"""Softmax (multinomial logistic) regression: p(y | x) = softmax(W x + b), the discriminative partner of naive Bayes.

See A. Y. Ng, M. I. Jordan, *On Discriminative vs. Generative Classifiers*, NIPS 14 (2001).
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validation import all_finite, finite_result, float_tensor, label_tensor, number


class SoftmaxRegression:
    """Fitted by minimising the mean cross-entropy (nats) plus (l2 / 2)·‖W‖²; the biases b are not penalised.

    Without a penalty, data that a line can separate have no optimum: the weights grow for ever. With l2 > 0 the
    objective is strictly convex in W, so there is one answer, and the size of the gradient tells how near it is.

    Args:
        l2: strength of the penalty. scikit-learn's `C` is 1 / (n·l2) for three classes or more, and 2 / (n·l2) for two.
        max_iter: most iterations of L-BFGS on the whole data set.
        tolerance: stop when no entry of the gradient is larger.

    Attributes (after `fit`):
        classes: the labels seen, sorted, int64 `[K]`.
        W, b: weights `[K, D]` and biases `[K]`.
        gradient: largest absolute entry of the objective's gradient at W, b.
    """

    def __init__(self, l2: float = 1e-4, max_iter: int = 200, tolerance: float = 1e-5) -> None:
        if number(l2, "l2") < 0:
            raise ValueError(f"l2 must not be negative, not {l2}")
        self.l2, self.max_iter, self.tolerance = l2, max_iter, tolerance

    def fit(self, x: Tensor, y: Tensor) -> SoftmaxRegression:
        """Minimise the objective on features `x` `[n, D]` and integer labels `y` `[n]`, starting from zero.

        Raises:
            ValueError: shapes that do not match, features that are no floating numbers, or are NaN or infinite, labels
                that are no whole numbers, or fewer than two classes; or numbers so large that the search overflows.
        """
        x = float_tensor(x, "x", whole=False).detach()
        if x.ndim != 2 or y.shape != x.shape[:1] or len(x) == 0:
            raise ValueError(f"fit needs x of shape [n, D] and y of shape [n], not {list(x.shape)}, {list(y.shape)}")
        self.classes, k = label_tensor(y, "y", ("n",)).unique(return_inverse=True)
        if len(self.classes) < 2:
            raise ValueError(f"a classifier needs two classes, the labels are all {self.classes[0]}")
        W = torch.zeros(len(self.classes), x.shape[1], dtype=x.dtype, requires_grad=True)
        b = torch.zeros(len(self.classes), dtype=x.dtype, requires_grad=True)
        optimizer = torch.optim.LBFGS([W, b], max_iter=self.max_iter, tolerance_grad=self.tolerance,
                                      tolerance_change=0.0, history_size=20, line_search_fn="strong_wolfe")

        def objective() -> Tensor:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(x @ W.T + b, k) + self.l2 / 2 * (W**2).sum()
            loss.backward()
            return loss

        optimizer.step(objective)
        objective()
        self.gradient = max(p.grad.abs().max().item() for p in (W, b))
        self.W, self.b = W.detach(), b.detach()
        if not (all_finite(self.W) and all_finite(self.b)):
            raise ValueError("the search for W and b overflowed: scale the features to a standard deviation near 1")
        return self

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x), `[n, K]`, at features `[n, D]`. It is all that this model knows: there is no p(x) in it.

        Raises:
            ValueError: features of another shape, NaN or infinite, or so large that logits overflow.
        """
        x = float_tensor(x, "x", ("n", self.W.shape[1])).to(self.W.dtype)
        return finite_result(x @ self.W.T + self.b, "a logit").log_softmax(dim=1)

    def predict(self, x: Tensor) -> Tensor:
        """The most probable label of each row, int64 `[n]`."""
        return self.classes[self.log_posterior(x).argmax(dim=1)]
