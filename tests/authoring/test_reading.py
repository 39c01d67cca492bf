"""The time that a notebook takes to read, by its parts."""

import jupytext
import pytest
from tiny_source import SOURCE, edit, write

from course_lib.authoring.build import convert
from course_lib.authoring.reading import ReadingTime, reading_time, word_count

WORDS = " ".join(["word"] * 130)


def time(text):
    return reading_time(jupytext.reads(text, fmt="py:percent").cells)


def markdown(text):
    return "# %% [markdown]\n# " + text.replace("\n", "\n# ") + "\n\n"


@pytest.mark.parametrize(("text", "minutes"), [
    (markdown(WORDS), 1), (markdown(f"{WORDS} `code` [word](https://a.b/c-d)"), 2),
    (markdown("$$x$$\n\n$$\ny\n$$"), 3), ("# %%\n" + "x = 1\n" * 20, 2), ("# %%\n" + "x = 1\n\n" * 10, 1),
    ("# %%\n" + 'claim("a", 1, above=0)\n' * 6, 2), ("# %%\n" + 'claim("a", 1, above=0)\n' * 5, 1),
    ('# %%\nwith claim_table():\n    claim("a", 1, above=0)\n    claim("a", 1, above=0)\n' + "x = 1\n" * 6, 2),
    ("# %%\nclaim(\n" + "x = 1\n" * 9, 1),  # does not parse: the lint tells
    (markdown(f"{WORDS}\n\n**Read on:**\n\n- {WORDS}"), 1),
    ('# %% [markdown] tags=["teacher"]\n# ' + WORDS, 0),
    ('# %% tags=["teacher"]\n' + "x = 1\n" * 20, 0)])
def test_each_part_takes_its_time(text, minutes):
    assert time(text) == ReadingTime(minutes, minutes, minutes, 0)


@pytest.mark.parametrize(("text", "worked"), [
    (markdown(" ".join(["$a + b$"] * 10)), 1), (markdown(" ".join(["$a + b$"] * 11)), 2),
    (markdown("$$a$$ $b$"), 2),  # a displayed formula is not one within the text, too
    ('# %%\npredict("07.a", "?", options=["b"])\nshow(x, alt="y")\n', 2), ("# %%\nexplore(draw, n=(1, 2))\n", 3),
    ('# %%\nlab = LiveLab("gan1d")\n', 6), ('# %%\nshow(x, alt="y")\n', 1)])
def test_formulas_figures_and_knobs_are_worked_through(text, worked):
    found = time(text)
    assert found.worked == found.with_exercises == worked and found.core <= 2


def test_an_exercise_takes_its_own_time_and_neither_stub_nor_check_counts_as_code():
    exercise = '# %% tags=["exercise"]\n' + "x = 1\n" * 30 + '\n# %%\ncheck("07.a", a)\n\n'
    assert time(exercise) == ReadingTime(0, 0, 6, 0)
    assert time(exercise * 3 + markdown(WORDS)) == ReadingTime(1, 1, 19, 0)


def test_what_goes_further_ends_at_the_next_heading_and_is_counted_apart():
    further = markdown(f"{WORDS}\n## Going further\n{WORDS}\n### More\n{WORDS}") + "# %%\n" + "x = 1\n" * 10 + "\n"
    assert time(further) == ReadingTime(1, 1, 1, 4)  # three words in the headings
    assert time(further + markdown(f"{WORDS}\n## What to keep\n{WORDS}")) == ReadingTime(3, 3, 3, 5)


def test_the_build_writes_it_into_the_header(tmp_path):
    source = write(tmp_path)
    for teacher in (False, True):
        assert "\n| Time | 1 minutes to read · 1 to work through · with exercises 7 · 3 seconds to run · seed 0 |" in convert(
            source, teacher).cells[0].source
    edit(source, "## What to keep", "## Going further\n# $$x$$\n#\n# ## What to keep")
    assert "with exercises 7 · going further 2 · 3 seconds" in convert(source, teacher=False).cells[0].source
    assert "to read" not in SOURCE


def test_an_address_is_no_words():
    assert word_count("[Doubling](https://example.org/one-two/three_four.html).") == word_count("Doubling.") == 1
