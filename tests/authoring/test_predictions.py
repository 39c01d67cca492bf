"""What notebooks ask, and the answers of recorded runs."""

import json
from pathlib import Path

import pytest
from asking_source import record, write_asking
from tiny_source import edit

from course_lib.authoring import predictions as module
from course_lib.authoring.build import build
from course_lib.authoring.predictions import RECORD, measure, paragraphs, predictions
from course_lib.authoring.text import sources

COURSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def source(tmp_path):
    return write_asking(tmp_path)


def test_a_prediction_says_what_is_asked_where_and_what_explains_it(source):
    which, many = predictions(source, record(source, ("a: b", 3.0)))
    assert (which.key, which.options, many.low, many.high) == ("07.which", ("a: b", "c # d"), 0, 10)
    assert (which.asked, which.revealed) == ("First: a guess", "Then")
    assert which.setting == "What is it about? **This.**"
    assert which.explanation.startswith("Because **so** it is")
    assert (which.right, which.measured, which.current, which.settled) == ("a: b", "2", True, True)
    assert which.told() == "**a: b** (2). One run, with seed 0." and many.told() == "**3**. One run, with seed 0."


def test_an_answer_that_depends_on_the_seed_says_so(source):
    which, many = predictions(source, record(source, ("a: b", 3.0), ("c # d", 4.5), ("a: b", 3.0)))
    assert not which.settled and which.told().endswith("over 3 seeds: a: b (2 of 3), c # d (1 of 3).")
    assert not many.settled and many.told() == "**3**. It depends on the run; over 3 seeds: 3 to 4.5."
    which, many = predictions(source, record(source, ("a: b", 3.0), ("a: b", 3.0 + 1e-12)))
    assert which.told() == "**a: b** (2)." and many.told() == "**3**."


def test_an_answer_of_other_code_is_marked_and_one_to_another_question_is_none(source):
    kept = record(source, ("a: b", 3.0), code="0" * 12)
    assert [p.current for p in predictions(source, kept)] == [False, False]
    assert predictions(source, kept)[0].told().endswith("with an earlier version of the notebook's code.")
    edit(source, '"How many?"', '"How many of them?"')
    build(source.parents[1], force=True)
    which, many = predictions(source, kept)
    assert which.right == "a: b" and many.right is None and "no run is recorded" in many.told()


def test_options_that_are_computed_are_those_of_the_run_and_what_is_asked_in_vain_is_told(source):
    edit(source, 'options=["a: b", "c # d"]', "options=list(kinds)")
    build(source.parents[1], force=True)
    assert predictions(source, source.parent / "none.jsonl")[0].offered() == ["options that the notebook computes"]
    assert predictions(source, record(source, ("a: b", 3.0)))[0].options == ("a: b", "c # d")
    edit(source, 'reveal("07.many", 3)', "")
    with pytest.raises(ValueError, match=r"07.many is never revealed"):
        predictions(source, source.parent / "predictions.jsonl")


def test_a_run_records_what_was_asked_and_revealed_and_is_not_repeated(source, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "COURSE", tmp_path)
    edit(source, "import math\n", "import math\nfrom course_lib.teach import predict, reveal\n"
                 "from course_lib.seeds import offset\ndraw = picture = None\n"
                 "def explore(*_, **__): pass\ndef show(*_, **__): pass\n")
    edit(source, 'reveal("07.many", 3)', 'reveal("07.many", 3 + offset())')
    edit(source, 'check("07.double", double)', "double(1)")
    build(tmp_path, force=True)
    notebook, kept = tmp_path / "07_double.ipynb", tmp_path / "kept.jsonl"
    measure([notebook], 2, kept, workers=1, progress=False)
    which, many = predictions(source, kept)
    assert which.answers == ("a: b", "a: b") and which.measured == "2" and many.answers == (3.0, 4.0)
    monkeypatch.setattr(module, "run_notebook", None)
    measure([notebook], 2, kept, workers=1, progress=False)  # all is there
    monkeypatch.undo()
    monkeypatch.setattr(module, "COURSE", tmp_path)
    edit(source, "2, pick=", "1 / 0, pick=")
    build(tmp_path, force=True)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        measure([notebook], 1, kept, workers=1, progress=False)
    assert kept.read_text(encoding="utf-8") == ""  # what other code gave has left the record


def test_paragraphs_are_prose_with_their_formulas():
    text = "# Head\nOne\nline:\n\n$$x\n= 1$$\n\ngoes on.\n\n- item\n\n| a |\n|---|\n\n```\ncode\n```\nLast.\n\n1. no"
    assert paragraphs(text) == ["One line: $$x = 1$$ goes on.", "Last."]


def test_the_record_holds_no_path_of_a_machine_and_answers_that_were_offered():
    lines = [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]
    assert lines
    for line in lines:
        assert line["setting"]["path"].startswith("notebooks/")
        for key, told in line["result"].items():
            offered = told["answer"] in told["options"] if told["options"] else isinstance(told["answer"], float | int)
            assert offered, key


@pytest.mark.parametrize("source", sources(COURSE / "notebooks"), ids=lambda p: p.stem)
def test_each_prediction_of_the_course_is_answered_in_its_notebook_and_explained(source):
    for prediction in predictions(source):
        assert prediction.key.startswith(source.stem.split("_")[0] + ".") and prediction.revealed
        assert len(prediction.explanation) > 40, prediction.key
