"""What a notebook says to its reader: claims that are recomputed, predictions, exercises, library code."""

from course_lib.teach.claims import ClaimFailed, claim
from course_lib.teach.exercises import check
from course_lib.teach.predict import predict, reveal
from course_lib.teach.source import show_source
from course_lib.teach.version import tell_other_versions

tell_other_versions()

__all__ = ["ClaimFailed", "check", "claim", "predict", "reveal", "show_source"]
