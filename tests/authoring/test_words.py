"""Words of comparison and of cause want a claim nearby that carries its error, or a reason."""

import jupytext
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_lib.authoring.words import WORDS, complaints, shows_several, words_in

FAR = "# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\nx = 1\n\n"


def cells(text):
    return jupytext.reads(text, fmt="py:percent").cells


def faults(text, several=None):
    return [f"{place} {told}" for place, told in complaints(cells(text), several)]


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_found_also_with_a_capital_and_over_the_end_of_a_line(word):
    (told,) = faults(f"# %% [markdown]\n# It {word.capitalize()} b.")
    assert told.startswith(f"0 {word!r}: no claim about several values or with exact=True within 2 cells")
    assert words_in(word.replace(" ", "\n")) == [word] and not words_in(f"x{word}x")


@pytest.mark.parametrize("text", ["`never`", r"$p_\\text{never}$", "**Read on:**\n#\n# - A. Never, *Always* (2001).",
                                  "[here](https://example.org/never)"])
def test_words_in_code_formulas_references_and_addresses_promise_nothing(text):
    assert not faults(f"# %% [markdown]\n# {text}")


@pytest.mark.parametrize(("claim", "several", "supported"), [
    ('claim("a", x, above=0, exact=True)', {}, True),
    ('with claim_table():\n    claim("a", x, above=0, exact=True)', {}, True),
    ('claim("a", x, above=0, exact=False)', {}, False),
    ('claim("a", x, above=0)', {}, False),
    ('claim("a", x, above=0)', {1}, True),
    ('claim("a", x, above=0)', None, True),  # of a source alone it is not known
    ("x = 1", None, False), ("%matplotlib inline\nclaim('a', True, exact=True)", None, True)])
def test_a_claim_supports_if_it_carries_its_error(claim, several, supported):
    assert (not faults(f"# %% [markdown]\n# It beats b.\n\n# %%\n{claim}", several)) == supported


@pytest.mark.parametrize(("between", "supported"), [(0, True), (1, True), (2, False)])
def test_near_is_two_cells_away_on_either_side(between, supported):
    text, claim = "# %% [markdown]\n# It beats b.\n\n", '# %%\nclaim("a", x, above=0, exact=True)\n\n'
    gap = "# %%\nx = 1\n\n" * between
    assert (not faults(text + gap + claim)) == supported and (not faults(claim + gap + text)) == supported


def test_a_reason_takes_the_place_of_a_claim_and_is_for_its_word_alone():
    text = '# %% [markdown] words="never: a KL is not negative; because: by line 2: the sum"\n# Never, because.'
    assert not faults(text)
    (told,) = faults(text.replace("Never,", "It never beats b,"))
    assert "'beats'" in told


@pytest.mark.parametrize("text", ["It is so.", "`never`"])
def test_a_reason_for_a_word_that_is_not_there_is_told(text):
    (told,) = faults(f'# %% [markdown] words="never: a KL is not negative"\n# {text}')
    assert told.startswith('0 words="never: …" names a word that the cell does not hold')


@pytest.mark.parametrize("reason", ["never", "never:", "never: ; "])
def test_an_empty_reason_is_told(reason):
    (told,) = faults(f'# %% [markdown] words="{reason}"\n# It never is.')
    assert told == '0 words="never: …" gives no reason'


def run(code):
    shell = InteractiveShell.instance()
    with capture_output() as captured:
        shell.run_cell(f"from course_lib.teach import claim, claim_table\n{code}")
    return [nbformat.v4.new_output("display_data", out.data) for out in captured.outputs]


@pytest.mark.parametrize(("code", "several"), [
    ("claim('a', [1.0, 2.0, 1.5], above=0)", True), ("claim('a', [1e9, 2e9, -1e9], above=0)", True),
    ("with claim_table():\n    claim('a', 1.0, above=0)\n    claim('b', [1.0, 2.0], above=0)", True),
    ("claim('a', 1.0, above=0)", False), ("claim('mean of n = 8, standard deviation 1', True)", False), ("1", False)])
def test_what_a_claim_shows_tells_whether_it_is_about_several_values(code, several):
    shown = run(code)
    assert (bool(shown) or code == "1") and shows_several(shown) == several


def test_values_of_any_size_are_recognised():
    for exponent in range(-12, 13):
        values = np.array([1.0, 2.5]) * 10.0**exponent
        assert shows_several(run(f"claim('a', {values.tolist()}, above=0)")), exponent
