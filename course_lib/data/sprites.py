"""Pixel creatures: small pictures in 16 colours whose exact log probability is known.

A creature is put together from parts: one of 12 colour schemes, one of 4 species, and for each of four blocks of rows
(top, face, body, legs) one of several drawings, which some species like better than others. A drawing gives each pixel
a role (outline, fur, eye …), a scheme gives each role a colour. Then comes noise: a role takes its second colour now
and then, and 2% of all pixels take any of the 16 colours. Only the left half, 12 x 6, is drawn; the right half mirrors
it, noise and all. So the 72 pixels of the left half are the data, and the whole picture says nothing more.

Given scheme and species the blocks are independent of each other, and the pixels given the drawings. So p(x) is a sum
over few terms, and the entropy, which no model's −log p(x) can be below on average, is known as exactly as one likes.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

HALF = (12, 6)  # height and width of the left half
PALETTE = torch.tensor([  # red, green, blue of each colour, 0 to 255
    (24, 20, 37), (58, 47, 92), (38, 92, 129), (62, 137, 72), (116, 63, 57), (109, 117, 141), (192, 203, 220),
    (255, 252, 240), (214, 62, 74), (247, 150, 62), (254, 216, 97), (124, 207, 90), (78, 176, 230), (150, 110, 196),
    (246, 142, 176), (240, 200, 160)])
N_COLOURS = len(PALETTE)
_INK, _NIGHT, _SEA, _FOREST, _BROWN, _STEEL, _SILVER, _WHITE, _RED, _ORANGE, _YELLOW, _LIME, _SKY, _VIOLET, _PINK, \
    _SAND = range(N_COLOURS)

SCHEMES = torch.tensor([  # colours of: background, outline, fur, second fur, ornament, belly
    (_SAND, _BROWN, _ORANGE, _BROWN, _RED, _WHITE),        # fox
    (_NIGHT, _INK, _LIME, _FOREST, _YELLOW, _SAND),        # frog at night
    (_SKY, _NIGHT, _WHITE, _SILVER, _PINK, _SAND),         # lamb in the sky
    (_WHITE, _INK, _RED, _BROWN, _YELLOW, _SAND),          # devil on paper
    (_FOREST, _INK, _YELLOW, _ORANGE, _RED, _WHITE),       # canary in the wood
    (_SILVER, _NIGHT, _VIOLET, _NIGHT, _LIME, _PINK),      # violet on silver
    (_SEA, _INK, _PINK, _VIOLET, _WHITE, _SAND),           # octopus in the sea
    (_YELLOW, _NIGHT, _SKY, _SEA, _RED, _WHITE),           # blue in the sun
    (_INK, _STEEL, _SILVER, _STEEL, _SKY, _WHITE),         # silver in space
    (_PINK, _NIGHT, _SAND, _BROWN, _SEA, _WHITE),          # puppy on pink
    (_LIME, _INK, _BROWN, _INK, _ORANGE, _SAND),           # bear in the meadow
    (_VIOLET, _INK, _SKY, _SEA, _YELLOW, _WHITE),          # ice at dusk
])
ROLES = ".#msabwpn"  # background, outline, fur, second fur, ornament, belly, white of the eye, black, pink
_OWN = {"w": _WHITE, "p": _INK, "n": _PINK}  # these keep their colour in every scheme
_SECOND = {"m": ("s", 0.08), "s": ("m", 0.15), "b": ("m", 0.06), "a": ("b", 0.04)}  # a role's second colour, how often
NOISE = 0.02  # part of the pixels that take any of the 16 colours

SPECIES = ("animal", "robot", "ghost", "bird")
BLOCKS = {  # drawings of each block, left halves from top to bottom; the number of rows is that of the block
    "top": (
        "...... ...... ..####", ".##... .#a#.. .#mm##", "..##.. .#a#.. .#am##", ".....a .....# ..####",
        ".w.... .ww... .#w###", "..a..a ..aa.a ..aaaa", ".....a ...#aa ..##aa", ".a.... ..#... ..####"),
    "face": (
        ".#mmmm .#wwmm .#wpmm .#mmmn", ".#mmmm .#mpmm .#nmmp ..#mmm", ".#mmww .#mwwp .#mwwp .#mmww",
        ".##### #aaaaa #apaaa .#mmss", ".#mmmm .#mmmm .#mppm ..#mmn", ".#mmmm .#wpmm .#mmaa ..#mma"),
    "body": (
        "..#### .#mmbb .#mmbb", "..#### #mm#bb ##.#bb", "..#### #a#mam #.#mmm", "#.#### aa#mbb .a#mbb",
        "..#### .#ssss .#mmmm", "..#mmm .#mmmm #mmmmm"),
    "legs": (
        "..#m## ..##..", ".#m#m# .#.#.#", ".##### .#s##s", "#m#mm# .#.##.", "...#m# ..aaa.", ".#aa## .####."),
}
FAVOURITES = {  # each species' relative liking for each drawing
    "animal": ((2, 9, 9, 0.2, 2, 1, 1, 0.2), (6, 6, 0.5, 0.1, 5, 0.5), (8, 4, 0.2, 0.5, 5, 0.5),
               (6, 0.2, 0.2, 0.2, 3, 8)),
    "robot": ((2, 0.2, 0.2, 9, 0.5, 0.5, 0.5, 8), (1, 0.5, 3, 9, 0.5, 0.2), (0.5, 4, 9, 0.5, 0.5, 0.2),
              (2, 0.5, 9, 0.2, 6, 0.5)),
    "ghost": ((9, 0.5, 0.5, 0.5, 4, 2, 0.5, 2), (5, 2, 8, 0.2, 4, 0.2), (1, 0.5, 0.2, 0.5, 1, 9),
              (0.2, 7, 0.2, 9, 0.2, 0.2)),
    "bird": ((2, 0.2, 0.2, 0.5, 0.5, 4, 9, 2), (2, 1, 0.5, 0.2, 1, 9), (2, 0.2, 0.2, 9, 2, 0.5),
             (1, 0.2, 0.2, 0.2, 9, 2)),
}


class Entropy(NamedTuple):
    """An entropy in nats by Monte Carlo, and its standard error."""

    value: float
    standard_error: float


class _Tables(NamedTuple):
    """The construction in numbers. float64 but `roles`."""

    colours: Tensor  # p(colour | scheme, role), [schemes, roles, colours]
    roles: list[Tensor]  # of each block: the role of each pixel, int64 [drawings, pixels of the block]
    drawings: list[Tensor]  # of each block: p(drawing | species), [species, drawings]


@functools.cache
def _tables() -> _Tables:
    colours = torch.zeros(len(SCHEMES), len(ROLES), N_COLOURS, dtype=torch.float64)
    first = {role: k for k, role in enumerate(ROLES)}

    def colour(scheme: int, role: str) -> int:
        return _OWN[role] if role in _OWN else int(SCHEMES[scheme, first[role]])

    for scheme in range(len(SCHEMES)):
        for role in ROLES:
            second, often = _SECOND.get(role, (role, 0.0))
            colours[scheme, first[role], colour(scheme, role)] += 1 - often
            colours[scheme, first[role], colour(scheme, second)] += often
    roles = [torch.tensor([[first[role] for role in drawing.replace(" ", "")] for drawing in block])
             for block in BLOCKS.values()]
    liking = [torch.tensor(block, dtype=torch.float64) for block in zip(*FAVOURITES.values(), strict=True)]
    return _Tables((1 - NOISE) * colours + NOISE / N_COLOURS, roles, [w / w.sum(1, keepdim=True) for w in liking])


@dataclass(frozen=True)
class Sprites:
    """The distribution of the creatures' left halves, int64 `[n, 12, 6]` of colours 0 … 15. Schemes and species are
    equally frequent."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """`n` left halves, int64 `[n, 12, 6]`."""
        return self.paint(self.sample_parts(n, generator), generator)

    def sample_parts(self, n: int, generator: torch.Generator) -> Tensor:
        """What `n` creatures are made of, int64 `[n, 6]`: scheme, species, drawings of top, face, body and legs."""
        scheme = torch.randint(len(SCHEMES), (n,), generator=generator)
        species = torch.randint(len(SPECIES), (n,), generator=generator)
        drawings = [torch.multinomial(p[species], 1, generator=generator)[:, 0] for p in _tables().drawings]
        return torch.stack([scheme, species, *drawings], dim=1)

    def paint(self, parts: Tensor, generator: torch.Generator) -> Tensor:
        """Left halves `[n, 12, 6]` of creatures made of these parts `[n, 6]`, with fresh noise."""
        tables = _tables()
        roles = torch.cat([block[parts[:, 2 + b]] for b, block in enumerate(tables.roles)], dim=1)  # [n, 72]
        u = torch.rand(roles.shape, generator=generator, dtype=torch.float64)
        below = tables.colours.cumsum(-1)[..., :-1]
        at_a_time = zip(parts.split(500), roles.split(500), u.split(500), strict=True)  # [500, 72, 15], to save memory
        return torch.cat([(u_of[..., None] > below[parts_of[:, :1], roles_of]).sum(2)
                          for parts_of, roles_of, u_of in at_a_time]).view(-1, *HALF)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats, float64 `[n]`, of left halves int64 `[n, 12, 6]`: all parts summed out.

        Raises:
            ValueError: images of another shape, or colours that are not whole numbers from 0 to 15.
        """
        _check(x, N_COLOURS - 1)
        return self._log_given_blocks(x)[0].flatten(1).logsumexp(1) - math.log(len(SCHEMES) * len(SPECIES))

    def log_prob_seen(self, z: Tensor) -> Tensor:
        """Exact log p of the pixels that are seen in nats, float64 `[n]`; z as in `conditionals`, errors as there."""
        _check(z, N_COLOURS)
        return self._log_given_blocks(z)[0].flatten(1).logsumexp(1) - math.log(len(SCHEMES) * len(SPECIES))

    def conditionals(self, z: Tensor) -> Tensor:
        """p(x_j = colour | all pixels that are seen) in closed form: all parts summed out, however many are seen.

        Args:
            z: left halves int64 `[n, 12, 6]` of colours 0 … 15, and 16 where a pixel is hidden.

        Returns:
            float64 `[n, 16, 12, 6]`; of a seen pixel, 1 for its colour.

        Raises:
            ValueError: images of another shape, or other numbers.
        """
        _check(z, N_COLOURS)
        tables, (log_given, of_blocks) = _tables(), self._log_given_blocks(z)
        p = []
        for roles, p_drawing, given in zip(tables.roles, tables.drawings, of_blocks, strict=True):
            by_drawing = given[:, :, None] + p_drawing.log()  # [n, schemes, species, drawings]
            log_joint = by_drawing - by_drawing.logsumexp(3, keepdim=True) + log_given[..., None]
            joint = log_joint.flatten(1).softmax(1).view_as(log_joint).sum(2)  # p(scheme, drawing | seen)
            table = tables.colours[:, roles].flatten(0, 1).flatten(1)  # [schemes · drawings, pixels · 16]
            p.append((joint.flatten(1) @ table).view(len(z), -1, N_COLOURS))
        seen = z.flatten(1)[..., None] == torch.arange(N_COLOURS)
        hidden = (z == N_COLOURS).flatten(1)[..., None]
        return torch.where(hidden, torch.cat(p, dim=1), seen.double()).mT.reshape(len(z), N_COLOURS, *HALF)

    def _log_given_blocks(self, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        """log p(seen pixels | scheme, species), `[n, schemes, species]`, and of each block log p(its seen pixels |
        scheme, drawing), `[n, schemes, drawings]`; float64."""
        tables, start, of_blocks = _tables(), 0, []
        z = z.flatten(1).long()
        log_p = torch.zeros(len(z), len(SCHEMES), len(SPECIES), dtype=torch.float64)
        for roles, p_drawing in zip(tables.roles, tables.drawings, strict=True):
            pixels = z[:, start:start + roles.shape[1]]
            start += roles.shape[1]
            # of each scheme and drawing, the log probability of each colour at each pixel, as one matrix
            log_table = tables.colours[:, roles].log().flatten(2).flatten(0, 1)  # [schemes · drawings, pixels · 16]
            one_hot = torch.nn.functional.one_hot(pixels, N_COLOURS + 1)[..., :-1].flatten(1).to(log_table)
            given = (one_hot @ log_table.T).view(len(z), len(SCHEMES), -1)
            of_blocks.append(given)
            log_p = log_p + (given[:, :, None] + p_drawing.log()).logsumexp(3)  # [n, schemes, species]
        return log_p, of_blocks

    def entropy(self, n: int, generator: torch.Generator) -> Entropy:
        """The entropy of a left half in nats: the mean of −log p(x) over `n` draws."""
        nll = torch.cat([-self.log_prob(part) for part in self.sample(n, generator).split(2000)])
        return Entropy(nll.mean().item(), nll.std().item() / math.sqrt(n))

    def pixel_probabilities(self) -> Tensor:
        """p(x_j = colour) of each pixel by itself, exact, float64 `[12, 6, 16]`."""
        tables = _tables()
        blocks = [torch.einsum("d,sdpc->pc", p_drawing.mean(0), tables.colours[:, roles]) / len(SCHEMES)
                  for roles, p_drawing in zip(tables.roles, tables.drawings, strict=True)]
        return torch.cat(blocks).view(*HALF, N_COLOURS)

    def independent_entropy(self) -> float:
        """The −log p(x) in nats of the best model that takes the pixels for independent: the sum of their entropies."""
        return torch.special.entr(self.pixel_probabilities()).sum().item()


def whole(x: Tensor) -> Tensor:
    """Whole pictures `[n, 12, 12]` of left halves `[n, 12, 6]`: the right half is the mirror image."""
    return torch.cat([x, x.flip(-1)], dim=-1)


def to_rgb(x: Tensor) -> Tensor:
    """Colours 0 … 15 `[…]` as red, green and blue from 0 to 1, float32 `[…, 3]`."""
    return PALETTE[x.long()].to(torch.float32) / 255


def jittered_rgb(x: Tensor, generator: torch.Generator, std: float = 0.03) -> Tensor:
    """As `to_rgb`, `[…]` → `[…, 3]`, but no two pixels have quite the same colour: plus N(0, std²), within 0 and 1.

    Made for the lesson on clustering colours; nothing here knows its probability.
    """
    rgb = to_rgb(x)
    return (rgb + std * torch.randn(rgb.shape, generator=generator)).clamp_(0, 1)


def _check(x: Tensor, highest: int) -> None:
    if x.ndim != 3 or tuple(x.shape[1:]) != HALF:
        mirrored = ": take the left half, x[:, :, :6]" if tuple(x.shape[1:]) == (12, 12) else ""
        raise ValueError(f"sprites must have shape [n, 12, 6], not {list(x.shape)}{mirrored}")
    if x.is_floating_point() or x.dtype == torch.bool:
        raise ValueError(f"sprites are made of colour numbers, not of {x.dtype}")
    if x.numel() and not (x.min() >= 0 and x.max() <= highest):
        raise ValueError(f"colours must lie in 0 … {highest}, these reach from {x.min()} to {x.max()}")
