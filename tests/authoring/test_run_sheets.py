"""What a teacher has on the desk: minutes, where to stop, what is asked and what is foreseen."""

import re
from pathlib import Path

import jupytext
import pytest
from asking_source import record, write_asking
from tiny_source import edit

from course_lib.authoring.reading import EXERCISE, SectionTime, reading_time, section_times
from course_lib.authoring.run_sheets import LESSONS, UnknownLabel, lessons, notes, run_sheet, write_run_sheets
from course_lib.authoring.text import Section, read_cells, sections, sources
from course_lib.teach.exercises import exercises

COURSE = Path(__file__).resolve().parents[2]
SOURCES = sources(COURSE / "notebooks")
NOTES = '''# Only for the teacher.
#
# - **Prepare.** Chalk,
#   white.
# - **First: a guess.** On the board: two
#   axes.
# - **07.which.** “c # d”.
'''


@pytest.fixture
def source(tmp_path, monkeypatch):
    path = write_asking(tmp_path)
    edit(path, "# Only for the teacher.\n", NOTES)
    monkeypatch.setattr("course_lib.authoring.run_sheets.exercises",
                        lambda number: {"07.double": exercises("00")["00.kl"]})
    return path


def test_a_sheet_holds_the_notes_the_answers_the_formulas_the_knobs_and_the_mistakes(source):
    sheet = run_sheet(source, record(source, ("a: b", 3.0)))
    head, first, then = re.split(r"^## (?=First|Then)", sheet, flags=re.M)
    assert head.startswith("# Run-sheet 07 · Title\n") and "\n\n**Prepare.** Chalk, white.\n\n" in head
    assert "Only for the teacher.\n" in head and "| First: a guess | 2 |" in head
    assert first.startswith("First: a guess (2 min)\n\n**On the board:** two axes.\n\n**Prediction** `07.which`")
    assert "answered in *Then*: Which {one} = ~it?\n\n- a: b ← measured\n- c # d\n\n" in first
    assert "Expect: “c # d”." in first and "- a number from 0 to 10\n\nMeasured: **3**" in first
    assert "**On the board:**\n\n$$x = y$$\n\n**Answer** to `07.which`: **a: b** (2)" in then
    assert "**Sliders** for `n`. To do and to look for:\n\n- Turn it.\n- Look.\n" in then
    mistakes = exercises("00")["00.kl"]
    assert f"- {mistakes.mistakes[0].hints[0]}\n" in then and f"- also: {mistakes.names()[5]}; " in then


def test_a_note_for_nothing_that_is_there_is_an_error(source):
    kept = record(source, ("a: b", 3.0))
    edit(source, "**First: a guess.**", "**First: no guess.**")
    with pytest.raises(UnknownLabel, match=r"07_double.py: a note for the teacher is for 'First: no guess'"):
        run_sheet(source, kept)


def test_notes_are_items_and_the_rest_is_general():
    text = '# %% [markdown] tags=["teacher"]\n# One\n# two.\n#\n# - **Which?** Of\n#   them.\n# - **B.** C.\n'
    cells = jupytext.reads(text, fmt="py:percent").cells
    assert notes(cells).general == "One two." and notes(cells).of == {"Which?": "Of them.", "B": "C."}


def of(minutes):
    return SectionTime(Section(str(minutes), False, ()), 60.0 * minutes, 0.0, 0)


@pytest.mark.parametrize(("times", "ends"), [
    ((20, 20, 5, 1), [[20, 20, 5], [1]]), ((50, 10), [[50], [10]]), ((10, 50, 10), [[10], [50], [10]]), ((), [])])
def test_a_lesson_ends_with_the_last_section_that_fits(times, ends):
    assert [[time.minutes for time in lesson] for lesson in lessons([of(m) for m in times], 45)] == ends


def test_sections_are_cut_at_headings_and_further_at_its_parts():
    text = "# Title\n#\n# ## A\n# a\n# ### B\n# ## Going further\n# c\n# ### D\n# d\n"
    found = sections(jupytext.reads(f"# %% [markdown]\n{text}\n# %%\nx = 1\n\n# %% [markdown]\n# ## E\n",
                                    fmt="py:percent").cells)
    assert [(s.heading, s.further, len(s.cells)) for s in found] == [
        ("", False, 1), ("A", False, 1), ("Going further", True, 1), ("D", True, 2), ("E", False, 1)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_each_notebooks_sheet_can_be_made_and_its_minutes_are_the_headers(source):
    sheet, time = run_sheet(source), reading_time(read_cells(source))
    times = section_times(read_cells(source))
    rows = re.findall(r"^\| .+ \| (\d+) \| (\d*) \| .+ \|$", sheet, re.M)
    assert len(rows) == len(times) and int(rows[-1][1]) == time.with_exercises
    for length in LESSONS:
        told = re.search(rf"\*\*Lessons of {length} minutes:\*\* (.+)", sheet)[1]
        assert "What to keep" in told or f"all of it ({time.with_exercises} min)" in told
    for name in exercises(source.stem.split("_")[0]):
        assert f"**Exercise** `{name}`. " in sheet
    assert sum(t.exercises for t in times) * EXERCISE / 60 <= time.with_exercises


def test_all_sheets_are_written_with_an_index_or_none(tmp_path):
    written = write_run_sheets(tmp_path / "a" / "sheets", COURSE / "notebooks")
    assert len(written) == len(SOURCES) + 1
    for sheet in written:  # each link leads to another sheet
        targets = re.findall(r"\]\((\w+\.\w+)\)", sheet.read_text(encoding="utf-8"))
        assert all((sheet.parent / target).exists() for target in targets), sheet
    index = (tmp_path / "a" / "sheets" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\w+)\.md\)", index) == [source.stem for source in SOURCES]
