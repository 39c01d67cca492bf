"""What a notebook says to its reader: claims that are recomputed, predictions, exercises, library code.

Every notebook imports it, and so its kernel gives memory back after each cell (`course_lib.memory`).
"""

from course_lib import memory
from course_lib.teach.claims import ClaimFailed, claim, claim_table
from course_lib.teach.exercises import NotPassed, check
from course_lib.teach.predict import predict, reveal
from course_lib.teach.record import tell_recording
from course_lib.teach.source import show_source
from course_lib.teach.version import tell_other_versions

memory.tidy_after_cells()
tell_other_versions()
tell_recording()

__all__ = ["ClaimFailed", "NotPassed", "check", "claim", "claim_table", "predict", "reveal", "show_source"]
