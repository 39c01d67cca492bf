"""All orders of nine pixels at once: what notebook 11f adds up over every picture, every mask and every order.

A model of black and white pictures is a table here, L[x, S, j] = log p(x_j | x_S): of each of the 512 pictures, for
each of the 512 sets S of pixels that may be seen. `EVERY[i]` is picture number i, and as a bool the set number i.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor

D = 9
EVERY = torch.tensor(list(product((0, 1), repeat=D)))  # pictures [512, 9], and sets
SEEN = EVERY.bool()
_BIT = 2 ** torch.arange(D - 1, -1, -1)  # the number of a picture is EVERY @ _BIT


def table_of(log_probs: Callable[[Tensor], Tensor]) -> Tensor:
    """L `[512, 512, 9]`, float64, 0 where the pixel is seen.

    Args:
        log_probs: log p(x_j = v | z), `[n, 2, 3, 3]`, of masked pictures z `[n, 3, 3]` with 2 where hidden. It is asked
            for each of the 3⁹ masked pictures once.
    """
    masked = torch.tensor(list(product((0, 1, 2), repeat=D)))
    with torch.no_grad():
        told = torch.cat([log_probs(part.view(-1, 3, 3)).double().flatten(2) for part in masked.split(3**7)])
    place = torch.where(SEEN, EVERY[:, None], 2) @ 3 ** torch.arange(D - 1, -1, -1)  # [512 pictures, 512 sets]
    ink = EVERY[:, None].expand(-1, len(SEEN), -1)
    return torch.stack([told[place, ink[..., j], j].masked_fill(SEEN[:, j], 0) for j in range(D)], dim=2)


def log_prob_in_order(L: Tensor, order: Sequence[int]) -> Tensor:
    """Σ_k log p(x_σ(k) | x_σ(1) … x_σ(k−1)) in nats, `[512]`: the chain rule in one order σ of the nine pixels."""
    seen, log_p = 0, torch.zeros(len(L), dtype=torch.float64)
    for j in order:
        log_p = log_p + L[:, seen, j]
        seen += int(_BIT[j])
    return log_p


def log_mixture(L: Tensor) -> Tensor:
    """log of the mean over all 9! orders of p_σ(x), `[512]`: an order is drawn, then the pixels in it.

    From set to set: A(S) = Σ_{j in S} A(S without j) p(x_j | x_S without j) adds up all orders of S.
    """
    log_a = torch.full(L.shape[:2], -torch.inf, dtype=torch.float64)
    log_a[:, 0] = 0
    for S in range(1, len(SEEN)):
        last = SEEN[S].nonzero()[:, 0]
        before = S - _BIT[last]
        log_a[:, S] = (log_a[:, before] + L[:, before, last]).logsumexp(1)
    return log_a[:, -1] - math.lgamma(D + 1)


def drawn_in_steps(L: Tensor, shown: Sequence[int]) -> Tensor:
    """Exact probability of each picture, `[512]`, if so many hidden pixels are shown in each step, any set of that size
    as likely, and each by itself given those that were seen before the step.

    Raises:
        ValueError: the steps do not show nine pixels in all.
    """
    if sum(shown) != D:
        raise ValueError(f"the steps must show {D} pixels in all, not {sum(shown)}")
    p = torch.zeros(L.shape[:2], dtype=torch.float64)  # of x_S and S, at [x, S]
    p[:, 0] = 1
    done = 0
    for count in shown:
        after = torch.zeros_like(p)
        for S in (SEEN.sum(1) == done).nonzero()[:, 0]:
            new = ((SEEN & SEEN[S]).sum(1) == done) & (SEEN.sum(1) == done + count)
            together = L[:, S] @ (SEEN[new] & ~SEEN[S]).T.double()
            after[:, new] += p[:, S, None] * together.exp() / math.comb(D - done, count)
        p, done = after, done + count
    return p[:, -1]


def drawn_by_confidence(L: Tensor, shown: Sequence[int], draw_first: bool) -> Tensor:
    """As `drawn_in_steps`, `[512]`, but in each step those pixels are shown of which the model is most confident.

    Args:
        draw_first: all hidden pixels are drawn, and those kept whose drawn value is most probable (H. Chang et al.,
            MaskGIT, CVPR 2022, without its noise); else they are chosen before anything is drawn, by the probability
            of their likelier value. Among equals the earlier pixel.

    Raises:
        ValueError: the steps do not show nine pixels in all.
    """
    if sum(shown) != D:
        raise ValueError(f"the steps must show {D} pixels in all, not {sum(shown)}")
    p = torch.zeros(L.shape[:2], dtype=torch.float64)
    p[:, 0] = 1
    place = torch.cat([_places(part, draw_first) for part in L.split(64)])
    for count in shown:
        kept = (place < count) & ~SEEN
        if draw_first:  # the other drawn values decide what is kept, and are added up afterwards
            flow, into = p * L.sum(2).exp(), (kept | SEEN).long() @ _BIT
            flow = torch.zeros_like(p).scatter_add_(1, into, flow)
            p = torch.stack([_forget(flow[:, S], SEEN[S]) for S in range(len(SEEN))], dim=1)
        else:
            flow, into = p * (L * kept).sum(2).exp(), (kept | SEEN).long() @ _BIT
            p = torch.zeros_like(p).scatter_add_(1, into, flow)
    return p[:, -1]


def _places(L: Tensor, draw_first: bool) -> Tensor:
    """Each pixel's place, from 0, by confidence, int8 in L's shape `[n, 512, 9]`; seen pixels come last."""
    confidence = L.exp() if draw_first else torch.maximum(L.exp(), -L.expm1())
    confidence = confidence.round(decimals=9).masked_fill(SEEN, -1)  # equals must be equal
    return confidence.argsort(dim=2, descending=True, stable=True).argsort(dim=2).to(torch.int8)


def _forget(flow: Tensor, seen: Tensor) -> Tensor:
    """Numbers of pictures `[512]` added up over the pixels that are not seen, at each picture as before."""
    hidden = (~seen).nonzero()[:, 0].tolist()
    cube = flow.view([2] * D)
    return (cube.sum(hidden, keepdim=True).expand_as(cube) if hidden else cube).flatten()


@torch.no_grad()
def log_probs_in_orders(predict: Callable[[Tensor], Tensor], x: Tensor, n_classes: int, orders: int,
                        generator: torch.Generator) -> Tensor:
    """log p_σ(x) in nats of pictures of any size, float64 `[n, orders]`: each by the chain rule in random orders of its
    own, which takes one answer of the model a symbol and order.

    Args:
        predict: logits of p(x_j = v | z), `[n, N, H, W]`, of masked pictures z `[n, H, W]` with N where hidden.
        x: int64 `[n, H, W]`.
        n_classes: N.
        orders: how many for each picture.
        generator: draws them.
    """
    many = x.repeat_interleave(orders, dim=0)
    place = torch.rand(many.shape, generator=generator).flatten(1).argsort(1).view_as(many)
    log_p = torch.zeros(len(many), dtype=torch.float64)
    for k in range(x[0].numel()):
        for part in torch.arange(len(many)).split(100):
            z = torch.where(place[part] < k, many[part], n_classes)
            of_x = predict(z).log_softmax(1).gather(1, many[part, None])[:, 0]
            log_p[part] += of_x[place[part] == k].double()
    return log_p.view(len(x), orders)
