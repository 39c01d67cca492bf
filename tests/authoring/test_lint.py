"""The lint finds each fault of a source; and the committed sources have none."""

import re
from pathlib import Path

import pytest
from tiny_source import edit, write

from course_lib.authoring.build import convert
from course_lib.authoring.lint import IN_PRINT, lint
from course_lib.authoring.text import sources

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def source(tmp_path):
    return write(tmp_path)


def complaints(source):
    return [f.message for f in lint(source)]


def test_a_good_source_has_no_fault(source):
    assert complaints(source) == []


@pytest.mark.parametrize(("old", "new", "message"), [
    ("# # 07 · Title", "# # Title", "starts with"),
    ("**Why?**", "Why?", "asks its question"),
    ("| You will be able to |", "| You learn |", "will be able to"),
    ("| You need |", "| Before |", "what the reader needs"),
    ("3 seconds to run · ", "", "has the row '| Time |"),
    (" · seed 0", "", "has the row '| Time |"),
    ("| Time | ", "| Time | 5 minutes to read · ", "where the build puts the time to read"),
    ("| At a glance | This notebook |", "| At a glance | |", "the table's head '| At a glance | |' has an empty cell"),
    ("Only for the teacher.", "| | b |\n# |:--|--:|\n# | 1 | 2 |", "the table's head '| | b |' has an empty cell"),
    ("## What to keep", "## The end", "recap"),
    ("# - Euclid", "# Euclid", "lists references"),
    ("**Read on:**", "Read on:", "lists references"),
    ("**Read on:**", "**Read on:** the classics.", "text before the list of references: 'the classics.'"),
    ("Euclid, [", "[", "'*The Elements*, Dover (1956): book seven.' lacks authors before the title"),
    ("[*On\n#   Classifiers*]", "[On Classifiers]",
     "'A. Ng, M. Jordan, On Classifiers, NIPS 14 (2001).' lacks a title in italics"),
    ("[*On\n#   Classifiers*](https://doi.org/10.1000/a%281%29-3)", "*On Classifiers*", "lacks a link with https"),
    ("https://doi.org/10.1000/a%281%29-3", "http://doi.org/10.1000/a%281%29-3", "lacks a link with https"),
    ("https://doi.org/10.1000/a%281%29-3", "https://doi.org/10.1000/a(1)-3", "a link with https"),
    (", Dover (1956)", " (1956)", "lacks a venue between title and year"),
    ("NIPS 14 (2001)", "NIPS 14", "'A. Ng, M. Jordan, *On Classifiers*, NIPS 14.' lacks a year in brackets"),
    ("A. Ng, M. Jordan, [*On\n#   Classifiers*](https://doi.org/10.1000/a%281%29-3), NIPS 14 (2001)", "Ng and Jordan",
     "lacks a title in italics, a link with https, a year in brackets"),
    ("**Next:**", "Next:", "what comes next"),
    ("Only for the teacher.", "We reach 0.84 here.", "bare number '0.84'"),
    ("Only for the teacher.", "It is right in 84 % of cases.", "bare number '84 %'"),
    ("Only for the teacher.", "There are 60,000 images.", "bare number '60,000'"),
    ("Only for the teacher.", "So $p \\approx 0.84$ here.", "bare number '0.84'"),
    ("Only for the teacher.", "It is right in 84% of cases.", "bare number '84%'"),
    ("Only for the teacher.", "It is right $84\\%$ of the time.", "bare number '84\\\\%'"),
    ("Only for the teacher.", "We reach .84 here.", "bare number '.84'"),
    ("Only for the teacher.", "A step of 1e-3 is best.", "bare number '1e-3'"),
    ("Only for the teacher.", "## We reach 84 points", "bare number '84'"),
    ("Doubling.", "It reaches 92.5% of all.", "bare number '92.5%'"),
    ("# **Why?**", "# Why do 84 of them fail? **Why?**", "bare number '84'"),
    ("Only for the teacher.", " ".join(["word"] * 230), "230 words in one cell"),
    ("Doubling.", "$$x$$ " * 31, "takes 47 minutes to read, at most 45 are wanted"),
    ("Doubling.", "## Going further\n# One.\n#\n# ## Going further\n# Two.", "has 2 headings '## Going further'"),
    ("Doubling.", "See notebook 09b.", "there is no notebook 09b"),
    ("**Next:** notebook 08,", "**Next:** 08,", "**Next:** names no notebook"),
    ("Doubling.", "See [there](09_none.ipynb).", "the link to '09_none.ipynb' leads nowhere"),
    ("Doubling.", "See [there](#Doubled).", "the link to '#Doubled' leads nowhere"),
    ("Doubling.", "Doubling never fails.", "'never': no claim about several values"),
    ("import math", "import math\nshow(fig)", "show(…) without alt="),
    ("import math", "import matplotlib.pyplot as p", "imports pyplot"),
    ("import math", "from matplotlib import pyplot", "imports pyplot"),
    ("import math", "import math\nfig.savefig('x.png')", "savefig"),
    ("import math", "import math\nplots.show(fig)", "show(…) without alt="),
    ("import math", "import math\nfig.show()", "show(…) without alt="),
    ("import math", "import math\nshow(fig, alt='  ')", "show(…) without alt="),
    ("import math", "import math\ndisplay(curves(1, 2))", "display(…)"),
    ("from course_lib.teach import check", "curves(1, 2)", "displayed without show"),
    ("from course_lib.teach import check", "fig = plots.bars(1, 2)\nfig", "displayed without show"),
    ("import math", "import math)", "does not parse"),
    ("import math", "import math\n" + "x = 1 + 1; " * 12, "132 characters wide"),
    ("import math", "import math" + "\nx = 1" * 25, "27 lines of code in one cell"),
])
def test_each_fault_is_found(source, old, new, message):
    edit(source, old, new)
    assert any(message in c for c in complaints(source)), complaints(source)


@pytest.mark.parametrize("text", ["the digit 7 and $\\tfrac{1}{2}$ of $\\log 2$", "shape `(60_000, 784)` and `0.5`",
                                  "Ng and Jordan (2001)", "three of 5"])
def test_numbers_that_are_no_measurements_pass(source, text):
    edit(source, "Only for the teacher.", text)
    assert complaints(source) == []


def test_a_cited_figure_is_allowed_by_name(source):
    edit(source, "Only for the teacher.", "They report 80.75 and 79.20 nats.")
    edit(source, 'tags=["teacher"]', 'cited="80.75"')
    assert [c for c in complaints(source) if "bare" in c] and "'79.20'" in complaints(source)[0]
    edit(source, 'cited="80.75"', 'cited="80.75 79.20"')
    assert complaints(source) == []
    edit(source, "80.75 and 79.20 nats", "80.75% and 79.20 nats")
    edit(source, 'cited="80.75 79.20"', 'cited="80.75% 79.20"')
    assert complaints(source) == []
    assert "cited" not in str(convert(source, teacher=True))


@pytest.mark.parametrize(("old", "new"), [
    ("Euclid, [", "T. Heath et al., ["),
    (": book seven.", ", book seven. It is the oldest."),
    ("[*On\n#   Classifiers*](https://doi.org/10.1000/a%281%29-3), NIPS 14 (2001).",
     "*On Classifiers*, NIPS 14 (2001), in print only."),
])
def test_complete_references_pass(source, old, new):
    edit(source, old, new)
    assert complaints(source) == []


def test_one_missing_part_is_told_once(source):
    edit(source, ", Dover (1956)", ", Dover")
    (complaint,) = complaints(source)
    assert complaint.endswith("'Euclid, *The Elements*, Dover: book seven.' lacks a year in brackets")


# --------------------------------------------------------------------------------------- the committed notebooks


@pytest.mark.parametrize("source", sources(NOTEBOOKS), ids=lambda p: p.stem)
def test_committed_sources_are_clean(source):
    assert [str(f) for f in lint(source)] == []


def test_references_without_a_link_are_these():
    """The lint lets through what is in print only: no page of a publisher or an author is known to hold it."""
    footers = (convert(source, teacher=False).cells[-1].source for source in sources(NOTEBOOKS))
    listed = [" ".join(item.split()) for footer in footers for item in re.split(r"^- ", footer, flags=re.M)]
    assert [item[:14] for item in listed if IN_PRINT in item] == [
        "G. Korpelevich"]  # in Ekonomika i Matematicheskie Metody, a Soviet journal of 1976
