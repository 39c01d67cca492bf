"""Exercises of notebook 07: mask A, a likelihood from logits, and the sampling loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.models.pixels import raster_mask
from course_lib.teach.exercises import Exercise, Mistake


def _mask_a(weight: Tensor) -> Tensor:
    return raster_mask(*weight.shape[2:], "A")


def _mask(weight: Tensor, allowed: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Ones where `allowed(up, left)` holds: how many rows above, and columns left of the centre."""
    rows, columns = weight.shape[2:]
    up, left = torch.meshgrid(rows // 2 - torch.arange(rows), columns // 2 - torch.arange(columns), indexing="ij")
    return allowed(up, left).float()


MASK_A = Exercise(
    reference=_mask_a,
    cases=lambda rng: [(torch.tensor(rng.normal(size=(4, 2, *sides))),) for sides in
                       ((7, 7), (3, 3), (1, 5), (5, 3), (3, 7), (1, 1))],
    mistakes=(
        Mistake(lambda weight: raster_mask(*weight.shape[2:], "B"),
                ("that is mask B: its centre is 1. In the first layer the centre is the pixel that is to be predicted.",
                 "columns left of the centre are `:columns // 2`, without the centre.")),
        Mistake(lambda weight: _mask(weight, lambda up, left: (up >= 0) & (left > 0)),
                ("you allow only what is above *and* left. In raster order all of a row above comes earlier, its right "
                 "side, too.",)),
        Mistake(lambda weight: _mask(weight, lambda up, left: up > 0),
                ("the row of the centre is missing: what is left of the centre comes earlier, too.",)),
        Mistake(lambda weight: _mask(weight, lambda up, left: up >= 0),
                ("you allow the whole row of the centre: its right side comes later, and the centre is the answer.",)),
        Mistake(lambda weight: 1 - raster_mask(*weight.shape[2:], "B"),
                ("turned round: you allow what comes later.",)),
        Mistake(lambda weight: 1 - raster_mask(*weight.shape[2:], "A"),
                ("turned round: you allow the centre and what comes later.",)),
        Mistake(lambda weight: _mask(weight, lambda up, left: (left > 0) | ((left == 0) & (up > 0))),
                ("rows and columns are exchanged: pixels are read row by row, not column by column.",)),
        Mistake(lambda weight: _mask(weight, lambda up, left: (up != 0) | (left != 0)),
                ("you forbid the centre only: everything below and to the right is later.",)),
        Mistake(lambda weight: _mask(weight, lambda up, left: (up != 0) | (left > 0)),
                ("the rows below the centre are still 1: that is the future.",)),
        *(Mistake(lambda weight, diagonal=diagonal: torch.ones(*weight.shape[2:]).tril(diagonal),
                  (f"`{called}` makes a triangle, for a table in which row t and column t are the *same* token. Here "
                   "rows and columns are the kernel's two directions: whole rows above the centre are earlier, and in "
                   "the centre's row what is left of it.",)) for diagonal, called in ((-1, "tril(-1)"), (0, "tril()"))),
        Mistake(lambda weight: raster_mask(*weight.shape[2:], "A").bool(),
                ("the places are right; return numbers, to be multiplied with a kernel: `.float()`.",)),
    ),
    hints=("ones in all rows above the middle row, and in the middle row left of its middle.",
           "`mask[:rows // 2] = 1`, then one more line for the row `rows // 2`."),
)


def _nats_and_bits(logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    log_p = -F.cross_entropy(logits, x, reduction="none").sum(dim=(1, 2))
    return log_p, -log_p / x[0].numel() / math.log(2)


def _picked(log_probs: Tensor, x: Tensor) -> Tensor:
    return log_probs.gather(1, x[:, None])[:, 0].sum(dim=(1, 2))


def _in_bits(log_p: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    return log_p, -log_p / x[0].numel() / math.log(2)


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    sizes = ((4, 2, 5, 3), (3, 16, 4, 6), (1, 3, 2, 2))
    cases = [(torch.tensor(3 * rng.normal(size=(n, N, H, W)), dtype=torch.float32),
              torch.tensor(rng.integers(N, size=(n, H, W)))) for n, N, H, W in sizes]
    logits, x = cases[0]
    return [*cases, (120 * logits.sign(), x)]


def _naive_softmax(logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    odds = logits.exp()
    return _in_bits(_picked((odds / odds.sum(dim=1, keepdim=True)).log(), x), x)


def _log_of_product(logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    return _in_bits(logits.softmax(dim=1).gather(1, x[:, None]).flatten(1).prod(dim=1).log(), x)


NATS_AND_BITS = Exercise(
    reference=_nats_and_bits,
    cases=_logit_cases,
    mistakes=(
        Mistake(lambda logits, x: (-F.cross_entropy(logits, x, reduction="none").mean(dim=(1, 2)),
                                   F.cross_entropy(logits, x, reduction="none").mean(dim=(1, 2)) / math.log(2)),
                ("log p(x) is a *sum* over pixels: probabilities multiply. Your nats are a mean, those of one pixel. "
                 "(The bits per pixel are right.)",)),
        Mistake(lambda logits, x: _in_bits(-F.cross_entropy(logits, x, reduction="none").mean(dim=(1, 2)), x),
                ("you averaged over pixels, and then divided by their number again. log p(x) is the sum.",)),
        Mistake(lambda logits, x: (-_nats_and_bits(logits, x)[0], _nats_and_bits(logits, x)[1]),
                ("the sign of log p(x): a probability is below 1, so its logarithm is negative.",)),
        Mistake(lambda logits, x: (_nats_and_bits(logits, x)[0], -_nats_and_bits(logits, x)[1]),
                ("bits per pixel are a cost, −log p(x): they are positive.",)),
        Mistake(lambda logits, x: tuple(-part for part in _nats_and_bits(logits, x)),
                ("both signs are turned. A cross-entropy is −log p(x): the nats asked for are log p(x), below 0, and "
                 "the bits are a cost, −log p(x), above 0.",)),
        Mistake(lambda logits, x: (_nats_and_bits(logits, x)[0], -_nats_and_bits(logits, x)[0] / x[0].numel()),
                ("these are nats per pixel. A bit is log 2 nats, so there are more bits: divide by log 2.",)),
        Mistake(lambda logits, x: (_nats_and_bits(logits, x)[0],
                                   -_nats_and_bits(logits, x)[0] / x[0].numel() * math.log(2)),
                ("you multiplied by log 2. A bit is log 2 = 0.69 nats, so the number of bits is larger: divide.",)),
        Mistake(lambda logits, x: (_nats_and_bits(logits, x)[0], -_nats_and_bits(logits, x)[0] / math.log(2)),
                ("these are bits of a whole picture: divide by the number of its pixels, H·W.",)),
        *(Mistake(lambda logits, x, side=side: (_nats_and_bits(logits, x)[0],
                                                -_nats_and_bits(logits, x)[0] / x.shape[side] / math.log(2)),
                  (f"these are bits of a whole {line}: you divided by {letter} alone. A picture has H·W pixels.",))
          for side, line, letter in ((2, "column", "the width W"), (1, "row", "the height H"))),
        Mistake(lambda logits, x: (_nats_and_bits(logits, x)[0],
                                   -_nats_and_bits(logits, x)[0] / logits[0].numel() / math.log(2)),
                ("you divided by N·H·W. A picture has H·W pixels; N is the number of values of each.",)),
        Mistake(lambda logits, x: _in_bits(_picked(logits, x), x),
                ("a logit is no log probability: subtract the logsumexp over the N values, `log_softmax(dim=1)`.",)),
        Mistake(lambda logits, x: _in_bits(_picked(logits.log_softmax(dim=-1), x), x),
                ("the softmax runs over the columns. The N values lie in dimension 1.",)),
        Mistake(lambda logits, x: _in_bits(_picked(F.logsigmoid(logits), x), x),
                ("each logit for itself through a sigmoid: the N probabilities of a pixel would not add up to 1. Use a "
                 "softmax over dimension 1.",)),
        Mistake(_log_of_product,
                ("right while the product of the pixels' probabilities is no smaller than a float can be; that of 784 "
                 "pixels is 0, and its log −∞. Add the log probabilities instead.",)),
        Mistake(_naive_softmax,
                ("right for small logits, but exp(120) is too large: take the log-softmax in one step.",
                 "`logits.log_softmax(dim=1)`, or `F.cross_entropy`, which takes logits.")),
        Mistake(lambda logits, x: _in_bits(_nats_and_bits(logits, x)[0].sum(), x),
                ("you summed over the pictures, too: one number for each picture is asked for.",)),
        Mistake(lambda logits, x: _in_bits(-F.cross_entropy(logits, x), x),
                ("`cross_entropy` averages over pixels and pictures unless told otherwise: `reduction=\"none\"`, then "
                 "sum over the pixels of each picture.",)),
    ),
    hints=("for each pixel take the log-softmax of the value that it has; add up over pixels.",
           "bits per pixel: −log p(x) / (H·W·log 2)."),
)


class Past:
    """Logits that depend on earlier pixels only: on the last three in raster order, and on the place.

    Args:
        n_classes: N, the number of values of a pixel.
        D: number of pixels.
        rng: what the weights are drawn from.
    """

    def __init__(self, n_classes: int, D: int, rng: np.random.Generator) -> None:
        self.place, self.past = (torch.tensor(2 * rng.normal(size=size))  # float64: no answer hangs on a rounding
                                 for size in ((D, n_classes), (3, n_classes, n_classes)))

    def __call__(self, x: Tensor) -> Tensor:
        """Logits `[n, N, H, W]` of images x `[n, H, W]` of whole numbers."""
        n_classes = self.place.shape[1]
        values = x.flatten(1).long().clamp(0, n_classes - 1)  # N, and numbers that are not whole, get hints later
        flat = F.one_hot(values, n_classes).to(self.place)
        shifted = [F.pad(flat, (0, 0, lag, 0))[:, :flat.shape[1]] for lag in (1, 2, 3)]
        logits = self.place + sum(before @ weight for before, weight in zip(shifted, self.past, strict=True))
        return logits.transpose(1, 2).unflatten(2, x.shape[1:])


def inverse(logits: Tensor, u: Tensor) -> Tensor:
    """The first value, int64 `[…]`, whose cumulated probability exceeds u; logits `[…, N]`, u `[…]`."""
    return (u[..., None] >= logits.softmax(dim=-1).cumsum(dim=-1)[..., :-1]).sum(dim=-1)


def _walk(logits_of: Callable[[Tensor], Tensor], u: Tensor, pick: Callable[[Tensor, Tensor], Tensor] = inverse,
          by_columns: bool = False) -> Tensor:
    x = torch.zeros(u.shape, dtype=torch.int64)
    H, W = u.shape[1:]
    order = [(i, j) for j in range(W) for i in range(H)] if by_columns else [(i, j) for i in range(H) for j in range(W)]
    for i, j in order:
        x[:, i, j] = pick(logits_of(x)[:, :, i, j], u[:, i, j])
    return x


def _draw_images(logits_of: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    return _walk(logits_of, u)


def _at_once(logits_of: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    return inverse(logits_of(torch.zeros(u.shape, dtype=torch.int64)).movedim(1, -1), u)


def _row_at_once(logits_of: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    x = torch.zeros(u.shape, dtype=torch.int64)
    for i in range(u.shape[1]):
        x[:, i] = inverse(logits_of(x).movedim(1, -1)[:, i], u[:, i])
    return x


def _draw_cases(rng: np.random.Generator) -> list[tuple[Past, Tensor]]:
    return [(Past(N, H * W, rng), torch.tensor(rng.random((n, H, W)))) for n, N, H, W in
            ((40, 2, 3, 4), (30, 3, 4, 3), (30, 5, 2, 5), (30, 7, 3, 3))]


def _first_above(heights: Tensor, u: Tensor) -> Tensor:
    """The first place in the rows of heights `[n, N]` that exceeds u `[n]`; 0 if there is none."""
    return (heights > u[:, None]).int().argmax(dim=1)


def _by_luck(logits_of: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    rng = torch.Generator()
    rng.seed()  # another one at each call, as the reader's own draws are
    return _walk(logits_of, u, pick=lambda logits, u: torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0])


def same_twice(function: Callable[..., Tensor], *arguments: object) -> Tensor:
    """What the function returns, of any shape; −1 everywhere if it draws something else when it is called again."""
    first, again = function(*arguments), function(*arguments)
    both = isinstance(first, Tensor) and isinstance(again, Tensor)
    return torch.full_like(first, -1) if both and not torch.equal(first, again) else first


DRAW_IMAGES = Exercise(
    reference=_draw_images,
    cases=_draw_cases,
    mistakes=(
        Mistake(_at_once,
                ("you drew each pixel as if all before it were 0. Either all come from one pass over the empty "
                 "picture, or your loop runs backwards.",
                 "first row first, left to right; and one pass for each pixel, after those before it are in the "
                 "picture.")),
        Mistake(_row_at_once,
                ("you drew a whole row at once: pixels of one row depend on each other, too.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, by_columns=True),
                ("you go column by column: the logits of a pixel wait for the rows above and what is left of it.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: logits.argmax(dim=1)),
                ("you take the likeliest value: each run would give the same picture. Draw, with u.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: inverse(logits, 1 - u)),
                ("you count from the other end: the first value whose cumulated probability *exceeds* u.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: inverse(logits, u).clamp(max=1)),
                ("only the values 0 and 1 occur: with N values compare u with all N − 1 cumulated probabilities.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u,
                                           pick=lambda logits, u: (u[:, None] >= logits.softmax(1)[:, :-1]).sum(1)),
                ("you compare u with the probabilities themselves; cumulate them first, `cumsum(dim=1)`.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: _first_above(logits.softmax(1), u)),
                ("you take the first value whose *own* probability exceeds u; cumulate them first, `cumsum(dim=1)`.",)),
        Mistake(lambda logits_of, u: _walk(
            logits_of, u, pick=lambda logits, u: (u[:, None] >= logits.cumsum(1)[:, :-1]).sum(1)),
                ("you cumulate logits: the softmax over the N values is missing.",)),
        Mistake(lambda logits_of, u: _walk(
            logits_of, u, pick=lambda logits, u: _first_above(logits.cumsum(1), u)),
                ("you cumulate logits, which are no probabilities: take the softmax over the N values first.",)),
        Mistake(lambda logits_of, u: _walk(
            logits_of, u, pick=lambda logits, u: (logits.softmax(1).cumsum(1) > u[:, None]).sum(1)),
                ("you count the cumulated probabilities that exceed u; the first of them has as many before it as do "
                 "not.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: inverse(logits, u) + 1),
                ("one too many: values start at 0, so the first cumulated probability belongs to the value 0.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u, pick=lambda logits, u: (u < logits.softmax(1)[:, 1]).long()),
                ("you look at the probability of the value 1 only; a pixel may have N values.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u[:, :1, :1].expand_as(u)),
                ("one uniform number for all pixels of a picture: each pixel has its own, u[:, i, j].",)),
        Mistake(_by_luck,
                ("you draw with random numbers of your own. Fair pictures, too; but use the given u.",)),
        Mistake(lambda logits_of, u: _walk(logits_of, u).float(),
                ("the pictures are right; return whole numbers, int64: the next pass needs them.",)),
    ),
    hints=("a loop over rows, within it over columns: pass, softmax of that pixel's logits, draw, write into x.",
           "the value is the number of cumulated probabilities that u reaches: a comparison, and a sum over values."),
    observe=same_twice,
)


EXERCISES = {"07.mask_a": MASK_A, "07.nats_and_bits": NATS_AND_BITS, "07.draw_images": DRAW_IMAGES}
