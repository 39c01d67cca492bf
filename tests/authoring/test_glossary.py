"""docs/glossary.md: sorted, each term once, in bold where it is introduced, and used by each notebook that it names."""

from pathlib import Path

import pytest

from course_lib.authoring.glossary import complaints, table
from course_lib.authoring.text import notebook_files, read_cells, sources, students

COURSE = Path(__file__).resolve().parents[2]
PAGE = (COURSE / "docs" / "glossary.md").read_text(encoding="utf-8")
FILES = notebook_files(COURSE / "notebooks")
TEXTS = {number: "\n\n".join(cell.source for cell in students(read_cells(source)) if cell.cell_type == "markdown")
         for number, source in zip(FILES, sources(COURSE / "notebooks"), strict=True)}
ENTROPY = "| entropy | 熵 | What is not known. | [01](../notebooks/01_a.ipynb), [02](../notebooks/02_b.ipynb) |"
LATENT = "| latent variable | 潜变量 | What is not seen. | [02](../notebooks/02_b.ipynb) |"
LITTLE = {"01": "# Entropy\n| entropy | |\nIts **differential entropy** is large; entropies add.",
          "02": "The **latent\nvariable (LV)** has $entropy$, an\nEntropy of `x`."}
NAMES = {"01": "01_a.ipynb", "02": "02_b.ipynb"}


def page(*rows):
    return "\n".join(["# Glossary", "", "| Term | 中文 | Meaning | Notebooks |", "|---|---|---|---|", *rows, ""])


def faults(*rows, **texts):
    return list(complaints(page(*rows), LITTLE | {name[1:]: text for name, text in texts.items()}, NAMES))


def test_the_glossary_is_right():
    assert table(PAGE) and all(row.chinese and row.meaning for row in table(PAGE))
    assert not list(complaints(PAGE, TEXTS, FILES)), "\n" + "\n".join(complaints(PAGE, TEXTS, FILES))


def test_a_good_page_has_no_fault():
    assert faults(ENTROPY, LATENT) == []


@pytest.mark.parametrize(("rows", "told"), [
    ((LATENT, ENTROPY), "entropy stands after latent variable"),
    ((ENTROPY, ENTROPY.replace("entropy", "Entropy")), "Entropy stands twice"),
    ((ENTROPY.replace("02_b", "02_c"),), "entropy: the link to 02 leads to ../notebooks/02_c.ipynb"),
    ((ENTROPY.replace("[02]", "[03]"),), "entropy: the link to 03 leads to ../notebooks/02_b.ipynb"),
    ((LATENT.replace("[02](../notebooks/02_b.ipynb)", "02"),), "latent variable names no notebook"),
    ((LATENT.replace("02", "01").replace("_b", "_a"),), "latent variable: notebook 01 does not use it"),
    ((ENTROPY.replace("entropy", "lv"),), "lv: notebook 01 does not use it")])
def test_each_fault_of_the_page_is_told(rows, told):
    assert faults(*rows) == [told]


@pytest.mark.parametrize("text", ["The entropy is large. Its **entropy** too.", "**a** entropy **b**", "## Entropy",
                                  "| **entropy** |"])
def test_a_term_that_is_not_in_bold_at_first_is_told(text):
    assert faults(ENTROPY, n01=text) == ["entropy: notebook 01 does not set it in bold where it comes first"]


def test_a_term_that_only_code_or_a_reference_has_is_not_used():
    for text in ("`latent variable`", "**Read on:**\n\n- A. B, *A latent variable* (2001).", "latent variability"):
        assert faults(LATENT, n02=f"**entropy** {text}") == ["latent variable: notebook 02 does not use it"]


def test_the_plural_is_the_term_and_a_longer_word_is_not():
    assert not faults(LATENT, n02="**Latent variables** have an entropy.")
    assert faults(LATENT, n02="**latent variablesque**") == ["latent variable: notebook 02 does not use it"]


@pytest.mark.parametrize("row", ["| a | b | c |", "| a | | c | [01](../notebooks/01_a.ipynb) |"])
def test_a_row_with_a_cell_missing_is_told(row):
    with pytest.raises(ValueError, match="a row is 'term"):
        table(page(row))
