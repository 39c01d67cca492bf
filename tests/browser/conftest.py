"""Browser tests need a Chromium; CI demands one, elsewhere its absence skips them and says so."""

import os

import pytest
from jupyter import CHROMIUM


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium found: browser tests are left out"))


@pytest.fixture(autouse=True, scope="session")
def required():
    assert CHROMIUM or os.environ.get("COURSE_REQUIRE_BROWSER") != "1", "CI needs a Chromium, and none is found"
