"""How a notebook is being run. Both variables are set for nbval, and for nothing else."""

import os


def headless() -> bool:
    """Nobody is there to move a slider (`COURSE_HEADLESS=1`): pictures are static and training is bounded."""
    return os.environ.get("COURSE_HEADLESS") == "1"


def strict() -> bool:
    """A claim that does not hold raises (`COURSE_STRICT=1`) instead of saying so in the page."""
    return os.environ.get("COURSE_STRICT") == "1"
