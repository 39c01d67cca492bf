"""The course's own commands, as a person would type them."""

import os
import subprocess
from pathlib import Path


def make(course: Path, *arguments: str) -> str:
    """Run make in a course folder; returns what it printed. Raises CalledProcessError with it when it fails."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "MAKE", "MFLAGS"))}
    env["PIP_NO_BUILD_ISOLATION"] = "0"  # pip reads this as 'no isolation': setuptools is there, nothing is fetched
    done = subprocess.run(["make", *arguments], cwd=course, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout
    return done.stdout
