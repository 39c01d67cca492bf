"""Exercises of notebook 06: the loss of G and its slope, and transposed convolution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv_transpose2d, pad, softplus

from course_lib.models.dcgan import generator_loss
from course_lib.teach.exercises import Exercise, Mistake


def _loss_and_force(a: Tensor) -> tuple[Tensor, Tensor]:
    return generator_loss(a), -torch.sigmoid(-a) / len(a)


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor]]:
    cases = [torch.tensor(scale * rng.normal(size=n), dtype=torch.float32) for n, scale in ((6, 1.0), (9, 3.0))]
    return [(a,) for a in (*cases, torch.tensor([-200.0, -30.0, 0.0, 30.0, 200.0]))]


def _by_sigmoid(a: Tensor) -> tuple[Tensor, Tensor]:
    return -torch.sigmoid(a).log().mean(), (torch.sigmoid(a) - 1) / len(a)


LOSS_AND_FORCE = Exercise(
    reference=_loss_and_force,
    cases=_logit_cases,
    mistakes=(
        Mistake(_by_sigmoid,
                ("right for small logits, infinite at −200: there sigmoid is 0 on a computer. Do not take its log.",
                 "−log sigmoid(a) = softplus(−a).")),
        Mistake(lambda a: (-softplus(a).mean(), -torch.sigmoid(a) / len(a)),
                ("this is the saturating loss: caught (a very negative), it has no slope. Asked for is −log D.",
                 "−log D = softplus(−a), and its slope is −(1 − D) = −sigmoid(−a), divided by n for the mean.")),
        Mistake(lambda a: (softplus(a).mean(), torch.sigmoid(a) / len(a)),
                ("this is D's loss on made pictures, −log(1 − D): G wants the opposite.",
                 "−log D, with D = sigmoid(a).")),
        Mistake(lambda a: (softplus(-a).mean(), torch.sigmoid(-a) / len(a)),
                ("the slope has the wrong sign: a larger logit, more 'real', makes G's loss smaller.",)),
        Mistake(lambda a: (softplus(-a).mean(), -torch.sigmoid(-a)),
                ("the loss is a mean over n logits, so each has an n-th of the slope.",)),
        Mistake(lambda a: (softplus(-a).sum(), -torch.sigmoid(-a)),
                ("you summed over the batch; the loss is a mean, and each slope an n-th.",)),
        Mistake(lambda a: (softplus(-a).mean(), -torch.sigmoid(a) / len(a)),
                ("the loss is right; its slope is −(1 − D), not −D: it is large where G is caught.",
                 "d/da softplus(−a) = −sigmoid(−a).")),
        Mistake(lambda a: (softplus(-a).mean(), -1 / torch.sigmoid(a) / len(a)),
                ("this is the slope in D itself. In the logit, D's own slope D·(1 − D) comes as a factor.",)),
        Mistake(lambda a: (softplus(-a), -torch.sigmoid(-a)),
                ("this is the loss of each picture: take the mean over the batch.",)),
        Mistake(lambda a: _loss_and_force(a)[::-1],
                ("the two are exchanged: the loss first, then the slopes.",)),
    ),
    hints=("−log sigmoid(a) is softplus(−a). Differentiate it by a, and remember the mean.",
           "let autograd tell: `a.requires_grad_()`, then the gradient of your loss, and compare."),
)


def _side(n: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    w = torch.zeros(1, 1, kernel, kernel)
    return np.array([len(conv_transpose2d(torch.zeros(1, 1, side, side), w, stride=stride, padding=padding)[0, 0])
                     for side in n])


def _side_cases(rng: np.random.Generator) -> list[tuple[np.ndarray, int, int, int]]:
    drawn = [(rng.integers(2, 20, size=3), int(rng.integers(3, 7)), int(rng.integers(1, 5)), int(rng.integers(0, 2)))
             for _ in range(4)]
    return [(np.array([7, 14]), 4, 2, 1), (np.array([1]), 5, 3, 0), (np.array([14]), 6, 2, 2), *drawn]


OUTPUT_SIDE = Exercise(
    reference=_side,
    cases=_side_cases,
    mistakes=(
        Mistake(lambda n, kernel, stride, padding: (n + 2 * padding - kernel) // stride + 1,
                ("this is the convolution on the way *down*. On the way up there are n stamps a side.",
                 "turn it round: which side, convolved, gives n?")),
        Mistake(lambda n, kernel, stride, padding: n * stride,
                ("this holds when kernel − 2·padding happens to be the stride, as in the notebook's G. In general?",
                 "the last stamp begins at (n − 1)·stride and is `kernel` wide.")),
        Mistake(lambda n, kernel, stride, padding: n * stride + kernel - 2 * padding,
                ("the first stamp begins at 0, so the last one begins at (n − 1)·stride.",)),
        Mistake(lambda n, kernel, stride, padding: (n - 1) * stride + kernel + 2 * padding,
                ("going up, `padding` is what is *cut off* at each margin: it makes the picture smaller.",)),
        Mistake(lambda n, kernel, stride, padding: (n - 1) * stride + kernel - padding,
                ("there are two margins a side, left and right: both are cut.",)),
        Mistake(lambda n, kernel, stride, padding: (n - 1) * stride + kernel,
                ("right without padding; it cuts off pixels at both margins.",)),
        Mistake(lambda n, kernel, stride, padding: (n - 1) * stride + 1 - 2 * padding,
                ("a stamp is `kernel` pixels wide, not one.",)),
        Mistake(lambda n, kernel, stride, padding: ((n - 1) * stride + kernel - 2 * padding) ** 2,
                ("this is the number of pixels; asked for is the side.",)),
    ),
    hints=("where does the last of n stamps begin, and where does it end? Then cut both margins.",
           "one stamp (n = 1) without padding makes a picture of side `kernel`."),
)


def _stamp(y: Tensor, w: Tensor, stride: int) -> Tensor:
    return conv_transpose2d(y[None, None], w[None, None], stride=stride)[0, 0]


def _stamp_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, int]]:
    return [(torch.tensor(rng.normal(size=shape), dtype=torch.float32),
             torch.tensor(rng.normal(size=(k, k)), dtype=torch.float32), stride)
            for shape, k, stride in (((3, 3), 4, 2), ((2, 5), 3, 1), ((4, 2), 2, 3), ((1, 1), 3, 2), ((5, 4), 5, 2))]


def _stamped(mark: Callable[[Tensor, float, Tensor], Tensor], y: Tensor, w: Tensor, stride: int,
             step: int | None = None) -> Tensor:
    """Stamps put down by `mark(what is there, number of y, w)`, with another step than the stride if one is given."""
    step, (rows, columns), k = step or stride, y.shape, len(w)
    out = torch.zeros((rows - 1) * stride + k, (columns - 1) * stride + k)
    for i in range(rows):
        for j in range(columns):
            there = out[i * step:i * step + k, j * step:j * step + k]
            there.copy_(mark(there, y[i, j], w))
    return out


def _fitting(function: Callable[[Tensor, Tensor, int], Tensor], y: Tensor, w: Tensor, stride: int) -> Tensor:
    """What the function returns; where a stamp meets a region of another size, an error that says what that means."""
    try:
        return function(y, w, stride)
    except RuntimeError as error:
        if "must match" not in str(error):
            raise
        advice = ("a stamp [k, k] meets a part of your picture of another size. Is the picture large enough? Its sides "
                  "are (n − 1)·stride + k, and the stamp begins at (i·stride, j·stride)")
        raise ValueError(advice).with_traceback(error.__traceback__) from None


STAMP = Exercise(
    reference=_stamp,
    cases=_stamp_cases,
    observe=_fitting,
    atol=1e-5,
    mistakes=(
        Mistake(lambda y, w, stride: pad(_stamp(y, w, stride), (0, stride, 0, stride)),
                ("your picture is too large: margins of zeros are left at the right and below. The last of n stamps "
                 "begins at (n − 1)·stride, not at n·stride, and is k wide.",)),
        Mistake(lambda y, w, stride: _stamp(y, w, stride)[1:-1, 1:-1],
                ("you cut off a margin, as `padding=1` does; asked for is the whole picture, without padding.",)),
        Mistake(lambda y, w, stride: conv_transpose2d(y[None, None], w[None, None], stride=stride),
                ("this still has the axes of batch and channel; return the picture, [rows, columns].",)),
        Mistake(lambda y, w, stride: _stamped(lambda there, v, w: v * w, y, w, stride),
                ("a later stamp wipes out the earlier one where they overlap; they must add: `+=`.",)),
        Mistake(lambda y, w, stride: _stamped(lambda there, v, w: there + w, y, w, stride),
                ("each stamp is as strong as its number of y: y[i, j] * w.",)),
        Mistake(lambda y, w, stride: _stamped(lambda there, v, w: there + v * w.flip(0, 1), y, w, stride),
                ("the kernel is turned by half a circle. A stamp shows w as it is.",)),
        Mistake(lambda y, w, stride: _stamped(lambda there, v, w: there + v * w.T, y, w, stride),
                ("the kernel is transposed: its rows are rows of the picture. ('Transposed' is the big matrix.)",)),
        Mistake(lambda y, w, stride: _stamped(lambda there, v, w: there + v * w, y, w, stride, step=1),
                ("the stamps stand one pixel apart; they must stand `stride` apart.",)),
        Mistake(lambda y, w, stride: torch.kron(y, w),
                ("your stamps lie side by side, a whole kernel apart; they stand only `stride` apart and overlap.",)),
    ),
    hints=("zeros of side (n − 1)·stride + k, then add y[i, j] * w with its corner at (i·stride, j·stride).",
           "with y of one number the answer is that number times w. Then try two numbers in a row."),
)

EXERCISES = {"06.generator_loss": LOSS_AND_FORCE, "06.output_side": OUTPUT_SIDE, "06.stamp": STAMP}
