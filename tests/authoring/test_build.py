"""From source to notebooks; the lint; and the committed notebooks."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring.build import (
    IN_PRINT,
    ChangedByHand,
    SourceError,
    build,
    changed_by_hand,
    convert,
    lint,
    solutions,
    sources,
    word_count,
)

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOURCE = '''\
# %% [markdown]
# # 07 · Title
# **Why?**
#
# | | |
# |---|---|
# | You will be able to | do it |
# | You need | nothing |
# | Time | 5 minutes to read · 3 seconds to run · seed 0 |

# %%
import math

from course_lib.teach import check

# %% [markdown] tags=["teacher"]
# Only for the teacher.

# %% tags=["exercise"]
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    y = 2 * x
    return y
    ### END SOLUTION

# %%
check("07.double", double)

# %% [markdown]
# ## What to keep
# Doubling.
#
# **Read on:**
#
# - Euclid, [*The
#   Elements*](https://example.org/elements), Dover (1956): book seven.
# - A. Ng, M. Jordan, [*On
#   Classifiers*](https://doi.org/10.1000/a%281%29-3), NIPS 14 (2001).
#
# **Next:** tripling.
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "07_double.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def edit(folder, old, new):
    path = folder / "source" / "07_double.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def code(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "code"]


def test_student_gets_a_stub_and_teacher_the_solution(folder):
    student, teacher = (convert(sources(folder)[0], teacher=t) for t in (False, True))
    assert code(student)[1] == 'def double(x):\n    """Twice x."""\n    # your code here\n    return None'
    assert code(teacher)[1] == 'def double(x):\n    """Twice x."""\n    y = 2 * x\n    return y'
    assert not any("Only for the teacher" in c.source for c in student.cells)
    assert any("Only for the teacher" in c.source for c in teacher.cells)
    for notebook in (student, teacher):
        assert notebook.metadata.kernelspec.name == "python3"
        assert "SOLUTION" not in str(notebook)
        nbformat.validate(notebook)


def test_builds_are_deterministic_and_ids_unique(folder, tmp_path):
    first = [p.read_text(encoding="utf-8") for p in build(folder, tmp_path / "a")]
    assert first == [p.read_text(encoding="utf-8") for p in build(folder, tmp_path / "b")]
    ids = [c["id"] for c in json.loads(first[0])["cells"]]
    assert len(set(ids)) == len(ids)


def test_a_hand_changed_notebook_is_not_overwritten_without_saying_so(folder):
    student, teacher = build(folder)
    notebook = nbformat.read(student, as_version=4)
    notebook.cells[1].source += "\nx = 1"
    nbformat.write(notebook, student)
    by_hand = student.read_text(encoding="utf-8")
    edit(folder, "Doubling.", "Doubling, again.")
    before = teacher.read_text(encoding="utf-8")
    with pytest.raises(ChangedByHand, match=r"07_double\.ipynb"):
        build(folder)
    assert student.read_text(encoding="utf-8") == by_hand
    assert teacher.read_text(encoding="utf-8") == before  # nothing was written at all
    build(folder, force=True)
    assert "x = 1" not in student.read_text(encoding="utf-8") and "again" in student.read_text(encoding="utf-8")


def test_saved_outputs_count_as_a_change_and_a_new_source_does_not(folder):
    student, _ = build(folder)
    edit(folder, "Doubling.", "Doubling, again.")
    assert not changed_by_hand(student)
    build(folder)
    notebook = nbformat.read(student, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    nbformat.write(notebook, student)
    assert changed_by_hand(student)
    student.write_text("{broken", encoding="utf-8")
    assert changed_by_hand(student)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("    ### END SOLUTION\n", "", "needs one ### BEGIN SOLUTION with its"),
    ("    ### BEGIN SOLUTION\n", "", "do not pair up"),
    (' tags=["exercise"]', "", 'a solution outside a cell with tags=\\["exercise"\\]'),
    ("    ### BEGIN SOLUTION\n    y = 2 * x\n    return y\n    ### END SOLUTION\n", "    return 2 * x\n", "needs one"),
    ('def double(x):\n    """Twice x."""\n    ### BEGIN', "### BEGIN", "inside a function"),
])
def test_broken_markers_are_told(folder, old, new, message):
    edit(folder, old, new)
    with pytest.raises(SourceError, match=message):
        build(folder)
    assert not list(folder.glob("*.ipynb"))


def test_solutions_are_imports_solution_and_check(folder):
    assert list(solutions(sources(folder)[0])) == ["07.double"]
    text = solutions(sources(folder)[0])["07.double"]
    assert text.startswith("import math") and "y = 2 * x" in text and text.endswith('check("07.double", double)')


def complaints(folder):
    return [f.message for f in lint(sources(folder)[0]) if "words of text" not in f.message]


def test_a_good_source_has_nothing_but_too_few_words(folder):
    assert complaints(folder) == []
    assert "words of text, 800 to 1800 are wanted" in lint(sources(folder)[0])[0].message


@pytest.mark.parametrize(("old", "new", "message"), [
    ("# # 07 · Title", "# # Title", "starts with"),
    ("**Why?**", "Why?", "asks its question"),
    ("| You will be able to |", "| You learn |", "will be able to"),
    ("| You need |", "| Before |", "what the reader needs"),
    (" · 3 seconds to run", "", "time to run"),
    (" · seed 0", "", "gives the seed"),
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
def test_each_fault_is_found(folder, old, new, message):
    edit(folder, old, new)
    assert any(message in c for c in complaints(folder)), complaints(folder)


@pytest.mark.parametrize("text", ["the digit 7 and $\\tfrac{1}{2}$ of $\\log 2$", "shape `(60_000, 784)` and `0.5`",
                                  "Ng and Jordan (2001)", "three of 5"])
def test_numbers_that_are_no_measurements_pass(folder, text):
    edit(folder, "Only for the teacher.", text)
    assert complaints(folder) == []


def test_a_cited_figure_is_allowed_by_name(folder):
    edit(folder, "Only for the teacher.", "They report 80.75 and 79.20 nats.")
    edit(folder, 'tags=["teacher"]', 'cited="80.75"')
    assert [c for c in complaints(folder) if "bare" in c] and "'79.20'" in complaints(folder)[0]
    edit(folder, 'cited="80.75"', 'cited="80.75 79.20"')
    assert complaints(folder) == []
    edit(folder, "80.75 and 79.20 nats", "80.75% and 79.20 nats")
    edit(folder, 'cited="80.75 79.20"', 'cited="80.75% 79.20"')
    assert complaints(folder) == []
    assert "cited" not in str(convert(sources(folder)[0], teacher=True))


@pytest.mark.parametrize(("old", "new"), [
    ("Euclid, [", "T. Heath et al., ["),
    (": book seven.", ", book seven. It is the oldest."),
    ("[*On\n#   Classifiers*](https://doi.org/10.1000/a%281%29-3), NIPS 14 (2001).",
     "*On Classifiers*, NIPS 14 (2001), in print only."),
])
def test_complete_references_pass(folder, old, new):
    edit(folder, old, new)
    assert complaints(folder) == []


def test_one_missing_part_is_told_once(folder):
    edit(folder, ", Dover (1956)", ", Dover")
    (complaint,) = complaints(folder)
    assert complaint.endswith("'Euclid, *The Elements*, Dover: book seven.' lacks a year in brackets")


def test_an_address_is_no_words(folder):
    before = word_count(sources(folder)[0])
    edit(folder, "Doubling.", "[Doubling](https://example.org/one-two/three_four.html).")
    assert word_count(sources(folder)[0]) == before


# ------------------------------------------------------------------------------------- the committed notebooks


def test_committed_notebooks_are_what_the_sources_build(tmp_path):
    built = {p.relative_to(tmp_path): p.read_text(encoding="utf-8") for p in build(NOTEBOOKS, tmp_path)}
    committed = {p.relative_to(NOTEBOOKS): p.read_text(encoding="utf-8") for p in
                 (*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("solutions/*.ipynb"))}
    assert built.keys() == committed.keys()
    different = [str(name) for name in built if built[name] != committed[name]]
    assert not different, f"run `make notebooks`: {different}"


@pytest.mark.parametrize("source", sources(NOTEBOOKS), ids=lambda p: p.stem)
def test_committed_sources_are_clean(source):
    assert [str(f) for f in lint(source)] == []


def test_references_without_a_link_are_these():
    """The lint lets through what is in print only: no page of a publisher or an author is known to hold it."""
    footers = (convert(source, teacher=False).cells[-1].source for source in sources(NOTEBOOKS))
    listed = [" ".join(item.split()) for footer in footers for item in re.split(r"^- ", footer, flags=re.M)]
    assert [item[:14] for item in listed if IN_PRINT in item] == [
        "G. Korpelevich"]  # in Ekonomika i Matematicheskie Metody, a Soviet journal of 1976
