"""How a notebook is being run, as environment variables say it."""

import math
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


def max_rate() -> float:
    """The most updates a second that a live lab may do (`COURSE_MAX_RATE`, set where many share a machine).

    Returns:
        updates per second; `math.inf` without that variable.

    Raises:
        ValueError: it is set, and to no number above 0.
    """
    told = os.environ.get("COURSE_MAX_RATE", "").strip()
    try:
        rate = float(told or "inf")
    except ValueError:
        rate = math.nan
    if not rate > 0 or (told and math.isinf(rate)):
        raise ValueError(f"COURSE_MAX_RATE must be a number of updates a second above 0, such as 30, not {told!r}: set "
                         "it to one, or unset it for labs without a limit, and start the kernel again. On a server, "
                         "tell whoever runs it")
    return rate
