"""How a notebook is being run, as environment variables say it."""

import os


def headless() -> bool:
    """Nobody is there to move a slider (`COURSE_HEADLESS=1`, set for nbval): pictures are static, training bounded."""
    return os.environ.get("COURSE_HEADLESS") == "1"


def recording_labs() -> bool:
    """Headless, a lab leaves a player of its session beside its picture (`COURSE_RECORD_LABS=1`, set for the site)."""
    return os.environ.get("COURSE_RECORD_LABS") == "1"


def strict() -> bool:
    """A claim that does not hold raises (`COURSE_STRICT=1`, set for nbval) instead of saying so in the page."""
    return os.environ.get("COURSE_STRICT") == "1"


def partial() -> bool:
    """Under nbgrader an answer that is right for some inputs gets that share of the points (`COURSE_PARTIAL=1`)."""
    return os.environ.get("COURSE_PARTIAL") == "1" and os.environ.get("NBGRADER_EXECUTION") == "autograde"


def grading() -> bool:
    """Marks are given (`COURSE_GRADING=1`, or nbgrader runs the notebook): an exercise that is not passed raises.

    nbgrader sets its own variable to `autograde` when a teacher marks, to `validate` when a student tries that out.
    """
    return os.environ.get("COURSE_GRADING") == "1" or os.environ.get("NBGRADER_EXECUTION") in ("autograde", "validate")
