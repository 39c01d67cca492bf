"""The answers of a class are added up as they come: half-written lines wait, strange ones are left out."""

import json
import os
import time

import pytest

from course_lib.grading.watch import Class


def line(kind, key, session, **told):
    return json.dumps({"time": told.pop("time", 1.0), "session": session, "kind": kind, "key": key, **told}) + "\n"


ASKED = line("asked", "05.best", "a", question="Which?", options=["x", "y"], low=None, high=None)
NUMBER = line("asked", "05.n", "a", question="How many?", options=None, low=0, high=8, time=2)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.jsonl").write_text(ASKED + line("predicted", "05.best", "a", answer="x"), encoding="utf-8")
    return tmp_path


def state(folder, *more):
    with open(folder / "b.jsonl", "a", encoding="utf-8") as file:
        file.write("".join(more))
    room = Class([folder, folder / "not there"])
    room.read()
    return room.state()


def bars(one):
    return [(bar["label"], bar["count"], bar["right"]) for bar in one["bars"]]


def test_each_student_has_one_vote_which_may_change(folder):
    told = state(folder, line("predicted", "05.best", "b", answer="x"), line("predicted", "05.best", "b", answer="y"))
    assert bars(told["predictions"][0]) == [("x", 1, False), ("y", 1, False)] and told["students"] == 2
    assert not told["predictions"][0]["revealed"]


def test_what_was_measured_is_shown_once_it_is_there(folder):
    one, = state(folder, line("revealed", "05.best", "a", answer="y"))["predictions"]
    assert one["revealed"] and bars(one) == [("x", 1, False), ("y", 0, True)]


def test_numbers_are_counted_in_parts_of_their_range(folder):
    votes = [line("predicted", "05.n", str(i), answer=v) for i, v in enumerate((0, 0.5, 7.5, 8, None, "z", 1e9))]
    one = state(folder, NUMBER, *votes, line("revealed", "05.n", "a", answer=8))["predictions"][0]
    assert one["key"] == "05.n" and [bar["count"] for bar in one["bars"]] == [2, 0, 0, 0, 0, 0, 0, 2]
    assert [bar["right"] for bar in one["bars"]] == [False] * 7 + [True]


def test_whoever_has_passed_has_passed_and_mistakes_are_counted(folder):
    told = state(folder, line("checked", "05.a", "a", verdict="not yet", mistake="sign"),
                 line("checked", "05.a", "a", verdict="passed", mistake=""),
                 line("checked", "05.a", "a", verdict="not yet", mistake="sign"),
                 line("checked", "05.a", "b", verdict="not yet", mistake="mean for sum"))
    assert told["exercises"] == [{"key": "05.a", "passed": 1, "tried": 2,
                                  "mistakes": [("sign", 2), ("mean for sum", 1)]}]


def test_a_half_written_line_waits_and_what_is_none_is_left_out(folder):
    room = Class([folder])
    room.read()
    whole = line("predicted", "05.best", "b", answer="y")
    with open(folder / "b.jsonl", "wb") as file:
        file.write(b'{"time": 1}\nnonsense\n\xff\xfe\n[1]\n3\n{"key": 1, "session": [], "kind": "x", "time": "y"}\n'
                   + whole.encode()[:20])
        file.flush()
        room.read()
        assert room.state()["students"] == 1
        file.write(whole.encode()[20:])
    room.read()
    assert bars(room.state()["predictions"][0]) == [("x", 1, False), ("y", 1, False)]


def test_a_hundred_thousand_lines(folder):
    with open(folder / "many.jsonl", "w", encoding="utf-8") as file:
        file.writelines(line("predicted", "05.best", str(i % 300), answer="xy"[i % 2]) for i in range(100_000))
    room = Class([folder])
    room.read()
    began = time.process_time()
    room.read()  # each line is read once
    assert time.process_time() - began < 0.5
    assert room.state()["predictions"][0]["votes"] == 301


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_or_a_link_of_a_students_holds_nobody_up(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "c.jsonl"
    elsewhere.write_text(line("predicted", "05.best", "c", answer="x"), encoding="utf-8")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "link.jsonl").symlink_to(elsewhere)
    (folder / "folder.jsonl").mkdir()
    assert state(folder)["students"] == 1
