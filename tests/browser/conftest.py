"""Browser tests need a Chromium; CI demands one, elsewhere its absence skips them and says so."""

import os

import pytest
from jupyter import CHROMIUM


def pytest_collection_modifyitems(items):
    if CHROMIUM is not None:
        return
    if os.environ.get("COURSE_REQUIRE_BROWSER") == "1":
        raise pytest.UsageError("COURSE_REQUIRE_BROWSER=1, and no Chromium is found")
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason="no Chromium found: browser tests are left out"))
