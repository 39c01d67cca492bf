"""A class is graded: right, wrong and odd submissions, each with its row; a broken-off run goes on where it was."""

import csv
import json

import pytest
from handed_in import STEMS, notebook, save

from course_lib.commands.main import main
from course_lib.files import CourseFileError
from course_lib.grading import grade as grading
from course_lib.grading.grade import grade, seed_of
from course_lib.grading.sandbox import Limits
from course_lib.grading.submissions import find
from course_lib.teach.exercises import exercises

LOG_RATIO = "    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())"
SWAPPED = "    return float((q[p > 0] * np.log(q[p > 0] / p[p > 0])).sum())"
ODD = {
    "swapped": (SWAPPED, "not yet", "exchanged"), "loop": ("    while True:\n        pass", "error", "longer than"),
    "exit": ("    import os\n    os._exit(3)", "error", "ended its process"),
    "sys.exit": ("    raise SystemExit", "not yet", "SystemExit"),
    "raises": ("    return 1 / 0", "not yet", "ZeroDivisionError"), "none": ("    pass", "not attempted", "None"),
    "syntax": ("    return (", "error", "does not parse"),
    "reference": ("    from course_lib.chapters.nb00.exercises import EXERCISES\n"
                  '    return EXERCISES["00.kl"].reference(p, q)', "passed", "looks at the course's own answers"),
    "prints": (f"    print('x' * 10**7)\n{LOG_RATIO}", "passed", "prints"),
}


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    root = tmp_path_factory.mktemp("class")
    for name, (body, _, _) in ODD.items():
        save(root / f"s_{name}" / "00_start.ipynb", notebook(body))
    save(root / "right" / "00_start.ipynb", notebook())
    save(root / "own check" / "00_start.ipynb", notebook(SWAPPED, more="def check(name, f):\n    return 'passed'"))
    save(root / "untouched" / "00_start.ipynb", notebook(solved=False))
    save(root / "empty" / "00_start.ipynb", b"")
    save(root / "broken" / "00_start.ipynb", json.dumps(notebook()).encode()[:3000])
    save(root / "unknown" / "homework.ipynb", {"cells": []})
    return root


def graded(root, record, only=None, **options):
    submissions = [one for one in find(root, STEMS) if only is None or one.student in only]
    found, kept = grade(submissions, record, secret=1, workers=1, limits=Limits(seconds=3, megabytes=500),
                        progress=False, **options)
    assert set(kept) == {"network", "nobody"}
    return {(row["student"], row["exercise"]): row for row in found}


@pytest.fixture(scope="module")
def rows(handed_in, tmp_path_factory):
    return graded(handed_in, tmp_path_factory.mktemp("marks") / "marks.progress.jsonl")


@pytest.mark.thorough
def test_without_forks_a_process_is_ended_by_the_clock_and_begun_anew(handed_in, tmp_path):
    found = graded(handed_in, tmp_path / "r.jsonl", only=("s_loop", "s_exit"), fork=False)
    for name, told in (("s_loop", "longer than 3"), ("s_exit", "ended its process")):
        assert found[name, "00.kl"]["status"] == "error" and told in found[name, "00.kl"]["error"]
        assert all(found[name, other]["status"] == "passed" for other in exercises("00") if other != "00.kl")


def test_right_answers_pass_and_untouched_ones_are_not_attempted(rows):
    for name in exercises("00"):
        assert rows["right", name]["status"] == "passed" and rows["right", name]["share"] == 1
        assert rows["untouched", name]["status"] == "not attempted"


@pytest.mark.parametrize("name", ODD)
def test_each_odd_one_has_its_row_and_the_rest_of_it_is_graded(name, rows):
    _, status, told = ODD[name]
    row = rows[f"s_{name}", "00.kl"]
    assert row["status"] == status
    assert told in " ".join((row["mistake"], row["error"], row["told"], *row["flags"])), row
    assert all(rows[f"s_{name}", other]["status"] == "passed" for other in exercises("00") if other != "00.kl")


def test_a_check_of_one_s_own_changes_nothing(rows):
    assert rows["own check", "00.kl"]["status"] == "not yet"


def test_what_cannot_be_read_has_a_row_that_says_why(rows):
    assert "empty" in rows["empty", ""]["error"] and "which notebook" in rows["unknown", ""]["error"]
    assert "damaged" in rows["broken", "00.kl"]["error"]


def test_each_student_has_cases_of_their_own():
    assert len({seed_of(secret, who, "00.kl") for secret in (1, 2) for who in "ab"}) == 4


def test_what_is_recorded_is_not_judged_again_and_half_a_line_is_no_harm(handed_in, tmp_path, monkeypatch):
    record, found = tmp_path / "r.jsonl", [one for one in find(handed_in, STEMS) if one.student in ("right", "empty")]
    row = {"status": "passed", "share": 1.0, "mistake": "", "error": "", "told": "", "flags": []}
    monkeypatch.setattr(grading, "_judge_all", lambda waiting, *_: (
        (one, key, {"00.kl": row}) for one, key, _ in waiting))
    first, _ = grade(found, record, progress=False)
    assert len(first) == 2
    with open(record, "a", encoding="utf-8") as file:
        file.write('{"key": "half')
    monkeypatch.setattr(grading, "_judge_all", None)
    assert grade(found, record, progress=False)[0] == first
    monkeypatch.setattr(grading, "_version", lambda: "another")
    with pytest.raises(TypeError):  # all is to be judged again
        grade(found, record, progress=False)


def test_a_file_that_is_no_record_is_not_overwritten(handed_in, tmp_path):
    (tmp_path / "r.jsonl").write_text("my notes\n", encoding="utf-8")
    with pytest.raises(CourseFileError, match="no record of grading"):
        grade([], tmp_path / "r.jsonl", progress=False)
    assert (tmp_path / "r.jsonl").read_text(encoding="utf-8") == "my notes\n"


def test_the_command_writes_a_table_a_page_and_feedback(handed_in, tmp_path, capsys):
    save(tmp_path / "class" / "2023001_张三" / "00_start.ipynb", notebook(SWAPPED))
    save(tmp_path / "class" / "2023009_王五" / "00_start.ipynb", notebook())
    (tmp_path / "roster.csv").write_bytes("学号,姓名\n2023001,张三\n2023002,李四\n".encode("gb18030"))
    out = tmp_path / "marks" / "week1.csv"
    out.parent.mkdir()
    assert main(["grade", str(tmp_path / "class"), "-o", str(out), "--roster", str(tmp_path / "roster.csv"),
                 "--workers", "1"]) == 0
    raw = out.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    by = {(row["name"] or row["student"], row["exercise"]): row for row in table}
    assert by["张三", "00.kl"]["status"] == "not yet" and "exchanged" in by["张三", "00.kl"]["mistake"]
    assert by["李四", ""]["status"] == "no submission"
    assert by["2023009_王五", "00.kl"]["flags"] == "not on the roster"
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert "p and q are exchanged" in page and "李四" in page and 'aria-label="1 passed, 1 not yet, 0 error' in page
    feedback = out.with_name("week1_feedback") / "2023001_张三.html"
    assert "p and q are exchanged" in feedback.read_text(encoding="utf-8")
    assert "later submissions alone" in capsys.readouterr().out
    assert main(["grade", str(tmp_path / "class"), "-o", str(tmp_path / "marks.xlsx")]) == 2
