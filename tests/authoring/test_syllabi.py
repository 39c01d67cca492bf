"""The syllabi: computed minutes, nothing before what it needs."""

import dataclasses
import math
from pathlib import Path

import pytest

from course_lib.authoring import syllabi
from course_lib.authoring.reading import reading_time
from course_lib.authoring.readme import markers
from course_lib.authoring.syllabi import (
    PAGE,
    SYLLABI,
    Part,
    Syllabus,
    Week,
    chosen,
    exercises_of,
    lacking,
    minutes,
    needed,
    table,
)
from course_lib.authoring.text import notebook_files, read_cells, sources

COURSE = Path(__file__).resolve().parents[2]
FOLDER = COURSE / "notebooks"
each = pytest.mark.parametrize("syllabus", SYLLABI, ids=lambda s: s.name)


@each
def test_nothing_comes_before_what_it_needs(syllabus):
    assert list(lacking(syllabus, FOLDER)) == []


@each
def test_the_page_holds_the_table_as_it_is_generated(syllabus):
    begin, end = markers(syllabus.name)
    page = (COURSE / PAGE).read_text(encoding="utf-8")
    assert f"{begin}\n\n{table(syllabus, FOLDER)}\n\n{end}" in page, "run `make notebooks`"


@each
def test_weeks_are_as_many_as_it_says_none_twice_and_none_too_long(syllabus):
    numbers = [part.notebook for week in syllabus.weeks for part in week.parts]
    assert len(syllabus.weeks) == {"four": 4, "eight": 8, "fourteen": 14}[syllabus.name.split()[0]]
    assert len(set(numbers)) == len(numbers)
    assert all(minutes(week, FOLDER)[1] <= 200 for week in syllabus.weeks)


def test_minutes_of_whole_notebooks_are_those_of_their_headers():
    for source in sources(FOLDER):
        time = reading_time(read_cells(source))
        week = Week((Part(source.stem.split("_")[0]),))
        assert minutes(week, FOLDER) == (time.core, time.with_exercises)


def test_what_is_left_out_or_done_besides_changes_the_minutes():
    source = next(path for path in sources(FOLDER) if path.stem.startswith("04_"))
    whole, less, more = (Part("04"), Part("04", without=("Live",), exercises=()),
                         Part("04", further=("Rate and distortion",)))
    count = len(exercises_of(whole, source))
    live, = (t for t in chosen(whole, source) if t.section.heading == "Live")
    saved = minutes(Week((whole,)), FOLDER)[1] - minutes(Week((less,)), FOLDER)[1]
    assert math.isclose(saved, live.minutes + 6 * count, abs_tol=1) and count == 3
    assert minutes(Week((more,)), FOLDER)[0] > minutes(Week((whole,)), FOLDER)[0]


def test_what_is_needed_is_read_off_the_header():
    found = {source.stem.split("_")[0]: needed(source) for source in sources(FOLDER)}
    assert found["00"] == () and found["04"] == ("02", "03", "03b") and found["10"] == ("02", "04", "05", "07")
    known, files = set(), notebook_files(FOLDER)
    assert all(need in files for needs in found.values() for need in needs)
    for number, needs in found.items():  # the course's own order keeps it, too
        assert set(needs) <= known, number
        known.add(number)


@pytest.mark.parametrize(("weeks", "bridges", "told"), [
    ((("04",), ("02",)), {"03": "x", "03b": "x"}, "week 1: notebook 04 needs 02"),
    ((("05",),), {}, "week 1: notebook 05 needs 01"),
    ((("00",),), {"03": "x"}, "nothing needs the bridge for 03"),
    ((("01", "05"),), {"01": "x"}, "notebook 01 is done, and has a bridge")])
def test_what_is_missing_is_told(weeks, bridges, told):
    made = Syllabus("s", tuple(Week(tuple(map(Part, week))) for week in weeks), bridges)
    assert any(told in line for line in lacking(made, FOLDER))


@pytest.mark.parametrize(("part", "told"), [
    (Part("04", without=("Rate and distortion",)), "no section 'Rate and distortion' there"),
    (Part("04", further=("Live",)), "no section 'Live' there"), (Part("04", exercises=("05.x",)), "no exercise 05.x")])
def test_a_part_of_what_is_not_there_is_an_error(part, told):
    with pytest.raises(ValueError, match=told):
        minutes(Week((part,)), FOLDER)


def test_a_bridge_is_on_the_page():
    syllabus = dataclasses.replace(SYLLABI[0], bridges={"06b": "a word"})
    assert "In place of [06b](../../notebooks/06b_gan_measures.ipynb): a word." in table(syllabus, FOLDER)
    assert syllabi.PAGE.name == "syllabi.md"
