"""Where a browser is demanded, its absence is a failure; elsewhere it is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("required", "tests", "code", "words"), [
    ("1", "tests/browser/test_live.py", 4, "no Chromium is found"),
    pytest.param("1", "-m elsewhere tests/browser/test_elsewhere.py", 4, "no Firefox and no Chromium is found",
                 marks=pytest.mark.thorough),
    ("", "tests/browser", 0, "no Chromium found: browser tests are left out"),
    pytest.param("", "-m elsewhere tests/browser/test_elsewhere.py", 0, "no Firefox found: browser tests are left out",
                 marks=pytest.mark.thorough)])
def test_without_a_browser(required, tests, code, words):
    env = os.environ | {"PATH": "", "COURSE_REQUIRE_BROWSER": required}
    done = subprocess.run([sys.executable, "-m", "pytest", *tests.split(), "-p", "no:cacheprovider"], cwd=COURSE,
                          env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == code and words in done.stdout + done.stderr
