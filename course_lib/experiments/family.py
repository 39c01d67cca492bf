"""The family of GANs in one table: shipped ones from their cards, those on the ring of Gaussians trained anew."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from course_lib import checkpoints
from course_lib.experiments.gan2d import GAN2DHyperparameters, trained_with_decay


@dataclass(frozen=True)
class Member:
    """A line of the table; what was not measured is None.

    Attributes:
        name, can: what it is called, and what it can do.
        seconds: of one thread of a processor, for training.
        frechet: Fréchet distance of 10,000 images, as in `judged.scores`.
        digits: 10·exp(−coverage KL): as many equally frequent digits have the entropy of those that it draws.
        modes, near: of the ring's 8 modes those covered, and the share of points near one.
    """

    name: str
    can: str
    seconds: float
    frechet: float | None = None
    digits: float | None = None
    modes: int | None = None
    near: float | None = None


def shipped(name: str, checkpoint: str, can: str) -> Member:
    """A shipped GAN of images, from its card. Raises CheckpointError where the file is missing or damaged."""
    _, card = checkpoints.read(checkpoint)
    return Member(name, can, 60 * card.minutes, card.metrics["frechet"],
                  10 * math.exp(-card.metrics["coverage_kl"]))


def on_the_ring(name: str, variant: str, can: str, steps: int, seed: int = 0) -> Member:
    """A variant of the GANs in the plane, trained now on the ring of 8, and 5,000 points of its averaged G."""
    start = time.thread_time()
    game = trained_with_decay(GAN2DHyperparameters(variant=variant), seed, steps)
    seconds = time.thread_time() - start
    found = game.modes(game.samples(5000, averaged=True))
    return Member(name, can, seconds, modes=found.covered, near=found.near)


def family_table(members: Sequence[Member]) -> str:
    """One line for each, with a dash for what was not measured."""
    def cell(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    lines = [f"{'':18}{'Fréchet':>8}{'digits':>8}{'modes':>7}{'near':>7}{'seconds':>9}   what it can do"]
    lines += [f"{m.name:18}{cell(m.frechet, '.1f'):>8}{cell(m.digits, '.2f'):>8}{cell(m.modes, 'd'):>7}"
              f"{cell(m.near, '.2f'):>7}{m.seconds:9.0f}   {m.can}" for m in members]
    return "\n".join(lines)
