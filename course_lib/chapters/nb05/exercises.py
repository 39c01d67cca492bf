"""Exercises of notebook 05: the two objectives of a GAN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_lib.models.gan1d import Discriminator, Generator, discriminator_loss, generator_loss
from course_lib.teach.exercises import Exercise, Mistake


def _best(p: np.ndarray, q: np.ndarray, pi: float) -> np.ndarray:
    return pi * p / (pi * p + (1 - pi) * q)


def _best_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, float]]:
    return [(rng.uniform(0.01, 2, size=shape), rng.uniform(0.01, 2, size=shape), float(pi))
            for shape, pi in (((5,), 0.5), ((3,), 0.1), ((2, 4), 0.8), ((6,), rng.uniform(0.2, 0.4)))]


BEST_DISCRIMINATOR = Exercise(
    reference=_best,
    cases=_best_cases,
    mistakes=(
        Mistake(lambda p, q, pi: p / (p + q),
                ("this is right when half of the numbers are real. How much does a real number weigh when few are?",
                 "each term of the loss has its weight: repeat the derivation with pi·p for p and (1 − pi)·q for q.")),
        Mistake(lambda p, q, pi: (1 - pi) * q / (pi * p + (1 - pi) * q),
                ("this is the probability that x is *made*; D(x) is the probability that it is real.",)),
        Mistake(lambda p, q, pi: (1 - pi) * p / ((1 - pi) * p + pi * q),
                ("you exchanged the weights: pi belongs to the real numbers.",)),
        Mistake(lambda p, q, pi: pi * p / (pi * p + q),
                ("the made numbers have a weight, too: of all numbers that D sees, a share of 1 − pi is made.",
                 "repeat the derivation with pi·p for p and (1 − pi)·q for q.")),
        Mistake(lambda p, q, pi: p / (p + (1 - pi) * q),
                ("you weighted the made numbers alone: of all numbers that D sees, a share of pi is real.",
                 "repeat the derivation with pi·p for p and (1 − pi)·q for q.")),
        Mistake(lambda p, q, pi: pi * p / (p + q),
                ("the weights must stand below the line as well: set pi·p/d − (1 − pi)·q/(1 − d) to zero.",)),
        Mistake(lambda p, q, pi: np.log(pi * p) - np.log((1 - pi) * q),
                ("this is the logit of D; asked for is D itself, between 0 and 1.",)),
        Mistake(lambda p, q, pi: pi * p / ((1 - pi) * q),
                ("this is the odds, real to made. D = odds / (1 + odds).",)),
    ),
    hints=("at one x, minimise −pi·p·log d − (1 − pi)·q·log(1 − d) over d.",
           "the derivative vanishes where pi·p·(1 − d) = (1 − pi)·q·d.",
           "it is Bayes' rule of notebook 01, with the prior pi."),
)


def _losses(logits: Tensor) -> tuple[Tensor, Tensor]:
    return generator_loss(logits, "non-saturating"), generator_loss(logits, "saturating")


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor]]:
    cases = [torch.tensor(scale * rng.normal(size=n), dtype=torch.float32) for n, scale in ((6, 1.0), (9, 3.0))]
    extreme = torch.tensor([-200.0, -30.0, 0.0, 30.0, 200.0])
    return [(logits,) for logits in (*cases, extreme)]


def _by_sigmoid(logits: Tensor) -> tuple[Tensor, Tensor]:
    D = torch.sigmoid(logits)
    return -D.log().mean(), (1 - D).log().mean()


def _with_epsilon(logits: Tensor) -> tuple[Tensor, Tensor]:
    D = torch.sigmoid(logits)
    return -(D + 1e-8).log().mean(), (1 - D + 1e-8).log().mean()


def _with_gradients(function: Callable[..., Any], logits: Tensor) -> Any:
    """Both losses, and what of each reaches the logits when it is differentiated: 0 of a loss that was cut off."""
    logits = logits.clone().requires_grad_()
    losses = function(logits)
    if not (isinstance(losses, (tuple, list)) and all(isinstance(loss, Tensor) and loss.ndim == 0 for loss in losses)):
        return losses
    gradients = [torch.autograd.grad(loss, logits, retain_graph=True)[0] if loss.requires_grad
                 else torch.zeros_like(logits) for loss in losses]
    return (*(loss.detach() for loss in losses), *gradients)


GENERATOR_LOSSES = Exercise(
    reference=_losses,
    cases=_logit_cases,
    observe=_with_gradients,
    mistakes=(
        Mistake(lambda a: tuple(loss.detach() for loss in _losses(a)),
                ("the values are right, but G cannot learn from them: they carry no gradient. Return the tensors "
                 "themselves, without `.item()`, `.detach()` or a new `torch.tensor`.",)),
        Mistake(_by_sigmoid,
                ("right for small logits, infinite for large ones: on a computer sigmoid(200) is 1, log(1 − 1) is −inf "
                 "and exp(200) infinite. Compute neither.",
                 "−log sigmoid(a) = softplus(−a), and −log(1 − sigmoid(a)) = softplus(a); "
                 "`torch.nn.functional.softplus` does not overflow.")),
        Mistake(_with_epsilon,
                ("the small number inside the logarithm avoids the infinity, but caps the loss: at logit −200 it is "
                 "200. Do not compute D at all.",
                 "−log sigmoid(a) = softplus(−a), exactly and at every a.")),
        Mistake(lambda a: _losses(a)[::-1],
                ("the two are exchanged: −log D first.",)),
        Mistake(lambda a: (softplus(-a).mean(), softplus(a).mean()),
                ("the second has the wrong sign: G wants log(1 − D) *small*, that is as negative as it gets.",)),
        Mistake(lambda a: (softplus(a).mean(), -softplus(-a).mean()),
                ("you took D for 1 − D: −log sigmoid(a) is softplus(−a), with a minus inside.",)),
        Mistake(lambda a: (-softplus(-a).mean(), -softplus(a).mean()),
                ("the first has the wrong sign: −log D is never negative.",)),
        Mistake(lambda a: (softplus(-a).sum(), -softplus(a).sum()),
                ("you summed over the batch; take the mean, so that the loss does not grow with the batch.",)),
        Mistake(lambda a: (softplus(-a), -softplus(a)),
                ("these are the losses of each number: take the mean over the batch.",)),
        Mistake(lambda a: (torch.sigmoid(a).clamp(1e-5).log().neg().mean(),
                           (1 - torch.sigmoid(a)).clamp(1e-5).log().mean()),
                ("clipping avoids the infinity but gives wrong values and no gradient where G needs it most: use "
                 "softplus.",)),
    ),
    hints=("write log D and log(1 − D) with D = 1/(1 + e^(−a)), and simplify.",
           "`torch.nn.functional.softplus(a)` is log(1 + e^a), computed safely."),
)


def _loss_d(G: nn.Module, D: nn.Module, real: Tensor, z: Tensor) -> Tensor:
    return discriminator_loss(D(real), D(G(z).detach()))


def _after_backward(function: Callable[..., Any], G: nn.Module, D: nn.Module, real: Tensor, z: Tensor) -> Any:
    """Loss, sizes of the gradients that its backward() leaves on D and on G, and the share of G that still learns."""
    loss = function(G, D, real, z)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return loss
    loss.sum().backward()
    sizes = [sum((p.grad.abs().sum() for p in network.parameters() if p.grad is not None), start=torch.zeros(()))
             for network in (D, G)]
    learning = torch.tensor([p.requires_grad for p in G.parameters()], dtype=torch.float32).mean()
    return (loss.detach(), *sizes, learning)


def _frozen(G: nn.Module, D: nn.Module, real: Tensor, z: Tensor) -> Tensor:
    G.requires_grad_(False)
    return discriminator_loss(D(real), D(G(z)))


def _game_cases(rng: np.random.Generator) -> list[tuple[nn.Module, nn.Module, Tensor, Tensor]]:
    cases = []
    for n, minibatch in ((8, False), (5, False), (6, True)):
        seed = torch.Generator().manual_seed(int(rng.integers(2**31)))
        G, D = Generator(4, "pytorch", seed), Discriminator(8, "leaky_relu", minibatch, "pytorch", seed)
        cases.append((G, D, 4 + 0.5 * torch.randn(n, 1, generator=seed), torch.randn(n, 1, generator=seed)))
    return cases


REPAIRED_LOSS_D = Exercise(
    reference=_loss_d,
    cases=_game_cases,
    observe=_after_backward,
    mistakes=(
        Mistake(lambda G, D, real, z: discriminator_loss(D(real), D(G(z))),
                ("the loss is right, but its backward() reaches G. (`G.zero_grad()` before the return does not help: "
                 "backward comes later.) Cut the path: D's step must treat made numbers as given.",
                 "between G and D, the numbers must lose their history. A tensor has a method for that: how does "
                 "`train_step` make `fake`?",
                 "`G(z).detach()` is the same numbers without their history.")),
        Mistake(_frozen,
                ("this freezes G for good: its parameters no longer want gradients, so G's own step will fail. Cut the "
                 "path for this one batch instead.",
                 "`G(z).detach()` cuts the history and leaves G as it is.")),
        Mistake(lambda G, D, real, z: discriminator_loss(D(real), D(G(z)).detach()),
                ("you cut behind D: now D does not learn from made numbers either. Cut between G and D.",)),
        Mistake(lambda G, D, real, z: discriminator_loss(D(G(z).detach()), D(real)),
                ("the labels are exchanged: this D learns to call made numbers real.",)),
        Mistake(lambda G, D, real, z: (softplus(-D(real)) + softplus(D(G(z).detach()))).sum(),
                ("you summed over the batch; L_D is a mean.",)),
        Mistake(lambda G, D, real, z: -_loss_d(G, D, real, z),
                ("the sign is turned: minimising this makes D worse.",)),
        Mistake(lambda G, D, real, z: _loss_d(G, D, real, z) / 2,
                ("L_D is the sum of two means, not their average: at equilibrium it is 2·log 2.",)),
        Mistake(lambda G, D, real, z: softplus(-D(real)).mean(),
                ("half of the loss is missing: D must also learn from made numbers.",)),
        Mistake(lambda G, D, real, z: _loss_d(G, D, real, z).detach(),
                ("the loss itself is cut off, so nobody learns: detach the made numbers, not the loss.",)),
    ),
    hints=("L_D = mean of softplus(−D(real)) + mean of softplus(D(made)), where D returns logits.",
           "the made numbers come from G, but their history must not: look at how `train_step` makes `fake`.",
           "`G(z).detach()` is the same numbers without their history."),
)

EXERCISES = {"05.best_discriminator": BEST_DISCRIMINATOR, "05.generator_losses": GENERATOR_LOSSES,
             "05.repaired_loss_d": REPAIRED_LOSS_D}
