"""The family of GANs in one table, from the cards of what is shipped."""

from __future__ import annotations

import math
from collections.abc import Mapping

from course_lib import checkpoints


def family_table(members: Mapping[str, tuple[str, str]]) -> str:
    """A line for each member: Fréchet distance, digits covered, minutes of training, and what it can do.

    Args:
        members: for each name in the table a shipped checkpoint, whose card has frechet and coverage_kl, and what it
            can do, in words.

    'Digits' is 10·exp(−coverage KL): as many equally frequent digits have the entropy of the digits that it draws.
    """
    lines = [f"{'':16}{'Fréchet':>8}{'digits':>8}{'minutes':>9}   what it can do"]
    for name, (checkpoint, use) in members.items():
        _, card = checkpoints.read(checkpoint)
        digits = 10 * math.exp(-card.metrics["coverage_kl"])
        lines.append(f"{name:16}{card.metrics['frechet']:8.1f}{digits:8.2f}{card.minutes:9.1f}   {use}")
    return "\n".join(lines)
