"""From source to notebooks; and the committed notebooks."""

import json
from pathlib import Path

import nbformat
import pytest
from tiny_source import edit, write

from course_lib.authoring.build import ChangedByHand, SourceError, build, changed_by_hand, convert, solutions

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def source(tmp_path):
    return write(tmp_path)


def code(notebook):
    return [c.source for c in notebook.cells if c.cell_type == "code"]


def test_student_gets_a_stub_and_teacher_the_solution(source):
    student, teacher = (convert(source, teacher=t) for t in (False, True))
    assert code(student)[1] == 'def double(x):\n    """Twice x."""\n    # your code here\n    return None'
    assert code(teacher)[1] == 'def double(x):\n    """Twice x."""\n    y = 2 * x\n    return y'
    assert not any("Only for the teacher" in c.source for c in student.cells)
    assert any("Only for the teacher" in c.source for c in teacher.cells)
    for notebook in (student, teacher):
        assert notebook.metadata.kernelspec.name == "python3"
        assert "SOLUTION" not in str(notebook)
        nbformat.validate(notebook)


def test_builds_are_deterministic_and_ids_unique(source, tmp_path):
    first = [p.read_text(encoding="utf-8") for p in build(source.parents[1], tmp_path / "a")]
    assert first == [p.read_text(encoding="utf-8") for p in build(source.parents[1], tmp_path / "b")]
    ids = [c["id"] for c in json.loads(first[0])["cells"]]
    assert len(set(ids)) == len(ids)


def test_a_hand_changed_notebook_is_not_overwritten_without_saying_so(source):
    student, teacher, *_ = build(source.parents[1])
    notebook = nbformat.read(student, as_version=4)
    notebook.cells[1].source += "\nx = 1"
    nbformat.write(notebook, student)
    by_hand = student.read_text(encoding="utf-8")
    edit(source, "Doubling.", "Doubling, again.")
    before = teacher.read_text(encoding="utf-8")
    with pytest.raises(ChangedByHand, match=r"07_double\.ipynb"):
        build(source.parents[1])
    assert student.read_text(encoding="utf-8") == by_hand
    assert teacher.read_text(encoding="utf-8") == before  # nothing was written at all
    build(source.parents[1], force=True)
    assert "x = 1" not in student.read_text(encoding="utf-8") and "again" in student.read_text(encoding="utf-8")


def test_saved_outputs_count_as_a_change_and_a_new_source_does_not(source):
    student, *_ = build(source.parents[1])
    edit(source, "Doubling.", "Doubling, again.")
    assert not changed_by_hand(student)
    build(source.parents[1])
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
def test_broken_markers_are_told(source, old, new, message):
    edit(source, old, new)
    with pytest.raises(SourceError, match=message):
        build(source.parents[1])
    assert not list(source.parents[1].glob("*.ipynb"))


def test_solutions_are_imports_solution_and_check(source):
    assert list(solutions(source)) == ["07.double"]
    text = solutions(source)["07.double"]
    assert text.startswith("import math") and "y = 2 * x" in text and text.endswith('check("07.double", double)')


# ------------------------------------------------------------------------------------- the committed notebooks


def test_committed_notebooks_are_what_the_sources_build(tmp_path):
    built = {p.relative_to(tmp_path): p.read_text(encoding="utf-8") for p in build(NOTEBOOKS, tmp_path)}
    committed = {p.relative_to(NOTEBOOKS): p.read_text(encoding="utf-8") for p in
                 (*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("solutions/*.ipynb"))}
    assert built.keys() == committed.keys()
    different = [str(name) for name in built if built[name] != committed[name]]
    assert not different, f"run `make notebooks`: {different}"
