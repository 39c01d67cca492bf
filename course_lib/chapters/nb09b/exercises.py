"""Exercises of notebook 09b: the gradient penalty, the distance of unequal samples, a step of a clipped critic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor, nn

from course_lib.models.gan2d import Critic, critic_loss, discriminator_loss
from course_lib.teach.exercises import Exercise, Mistake


def _between(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    return (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_()


def _slopes(D: nn.Module, x: Tensor, create_graph: bool = True) -> Tensor:
    return torch.autograd.grad(D(x).sum(), x, create_graph=create_graph)[0]


def _of_slopes(of: Callable[[Tensor], Tensor], create_graph: bool = True) -> Callable[..., Tensor]:
    """The wrong answer that makes something else of the right slopes [n, dim]."""
    return lambda D, real, fake, epsilon: of(_slopes(D, _between(real, fake, epsilon), create_graph))


def _penalty(D: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    return (_slopes(D, _between(real, fake, epsilon)).norm(dim=1) - 1).square().mean()


def _of_the_mean(D: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    x = _between(real, fake, epsilon)
    (slopes,) = torch.autograd.grad(D(x).mean(), x, create_graph=True)
    return (slopes.norm(dim=1) - 1).square().mean()


def _of_constants(D: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    return (_slopes(D, epsilon * real + (1 - epsilon) * fake).norm(dim=1) - 1).square().mean()


def _penalty_cases(rng: np.random.Generator) -> list[tuple[nn.Module, Tensor, Tensor, Tensor]]:
    cases = []
    for seed, (n, dim) in enumerate(((5, 2), (8, 1), (3, 4))):
        draw = torch.Generator().manual_seed(seed)
        D = Critic(8, draw, dim=dim)
        with torch.no_grad():
            for p in D.parameters():  # steep enough for slopes on both sides of 1
                p.mul_(2.5)
        real, fake = (torch.tensor(rng.normal(size=(n, dim)), dtype=torch.float32) for _ in range(2))
        cases.append((D, real, fake + 1, torch.tensor(rng.uniform(size=(n, 1)), dtype=torch.float32)))
    return cases


def _value_and_gradient(function: Callable[..., Any], D: nn.Module, *points: Tensor) -> tuple[Any, Tensor] | None:
    """What the function returns, and its gradient by all weights of D: zeros where it has none.

    NaN and zeros where autograd refuses because the points between require no gradient: a mistake with its own hint.
    """
    try:
        value = function(D, *points)
    except RuntimeError as error:
        if "One of the differentiated Tensors does not require grad" not in str(error):
            raise
        value = torch.tensor(torch.nan)
    if value is None:
        return None
    trained, by = list(D.parameters()), None
    if isinstance(value, Tensor) and value.requires_grad and value.numel() == 1:
        by = torch.autograd.grad(value, trained, allow_unused=True)
    return value, torch.cat([torch.zeros(p.numel()) if by is None or by[i] is None else by[i].flatten()
                             for i, p in enumerate(trained)])


GRADIENT_PENALTY = Exercise(
    reference=_penalty,
    cases=_penalty_cases,
    observe=_value_and_gradient,
    mistakes=(
        Mistake(_of_slopes(lambda s: (s.norm(dim=1) - 1).square().mean(), create_graph=False),
                ("the value is right, but it cannot train D: its own gradient by D's weights is missing.",
                 "the slopes must stay differentiable: `torch.autograd.grad(…, create_graph=True)`.")),
        Mistake(_of_constants,
                ("autograd cannot differentiate by the points between: they require no gradient.",
                 "make them with `x = (epsilon * real + (1 - epsilon) * fake).requires_grad_()`, before `D(x)`.")),
        Mistake(_of_the_mean,
                ("each slope is n times too small: you differentiated the mean of the scores.",
                 "differentiate their sum: then each point gets its own slope.")),
        Mistake(_of_slopes(lambda s: (s.square().sum(dim=1) - 1).square().mean()),
                ("you compare the *squared* length of each slope with 1; take its root, the norm.",)),
        Mistake(_of_slopes(lambda s: (s.norm() - 1).square()),
                ("this is the length of all slopes as one long vector: take the norm of each point, `norm(dim=1)`.",)),
        Mistake(_of_slopes(lambda s: (s - 1).square().mean()),
                ("you ask every coordinate of the slope to be 1; asked for is the length of each slope.",)),
        Mistake(_of_slopes(lambda s: (s.norm(dim=1).mean() - 1).square()),
                ("the order matters: square the excess of each point first, then take the mean.",)),
        Mistake(_of_slopes(lambda s: (s.norm(dim=1) - 1).mean()),
                ("slopes above and below 1 cancel: square the excess.",)),
        Mistake(_of_slopes(lambda s: (s.norm(dim=1) - 1).clamp(min=0).square().mean()),
                ("this is the one-sided penalty. Here slopes below 1 cost, too.",)),
        Mistake(_of_slopes(lambda s: s.square().sum(dim=1).mean()),
                ("this asks for slope 0. A critic's slope shall be 1.",)),
        Mistake(_of_slopes(lambda s: (s.norm(dim=1) - 1).square().sum()),
                ("you summed over the points; the penalty is their mean.",)),
        Mistake(lambda D, real, fake, epsilon: _penalty(D, fake, real, epsilon),
                ("real and fake are exchanged: at ε = 1 the point is the real one.",)),
        Mistake(lambda D, real, fake, epsilon: _penalty(D, real, real, epsilon),
                ("you measure the slopes at the real points; asked for are points between real and fake.",)),
    ),
    hints=("four lines: the points between, which require a gradient; the scores' sum; its gradient by the points, "
           "with `create_graph=True`; the mean of (norm − 1)².",
           "`(slopes,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)`."),
)


def _gaps(a: np.ndarray, b: np.ndarray, side: str = "right", at: slice = slice(-1),
          ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of a and of b up to each number of both at which a gap begins, and the gaps. `side` is `searchsorted`'s,
    `at` says up to which numbers is counted; both for mistakes."""
    both = np.sort(np.concatenate([a, b]))
    up_to = (np.searchsorted(np.sort(x), both[at], side=side) / len(x) for x in (a, b))
    return *up_to, np.diff(both)


def _by_gaps(of: Callable[..., Any], **changes: Any) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda a, b: float(of(*_gaps(a, b, **changes)))


def _area(p: np.ndarray, q: np.ndarray, gap: np.ndarray) -> float:
    return float((np.abs(p - q) * gap).sum())


def _cut(a: np.ndarray, b: np.ndarray) -> float:
    n = min(len(a), len(b))
    return float(np.abs(np.sort(a)[:n] - np.sort(b)[:n]).mean())


def _cut_unsorted(a: np.ndarray, b: np.ndarray) -> float:
    n = min(len(a), len(b))
    return float(np.abs(np.sort(a[:n]) - np.sort(b[:n])).mean())


def _of_counts(a: np.ndarray, b: np.ndarray) -> float:
    share_a, share_b, gap = _gaps(a, b)
    return float((np.abs(share_a * len(a) - share_b * len(b)) * gap).sum())


EARTH_MOVER = Exercise(
    reference=lambda a, b: float(wasserstein_distance(a, b)),
    cases=lambda rng: [(rng.normal(size=n), shift + scale * rng.normal(size=m)) for n, m, shift, scale in (
        (6, 6, 0.0, 1.0), (5, 12, 2.0, 0.5), (30, 7, -1.0, 2.0), (1, 4, 0.0, 3.0))],
    mistakes=(
        Mistake(_cut,
                ("you pair the smallest numbers and leave out the rest of the larger sample; all earth must be moved.",
                 "each number of a weighs 1/len(a), each of b 1/len(b): compare the two distribution functions.")),
        Mistake(_cut_unsorted,
                ("numbers of the larger sample were cut off; all earth must be moved.",
                 "each number of a weighs 1/len(a), each of b 1/len(b): compare the two distribution functions.")),
        Mistake(lambda a, b: float(abs(a.mean() - b.mean())),
                ("this compares the means only: two samples may share their mean and yet differ.",)),
        Mistake(_by_gaps(lambda p, q, gap: ((p - q) * gap).sum()),
                ("earth that moves to the right and to the left cancels: take absolute values.",)),
        Mistake(_by_gaps(lambda p, q, gap: np.abs(p - q).max()),
                ("this is the largest difference of the two functions (Kolmogorov and Smirnov); asked for is the area "
                 "between them.",)),
        Mistake(_by_gaps(lambda p, q, gap: np.abs(p - q).mean()),
                ("you averaged over the numbers; each difference counts as far as its gap reaches.",)),
        Mistake(_by_gaps(lambda p, q, gap: np.abs(p - q).sum()),
                ("you added the differences; each counts as far as its gap reaches: times the distance to the next "
                 "number.",)),
        Mistake(_by_gaps(lambda p, q, gap: ((p - q) ** 2 * gap).sum()),
                ("you squared the differences (that is Cramér's distance): take their absolute values.",)),
        Mistake(_by_gaps(_area, side="left"),
                ("the number at which a gap begins is left out: it lies to the left of the gap, so it counts.",
                 "`np.searchsorted` counts the numbers *below*; with `side=\"right\"` those up to and with it.")),
        Mistake(_by_gaps(_area, at=slice(1, None)),
                ("your shares count the number at which a gap *ends*: count up to where it begins, `both[:-1]`.",)),
        Mistake(_of_counts,
                ("you compare counts; the shares count/len(a) and count/len(b) are to be compared.",)),
    ),
    hints=("between two neighbouring numbers, how much earth must cross? The difference of the two shares to the left. "
           "Times the gap, summed.",
           "`both = np.sort(np.concatenate([a, b]))`, shares by `np.searchsorted(np.sort(a), both[:-1], 'right')`."),
)


def _stepped(loss: Callable[[Tensor, Tensor], Tensor] = critic_loss, direction: float = -1, clip_first: bool = False,
             clip: Callable[[Tensor, float], Tensor] = lambda p, c: p.clamp(-c, c), clip_gradient: bool = False,
             value: Callable[[Tensor], Any] = lambda loss: -loss.item(), only_matrices: bool = False,
             ) -> Callable[..., Any]:
    """One step of the critic, right unless told otherwise."""

    def step(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
        if clip_first:
            with torch.no_grad():
                for p in D.parameters():
                    p.copy_(p.clamp(-c, c))
        it = loss(D(real), D(fake))
        gradients = torch.autograd.grad(it, list(D.parameters()), allow_unused=True)  # the last bias may have none
        with torch.no_grad():
            for p, g in zip(D.parameters(), gradients, strict=True):
                g = torch.zeros_like(p) if g is None else g
                p.add_(direction * rate * (g.clamp(-c, c) if clip_gradient else g))
                if not clip_first and not (only_matrices and p.ndim == 1):
                    p.copy_(clip(p, c))
        return value(it)

    return step


def _value(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
    """The value alone; D stays as it is."""
    with torch.no_grad():
        return -critic_loss(D(real), D(fake)).item()


def _value_after(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
    _critic_step(D, real, fake, rate, c)
    return _value(D, real, fake, rate, c)


def _with_old_gradients(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
    value = -critic_loss(D(real), D(fake))
    value.backward()  # adds to what an earlier call has left
    with torch.no_grad():
        for p in D.parameters():
            p.add_(rate * p.grad).clamp_(-c, c)
    return value.item()


def _clipped_in_between(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
    value = -critic_loss(D(real), D(fake))
    gradients = torch.autograd.grad(value, list(D.parameters()))
    with torch.no_grad():
        for p, g in zip(D.parameters(), gradients, strict=True):
            p.clamp_(-c, c).add_(rate * g)
    return value.item()


def _critic_step(D: nn.Module, real: Tensor, fake: Tensor, rate: float, c: float) -> float:
    return _stepped()(D, real, fake, rate, c)


def _step_cases(rng: np.random.Generator) -> list[tuple[nn.Module, Tensor, Tensor, float, float]]:
    cases = []
    for seed, (n, dim, rate, c) in enumerate(((6, 2, 0.1, 0.3), (9, 1, 0.5, 0.2), (4, 3, 0.02, 0.25))):
        D = Critic(6, torch.Generator().manual_seed(seed), dim=dim)
        real, fake = (torch.tensor(rng.normal(size=(n, dim)), dtype=torch.float32) for _ in range(2))
        cases.append((D, real, fake + 2, rate, c))
    return cases


def _value_and_weights(function: Callable[..., Any], D: nn.Module, *arguments: Any) -> tuple[Any, Tensor, bool] | None:
    """What the function returns in the first of two steps, D's weights after each, and whether it is a tensor.

    Two steps of the same D, because only the second one suffers from gradients that the first has left.
    """
    value, weights = None, []
    for _ in range(2):
        returned = function(D, *arguments)
        if returned is None:
            return None
        value = returned if value is None else value
        weights.append(torch.cat([p.detach().flatten() for p in D.parameters()]))
    return value, torch.stack(weights), isinstance(value, Tensor)


CRITIC_STEP = Exercise(
    reference=_critic_step,
    cases=_step_cases,
    observe=_value_and_weights,
    mistakes=(
        Mistake(_stepped(direction=1),
                ("D moves the wrong way: it shall raise mean D(x) − mean D(x̃), the scores of the *real* points.",
                 "either add the gradient of the value, or subtract that of its negative, the loss.")),
        Mistake(_stepped(value=lambda loss: loss.item()),
                ("the weights are right; what you return has the wrong sign: the value is mean D(x) − mean D(x̃).",)),
        Mistake(_stepped(direction=1, value=lambda loss: loss.item()),
                ("real and fake are exchanged, in the value and in the step.",)),
        Mistake(_stepped(clip_first=True),
                ("you clip before the step, so the weights leave [−c, c] by the step: clip after it.",)),
        Mistake(_clipped_in_between,
                ("the gradient is right, but you clip and then step: first the step, then the clipping.",)),
        Mistake(_stepped(clip=lambda p, c: p),
                ("the step is right; then each weight must be cut to [−c, c].",
                 "if you wrote `p = p.clamp(-c, c)`: that is a new tensor, and D keeps the old; `p.clamp_(-c, c)`.")),
        Mistake(_value,
                ("D's weights are the old ones: `p = p + …` makes a new tensor. Change p in place: `p += …`.",)),
        Mistake(_stepped(direction=0),
                ("the weights were clipped, but no step was taken: `p = p + …` makes a new tensor; `p += …`.",)),
        Mistake(_with_old_gradients,
                ("the first call is right, the second is not: `backward` *adds* to the gradients of the first.",
                 "set them to zero before `backward`: `D.zero_grad()`.")),
        Mistake(_stepped(value=lambda loss: -loss),
                ("the weights are right; return a float, not a tensor, which keeps its graph: `value.item()`.",)),
        Mistake(_value_after,
                ("the weights are right; asked for is the value *before* the step, yours is that after it.",)),
        Mistake(_stepped(clip=lambda p, c: p, clip_gradient=True),
                ("you clipped the gradient. What must stay in [−c, c] are the weights.",)),
        Mistake(_stepped(clip=lambda p, c: p.clamp(max=c)),
                ("only the upper end is cut: weights below −c go to −c.",)),
        Mistake(_stepped(only_matrices=True),
                ("the biases are parameters, too: Algorithm 1 clips them all.",)),
        Mistake(_stepped(clip=lambda p, c: c * p.sign()),
                ("every weight became c or −c; those within [−c, c] stay as they are.",)),
        Mistake(_stepped(loss=discriminator_loss),
                ("this is the loss of the vanilla discriminator; a critic has no sigmoid.",)),
        Mistake(_stepped(loss=lambda real, fake: fake.sum() - real.sum()),
                ("you summed over the batch; the value is a difference of means.",)),
        Mistake(_stepped(loss=lambda real, fake: fake.mean()),
                ("only the fakes are judged: the real scores belong to the value, too.",)),
    ),
    hints=("the value mean D(x) − mean D(x̃), its gradient by each parameter, a step of `rate` up, then `clamp_`.",
           "`D.zero_grad()`, `value.backward()`, then under `torch.no_grad()`: `p += rate * p.grad`, and "
           "`p.clamp_(-c, c)`."),
)

EXERCISES = {"09b.gradient_penalty": GRADIENT_PENALTY, "09b.earth_mover": EARTH_MOVER, "09b.critic_step": CRITIC_STEP}
