"""The seeds that are committed for evaluation: no setting was chosen on them."""

from __future__ import annotations

from pathlib import Path


def evaluation_seeds(name: str) -> list[int]:
    """The seeds in a file of this folder's parent, such as "evaluation_seeds_gan2d.txt", one a line."""
    lines = (Path(__file__).parents[1] / name).read_text(encoding="utf-8").splitlines()
    return [int(line) for line in lines if not line.startswith("#")]
