"""Exercises of notebook 09c: losses of a BiGAN, shared layers, a sub-pixel layer, and detail that keeps the means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pixel_shuffle, softplus

from course_lib.models.bigan import pair_losses
from course_lib.teach.exercises import Exercise, Mistake

Layers = Sequence[Callable[[Tensor], Tensor]]


def _tensor(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(scale * rng.normal(size=shape), dtype=torch.float32)


def _logit_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    cases = [(_tensor(rng, n, scale=scale), _tensor(rng, n, scale=scale)) for n, scale in ((5, 1.0), (8, 3.0))]
    return [*cases, (torch.tensor([-200.0, 3.0]), torch.tensor([200.0, -1.0]))]


def _by_sigmoid(real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    p, q = torch.sigmoid(real), torch.sigmoid(made)
    return -(p.log() + (1 - q).log()).mean(), -((1 - p).log() + q.log()).mean()


def _d(real: Tensor, made: Tensor) -> Tensor:
    return (softplus(-real) + softplus(made)).mean()


PAIR_LOSSES = Exercise(
    reference=pair_losses,
    cases=_logit_cases,
    mistakes=(
        Mistake(_by_sigmoid,
                ("right for small logits, infinite at ±200: there sigmoid is 0 or 1 on a computer.",
                 "−log sigmoid(a) = softplus(−a), and −log(1 − sigmoid(a)) = softplus(a).")),
        Mistake(lambda real, made: (-(real.log() + (1 - made).log()).mean(), -((1 - real).log() + made.log()).mean()),
                ("NaN: these are logits, any numbers, and not probabilities; a negative one has no logarithm.",
                 "D(x, z) = sigmoid(logit), and −log sigmoid(a) = softplus(−a).")),
        Mistake(lambda real, made: (_d(real, made), -softplus(made).mean()),
                ("D's loss is right. The second is the DCGAN's, without the real pairs, so E would learn nothing; and "
                 "it is the saturating form.",
                 "two terms: real pairs called made, made pairs called real.")),
        Mistake(lambda real, made: (_d(real, made), (softplus(real) - softplus(made)).mean()),
                ("D's loss is right, and in the second E's term. G's term is the saturating form: where D is sure it "
                 "has no slope.", "−log σ(a) instead of log(1 − σ(a)).")),
        Mistake(lambda real, made: (_d(real, made), softplus(-made).mean()),
                ("the second loss is the DCGAN's: it does not mention the real pairs, so E, which is only in them, "
                 "would learn nothing.", "the code of a real pair comes from E: E wants D to call that pair made.")),
        Mistake(lambda real, made: (_d(real, made), -_d(real, made)),
                ("D's loss is right. The second is the saturating form of the minimax game: where D is sure it has no "
                 "slope for G and E.",
                 "turn both verdicts round inside the softplus, and do not change the sign of the sum.")),
        Mistake(lambda real, made: (_d(real, made), (softplus(-real) + softplus(-made)).mean()),
                ("this asks D to call *all* pairs real. E wants real pairs to be called made.",
                 "both verdicts are turned round: softplus(+real logit).")),
        Mistake(lambda real, made: (_d(real, made), _d(real, made)),
                ("both players would want the same; it is a game.",)),
        Mistake(lambda real, made: pair_losses(real, made)[::-1],
                ("the two are exchanged: D's loss first. D wants real pairs high.",)),
        Mistake(lambda real, made: tuple(loss * len(real) for loss in pair_losses(real, made)),
                ("you summed over the batch; each loss is a mean.",)),
        Mistake(lambda real, made: tuple(loss / 2 for loss in pair_losses(real, made)),
                ("the two terms are added, not averaged: with undecided logits each loss is 2·log 2.",)),
    ),
    hints=("D wants −log D(x, E(x)) − log(1 − D(G(z), z)) small; softplus gives both terms from logits.",
           "G and E want both verdicts turned round: real pairs called made, made pairs called real."),
)


def _shared(z: Tensor, first: Layers, second: Layers, shared: int) -> tuple[Tensor, Tensor]:
    for layer in first[:shared]:
        z = layer(z)
    images = []
    for layers in (first, second):
        h = z
        for layer in layers[shared:]:
            h = layer(h)
        images.append(h)
    return tuple(images)


def _layer(W: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda h: torch.tanh(h @ W)


def _layer_cases(rng: np.random.Generator) -> list[tuple[Tensor, Layers, Layers, int]]:
    cases = []
    for depth, shared in ((3, 1), (3, 2), (4, 2), (3, 0)):
        first, second = ([_layer(_tensor(rng, 5, 5)) for _ in range(depth)] for _ in range(2))
        cases.append((_tensor(rng, 4, 5), first, second, shared))
    return cases


def _through(z: Tensor, layers: Layers) -> Tensor:
    for layer in layers:
        z = layer(z)
    return z


SHARED = Exercise(
    reference=_shared,
    cases=_layer_cases,
    atol=1e-5,
    mistakes=(
        Mistake(lambda z, first, second, shared: (_through(z, first), _through(z, second)),
                ("nothing is shared here: the second picture must go through the *first* generator's first layers.",)),
        Mistake(lambda z, first, second, shared: (
            _through(z, first), _through(z, [*second[:len(second) - shared], *first[len(first) - shared:]])),
                ("you share the *last* layers. In G the first layers decide what is shown; the last ones how it "
                 "looks.", "(In D it is the other way round.)")),
        Mistake(lambda z, first, second, shared: (
            _through(z, first), _through(z, [*first[:shared + 1], *second[shared + 1:]])),
                ("one layer too many is shared: `first[:shared]` holds `shared` layers.",)),
        Mistake(lambda z, first, second, shared: (
            _through(z, first), _through(z, [*first[:max(shared - 1, 0)], *second[max(shared - 1, 0):]])),
                ("one layer too few is shared: `first[:shared]` holds `shared` layers.",)),
        Mistake(lambda z, first, second, shared: (
            _through(z, first), _through(_through(z, first[:shared]), second)),
                ("after the shared layers the second generator goes on with *its* layer number `shared`, and does "
                 "not begin anew.", "second[shared:]")),
        Mistake(lambda z, first, second, shared: (
            _through(z, first), _through(_through(z, first), second[shared:])),
                ("the second tail is put on top of the finished first picture; it starts from what the shared "
                 "layers made.",)),
        Mistake(lambda z, first, second, shared: _shared(z, second, first, shared)[::-1],
                ("both go through the *second* generator's first layers; take the first's.",)),
        Mistake(lambda z, first, second, shared: _shared(z, first, second, shared)[::-1],
                ("the two pictures are exchanged.",)),
    ),
    hints=("push z through first[:shared] once; then one copy through first[shared:], one through second[shared:].",
           "with shared = 0 the two have nothing in common but z."),
)


def _shuffled(h: Tensor, r: int) -> Tensor:
    return pixel_shuffle(h, r)[0]


def _shuffle_cases(rng: np.random.Generator) -> list[tuple[Tensor, int]]:
    return [(_tensor(rng, r * r, rows, columns), r) for r, rows, columns in ((2, 3, 3), (2, 2, 4), (3, 2, 3))]


def _folded(h: Tensor, r: int, order: tuple[int, int, int, int]) -> Tensor:
    rows, columns = h.shape[1:]
    return h.view(r, r, rows, columns).permute(order).reshape(r * rows, r * columns)


PIXEL_SHUFFLE = Exercise(
    reference=_shuffled,
    cases=_shuffle_cases,
    mistakes=(
        Mistake(lambda h, r: h.reshape(r * h.shape[1], r * h.shape[2]),
                ("`reshape` alone keeps the order in memory: whole rows of one channel stay together. The numbers "
                 "of one place, one from each channel, must become a block.",
                 "view as [r, r, rows, columns], permute, then reshape.")),
        Mistake(lambda h, r: _folded(h, r, (0, 2, 1, 3)),
                ("each channel is still a picture of its own, side by side with the others. They must interleave.",
                 "after `permute` the axes are: row, row in the block, column, column in the block.")),
        Mistake(lambda h, r: _folded(h, r, (2, 1, 3, 0)),
                ("inside each block, rows and columns are exchanged: channel 1 belongs to the right of channel 0, "
                 "not below it.",)),
        Mistake(lambda h, r: _shuffled(h, r).T,
                ("the picture is transposed.",)),
        Mistake(lambda h, r: interpolate(h[None], scale_factor=r)[0, 0],
                ("this repeats channel 0; the other channels hold the other pixels of each block.",)),
        Mistake(lambda h, r: pixel_shuffle(h, r),
                ("this still has the axis of channels; return the picture, [r·rows, r·columns].",)),
        Mistake(lambda h, r: pixel_shuffle(h.flip(0), r)[0],
                ("the channels are taken in reverse: channel 0 is the upper left pixel of each block.",)),
    ),
    hints=("channel r·i + j holds, for every block, its pixel in row i and column j.",
           "h.view(r, r, rows, columns) has axes i, j, row, column; which order has the picture?"),
)


def _repaired(x: Tensor, c: Tensor) -> Tensor:
    wrong = c - avg_pool2d(x[:, None], 4)[:, 0]
    return x + interpolate(wrong[:, None], scale_factor=4)[:, 0]


def _coarse_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    return [(_tensor(rng, n, 28, 28), _tensor(rng, n, 7, 7)) for n in (1, 3, 2)]


def _means(x: Tensor) -> Tensor:
    return avg_pool2d(x[:, None], 4)[:, 0]


def _enlarged(c: Tensor) -> Tensor:
    return c.repeat_interleave(4, 1).repeat_interleave(4, 2)


def _by_one_pixel(x: Tensor, c: Tensor) -> Tensor:
    x = x.clone()
    x[:, ::4, ::4] += 16 * (c - _means(x))
    return x


CONSISTENT = Exercise(
    reference=_repaired,
    cases=_coarse_cases,
    atol=1e-5,
    mistakes=(
        Mistake(lambda x, c: _enlarged(c),
                ("the means are right, but all detail of x is gone. Change x as little as possible.",
                 "add to every pixel of a block what its mean lacks.")),
        Mistake(lambda x, c: x - _enlarged(c - _means(x)),
                ("the sign: a block whose mean is too small must get larger values.",)),
        Mistake(lambda x, c: x + _enlarged(c),
                ("what must be added is what is *missing*: c less the means that x has already.",)),
        Mistake(lambda x, c: x + _enlarged(c - _means(x)) / 16,
                ("each of the 16 pixels moves by the whole difference: then their mean moves by it, too.",)),
        Mistake(lambda x, c: x + _enlarged(c - _means(x)) * 16,
                ("this adds to each pixel what all 16 together lack.",)),
        Mistake(lambda x, c: x + (c - _means(x)).repeat(1, 4, 4),
                ("`repeat` lays copies of the small picture side by side; each of its pixels must become a block.",
                 "`repeat_interleave` along rows and along columns, or kron with ones.")),
        Mistake(lambda x, c: x + _enlarged(c - x[:, ::4, ::4]),
                ("you compare with one pixel of each block; compare with the block's mean.",)),
        Mistake(lambda x, c: x * _enlarged(c / _means(x)),
                ("scaling meets the means, too, but moves large values more than small ones, and fails at a mean of "
                 "0.", "the nearest such picture adds one number to a whole block.")),
        Mistake(lambda x, c: _repaired(x, c).clamp(0, 1),
                ("right, but for the clamp: where it cuts, the mean is missed. Values may leave [0, 1].",)),
        Mistake(_by_one_pixel,
                ("the means are right, but this picture is not the nearest: one pixel of each block bears all.",
                 "a change of 16 in one pixel has the squared length 256; a change of 1 in each of 16 has 16.")),
    ),
    hints=("compute the means of x [n, 7, 7], subtract them from c, and spread the difference evenly over the blocks: "
           "of all changes with one sum, equal ones have the least sum of squares.",
           "`repeat_interleave(4, dim)` makes four of each row or column."),
)

EXERCISES = {"09c.pair_losses": PAIR_LOSSES, "09c.shared": SHARED, "09c.pixel_shuffle": PIXEL_SHUFFLE,
             "09c.consistent": CONSISTENT}
