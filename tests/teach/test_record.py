"""What a class answers is kept only with consent, and holds neither code nor names."""

import json
import os
import sys

import pytest

from course_lib.teach import check, predict, record, reveal
from course_lib.teach.exercises import exercises


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RECORD", str(tmp_path / "class"))
    monkeypatch.delenv("COURSE_RECORD_NAME", raising=False)
    monkeypatch.setattr(record, "_told", [])
    monkeypatch.setattr(sys.modules["course_lib.teach.predict"], "_predictions", {})

    def read():
        return [json.loads(line) for path in (tmp_path / "class").glob("*.jsonl")
                for line in path.read_text(encoding="utf-8").splitlines()]

    return read


def wrong(p, q):
    return exercises("00")["00.kl"].reference(q, p)


def answer_all():
    for function in (wrong, exercises("00")["00.kl"].reference):
        check("00.kl", function)
    predict("00.test", "How many?", low=0, high=10)
    record_number("00.test", 3.0)
    reveal("00.test", 4)
    predict("00.which", "Which?", options=["a", "b"])
    reveal("00.which", 1, pick=lambda _: "b")


def record_number(key, value):
    """As a reader types it."""
    module = sys.modules["course_lib.teach.predict"]  # `predict` in the package is the function
    box, = module._number(key, module._predictions[key])
    box.children[0].value = f"{value:g}"


def test_without_consent_nothing_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_RECORD", raising=False)
    monkeypatch.chdir(tmp_path)
    answer_all()
    record.tell_recording()
    assert not list(tmp_path.iterdir()) and "kept for the class" not in capsys.readouterr().out


def test_what_is_kept(lines):
    answer_all()
    kept = lines()
    assert [(line["kind"], line["key"]) for line in kept] == [
        ("checked", "00.kl"), ("checked", "00.kl"), ("asked", "00.test"), ("predicted", "00.test"),
        ("revealed", "00.test"), ("asked", "00.which"), ("revealed", "00.which")]
    assert kept[0]["verdict"] == "not yet" and kept[0]["mistake"].startswith("p and q are exchanged")
    assert kept[1]["verdict"] == "passed" and kept[3]["answer"] == 3 and kept[4]["answer"] == 4
    assert kept[5]["options"] == ["a", "b"] and kept[6]["answer"] == "b"
    known = {"time", "session", "notebook", "kind", "key", "verdict", "mistake", "answer", "question", "options", "low",
             "high", "measured"}
    assert kept[6]["measured"] == "1"  # what decided
    assert all(set(line) <= known for line in kept) and len({line["session"] for line in kept}) == 1


def test_a_name_only_where_one_is_given(lines, monkeypatch):
    monkeypatch.setenv("COURSE_RECORD_NAME", "张三")
    check("00.kl", wrong)
    assert lines()[0]["name"] == "张三"


def test_a_notebook_says_that_answers_are_kept(lines, capsys):
    record.tell_recording()
    assert "kept for the class" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_disturbs_nothing_and_is_told_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_RECORD", str(tmp_path / "file"))
    monkeypatch.setattr(record, "_told", [])
    for _ in range(2):
        assert check("00.kl", exercises("00")["00.kl"].reference).status == "passed"
    assert capsys.readouterr().out.count("not kept") == 1


def test_where_nobody_can_answer_the_question_is_kept_all_the_same(lines, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    predict("00.which", "Which?", options=["a", "b"])
    assert [(line["kind"], line["options"]) for line in lines()] == [("asked", ["a", "b"])]


@pytest.mark.skipif(os.name == "nt", reason="no such permissions on Windows")
def test_the_teacher_can_read_it_where_new_files_are_private(lines, tmp_path):
    before = os.umask(0o077)
    try:
        record.keep("checked", "00.kl", verdict="passed", mistake="")
    finally:
        os.umask(before)
    file, = (tmp_path / "class").iterdir()
    assert file.stat().st_mode & 0o777 == 0o644
