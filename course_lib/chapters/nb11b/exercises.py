"""Exercises of notebook 11b: an ancestral step, a term of the bound, a DDIM step, a step of the reverse SDE."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course_lib.teach.exercises import Exercise, Mistake


def _tensor(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(scale * rng.normal(size=shape))


LEVELS = [(0.3, 0.5), (0.6, 0.9), (0.1, 0.2), (0.7, 0.75)]  # α_t and α_s: s is nearer to the data, so α_s is larger


def _levels(alpha_t: float, alpha_s: float) -> tuple[float, float, float]:
    """σ_t², σ_s² and β of a variance preserving schedule."""
    var_t, var_s = 1 - alpha_t**2, 1 - alpha_s**2
    return var_t, var_s, var_t - (alpha_t / alpha_s) ** 2 * var_s


def _ancestral_step(x_t: Tensor, x_0_hat: Tensor, alpha_t: float, alpha_s: float, z: Tensor) -> Tensor:
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    mean = alpha_t / alpha_s * var_s / var_t * x_t + alpha_s * beta / var_t * x_0_hat
    return mean + beta**0.5 * z


def _ancestral_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float, float, Tensor]]:
    return [(_tensor(rng, *shape), _tensor(rng, *shape), *level, _tensor(rng, *shape))
            for shape, level in zip(((5, 2), (3, 4), (1, 1), (2, 3)), LEVELS, strict=True)]


def _squares_for_roots(x_t, x_0_hat, alpha_t, alpha_s, z):
    return _ancestral_step(x_t, x_0_hat, alpha_t**0.5, alpha_s**0.5, z)


def _beta_as_deviation(x_t, x_0_hat, alpha_t, alpha_s, z):
    beta = _levels(alpha_t, alpha_s)[2]
    return _ancestral_step(x_t, x_0_hat, alpha_t, alpha_s, 0 * z) + beta * z


def _other_noise(deviation):
    def wrong(x_t, x_0_hat, alpha_t, alpha_s, z):
        return _ancestral_step(x_t, x_0_hat, alpha_t, alpha_s, 0 * z) + deviation(alpha_t, alpha_s) * z

    return wrong


def _time_reversed(x_t, x_0_hat, alpha_t, alpha_s, z):
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    return alpha_s / alpha_t * var_s / var_t * x_t + alpha_s * beta / var_t * x_0_hat + beta**0.5 * z


def _no_ratio(x_t, x_0_hat, alpha_t, alpha_s, z):
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    return alpha_t * var_s / var_t * x_t + alpha_s * beta / var_t * x_0_hat + beta**0.5 * z


def _wrong_alpha(x_t, x_0_hat, alpha_t, alpha_s, z):
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    return alpha_t / alpha_s * var_s / var_t * x_t + alpha_t * beta / var_t * x_0_hat + beta**0.5 * z


def _roots_in_the_mean(x_t, x_0_hat, alpha_t, alpha_s, z):
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    return (alpha_t / alpha_s * (var_s / var_t) ** 0.5 * x_t + alpha_s * beta / var_t**0.5 * x_0_hat
            + beta**0.5 * z)


ANCESTRAL_STEP = Exercise(
    reference=_ancestral_step,
    cases=_ancestral_cases,
    mistakes=(
        Mistake(lambda x_t, x_0_hat, alpha_t, alpha_s, z: _ancestral_step(x_t, x_0_hat, alpha_t, alpha_s, 0 * z),
                ("the mean is right, but nothing is drawn: add √β z. A chain without noise is another sampler.",)),
        Mistake(_beta_as_deviation,
                ("β is a variance; z is multiplied by a standard deviation. A root is forgotten.",)),
        Mistake(_squares_for_roots,
                ("you took α for its square: here α_t is √ᾱ_t of Ho's paper, so that σ_t² = 1 − α_t².",)),
        Mistake(_time_reversed,
                ("time is reversed in the ratio: q(x_t | x_s) fades by α_t/α_s, which is below 1.",)),
        Mistake(_other_noise(lambda alpha_t, alpha_s: (_levels(alpha_t, alpha_s)[2] * (1 - alpha_s**2)
                                                       / (1 - alpha_t**2)) ** 0.5),
                ("this draws with β̃. That is a choice, too, but the exercise asks for β.",)),
        Mistake(_other_noise(lambda alpha_t, alpha_s: (1 - alpha_s**2) ** 0.5),
                ("you added noise of level σ_s: what x_t holds of noise already is then counted twice.",)),
        Mistake(_other_noise(lambda alpha_t, alpha_s: (1 - alpha_t**2) ** 0.5),
                ("an index off by one step: σ_t is all the noise up to t. One step back draws √β.",)),
        Mistake(_no_ratio,
                ("x_t is multiplied by α_{t|s} = α_t/α_s, the fading of this one step, and not by α_t.",)),
        Mistake(_wrong_alpha,
                ("an index off by one: the data's weight is α_s β/σ_t², with the α of the level that you go to.",)),
        Mistake(_roots_in_the_mean,
                ("the weights of the mean are made of variances, σ_s²/σ_t² and β/σ_t²: roots too many.",)),
    ),
    hints=("with VP, σ² = 1 − α². First β = σ_t² − (α_t/α_s)² σ_s².",
           "the mean is (α_t/α_s)(σ_s²/σ_t²) x_t + α_s (β/σ_t²) x̂_0; then add √β z."),
)


def _kl_term(error: Tensor, alpha_t: float, alpha_s: float, v: float) -> Tensor:
    var_t, var_s, beta = _levels(alpha_t, alpha_s)
    tilde, c = beta * var_s / var_t, alpha_s * beta / var_t
    return 0.5 * (np.log(v / tilde) + tilde / v - 1 + c**2 * error / v)


def _kl_cases(rng: np.random.Generator) -> list[tuple[Tensor, float, float, float]]:
    cases = []
    for n, (alpha_t, alpha_s) in zip((5, 1, 3, 4), LEVELS, strict=True):
        beta = _levels(alpha_t, alpha_s)[2]
        cases.append((torch.tensor(rng.uniform(0, 2, size=n)), alpha_t, alpha_s, float(beta * rng.uniform(0.6, 1.0))))
    return cases


def _kl_with(value):
    def wrong(error, alpha_t, alpha_s, v):
        var_t, var_s, beta = _levels(alpha_t, alpha_s)
        return value(error, beta * var_s / var_t, alpha_s * beta / var_t, v, beta)

    return wrong


KL_TERM = Exercise(
    reference=_kl_term,
    cases=_kl_cases,
    mistakes=(
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(tilde / v) + v / tilde - 1 + c**2 * e / tilde)),
                ("the two Gaussians are exchanged: the expectation is over q, so its variance β̃ stands above, v below.",
                 )),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * c**2 * e / v),
                ("that is the part of the means. The two variances differ as well: add log v/β̃ + β̃/v − 1.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: np.log(v / tilde) + tilde / v - 1 + c**2 * e / v),
                ("the factor ½ is missing.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(v / tilde) + tilde / v - 1 + c * e / v)),
                ("the means differ by c (x_0 − x̂_0), so c is squared with the error.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(v / tilde) + tilde / v - 1 + e / v)),
                ("the error of x̂_0 is not that of the mean: the mean holds x̂_0 with the weight c.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(v / tilde) + tilde / v + c**2 * e / v)),
                ("−1 is missing: with equal Gaussians the KL must be 0.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(v / beta) + beta / v - 1 + c**2 * e / v)),
                ("q(x_s | x_t, x_0) has the variance β̃, and not β: it knows x_0.",)),
        Mistake(_kl_with(lambda e, tilde, c, v, beta: 0.5 * (np.log(v**2 / tilde**2) + tilde**2 / v**2 - 1
                                                             + c**2 * e / v**2)),
                ("v and β̃ are variances already: you squared them once more.",)),
        Mistake(lambda error, alpha_t, alpha_s, v: _kl_term(error, alpha_t**0.5, alpha_s**0.5, v),
                ("you took α for its square: σ_t² = 1 − α_t².",)),
        Mistake(lambda error, alpha_t, alpha_s, v: _kl_term(error, alpha_t, alpha_s, v).mean(),
                ("one number for each point is asked for; you took their mean.",)),
    ),
    hints=("KL(N(m, β̃) ‖ N(m', v)) = ½ (log v/β̃ + (β̃ + (m − m')²)/v − 1).",
           "the means differ by c (x_0 − x̂_0), with c = α_s β/σ_t²; and β̃ = β σ_s²/σ_t²."),
)


def _ddim_step(x_t: Tensor, eps_hat: Tensor, alpha_t: float, alpha_s: float) -> Tensor:
    return alpha_s * (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t + (1 - alpha_s**2) ** 0.5 * eps_hat


def _ddim_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float, float]]:
    return [(_tensor(rng, *shape), _tensor(rng, *shape), *level)
            for shape, level in zip(((5, 2), (3, 4), (1, 1), (2, 3)), [(0.6, 1.0), *LEVELS[1:]], strict=True)]


DDIM_STEP = Exercise(
    reference=_ddim_step,
    cases=_ddim_cases,
    mistakes=(
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t,
                ("that is x̂_0: you jumped to the end. Noise it again, to the level s, with the same ε̂.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t
                + (1 - alpha_s**2) ** 0.5 * eps_hat,
                ("x̂_0 fades on its way to s: multiply it by α_s.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: alpha_s * (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t
                + (1 - alpha_t**2) ** 0.5 * eps_hat,
                ("an index off by one: the noise that you put back is that of the level s.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: alpha_s * (x_t - (1 - alpha_t**2) * eps_hat) / alpha_t
                + (1 - alpha_s**2) * eps_hat,
                ("1 − α² is a variance; ε̂ is multiplied by its root, the standard deviation.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: alpha_s * (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat)
                + (1 - alpha_s**2) ** 0.5 * eps_hat,
                ("x̂_0 is (x_t − σ_t ε̂)/α_t: the division is missing.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: _ddim_step(x_t, eps_hat, alpha_t**0.5, alpha_s**0.5),
                ("you took α for its square: this course's α is √ᾱ, and σ = √(1 − α²).",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: alpha_s * (x_t + (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t
                - (1 - alpha_s**2) ** 0.5 * eps_hat,
                ("both signs are turned: x̂_0 is what is left when the noise is taken *off*.",)),
        Mistake(lambda x_t, eps_hat, alpha_t, alpha_s: alpha_s * x_t + (1 - alpha_s**2) ** 0.5 * eps_hat,
                ("you noised x_t itself. First take its noise off: x̂_0 = (x_t − σ_t ε̂)/α_t.",)),
    ),
    hints=("first x̂_0 = (x_t − σ_t ε̂)/α_t, then noise it again: α_s x̂_0 + σ_s ε̂.",
           "with σ = (1 − α²)**0.5 at both levels, and with nothing drawn."),
)


def _reverse_step(x: Tensor, score: Tensor, beta: float, h: float, z: Tensor) -> Tensor:
    return x + h * (0.5 * beta * x + beta * score) + (beta * h) ** 0.5 * z


def _reverse_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float, float, Tensor]]:
    return [(_tensor(rng, *shape), _tensor(rng, *shape, scale=2), beta, h, _tensor(rng, *shape))
            for shape, beta, h in (((5, 2), 10.0, 0.02), ((3, 1), 0.5, 0.1), ((1, 4), 19.0, 0.005))]


REVERSE_STEP = Exercise(
    reference=_reverse_step,
    cases=_reverse_cases,
    mistakes=(
        Mistake(lambda x, score, beta, h, z: x - h * (0.5 * beta * x + beta * score) + (beta * h) ** 0.5 * z,
                ("time is reversed: you step from t to t − h, so the drift is *subtracted*: −h (−½ β x − β s).",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x - beta * score) + (beta * h) ** 0.5 * z,
                ("the sign of the score: going back, x moves uphill.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (-0.5 * beta * x + beta * score) + (beta * h) ** 0.5 * z,
                ("the sign of f: forwards −½ β x shrinks x, so backwards it grows.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + 0.5 * beta * score) + (beta * h) ** 0.5 * z,
                ("half the score is for the probability-flow ODE, which draws nothing. With noise it is the whole.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + 0.5 * beta * score),
                ("this is the probability-flow ODE: right, but asked for is the SDE: the whole score, and noise.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + beta * score),
                ("the noise is missing: √(β h) z.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + beta * score) + beta * h * z,
                ("β h is the variance of what is drawn: take its root.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + beta * score) + beta**0.5 * h * z,
                ("noise adds up as variances do: over a time h its standard deviation is √(β h), with h under the "
                 "root.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (beta * x + beta * score) + (beta * h) ** 0.5 * z,
                ("f is −½ β: x grows by ½ β h.",)),
        Mistake(lambda x, score, beta, h, z: x + h * (0.5 * beta * x + beta**2 * score) + (beta * h) ** 0.5 * z,
                ("g² is β, so the score is multiplied by β, once.",)),
    ),
    hints=("f = −½ β and g² = β; x − h (f x − g² s) + g √h z.",
           "`x + h * (0.5 * beta * x + beta * score) + (beta * h) ** 0.5 * z`"),
)

EXERCISES = {"11b.ancestral_step": ANCESTRAL_STEP, "11b.kl_term": KL_TERM, "11b.ddim_step": DDIM_STEP,
             "11b.reverse_step": REVERSE_STEP}
