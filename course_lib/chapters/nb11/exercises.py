"""Exercises of notebook 11: noising with ᾱ, the score of a noised mixture, what a predicted noise says, the loss."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(scale * rng.normal(size=shape))


def _noised(x_0: Tensor, alpha_bar: float, eps: Tensor) -> Tensor:
    return alpha_bar**0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps


def _noised_cases(rng: np.random.Generator) -> list[tuple[Tensor, float, Tensor]]:
    return [(_tensor(rng, *shape, scale=2), bar, _tensor(rng, *shape))
            for shape, bar in (((5, 2), 0.9), ((3, 4), 0.15), ((1, 2), 0.64), ((2, 3), 1.0))]


NOISED = Exercise(
    reference=_noised,
    cases=_noised_cases,
    mistakes=(
        Mistake(lambda x_0, alpha_bar, eps: alpha_bar * x_0 + (1 - alpha_bar) * eps,
                ("you took ᾱ for α, and 1 − ᾱ for σ. These are squares: ᾱ = α², and 1 − ᾱ = σ² is a variance.",
                 "take two roots: alpha_bar ** 0.5 and (1 − alpha_bar) ** 0.5.")),
        Mistake(lambda x_0, alpha_bar, eps: alpha_bar**0.5 * x_0 + (1 - alpha_bar) * eps,
                ("1 − ᾱ is the noise's variance; ε is multiplied by a standard deviation. One root is forgotten.",)),
        Mistake(lambda x_0, alpha_bar, eps: alpha_bar * x_0 + (1 - alpha_bar) ** 0.5 * eps,
                ("the data are multiplied by ᾱ. It is √ᾱ, which this course calls α.",)),
        Mistake(lambda x_0, alpha_bar, eps: alpha_bar**0.5 * x_0 + (1 - alpha_bar**0.5) * eps,
                ("the weights add up to 1, as on a straight path. Here their *squares* do: σ² = 1 − ᾱ.",)),
        Mistake(lambda x_0, alpha_bar, eps: (1 - alpha_bar) ** 0.5 * x_0 + alpha_bar**0.5 * eps,
                ("time is reversed: with ᾱ = 1 nothing has happened yet, and x_t is x_0.",)),
        Mistake(lambda x_0, alpha_bar, eps: alpha_bar**0.5 * x_0 - (1 - alpha_bar) ** 0.5 * eps,
                ("the noise is taken off. It is added: the sign matters as soon as a network must name this ε.",)),
        Mistake(lambda x_0, alpha_bar, eps: x_0 + (1 - alpha_bar) ** 0.5 * eps,
                ("the data do not fade. Then the variance grows; here x_0 is multiplied by α = √ᾱ.",)),
    ),
    hints=("x_t = α x_0 + σ ε with α = √ᾱ and σ = √(1 − ᾱ).",
           "two roots: `alpha_bar ** 0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps`."),
)


def _parts(x: Tensor, pi: Tensor, mu: Tensor, s: Tensor, alpha: float, sigma: float) -> tuple[Tensor, Tensor]:
    """Densities p(x_t, k) `[n, K]` and variances `[K]`."""
    v = alpha**2 * s**2 + sigma**2
    return pi * torch.exp(-0.5 * (x[:, None] - alpha * mu) ** 2 / v) / (2 * torch.pi * v).sqrt(), v


def _mixture_score(x: Tensor, pi: Tensor, mu: Tensor, s: Tensor, alpha: float, sigma: float) -> Tensor:
    joint, v = _parts(x, pi, mu, s, alpha, sigma)
    return (joint / joint.sum(dim=1, keepdim=True) * (alpha * mu - x[:, None]) / v).sum(dim=1)


def _score_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, Tensor, float, float]]:
    def case(n: int, K: int, alpha: float, sigma: float) -> tuple[Tensor, Tensor, Tensor, Tensor, float, float]:
        return (_tensor(rng, n), torch.tensor(rng.dirichlet(np.full(K, 3.0))), _tensor(rng, K),
                torch.tensor(rng.uniform(0.3, 1.2, size=K)), alpha, sigma)

    return [case(6, 3, 0.8, 0.6), case(4, 2, 0.5, 0.9), case(5, 1, 0.9, 0.3), case(1, 4, 0.3, 1.1)]


def _wrong_variance(variance):
    def wrong(x, pi, mu, s, alpha, sigma):
        v = variance(s, alpha, sigma)
        r = (pi.log() - 0.5 * (x[:, None] - alpha * mu) ** 2 / v - 0.5 * v.log()).softmax(dim=1)
        return (r * (alpha * mu - x[:, None]) / v).sum(dim=1)

    return wrong


def _unweighted(x, pi, mu, s, alpha, sigma):
    return (pi * (alpha * mu - x[:, None]) / (alpha**2 * s**2 + sigma**2)).sum(dim=1)


def _gradient_of_density(x, pi, mu, s, alpha, sigma):
    joint, v = _parts(x, pi, mu, s, alpha, sigma)
    return (joint * (alpha * mu - x[:, None]) / v).sum(dim=1)


def _means_that_stay(x, pi, mu, s, alpha, sigma):
    joint, v = _parts(x, pi, mu / alpha, s, alpha, sigma)
    return (joint / joint.sum(dim=1, keepdim=True) * (mu - x[:, None]) / v).sum(dim=1)


def _no_norm(x, pi, mu, s, alpha, sigma):
    v = alpha**2 * s**2 + sigma**2
    r = (pi.log() - 0.5 * (x[:, None] - alpha * mu) ** 2 / v).softmax(dim=1)
    return (r * (alpha * mu - x[:, None]) / v).sum(dim=1)


MIXTURE_SCORE = Exercise(
    reference=_mixture_score,
    cases=_score_cases,
    mistakes=(
        Mistake(lambda *case: -_mixture_score(*case),
                ("the sign is turned: the score points *uphill*, from x towards the means, so it is α μ_k − x.",)),
        Mistake(_gradient_of_density,
                ("this is ∇p, the gradient of the density. The score is ∇ log p = ∇p / p: divide by the sum.",)),
        Mistake(_unweighted,
                ("you weighted the components by π_k. It is the responsibilities r_k = p(k | x_t) that count: π_k N_k "
                 "divided by their sum.",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: alpha * s + sigma),
                ("you added standard deviations. Of independent parts the *variances* add up: α² s_k² + σ².",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: (alpha**2 * s**2 + sigma**2).sqrt()),
                ("you put the standard deviation where the variance belongs: a root too many.",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: s**2 + sigma**2),
                ("the components' own width fades with the data: α² s_k², and not s_k².",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: alpha * s**2 + sigma**2),
                ("a variance is multiplied by α², the square of what x_0 is multiplied by.",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: alpha**2 * s**2 + sigma),
                ("σ is a standard deviation: its square belongs into a variance.",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: alpha**2 * s**2),
                ("the noise's own variance is missing: α² s_k² + σ².",)),
        Mistake(_wrong_variance(lambda s, alpha, sigma: torch.full_like(s, sigma**2)),
                ("the components have a width of their own: α² s_k² + σ², where you have σ² alone.",)),
        Mistake(_means_that_stay,
                ("the means move, too: component k has the mean α μ_k.",)),
        Mistake(_no_norm,
                ("the responsibilities lack 1/√(2πv_k) of each Gaussian, which differs from one component to the next.",
                 )),
    ),
    hints=("p_t is a mixture with the means α μ_k and the variances v_k = α² s_k² + σ².",
           "the score is Σ_k r_k (α μ_k − x)/v_k, r_k being π_k N(x; α μ_k, v_k) over the sum of these.",
           "test it: the derivative of your own log p_t by torch.autograd.grad must be the same."),
)


def _from_noise(x_t: Tensor, eps_hat: Tensor, alpha: float, sigma: float) -> tuple[Tensor, Tensor]:
    return (x_t - sigma * eps_hat) / alpha, -eps_hat / sigma


def _from_noise_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float, float]]:
    return [(_tensor(rng, *shape, scale=2), _tensor(rng, *shape), alpha, sigma)
            for shape, alpha, sigma in (((5, 2), 0.8, 0.6), ((3, 4), 0.3, 0.7), ((1, 2), 0.95, 0.2))]


FROM_NOISE = Exercise(
    reference=_from_noise,
    cases=_from_noise_cases,
    mistakes=(
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t + sigma * eps_hat) / alpha, -eps_hat / sigma),
                ("to undo the noise it is taken *off*: x_0 = (x_t − σ ε)/α.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - sigma * eps_hat) / alpha, eps_hat / sigma),
                ("the score has the wrong sign: it points back to the data, against the noise.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: (x_t - sigma * eps_hat, -eps_hat / sigma),
                ("x_0 was multiplied by α on the way: divide by it.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - sigma * eps_hat) / alpha**2, -eps_hat / sigma),
                ("you divided by α², Ho's ᾱ: it is √ᾱ = α.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - sigma**2 * eps_hat) / alpha, -eps_hat / sigma),
                ("you took the variance σ² for the deviation: x_t = α x_0 + σ ε.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - sigma * eps_hat) / alpha, -eps_hat),
                ("the score is −ε/σ: the noise itself has deviation 1 at every level, the score has not.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - sigma * eps_hat) / alpha, -eps_hat / sigma**2),
                ("the score is −ε/σ. With σ² below, the distance σ ε belongs above.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: ((x_t - alpha * eps_hat) / sigma, -eps_hat / alpha),
                ("α and σ are exchanged: α belongs to the data and σ to the noise.",)),
        Mistake(lambda x_t, eps_hat, alpha, sigma: (-eps_hat / sigma, (x_t - sigma * eps_hat) / alpha),
                ("the two answers are exchanged: first x_0, then the score.",)),
    ),
    hints=("solve x_t = α x_0 + σ ε for x_0.", "the score is −ε̂/σ.",
           "return the tuple ((x_t − σ ε̂)/α, −ε̂/σ)."),
)


def _score_loss(s_hat: Tensor, eps: Tensor, sigma: Tensor) -> Tensor:
    return (sigma[:, None] * s_hat + eps).square().sum(dim=1).mean()


def _loss_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    return [(_tensor(rng, n, D), _tensor(rng, n, D), torch.tensor(rng.uniform(0.1, 1.0, size=n)))
            for n, D in ((6, 2), (4, 3), (1, 2))]


SCORE_LOSS = Exercise(
    reference=_score_loss,
    cases=_loss_cases,
    mistakes=(
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * s_hat - eps).square().sum(dim=1).mean(),
                ("the sign: the target is −ε/σ, so that at the best network σ s and ε cancel. A network trained so "
                 "learns to run away from the data, and its loss looks as good.",)),
        Mistake(lambda s_hat, eps, sigma: (s_hat + eps / sigma[:, None]).square().sum(dim=1).mean(),
                ("the weight σ² is missing: levels with little noise then outweigh all others.",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * (s_hat + eps / sigma[:, None]).square()).sum(dim=1).mean(),
                ("the weight is σ²; yours is σ. Pull it into the square: ‖σ s + ε‖².",)),
        Mistake(lambda s_hat, eps, sigma: (s_hat + eps).square().sum(dim=1).mean(),
                ("σ is missing: the target of the score is −ε/σ.",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] ** 2 * s_hat + eps).square().sum(dim=1).mean(),
                ("σ² for σ: ‖σ s + ε‖² is σ² ‖s + ε/σ‖².",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * s_hat + eps).square().mean(),
                ("you took the mean over the coordinates as well. Sum over them, and take the mean over the points.",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * s_hat + eps).square().sum(),
                ("you summed over the points: the loss then grows with the batch. Take their mean.",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * s_hat + eps).square().sum(dim=1).sqrt().mean(),
                ("a root too many: it is the *squared* distance whose best answer is the conditional mean.",)),
        Mistake(lambda s_hat, eps, sigma: (sigma[:, None] * s_hat + eps).square().sum(dim=1),
                ("one number for each point: take their mean.",)),
    ),
    hints=("the target of the score is −ε/σ; the weight is σ².",
           "σ² ‖s + ε/σ‖² = ‖σ s + ε‖²: nothing is divided.",
           "`(sigma[:, None] * s_hat + eps).square().sum(dim=1).mean()`"),
)

EXERCISES = {"11.noised": NOISED, "11.mixture_score": MIXTURE_SCORE, "11.from_noise": FROM_NOISE,
             "11.score_loss": SCORE_LOSS}
