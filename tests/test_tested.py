"""docs/tested.md: two tables, one for what ran and one for what did not, and nothing in both."""

import datetime
import importlib.util
import re
from pathlib import Path

import pytest
import versions

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


NOT_RUN = "not run"
RUN, BELIEVED = rows("Was run"), rows("Is only believed")
TRIED = {python: dict(zip(versions.VERSIONS, cells, strict=True))
         for python, *cells in rows("Versions of Python and of the packages")}


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
    pinned = re.findall(r"Python (3\.\d+)", PAGE.split("## Was run")[0])  # what runs at each change
    for minor in versions.promised():
        ran = minor in pinned or any(cell != NOT_RUN for cell in TRIED[minor].values())
        assert ran != (minor in believed), f"Python {minor}"


def test_each_promised_python_has_its_row_with_the_day_or_not_run():
    assert [*TRIED] == versions.promised()
    for cell in (cell for cells in TRIED.values() for cell in cells.values() if cell != NOT_RUN):
        assert datetime.date.fromisoformat(cell.removeprefix("passed, ")) <= datetime.date.today()


def test_the_lowest_versions_that_ran_are_those_that_are_allowed():
    """Who changes a bound runs `make test-versions ARGS=lowest` again, then writes the new ones and the day."""
    bounds = versions.lowest(versions.project()["dependencies"])
    said = re.search(r"allows at least:\s(.+?)\.\s\*Newest\*", PAGE, re.S)[1]
    assert " ".join(said.split()) == ", ".join(f"{name} {version}" for name, version in bounds.items())
