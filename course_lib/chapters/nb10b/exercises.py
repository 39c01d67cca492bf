"""Exercises of notebook 10b: the free energy of an RBM, one Gibbs round, the gradient from two phases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from course_lib.chapters.nb07.exercises import same_twice
from course_lib.teach.exercises import Exercise, Mistake


def _observed(function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """What the function returns, −1 everywhere if it draws anew at each call; PyTorch's errors with an explanation.

    Raises:
        RuntimeError: what the function raised, and what that means.
    """
    try:
        return same_twice(function, *arguments)
    except RuntimeError as error:
        told = str(error)
        advice = ("a comparison gives True and False, which no matrix is multiplied with: `.float()`"
                  if "dtype" in told or "Bool" in told or "scalar type" in told else
                  "W is (D, H): pictures (n, D) go with W, hidden units (n, H) with W.T"
                  if "shapes" in told or "size" in told else None)
        if advice is None:
            raise
        raise RuntimeError(f"{told}. Perhaps: {advice}").with_traceback(error.__traceback__) from error


def _drawn(p: Tensor) -> Tensor:
    """Zeros and ones with probability p of a one, by random numbers that are others at each call."""
    generator = torch.Generator()
    generator.seed()
    return torch.bernoulli(p, generator=generator)


def _machine(rng: np.random.Generator, n: int, D: int, H: int, scale: float) -> tuple[Tensor, ...]:
    """x, W, b and c."""
    x = torch.tensor(rng.integers(0, 2, size=(n, D)), dtype=torch.float32)
    return x, *(torch.tensor(rng.normal(0, scale, size=shape), dtype=torch.float32) for shape in ((D, H), D, H))


def _free_energy(x: Tensor, W: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return -x @ b - softplus(x @ W + c).sum(1)


def _free_energy_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    return [_machine(rng, *sizes) for sizes in ((4, 9, 3, 1.0), (3, 5, 8, 1.0), (2, 6, 1, 1.0), (5, 4, 6, 200.0))]


CLAMPS = (10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 85, 88)  # that people pick: e^88 is the last that float32 holds


FREE_ENERGY = Exercise(
    reference=_free_energy,
    cases=_free_energy_cases,
    mistakes=(
        Mistake(lambda x, W, b, c: -_free_energy(x, W, b, c),
                ("the sign is turned: this is −F, which is large where p(x) is large. An energy is *low* there.",)),
        Mistake(lambda x, W, b, c: x @ b - softplus(x @ W + c).sum(1),
                ("the biases of the pixels have the wrong sign: an inked pixel with b > 0 must *lower* the energy.",)),
        Mistake(lambda x, W, b, c: -softplus(x @ W + c).sum(1),
                ("the term −b·x is missing: the pixels have biases of their own.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus(x @ W).sum(1),
                ("the biases c of the hidden units are missing: each stands in its softplus, beside x·W_j.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus((x @ W + c).sum(1)),
                ("you summed over the hidden units before the softplus. Each unit has a factor 1 + e^a of its own, and "
                 "the log of a product is the sum of the logs: softplus first, then the sum.",)),
        Mistake(lambda x, W, b, c: -x @ b - (x @ W + c).logsumexp(1),
                ("a logsumexp over the units adds up their e^a, as if exactly *one* unit were on. Each unit is on or "
                 "off by itself: its factor 1 + e^a, and the factors are multiplied.",)),
        Mistake(lambda x, W, b, c: -x @ b - torch.cat([torch.zeros_like(x[:, :1]), x @ W + c], dim=1).logsumexp(1),
                ("log(1 + Σ_j e^{a_j}) lets at most *one* unit be on. They may be on together: (1 + e^{a_1})(1 + "
                 "e^{a_2}) …, so the logs of these factors are added.",)),
        Mistake(lambda x, W, b, c: -x @ b - torch.relu(x @ W + c).sum(1),
                ("max(0, a) is where log(1 + e^a) goes for large |a|; near 0 it is up to log 2 too low: use "
                 "`softplus`.",)),
        *(Mistake(lambda x, W, b, c, top=top: -x @ b - (x @ W + c).clamp(max=top).exp().log1p().sum(1),
                  (f"clamped at {top}, e^a does not overflow, but every larger a counts as {top} now, while "
                   "log(1 + e^a) goes on like a: `softplus` needs no clamp.",)) for top in CLAMPS),
        Mistake(lambda x, W, b, c: -x @ b - ((x @ W + c) * torch.sigmoid(x @ W + c)).sum(1),
                ("this is the *mean* energy with h at its average. F also counts the entropy of h: it is −log of a sum "
                 "over h, and each unit gives log(1 + e^a).",)),
        Mistake(lambda x, W, b, c: -x @ b - (x @ W + c).sum(1),
                ("this is the energy E(x, h) with every hidden unit on. Sum over h: 1 for off, e^a for on, and the "
                 "log of that.",)),
        Mistake(lambda x, W, b, c: (-x @ b)[:, None] - softplus(x @ W + c),
                ("one number for each picture, please: sum the softplus over the hidden units, `dim=1`.",)),
        Mistake(lambda x, W, b, c: _free_energy(x, W, b, c).sum(),
                ("you summed over the batch: each picture has its own free energy.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus(x @ W + c).sum(),
                ("your softplus is summed over the hidden units *and* over the pictures of the batch: `dim=1`.",)),
        Mistake(lambda x, W, b, c: -x @ b - softplus(x @ W + c).mean(1),
                ("the hidden units *add* their terms; you took the mean.",)),
    ),
    hints=("F(x) = −b·x − Σ_j log(1 + exp(c_j + x·W_j)); log(1 + e^a) is `softplus(a)`.",
           "with all weights and biases 0, F must be −H log 2 for every picture.",
           "shapes: x @ b is (n,), x @ W + c is (n, H)."),
)


def _gibbs(x: Tensor, W: Tensor, b: Tensor, c: Tensor, u_h: Tensor, u_x: Tensor) -> Tensor:
    h = (u_h < torch.sigmoid(x @ W + c)).to(x.dtype)
    return (u_x < torch.sigmoid(h @ W.T + b)).to(x.dtype)


def _gibbs_turned(x: Tensor, W: Tensor, b: Tensor, c: Tensor, u_h: Tensor, u_x: Tensor, h_too: bool) -> Tensor:
    h = u_h < torch.sigmoid(x @ W + c)
    h = (~h if h_too else h).to(x.dtype)
    return (u_x > torch.sigmoid(h @ W.T + b)).to(x.dtype)


def _gibbs_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, D, H in ((40, 9, 5), (30, 6, 6), (60, 4, 7), (50, 12, 1)):
        uniform = (torch.tensor(rng.uniform(size=(n, units)), dtype=torch.float32) for units in (H, D))
        cases.append((*_machine(rng, n, D, H, 1.0), *uniform))
    return cases


GIBBS_STEP = Exercise(
    reference=_gibbs,
    cases=_gibbs_cases,
    mistakes=(
        Mistake(lambda x, W, b, c, u_h, u_x: torch.sigmoid((u_h < torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b),
                ("these are the probabilities of the pixels: draw them, `u_x < p`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_x < torch.sigmoid(torch.sigmoid(x @ W + c) @ W.T + b)).to(x.dtype),
                ("you passed on the probabilities of h instead of drawing h. That is a mean field, and the chain has "
                 "another stationary distribution: h must be 0 or 1.", "h = `(u_h < p_h)`, as floats.")),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            u_x < torch.sigmoid((torch.sigmoid(x @ W + c) > 0.5).to(x.dtype) @ W.T + b)).to(x.dtype),
                ("you rounded the probabilities of h: then nothing is random. Compare with `u_h`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            torch.sigmoid((u_h < torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b) > 0.5).to(x.dtype),
                ("you rounded the probabilities of the pixels: the most probable picture is not a draw. Compare with "
                 "`u_x`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            torch.sigmoid((torch.sigmoid(x @ W + c) > 0.5).to(x.dtype) @ W.T + b) > 0.5).to(x.dtype),
                ("you rounded the probabilities, of h and of the pixels: then nothing is random. Compare them with "
                 "`u_h` and `u_x`.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_x < (u_h < x @ W + c).to(x.dtype) @ W.T + b).to(x.dtype),
                ("you compare u with logits: the sigmoid is missing on both sides.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_x < torch.sigmoid((u_h < x @ W + c).to(x.dtype) @ W.T + b)).to(x.dtype),
                ("the sigmoid is missing for the hidden units: x @ W + c are logits.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            u_x < (u_h < torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b).to(x.dtype),
                ("the sigmoid is missing for the pixels: h @ W.T + b are logits.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _drawn(torch.sigmoid(_drawn(torch.sigmoid(x @ W + c)) @ W.T + b)),
                ("you draw with random numbers of your own (`torch.bernoulli`?). A fair round, too; but use the given "
                 "u_h and u_x.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs_turned(x, W, b, c, u_h, u_x, h_too=True),
                ("both comparisons are turned: a unit is 1 where u < p. With u > p it is 1 with probability 1 − p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs_turned(x, W, b, c, u_h, u_x, h_too=False),
                ("the comparison of the pixels is turned: a pixel is 1 where u_x < p, not where u_x > p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (
            u_x < torch.sigmoid((u_h > torch.sigmoid(x @ W + c)).to(x.dtype) @ W.T + b)).to(x.dtype),
                ("the comparison of the hidden units is turned: h_j is 1 where u_h < p, not where u_h > p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, b, c, 1 - u_h, 1 - u_x),
                ("you compared 1 − u with p. That draws as well, but other pictures than asked: a unit is 1 where "
                 "u < p.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, torch.zeros_like(b), torch.zeros_like(c), u_h, u_x),
                ("the biases are missing: c for the hidden units, b for the pixels.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, b, torch.zeros_like(c), u_h, u_x),
                ("the hidden units' biases c are missing.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, W, torch.zeros_like(b), c, u_h, u_x),
                ("the pixels' biases b are missing.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: (u_h < torch.sigmoid(x @ W + c)).to(x.dtype),
                ("these are the hidden units: go on and draw the pixels from them.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(x, -W, -b, -c, u_h, u_x),
                ("the sign of the energy is turned: p(h = 1 | x) = σ(c + x·W), with a plus.",)),
        Mistake(lambda x, W, b, c, u_h, u_x: _gibbs(_gibbs(x, W, b, c, u_h, u_x), W, b, c, u_h, u_x),
                ("these are two rounds, with the same random numbers: one is asked for.",)),
    ),
    hints=("first all hidden units from x, then all pixels from those hidden units.",
           "p(h = 1 | x) = σ(x @ W + c), `[n, H]`; p(x = 1 | h) = σ(h @ W.T + b), `[n, D]`.",
           "`(u < p)` is True and False: turn it into floats, `.to(x.dtype)`."),
    observe=_observed,
)


def _weight_gradient(x: Tensor, x_negative: Tensor, W: Tensor, c: Tensor) -> Tensor:
    return _phase(x, W, c) - _phase(x_negative, W, c)


def _phase(x: Tensor, W: Tensor, c: Tensor) -> Tensor:
    return x.T @ torch.sigmoid(x @ W + c) / len(x)


def _weight_gradient_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    cases = []
    for n, m, D, H in ((6, 9, 5, 3), (8, 4, 4, 4), (3, 10, 6, 2), (7, 5, 3, 5)):
        x, W, _, c = _machine(rng, n, D, H, 1.0)
        cases.append((x, _machine(rng, m, D, H, 1.0)[0], W, c))
    return cases


def _hidden_of_the_data(x: Tensor, x_negative: Tensor, W: Tensor, c: Tensor) -> Tensor:
    h = torch.sigmoid(x @ W + c)
    return x.T @ h / len(x) - x_negative.T @ h / len(x_negative)


def _gradient_observed(function: Callable[..., Tensor], x: Tensor, x_negative: Tensor, W: Tensor, c: Tensor) -> Tensor:
    """As `_observed`; but if the data's h stand in both phases, which fails where there are more or fewer chains than
    data, what the function returns for as many.

    Raises:
        RuntimeError: what the function raised for another reason, and what that means.
    """
    try:
        return _observed(function, x, x_negative, W, c)
    except RuntimeError:
        as_many = x_negative[torch.arange(len(x)) % len(x_negative)]
        try:
            answer = function(x, as_many, W, c)
            if torch.allclose(answer, _hidden_of_the_data(x, as_many, W, c), atol=1e-5):
                return answer
        except Exception:  # it fails for as many, too, or returns no such tensor: then the first error is told
            pass
        raise


WEIGHT_GRADIENT = Exercise(
    reference=_weight_gradient,
    cases=_weight_gradient_cases,
    mistakes=(
        Mistake(lambda x, y, W, c: -_weight_gradient(x, y, W, c),
                ("the sign is turned: the positive phase, of the data, is added, the negative one subtracted.",)),
        Mistake(lambda x, y, W, c: _phase(x, W, c),
                ("this is the positive phase alone: subtract the same average over `x_negative`.",)),
        Mistake(lambda x, y, W, c: torch.zeros_like(W),
                ("0 everywhere: do both phases use the same pictures? The negative one is of `x_negative`.",)),
        Mistake(_hidden_of_the_data,
                ("the data's h stand in both phases. The negative phase goes with the h of its *own* pictures, "
                 "σ(x_negative @ W + c).",)),
        Mistake(lambda x, y, W, c: x.T @ _drawn(torch.sigmoid(x @ W + c)) / len(x)
                - y.T @ _drawn(torch.sigmoid(y @ W + c)) / len(y),
                ("you drew h. On average that is right, too, but noisier: put its probabilities in the place of "
                 "draws.",)),
        Mistake(lambda x, y, W, c: x.T @ torch.sigmoid(x @ W + c) - y.T @ torch.sigmoid(y @ W + c),
                ("these are sums over pictures, and there may be more of one kind than of the other: divide each "
                 "phase by its own number of pictures.",)),
        Mistake(lambda x, y, W, c: (x.T @ torch.sigmoid(x @ W + c) - y.T @ torch.sigmoid(y @ W + c)) / len(x),
                ("you divided both phases by the number of data: the chains may be fewer, or more.",)),
        Mistake(lambda x, y, W, c: _weight_gradient(x, y, W, torch.zeros_like(c)),
                ("the biases c of the hidden units are missing: p(h = 1 | x) = σ(x @ W + c).",)),
        Mistake(lambda x, y, W, c: torch.outer(x.mean(0), torch.sigmoid(x @ W + c).mean(0))
                - torch.outer(y.mean(0), torch.sigmoid(y @ W + c).mean(0)),
                ("you multiplied the mean of x by the mean of h: the mean of the *products* x_i h_j is asked for, "
                 "`x.T @ p_h / n`.",)),
        Mistake(lambda x, y, W, c: x.T @ (x @ W + c) / len(x) - y.T @ (y @ W + c) / len(y),
                ("the sigmoid is missing: x @ W + c are logits of the hidden units.",)),
        Mistake(lambda x, y, W, c: x.T @ (x @ W + c > 0).to(x.dtype) / len(x)
                - y.T @ (y @ W + c > 0).to(x.dtype) / len(y),
                ("you rounded the probabilities of h: leave them as they are.",)),
        Mistake(lambda x, y, W, c: _weight_gradient(x, y, W, c).T,
                ("turn it round: rows are pixels, columns hidden units, as in W.",)),
    ),
    hints=("mean of x_i p(h_j = 1 | x) over the data, less the same over the chains' pictures.",
           "one phase is `x.T @ torch.sigmoid(x @ W + c) / len(x)`, (D, H).",
           "with x_negative equal to x the gradient must be 0."),
    observe=_gradient_observed,
)

EXERCISES = {"10b.free_energy": FREE_ENERGY, "10b.gibbs_step": GIBBS_STEP, "10b.weight_gradient": WEIGHT_GRADIENT}
