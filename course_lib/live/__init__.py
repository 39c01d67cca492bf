"""Pictures that answer: sliders that recompute at once."""

from course_lib.live.explore import explore

__all__ = ["explore"]
