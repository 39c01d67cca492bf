"""Tables and pages: nothing of a student's becomes a formula or markup."""

import pytest

from course_lib.grading.report import _cell, file_name, listed, summary, write_csv, write_pages

ROW = {"student": "a", "notebook": "00", "exercise": "00.kl", "status": "not yet", "share": 0.5, "mistake": "swapped",
       "error": "", "told": "`p` comes <first>", "flags": [], "path": "a/00.ipynb"}


def rows(**changes):
    return listed([ROW | changes], [], {})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_text_that_a_spreadsheet_would_compute_is_text(text):
    assert _cell(text) == f"'{text}" and _cell("a=1") == "a=1" and _cell(-0.5) == -0.5


def test_what_is_told_is_no_markup(tmp_path):
    facts = {"kept": "", "version": "1"}
    write_pages(tmp_path / "p.html", tmp_path / "f", rows(student="<b>x</b>", error="<script>"), facts)
    pages = [tmp_path / "p.html", *(tmp_path / "f").iterdir()]
    assert len(pages) == 2
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>" not in text and "<b>x" not in text and "<code>p</code> comes &lt;first&gt;" in text


def test_mistakes_are_counted_with_what_was_told():
    of_two = [ROW, ROW | {"student": "b"}, ROW | {"student": "c", "mistake": "", "error": "KeyError"},
              ROW | {"student": "d", "status": "passed", "share": 1.0}]
    (one,) = summary(of_two)
    assert one["statuses"] == [("passed", 1), ("not yet", 3), ("error", 0), ("not attempted", 0)]
    assert one["share"] == 0.625
    assert [(m["name"], m["count"]) for m in one["mistakes"]] == [("swapped", 2), ("KeyError", 1)]


def test_whoever_is_on_the_roster_has_a_row():
    roster = [("1", "a"), ("2", "b")]
    found = listed([ROW, ROW | {"student": "x"}], roster, {"a": roster[0], "x": None})
    assert [(r["number"], r["status"], r["flags"]) for r in found] == [
        ("1", "not yet", []), ("", "not yet", ["not on the roster"]), ("2", "no submission", [])]


@pytest.mark.parametrize(("student", "name"), [("a/../b", "a_.._b"), ("..", "_"), ("张三", "张三"), ('x:"y"', "x__y_"),
                                               ("a" * 300, "a" * 100)])
def test_a_student_s_name_is_a_file_s(student, name):
    assert file_name(student) == name


def test_the_table_is_read_by_excel(tmp_path):
    write_csv(tmp_path / "m.csv", rows(student="张三", flags=["a", "b"]))
    text = (tmp_path / "m.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0].startswith("number,name,student") and "张三" in text and "a; b" in text
