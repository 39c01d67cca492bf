"""docs/tested.md: two tables, one for what ran and one for what did not, and nothing in both."""

import datetime
import importlib.util
import re
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("check_python", COURSE / "check_python.py")
CHECK = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(CHECK)
PROMISE = CHECK.PROMISE
PAGE = (COURSE / "docs/tested.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of each row of the table under a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


RUN, BELIEVED = rows("Was run"), rows("Is only believed")


def test_each_row_has_all_its_cells():
    assert RUN and BELIEVED
    assert all(len(row) == 4 and all(row) for row in RUN) and all(len(row) == 3 and all(row) for row in BELIEVED)


@pytest.mark.parametrize("row", RUN, ids=lambda row: row[0][:30])
def test_a_run_has_its_day(row):
    when = row[2]
    assert when == "at each change" or datetime.date.fromisoformat(when) <= datetime.date.today()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(?:python |sh )?([\w./]+/[\w./-]+)", PAGE))))
def test_a_file_that_is_named_is_there(path):
    assert (COURSE / path).exists()


def test_each_system_and_python_that_is_promised_was_run_or_is_said_not_to_be():
    systems = ["Windows (x64)", "macOS", "Apple silicon", "Linux", "ARM64", "x86-64"]
    assert all(word in PROMISE for word in ("Windows (x64)", "macOS", "Apple silicon", "x86-64", "ARM64"))
    run, believed = (" ".join(row[0] for row in table) for table in (RUN, BELIEVED))
    assert all((name in run) != (name in believed) or name == "Linux" for name in systems)
    pythons = re.search(r"Python 3\.(\d+) to 3\.(\d+)", PROMISE)
    for minor in range(int(pythons[1]), int(pythons[2]) + 1):
        ran, not_ran = f"Python 3.{minor}" in PAGE.split("## Was run")[0], f"3.{minor}" in believed
        assert ran != not_ran, f"Python 3.{minor}"
