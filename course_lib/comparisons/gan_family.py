"""The family of GANs in one table: shipped ones from their cards, those on the ring of Gaussians from their record."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.comparisons.ring_seeds import recorded
from course_lib.training import checkpoints


@dataclass(frozen=True)
class Member:
    """A line of the table; what was not measured is None.

    Attributes:
        name, can: what it is called, and what it can do.
        seconds: of one thread of a processor, for training.
        frechet: Fréchet distance of 10,000 images, as in `image_scores.scores`.
        digits: 10·exp(−coverage KL): as many equally frequent digits have the entropy of those that it draws.
        modes, near: of the ring's 8 modes those covered, and the share of points near one, means over games.
    """

    name: str
    can: str
    seconds: float
    frechet: float | None = None
    digits: float | None = None
    modes: float | None = None
    near: float | None = None


def shipped(name: str, checkpoint: str, can: str) -> Member:
    """A shipped GAN of images, from its card. Raises CheckpointError where the file is missing or damaged."""
    _, card = checkpoints.read(checkpoint)
    return Member(name, can, 60 * card.minutes, card.metrics["frechet"],
                  10 * math.exp(-card.metrics["coverage_kl"]))


def on_the_ring(name: str, variant: str, can: str) -> Member:
    """A variant of the GANs in the plane on the ring of 8, from the record of `benchmarks/gan2d_seeds.py`."""
    row = recorded()[variant]
    return Member(name, can, row.seconds, modes=statistics.mean(row.covered), near=statistics.mean(row.near))


def family_table(members: Sequence[Member]) -> str:
    """One line for each, with a dash for what was not measured."""
    def cell(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    lines = [f"{'':18}{'Fréchet':>8}{'digits':>8}{'modes':>7}{'near':>7}{'seconds':>9}   what it can do"]
    lines += [f"{m.name:18}{cell(m.frechet, '.1f'):>8}{cell(m.digits, '.2f'):>8}{cell(m.modes, '.1f'):>7}"
              f"{cell(m.near, '.2f'):>7}{m.seconds:9.0f}   {m.can}" for m in members]
    return "\n".join(lines)
