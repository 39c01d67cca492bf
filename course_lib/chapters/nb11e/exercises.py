"""Exercises of notebook 11e: quantization with its gradient, the two losses, perplexity, the code of two parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.models.vq_vae import nearest, straight_through
from course_lib.teach.exercises import Exercise, Mistake


def _with_gradients(function: Callable[..., Any], a: Tensor, b: Tensor, *others: Any) -> Any:
    """What a function makes of two tensors and more, and the gradients of a weighted sum of it by the two."""
    a, b = a.requires_grad_(), b.requires_grad_()
    answer = function(a, b, *others)
    weights = torch.linspace(0.5, 1.5, answer.numel(), dtype=a.dtype).view(answer.shape)
    gradients: Sequence[Tensor] = (torch.zeros_like(a), torch.zeros_like(b))
    if answer.requires_grad:
        gradients = torch.autograd.grad((answer * weights).sum(), (a, b), allow_unused=True, materialize_grads=True)
    return (answer.detach(), *(gradient.detach() for gradient in gradients))


def _chosen(z: Tensor, entries: Tensor) -> Tensor:
    return entries[nearest(z, entries)]


def _quantize_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor]]:
    return [(torch.tensor(rng.normal(size=(n, D))),
             torch.tensor(rng.normal(size=(K, D)) * rng.uniform(0.4, 1.6, (K, 1))))
            for n, K, D in ((12, 5, 3), (20, 9, 2), (15, 7, 4))]


QUANTIZE = Exercise(
    reference=lambda z, entries: straight_through(z, _chosen(z, entries).detach()),
    cases=_quantize_cases,
    observe=_with_gradients,
    mistakes=(
        Mistake(lambda z, entries: _chosen(z, entries),
                ("the values are right, but no gradient reaches z: `argmin` is a step, so the encoder could not learn. "
                 "Copy the gradient past it, `z + (e - z).detach()`.",)),
        Mistake(lambda z, entries: _chosen(z, entries).detach(),
                ("the values are right, but all is detached, and no gradient goes anywhere. Only the *difference* "
                 "between entry and z is taken as a constant.",)),
        Mistake(lambda z, entries: _chosen(z, entries) + z - z.detach(),
                ("the values are right, and z has its gradient, but the entries get one, too. In the VQ-VAE they learn "
                 "by a loss of their own: detach the whole difference, `(e - z).detach()`.",)),
        Mistake(lambda z, entries: _chosen(z, entries) + (z - _chosen(z, entries)).detach(),
                ("turned round: what comes out is z itself, and the gradient goes to the entries. The value must be "
                 "the entry's, the gradient z's.",)),
        Mistake(lambda z, entries: z + (z - _chosen(z, entries)).detach(),
                ("the difference has the wrong sign: from z to its entry it is `e - z`.",)),
        Mistake(lambda z, entries: z + 0 * _chosen(z, entries).detach(),
                ("what comes out is z: nothing is quantized. Put the nearest entry in its place.",)),
        Mistake(lambda z, entries: straight_through(z, entries[(-torch.cdist(z, entries)).argmin(1)].detach()),
                ("these are the entries that are *farthest* away: `argmin` of the distances.",)),
        Mistake(lambda z, entries: straight_through(z, entries[(z @ entries.mT).argmax(1)].detach()),
                ("you pick by the largest product, which prefers long entries. Nearest means the smallest distance: "
                 "‖z − e‖² is ‖z‖² − 2 z·e + ‖e‖².",)),
        Mistake(lambda z, entries: straight_through(z, entries[(entries.square().sum(1) - z @ entries.mT).argmin(1)]
                                                    .detach()),
                ("the factor 2 is missing in ‖z − e‖² = ‖z‖² − 2 z·e + ‖e‖².",)),
        Mistake(lambda z, entries: straight_through(z, ((-torch.cdist(z, entries).square()).softmax(1) @ entries)
                                                    .detach()),
                ("that is a mean of the entries, weighted by nearness. A code is one of them: pick by `argmin`.",)),
    ),
    hints=("distances by `torch.cdist(z, entries)`, then `argmin(dim=1)` and the entries of these numbers.",
           "value of the entry, gradient of z: `z + (e - z).detach()`."),
)


def _losses(z: Tensor, e: Tensor, beta: float) -> Tensor:
    return (z.detach() - e).square().sum(1) + beta * (z - e.detach()).square().sum(1)


def _loss_cases(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, float]]:
    return [(*(torch.tensor(rng.normal(size=(n, D))) for _ in range(2)), beta)
            for n, D, beta in ((6, 4, 0.25), (9, 3, 2.0), (5, 7, 0.5))]


LOSSES = Exercise(
    reference=_losses,
    cases=_loss_cases,
    observe=_with_gradients,
    mistakes=(
        Mistake(lambda z, e, beta: (z - e.detach()).square().sum(1) + beta * (z.detach() - e).square().sum(1),
                ("the value is right, but β is on the wrong term, or `detach` is: β weighs the commitment, the term "
                 "that moves *z*, and the codebook loss, which moves e, has weight 1.",)),
        Mistake(lambda z, e, beta: (1 + beta) * (z - e).square().sum(1),
                ("the value is right, but nothing is detached: each term moves both z and e.", "the codebook loss "
                 "holds z fixed, `z.detach()`, the commitment holds e fixed, `e.detach()`.")),
        Mistake(lambda z, e, beta: (1 + beta) * (z - e).detach().square().sum(1),
                ("the value is right, but all is detached, and nobody learns.",)),
        Mistake(lambda z, e, beta: (1 + beta) * (z.detach() - e).square().sum(1),
                ("z is detached in both terms: the encoder is not committed to anything.",)),
        Mistake(lambda z, e, beta: (1 + beta) * (z - e.detach()).square().sum(1),
                ("e is detached in both terms: the entries do not learn.",)),
        Mistake(lambda z, e, beta: _losses(z, e, 1.0),
                ("you forgot β, before the commitment.",)),
        Mistake(lambda z, e, beta: beta * _losses(z, e, 1.0),
                ("β weighs the commitment alone, not the codebook loss.",)),
        Mistake(lambda z, e, beta: _losses(z, e, beta) / z.shape[1],
                ("a mean over the numbers of a vector: ‖z − e‖² is their *sum*. Divided by D both losses would weigh "
                 "less beside −log p(x), which is a sum over pixels.",)),
        Mistake(lambda z, e, beta: (z.detach() - e).norm(dim=1) + beta * (z - e.detach()).norm(dim=1),
                ("these are lengths: they must be squared.",)),
        Mistake(lambda z, e, beta: _losses(z, e, 0.0),
                ("the commitment is missing.",)),
        Mistake(lambda z, e, beta: beta * (z - e.detach()).square().sum(1),
                ("the codebook loss is missing.",)),
    ),
    hints=("two squared lengths, sums over the last dimension; in each, one of z and e is held fixed by `detach()`.",
           "`(z.detach() - e).square().sum(1) + beta * (z - e.detach()).square().sum(1)`."),
)


def _shares(codes: Tensor, K: int) -> Tensor:
    return torch.bincount(codes.flatten(), minlength=K).double() / codes.numel()


def _perplexity(codes: Tensor, K: int) -> Tensor:
    return torch.special.entr(_shares(codes, K)).sum().exp()


def _perplexity_cases(rng: np.random.Generator) -> list[tuple[Tensor, int]]:
    cases = []
    for n, T, K in ((40, 4, 8), (25, 9, 6), (60, 2, 12)):
        shares = rng.dirichlet(np.full(K, 0.7), size=T)
        shares[:, 1] = 0  # an entry that nobody uses
        shares /= shares.sum(1, keepdims=True)
        cases.append((torch.tensor(np.stack([rng.choice(K, n, p=p) for p in shares], axis=1)), K))
    return cases


PERPLEXITY = Exercise(
    reference=_perplexity,
    cases=_perplexity_cases,
    mistakes=(
        Mistake(lambda codes, K: torch.special.entr(_shares(codes, K)).sum(),
                ("that is the entropy, in nats. The perplexity is its exponential.",)),
        Mistake(lambda codes, K: (torch.special.entr(_shares(codes, K)).sum() / math.log(2)).exp(),
                ("the base does not fit: an entropy in bits belongs under 2, one in nats under e.",)),
        Mistake(lambda codes, K: 2 ** torch.special.entr(_shares(codes, K)).sum(),
                ("2 to the power of *nats*: take e, or bits.",)),
        Mistake(lambda codes, K: torch.stack([_perplexity(codes[:, t], K) for t in range(codes.shape[1])]).mean(),
                ("a mean over places of their perplexities. The question is how many entries are in use at all: put "
                 "all codes together first.",)),
        Mistake(lambda codes, K: torch.stack([_perplexity(c, K) for c in codes]).mean(),
                ("a mean over images of their perplexities, each of few codes. Put all codes together first.",)),
        Mistake(lambda codes, K: torch.stack([torch.special.entr(_shares(codes[:, t], K)).sum()
                                              for t in range(codes.shape[1])]).mean().exp(),
                ("a mean over places of their entropies. Put all codes together first.",)),
        Mistake(lambda codes, K: (-(_shares(codes, K) * _shares(codes, K).log()).sum()).exp(),
                ("0 · log 0 is NaN here: an entry that nobody uses must add 0. `torch.special.entr` does so.",)),
        Mistake(lambda codes, K: (_shares(codes, K) > 0).sum().double(),
                ("that is how many entries are used at all, be it once. The perplexity asks how evenly, too.",)),
        Mistake(lambda codes, K: (-torch.special.entr(_shares(codes, K)).sum()).exp(),
                ("the sign: an entropy is positive, so a perplexity is at least 1.",)),
        Mistake(lambda codes, K: torch.special.entr(_shares(codes, K)).mean().exp(),
                ("a mean over the entries: the entropy is their *sum* of −p log p.",)),
        Mistake(lambda codes, K: torch.special.entr(_shares(codes, K) * codes.shape[1]).sum().exp(),
                ("the shares do not add up to 1: there are n · T codes, not n.",)),
    ),
    hints=("the shares of the K entries among all n · T codes: `torch.bincount(codes.flatten(), minlength=K)`, divided "
           "by its sum; then e to their entropy.",
           "`torch.special.entr(p)` is −p log p, and 0 where p is 0."),
)


def _rate(prior_logits: Tensor, codes: Tensor, dim: int = 2) -> Tensor:
    """−log p of each symbol, `[n, T]`."""
    return -prior_logits.log_softmax(dim).gather(2, codes[:, :, None])[:, :, 0]


def _distortion(logits: Tensor, x: Tensor) -> Tensor:
    """−log p of each pixel, `[n, D]`."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none")


def _two_part(prior_logits: Tensor, codes: Tensor, logits: Tensor, x: Tensor) -> Tensor:
    return _rate(prior_logits, codes).sum(1) + _distortion(logits, x).sum(1)


def _two_part_cases(rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    return [(torch.tensor(rng.normal(size=(n, T, K))), torch.tensor(rng.integers(K, size=(n, T))),
             torch.tensor(2 * rng.normal(size=(n, D))), torch.tensor(rng.integers(2, size=(n, D)).astype(float)))
            for n, T, K, D in ((5, 4, 6, 9), (3, 2, 3, 16), (7, 9, 4, 12))]


TWO_PART = Exercise(
    reference=_two_part,
    cases=_two_part_cases,
    mistakes=(
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).mean(1)
                + _distortion(logits, x).sum(1),
                ("the rate is a *sum* over the T places: each symbol must be sent.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits[:, :-1], codes[:, 1:]).sum(1)
                + _distortion(logits, x).sum(1),
                ("you shifted: `prior_logits[:, t]` already belong to the symbol at place t, and the first symbol must "
                 "be paid for, too.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1).mean()
                + _distortion(logits, x).sum(1),
                ("the rate is a mean over the batch here: each image has a rate of its own, keep `[n]`.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).mean()
                + _distortion(logits, x).sum(1),
                ("the rate is a mean over batch and places here, as `cross_entropy` gives it: keep `[n, T]` by "
                 "`reduction=\"none\"`, and sum over T.",)),
        Mistake(lambda prior_logits, codes, logits, x: _two_part(prior_logits, codes, logits, x).mean(),
                ("a mean over the batch: each image has a length of its own, `[n]`.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1)
                + _distortion(logits, x).mean(1),
                ("the distortion is a *sum* over the pixels; a mean makes the rate look D times dearer beside it.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).mean(1)
                + _distortion(logits, x).mean(1),
                ("two means: sum over the T places, and over the D pixels.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes)[:, 0]
                + _distortion(logits, x).sum(1),
                ("only the first symbol is paid for: sum over all T places.",)),
        Mistake(lambda prior_logits, codes, logits, x: _two_part(prior_logits, codes, logits, x) / math.log(2),
                ("these are bits. Nats are asked for: the natural logarithm.",)),
        Mistake(lambda prior_logits, codes, logits, x: -_two_part(prior_logits, codes, logits, x),
                ("the sign: a length is −log p, and positive.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1),
                ("that is the rate alone: the receiver knows the code, but not yet the pixels.",)),
        Mistake(lambda prior_logits, codes, logits, x: _distortion(logits, x).sum(1),
                ("that is the distortion alone: the code must be sent, too.",)),
        Mistake(lambda prior_logits, codes, logits, x: codes.shape[1] * math.log(prior_logits.shape[2])
                + _distortion(logits, x).sum(1),
                ("T log K is the rate if all codes were equally likely. Use the prior's logits.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes, 1).sum(1)
                + _distortion(logits, x).sum(1),
                ("the softmax runs over places. At each place the K symbols share the probability: the last "
                 "dimension.",)),
        Mistake(lambda prior_logits, codes, logits, x: -prior_logits.gather(2, codes[:, :, None])[:, :, 0].sum(1)
                + _distortion(logits, x).sum(1),
                ("logits are no log probabilities: `log_softmax` over the last dimension first.",)),
        Mistake(lambda prior_logits, codes, logits, x: -prior_logits.gather(2, codes[:, :, None])[:, :, 0].log().sum(1)
                + _distortion(logits, x).sum(1),
                ("the prior's logits are taken for probabilities: `log_softmax` over the last dimension makes log "
                 "probabilities of them.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits.softmax(2), codes).sum(1)
                + _distortion(logits, x).sum(1),
                ("two softmaxes: `log_softmax` and `cross_entropy` take the prior's logits as they are.",)),
        Mistake(lambda prior_logits, codes, logits, x: -prior_logits.softmax(2).gather(2, codes[:, :, None])[:, :, 0]
                .sum(1) + _distortion(logits, x).sum(1),
                ("the logarithm of the prior's probabilities is missing.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1)
                - (x * logits.log() + (1 - x) * (1 - logits).log()).sum(1),
                ("the decoder's logits are taken for probabilities: `sigmoid` makes these, or use "
                 "`binary_cross_entropy_with_logits`.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1)
                + _distortion(logits.sigmoid(), x).sum(1),
                ("two sigmoids: `binary_cross_entropy_with_logits` takes the decoder's logits as they are.",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1)
                - (x * F.logsigmoid(logits)).sum(1),
                ("only ink is paid for: a pixel of paper costs −log(1 − p).",)),
        Mistake(lambda prior_logits, codes, logits, x: _rate(prior_logits, codes).sum(1)
                + (logits.sigmoid() - x).square().sum(1),
                ("a squared error is no −log p(x | z) of pixels of 0 and 1: use the Bernoulli likelihood.",)),
    ),
    hints=("rate: −log p of the symbol at each place, a sum over T; distortion: −log p of each pixel, a sum over D.",
           "`prior_logits.log_softmax(2).gather(2, codes[:, :, None])`, and `F.binary_cross_entropy_with_logits("
           "logits, x, reduction=\"none\")`."),
)

EXERCISES = {"11e.quantize": QUANTIZE, "11e.losses": LOSSES, "11e.perplexity": PERPLEXITY,
             "11e.two_part": TWO_PART}
