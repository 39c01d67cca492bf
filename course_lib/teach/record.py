"""With consent, what a class answers is kept: predictions and verdicts, and nothing else of what is written.

Off unless `COURSE_RECORD` names a folder; then each notebook says so when it begins. A kernel appends lines of JSON to
a file of its own there: when, which prediction or exercise, the answer or the verdict and the mistake's name. There is
no code in it, and no name unless `COURSE_RECORD_NAME` gives one.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from IPython.display import display

from course_lib.teach.message import Message

_session = uuid.uuid4().hex[:12]  # of this kernel
_told: list[str] = []


def folder() -> Path | None:
    """Where answers are kept; None if they are not."""
    named = os.environ.get("COURSE_RECORD", "").strip()
    return Path(named).expanduser() if named else None


def tell_recording() -> None:
    """Say that answers are kept, if they are."""
    if where := folder():
        name = os.environ.get("COURSE_RECORD_NAME")
        who = f"under the name {name}" if name else "without your name"
        display(Message("kept for the class", f"your predictions, and whether checks pass, {who}, in {where}. No code "
                        "is kept. Without COURSE_RECORD nothing is."))


def keep(kind: str, key: str, **told: Any) -> None:
    """Append a line, if answers are kept. Whatever goes wrong is said once, and disturbs nothing.

    Args:
        kind: "asked", "predicted", "revealed" or "checked".
        key: of the prediction or exercise, such as "05.best".
        told: what else the line holds.
    """
    where = folder()
    if where is None:
        return
    line = {"time": round(time.time(), 1), "session": _session, "notebook": key.partition(".")[0], "kind": kind,
            "key": key, **told}
    if name := os.environ.get("COURSE_RECORD_NAME"):
        line["name"] = name
    try:
        where.mkdir(parents=True, exist_ok=True)
        path = where / f"{_session}.jsonl"
        is_new = not path.exists()
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if is_new:
            path.chmod(0o644)  # for the teacher, who is another user, also where new files are private
    except (OSError, TypeError, ValueError) as error:
        if not _told:
            _told.append(str(error))
            display(Message("not kept", f"answers cannot be written to {where}: {error}", "bad"))
