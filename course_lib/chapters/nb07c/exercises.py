"""Exercises of notebook 07c: completions and their weights, averages by weight, passes until a pixel is final."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from course_lib.chapters.nb07.exercises import Past, inverse
from course_lib.teach.exercises import Exercise, Mistake

Logits = Callable[[Tensor], Tensor]


def _completed(logits_of: Logits, x: Tensor, seen: Tensor, u: Tensor, draw: Callable[..., Tensor] = inverse, *,
               keep: bool = True, weighed: str = "seen", blank: bool = True) -> tuple[Tensor, Tensor]:
    """The reference, and with other arguments its mistakes.

    Args:
        draw: a value from logits `[n, N]` and u `[n]`.
        keep: whether seen pixels stay as they are.
        weighed: whose log probabilities are added up: "seen", "hidden" or "all".
        blank: whether hidden pixels of x are cleared first.
    """
    x, log_w = torch.where(seen, x, 0) if blank else x.clone(), torch.zeros(len(x), dtype=u.dtype)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            logits = logits_of(x)[:, :, i, j]
            is_seen = bool(seen[i, j])
            if not (keep and is_seen):
                x[:, i, j] = draw(logits, u[:, i, j])
            if weighed == "all" or is_seen == (weighed == "seen"):
                log_w = log_w + logits.log_softmax(dim=1).gather(1, x[:, i, j, None])[:, 0]
    return x, log_w


def _in_one_pass(logits_of: Logits, x: Tensor, seen: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    begun = torch.where(seen, x, 0)
    logits = logits_of(begun)
    x = torch.where(seen, x, inverse(logits.movedim(1, -1), u))
    each = logits.log_softmax(dim=1).gather(1, x[:, None])[:, 0]
    return x, torch.where(seen, each, 0).sum(dim=(1, 2))


def _first_seen(logits_of: Logits, x: Tensor, seen: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Log w from the picture as it began, its hidden pixels zeros, not from the completed one."""
    begun = torch.where(seen, x, 0)
    each = logits_of(begun).log_softmax(dim=1).gather(1, begun[:, None])[:, 0]
    return _completed(logits_of, x, seen, u)[0], torch.where(seen, each, 0).sum(dim=(1, 2))


def _with(change: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """The right completions, and something else made of the right log weights."""
    def changed(logits_of: Logits, x: Tensor, seen: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        done, log_w = _completed(logits_of, x, seen, u)
        return done, change(log_w)

    return changed


def _covered(rng: np.random.Generator) -> list[tuple[Past, Tensor, Tensor, Tensor]]:
    """Half-seen pictures: the hidden part above, below, and in a scattered mask that is neither empty nor full."""
    cases = []
    for n, N, H, W, mask in ((30, 2, 4, 3, "above"), (25, 3, 3, 4, "below"), (20, 4, 4, 4, "scattered")):
        seen = torch.arange(H)[:, None].expand(H, W) < H // 2
        seen = {"above": ~seen, "below": seen, "scattered": (torch.arange(H * W) % 3 == 1).view(H, W)}[mask].clone()
        cases.append((Past(N, H * W, rng), torch.tensor(rng.integers(N, size=(n, H, W))), seen,
                      torch.tensor(rng.random((n, H, W)))))
    return cases


COMPLETE = Exercise(
    reference=lambda logits_of, x, seen, u: _completed(logits_of, x, seen, u),
    cases=_covered,
    mistakes=(
        Mistake(_in_one_pass,
                ("all hidden pixels come from one pass over a picture with holes: none knows what its neighbours "
                 "became. Call `logits_of(x)` anew for each pixel.",)),
        Mistake(lambda logits_of, x, seen, u: _completed(logits_of, x, seen, u, blank=False, keep=False),
                ("seen pixels are drawn over: write only where `seen` is False.",)),
        Mistake(lambda logits_of, x, seen, u: _completed(logits_of, x, ~seen, u),
                ("the mask is turned round: `seen` is True where the pixel is given.",)),
        Mistake(lambda logits_of, x, seen, u: _completed(logits_of, x, seen, u, weighed="hidden"),
                ("the pictures are right. You added up the hidden pixels' log probabilities, that is log q; in w = p/q "
                 "these cancel, and the *seen* ones stay.",)),
        Mistake(lambda logits_of, x, seen, u: _completed(logits_of, x, seen, u, weighed="all"),
                ("the pictures are right. You added up all pixels, that is log p(x); take off log q, or add up the "
                 "seen ones alone.",)),
        Mistake(_with(torch.neg),
                ("the pictures are right, the sign of log w is not: p over q, so a sum of log p of seen pixels.",)),
        Mistake(_with(torch.exp),
                ("the pictures are right. That is w itself; asked for is its logarithm, which does not run to 0 for "
                 "large pictures.",)),
        Mistake(_first_seen,
                ("the pictures are right. A seen pixel's probability depends on what was drawn before it: take it from "
                 "the pass in the loop, when all earlier pixels stand.",)),
        Mistake(lambda logits_of, x, seen, u: _completed(logits_of, x, seen, u, lambda logits, u: logits.argmax(dim=1)),
                ("you take the likeliest value of each hidden pixel: all completions would be one. Draw, with u.",)),
    ),
    hints=("go through the pixels in raster order: a seen one adds its log probability to log w, a hidden one is "
           "drawn and written into x.",
           "`log_probs = logits_of(x)[:, :, i, j].log_softmax(dim=1)`; seen: `gather` x's value; hidden: count how "
           "many of the cumulated probabilities, the last left out, `u` reaches."),
)


def _settled(logits_of: Logits, u: Tensor, note: Callable[[Tensor, Tensor, int], Tensor] | None = None) -> Tensor:
    """Passes until each pixel is final, or what `note(so far, changed, passes)` makes of each pass."""
    x = torch.zeros(u.shape, dtype=torch.int64)
    noted, passes = x.clone(), 0
    while True:
        new = inverse(logits_of(x).movedim(1, -1), u)
        passes += 1
        if torch.equal(new, x):
            return noted
        noted = note(noted, new != x, passes) if note else torch.where(new != x, passes, noted)
        x = new


def _of_each_picture(logits_of: Logits, u: Tensor) -> Tensor:
    last = _settled(logits_of, u).flatten(1).amax(dim=1)
    return last[:, None, None].expand(u.shape).clone()


def _upper_limit(logits_of: Logits, u: Tensor) -> Tensor:
    return (torch.arange(u[0].numel()).view(u.shape[1:]) + 1).expand(u.shape).clone()


SETTLED = Exercise(
    reference=lambda logits_of, u: _settled(logits_of, u),
    cases=lambda rng: [(Past(N, H * W, rng), torch.tensor(rng.random((n, H, W)))) for n, N, H, W in
                       ((30, 2, 4, 4), (20, 3, 3, 5), (25, 4, 5, 2))],
    mistakes=(
        Mistake(lambda logits_of, u: _settled(logits_of, u, lambda noted, changed, passes:
                                              torch.where(changed & (noted == 0), passes, noted)),
                ("that is each pixel's first change. It may change again when its neighbours do: keep the last.",)),
        Mistake(lambda logits_of, u: _settled(logits_of, u, lambda noted, changed, passes: noted + changed),
                ("you count how often each pixel changed; asked for is the number of the pass that changed it last.",)),
        Mistake(lambda logits_of, u: _settled(logits_of, u, lambda noted, changed, passes:
                                              torch.where(changed, passes - 1, noted)),
                ("one too few: what the first pass writes is there after *one* pass.",)),
        Mistake(lambda logits_of, u: _settled(logits_of, u) + 1,
                ("one too many: a pixel that no pass ever changed has 0, not 1.",)),
        Mistake(_of_each_picture,
                ("that is when the whole picture is final; each pixel has a number of its own.",)),
        Mistake(_upper_limit,
                ("that is the latest that it can take, pixel by pixel. Run the iteration: most are final sooner.",)),
        Mistake(lambda logits_of, u: _settled(logits_of, u, lambda noted, changed, passes:
                                              torch.where(changed & (passes == 1), 1, noted)),
                ("you stop after one pass, in which no pixel knows what its neighbours become. Go on until nothing "
                 "changes.",)),
    ),
    hints=("keep two things: the picture, and for each pixel the number of the last pass that changed it.",
           "in a loop: `new` from `logits_of(x)` and u, all pixels at once; stop if `torch.equal(new, x)`; else "
           "`last_change[new != x] = passes`, and `x = new`."),
)


def _ink_given_seen(images: Tensor, log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    return _weighted(images, (log_p - log_q).softmax(dim=0))


def _weighted(images: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    return (share[:, None, None] * images).sum(dim=0), share.sum() ** 2 / (share**2).sum()


def _completion_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor]]:
    cases = []
    for n, H, W, level in ((30, 3, 3, -6.0), (50, 4, 2, -20.0), (40, 2, 2, -900.0)):
        log_q = torch.tensor(rng.normal(-3, 1, size=n))
        cases.append((torch.tensor(rng.integers(2, size=(n, H, W))), log_q + level + torch.tensor(rng.normal(size=n)),
                      log_q))
    return cases


def _two(images: Tensor, log_p: Tensor, log_q: Tensor) -> Tensor:
    return torch.tensor(float(len(images)), dtype=log_p.dtype)


def _unshifted(images: Tensor, log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    w = (log_p - log_q).exp()
    return (w[:, None, None] * images).sum(dim=0) / w.sum(), w.sum() ** 2 / (w**2).sum()


def _entropy(images: Tensor, log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    share = (log_p - log_q).softmax(dim=0)
    return _weighted(images, share)[0], torch.special.entr(share).sum()


INK_GIVEN_SEEN = Exercise(
    reference=_ink_given_seen,
    cases=_completion_cases,
    mistakes=(
        Mistake(lambda images, log_p, log_q: (images.to(log_p).mean(dim=0), _two(images, log_p, log_q)),
                ("a plain mean: these draws knew nothing of the seen pixels below them. That is why the upper half is "
                 "not easy.", "weight each draw by p(x)/q(x_h): exp(log_p − log_q).")),
        Mistake(lambda images, log_p, log_q: (images.to(log_p).mean(dim=0),
                                              _weighted(images, (log_p - log_q).softmax(dim=0))[1]),
                ("you use the weights for the number of draws, but not for the mean.",)),
        Mistake(lambda images, log_p, log_q: (_ink_given_seen(images, log_p, log_q)[0], _two(images, log_p, log_q)),
                ("the probabilities are right. But few draws carry most of the weight: the effective sample size is "
                 "(Σw)²/Σw², not n.",)),
        Mistake(lambda images, log_p, log_q: _weighted(images, log_p.softmax(dim=0)),
                ("you weight by p(x). But likely pictures were drawn more often already: divide by q.",)),
        Mistake(lambda images, log_p, log_q: _weighted(images, (log_q - log_p).softmax(dim=0)),
                ("the weights are turned round: p over q, log_p − log_q.",)),
        Mistake(_unshifted,
                ("right in principle, but exp(−900) is 0 on a computer, and 0/0 is not a number. Shift log w by its "
                 "largest value first; `softmax` does.",)),
        Mistake(lambda images, log_p, log_q: (((log_p - log_q).softmax(dim=0)[:, None, None] * images).mean(dim=0),
                                              _ink_given_seen(images, log_p, log_q)[1]),
                ("the weights add up to one already: sum, do not average again.",)),
        Mistake(lambda images, log_p, log_q: (_ink_given_seen(images, log_p, log_q)[0],
                                              ((log_p - log_q).softmax(dim=0) ** 2).sum()),
                ("the probabilities are right; Σ share² is one over the effective sample size.",)),
        Mistake(lambda images, log_p, log_q: _weighted(images, (log_p - log_q) / (log_p - log_q).sum()),
                ("you normalised log weights. Take exp first: the weight is p/q, not its logarithm.",)),
        Mistake(_entropy,
                ("the probabilities are right; Σ −share·log share is the entropy of the shares. Asked for is "
                 "(Σw)²/Σw².",)),
        Mistake(lambda images, log_p, log_q: (_ink_given_seen(images, log_p, log_q)[0],
                                              _entropy(images, log_p, log_q)[1].exp()),
                ("the probabilities are right; exp of the entropy counts draws, too, but another way. Asked for is "
                 "(Σw)²/Σw².",)),
        Mistake(lambda images, log_p, log_q: (_ink_given_seen(images, log_p, log_q)[0],
                                              1 / (log_p - log_q).softmax(dim=0).max()),
                ("the probabilities are right; one over the largest share is a cautious cousin. Asked for is "
                 "(Σw)²/Σw².",)),
    ),
    hints=("weights w = exp(log_p − log_q), divided by their sum: `(log_p - log_q).softmax(dim=0)`.",
           "p(ink) is the weighted mean of the images; the effective sample size is 1/Σ share²."),
)

EXERCISES = {"07c.complete": COMPLETE, "07c.ink_given_seen": INK_GIVEN_SEEN, "07c.settled": SETTLED}
