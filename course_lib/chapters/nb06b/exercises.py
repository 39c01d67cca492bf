"""Exercises of notebook 06b: the Fréchet distance, the KL of class shares, and a gradient left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_lib.measure import coverage_kl, gaussian_frechet_distance
from course_lib.models.dcgan import Discriminator, Generator, noise
from course_lib.teach.exercises import Exercise, Malformed, Mistake


def _explained(error: Exception, explanations: Mapping[str, str]) -> Exception:
    """The error with what it means, if its message has one of these pieces; else the error as it is."""
    for piece, explanation in explanations.items():
        if piece in str(error):
            return ValueError(explanation).with_traceback(error.__traceback__)  # so that the student's line is found
    return error


Gaussians = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _gaussian_cases(rng: np.random.Generator) -> list[Gaussians]:
    cases = []
    for d, rank in ((1, 1), (3, 3), (6, 6), (12, 4)):  # the last covariances are singular: rounding goes below 0
        roots = rng.normal(size=(2, d, rank)) * rng.uniform(0.3, 3, size=(2, 1, rank))
        (mean_a, mean_b), (cov_a, cov_b) = rng.normal(size=(2, d)), roots @ roots.transpose(0, 2, 1)
        cases.append((mean_a, cov_a, mean_b, cov_b))
    return cases


def _square(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a - b) ** 2).sum())


def _root(cov: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(cov)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def _cross(cov_a: np.ndarray, cov_b: np.ndarray) -> float:
    """tr (Σ_a Σ_b)^½."""
    return float(np.sqrt(np.linalg.eigvalsh(_root(cov_a) @ cov_b @ _root(cov_a)).clip(min=0)).sum())


def _traces(cov_a: np.ndarray, cov_b: np.ndarray) -> float:
    return float(np.trace(cov_a) + np.trace(cov_b))


def _naive(mu_a: np.ndarray, cov_a: np.ndarray, mu_b: np.ndarray, cov_b: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real).sum()
    return float(_square(mu_a, mu_b) + _traces(cov_a, cov_b) - 2 * root)


def _absolute(mu_a: np.ndarray, cov_a: np.ndarray, mu_b: np.ndarray, cov_b: np.ndarray) -> float:
    return _square(mu_a, mu_b) + _traces(cov_a, cov_b) - 2 * float(np.sqrt(np.abs(cov_a @ cov_b)).trace())


def _real_distance(function: Callable[..., Any], *gaussians: np.ndarray) -> Any:
    """What the function returns, with an explanation where it is complex or where a decomposition fails."""
    try:
        d2 = function(*gaussians)
    except np.linalg.LinAlgError as error:
        raise _explained(error, {"positive definite": "Cholesky needs a covariance of full rank, and these may be "
                                 "singular: build the symmetric root from np.linalg.eigh, clipped at 0"}) from None
    if np.iscomplexobj(d2):
        raise Malformed("the result is complex: cov_a @ cov_b is not symmetric, and rounding moves its eigenvalues "
                        "off the real line. The symmetric root_a @ cov_b @ root_a has the same ones, and "
                        "np.linalg.eigvalsh keeps them real")
    return d2


FRECHET = Exercise(
    reference=gaussian_frechet_distance,
    cases=_gaussian_cases,
    observe=_real_distance,
    rtol=1e-3,
    mistakes=(
        Mistake(_naive,
                ("right for covariances of full rank; for singular ones an eigenvalue of cov_a @ cov_b falls below 0 "
                 "by rounding, and its root is not a number.",
                 "take the symmetric matrix root_a @ cov_b @ root_a, which has the same eigenvalues: `eigvalsh` keeps "
                 "them real, and `.clip(min=0)` keeps them from falling below 0.")),
        Mistake(_absolute,
                ("a root of each *number* of a matrix is not a root of the matrix.",
                 "its eigenvalues are what the root is taken of.")),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b:
                float(np.sqrt(max(0.0, gaussian_frechet_distance(mu_a, cov_a, mu_b, cov_b)))),
                ("this is d; what everybody reports, and what is asked for, is d².",)),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b: float(np.linalg.norm(mu_a - mu_b)) + _traces(cov_a, cov_b)
                - 2 * _cross(cov_a, cov_b),
                ("the distance of the means must be squared.",)),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b: _square(mu_a, mu_b) + _traces(cov_a, cov_b) - _cross(cov_a, cov_b),
                ("the root counts twice: of two equal Gaussians the distance must be 0.",)),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b: _square(mu_a, mu_b) + _traces(cov_a, cov_b) + 2 * _cross(cov_a, cov_b),
                ("the root is subtracted: of two equal Gaussians the distance must be 0.",)),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b: _square(mu_a, mu_b) + _square(_root(cov_a), _root(cov_b)),
                ("this takes root_a @ root_b for the root of cov_a @ cov_b. It is that only where both covariances "
                 "have the same axes.",
                 "the trace needed is of the root of the *product*.")),
        Mistake(lambda mu_a, cov_a, mu_b, cov_b: _square(mu_a, mu_b),
                ("these are the means alone: ten class means would nearly score as real.",)),
    ),
    hints=("(Σ_a Σ_b)^½ has the roots of the eigenvalues of Σ_a Σ_b; its trace is their sum.",
           "Σ_a Σ_b has the eigenvalues of the symmetric Σ_a^½ Σ_b Σ_a^½, and `np.linalg.eigh` gives Σ_a^½.",
           "try two equal Gaussians: the distance must be 0."),
)


def _predicted_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, int]]:
    drawn = [(rng.choice(K, size=n, p=rng.dirichlet(np.full(K, 2.0))), K) for n, K in ((200, 10), (50, 4), (300, 7))]
    return [*drawn, (rng.choice([0, 3, 4], size=60), 10), (np.full(9, 2), 5)]  # classes missing, also the last ones


def _shares(predicted: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(predicted, minlength=classes) / len(predicted)


def _kl(q: np.ndarray, classes: int) -> float:
    q = q[q > 0]
    return float((q * np.log(q * classes)).sum())


def _with_nan(predicted: np.ndarray, classes: int) -> float:
    q = _shares(predicted, classes)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((q * np.log(q * classes)).sum())


def _reversed(predicted: np.ndarray, classes: int) -> float:
    with np.errstate(divide="ignore"):
        return float(-np.log(_shares(predicted, classes) * classes).mean())


def _reversed_where_present(predicted: np.ndarray, classes: int) -> float:
    q = _shares(predicted, classes)
    return float(-np.log(q[q > 0] * classes).sum() / classes)


def _counted(function: Callable[..., Any], predicted: np.ndarray, classes: int) -> Any:
    """What the function returns, with an explanation where too few classes were counted."""
    try:
        return function(predicted, classes)
    except ValueError as error:
        raise _explained(error, {"broadcast": "there are fewer counts than classes: `np.bincount` ends at the largest "
                                 "class that occurs, unless it gets `minlength=classes`"}) from None


CLASS_KL = Exercise(
    reference=coverage_kl,
    cases=_predicted_cases,
    observe=_counted,
    mistakes=(
        Mistake(_with_nan,
                ("right until a class is missing: then 0·log 0 is not a number. Its limit is 0.",
                 "leave out the classes with share 0 before you take the logarithm.")),
        Mistake(_reversed,
                ("this is KL(uniform ‖ shares): infinite as soon as one class is missing. Turn the two round.",)),
        Mistake(_reversed_where_present,
                ("this is KL(uniform ‖ shares), without the classes that are missing: turn the two round. Each "
                 "logarithm is weighted by the *share* of its class.",)),
        Mistake(lambda predicted, classes: _kl(_shares(predicted, 1), len(set(predicted.tolist()))),
                ("you compare with a uniform over the classes that *occur*: a collapse to one digit would score 0.",
                 "uniform is 1/classes, whatever occurs.")),
        Mistake(lambda predicted, classes: _kl(_shares(predicted, 1), int(predicted.max()) + 1),
                ("`bincount` ends at the largest class that occurs: give it `minlength=classes`.",)),
        Mistake(lambda predicted, classes: _kl(_shares(predicted, classes), classes) / np.log(2),
                ("this is in bits; asked for are nats, with the natural logarithm.",)),
        Mistake(lambda predicted, classes: np.log(classes) - _kl(_shares(predicted, classes), classes),
                ("this is the entropy of the shares: large when all is well. KL = log classes − entropy.",)),
        Mistake(lambda predicted, classes: -_kl(_shares(predicted, classes), classes),
                ("the sign is turned: KL is never negative.",)),
        Mistake(lambda predicted, classes: _kl(_shares(predicted, classes), classes) / classes,
                ("you averaged over the classes; KL is a sum, weighted by the shares.",)),
        Mistake(lambda predicted, classes: float((_shares(predicted, classes) > 0).sum()),
                ("this counts the classes that occur; one picture would be enough. Weigh them by their shares.",)),
    ),
    hints=("shares q_k by counting, then Σ q_k log(q_k / (1/classes)) over the classes with q_k > 0.",
           "for a collapse to one class it must be log(classes)."),
)

Optimizer = torch.optim.Optimizer
Game = tuple[nn.Module, nn.Module, Optimizer, Optimizer, Tensor, Tensor]
Step = Callable[..., Any]


def _game_cases(rng: np.random.Generator) -> list[Game]:
    cases = []
    for n in (6, 4, 5):
        seed = torch.Generator().manual_seed(int(rng.integers(2**31)))
        G, D = Generator(width=2, generator=seed), Discriminator(width=2, generator=seed)
        for p in (*G.parameters(), *D.parameters()):
            p.data += 0.05 * torch.randn(p.shape, generator=seed)  # so that D's answers differ
        cases.append((G, D, *(torch.optim.SGD(network.parameters(), lr=0.05) for network in (G, D)),
                      2 * torch.rand(n, 1, 28, 28, generator=seed) - 1, noise(n, seed)))
    return cases


STEP_ERRORS = {
    "second time": "G's backward() goes once more through the graph that D's has freed. D's loss must not reach G: "
                   "give D `fake.detach()` in loss_d",
    "inplace operation": "both losses were computed before D moved: optimizer_d.step() changes the weights that loss_g "
                         "went through. Compute loss_g after D's step",
}


def _two_steps(function: Step, G: nn.Module, D: nn.Module, *others: Any) -> Any:
    """Losses of two steps, and the weights of both networks after them."""
    try:
        losses = [function(G, D, *others) for _ in range(2)]
    except RuntimeError as error:
        raise _explained(error, STEP_ERRORS) from None
    if any(not isinstance(pair, tuple) or len(pair) != 2 for pair in losses):
        return None if all(pair is None for pair in losses) else losses[0]
    if any(isinstance(value, Tensor) for pair in losses for value in pair):
        raise Malformed("return two floats, `loss_d.item()` and `loss_g.item()`: a tensor would keep the whole graph "
                        "of its step alive")
    weights = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in (D, G)]
    return (*(float(value) for pair in losses for value in pair), *weights)


def _turns(D_clears: bool = True, G_clears: bool = True, detach_g: bool = False, saturating: bool = False,
             exchanged: bool = False, inference: bool = False, anew: bool = False, clear_late: bool = False,
             attached: bool = False) -> Step:
    """A training step with one thing, or nothing, wrong."""
    def step(G: nn.Module, D: nn.Module, optimizer_g: Optimizer, optimizer_d: Optimizer, real: Tensor,
             z: Tensor) -> tuple[float, float]:
        G.train(not inference)
        fake = G(z)
        if attached:
            optimizer_g.zero_grad()
        real_logits, fake_logits = D(real), D(fake if attached else fake.detach())
        if exchanged:
            real_logits, fake_logits = fake_logits, real_logits
        loss_d = (softplus(-real_logits) + softplus(fake_logits)).mean()
        if D_clears:
            optimizer_d.zero_grad()
        loss_d.backward(retain_graph=attached)
        if clear_late:
            optimizer_d.zero_grad()
        optimizer_d.step()
        if not D_clears and not anew:
            optimizer_d.zero_grad()
        made = fake.detach() if detach_g else fake
        loss_g = (-softplus(D(made)) if saturating else softplus(-D(made))).mean()
        if G_clears and not attached:
            optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        return loss_d.item(), loss_g.item()
    return step


REPAIRED_STEP = Exercise(
    reference=_turns(),
    cases=_game_cases,
    observe=_two_steps,
    mistakes=(
        Mistake(_turns(D_clears=False),
                ("the bug is still there: the backward() of G's loss also leaves gradients in D. They stay there and "
                 "are added to D's next ones, where they teach it to take made ones for real.",
                 "call `optimizer_d.zero_grad()` just *before* `loss_d.backward()`, or freeze D while G learns.")),
        Mistake(_turns(D_clears=False, anew=True),
                ("D's gradients are never cleared now: each step adds to all before.",)),
        Mistake(_turns(G_clears=False),
                ("G's gradients are never cleared: each step adds to all before.",)),
        Mistake(_turns(attached=True),
                ("D's loss reaches G: without `detach` its gradient lands in G, too, and is added to G's own.",
                 "give D `fake.detach()` in loss_d; then backward() needs no retain_graph either.")),
        Mistake(_turns(detach_g=True),
                ("D is right now, but G learns nothing: `detach` belongs into D's loss only.",)),
        Mistake(_turns(clear_late=True),
                ("D's gradients are cleared between backward() and step(): D never learns.",)),
        Mistake(_turns(saturating=True),
                ("you changed G's loss to the saturating one; the loss was not the bug.",)),
        Mistake(_turns(exchanged=True),
                ("real and made are exchanged in D's loss.",)),
        Mistake(_turns(inference=True),
                ("G is in inference mode now: its batch norm no longer sees the batch.",)),
    ),
    hints=("after the two losses, print the size of D's gradients. What put them there?",
           "`zero_grad` belongs just before each `backward`; all else in the colleague's step is right."),
)

EXERCISES = {"06b.frechet": FRECHET, "06b.coverage": CLASS_KL, "06b.repaired_step": REPAIRED_STEP}
