"""`run-sheets` and `quiz` as a teacher calls them."""

import pytest

from course_lib.commands import teaching
from course_lib.commands.main import main


def test_sheets_and_quiz_are_written_where_they_are_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["run-sheets"]) == 0
    assert "30 run-sheets in" in capsys.readouterr().out
    assert (tmp_path / "dist/run-sheets/05_gan_1d.md").read_text(encoding="utf-8").startswith("# Run-sheet 05 · ")
    assert main(["quiz", "03"]) == 0
    assert "4 questions; 0 without a recorded answer" in capsys.readouterr().out
    assert "::03.peaks::" in (tmp_path / "dist/quiz.gift").read_text(encoding="utf-8")
    assert "### 03.peaks" in (tmp_path / "dist/quiz.md").read_text(encoding="utf-8")
    assert main(["quiz", "03", "-o", str(tmp_path / "a" / "b.gift")]) == 0
    assert (tmp_path / "a" / "b.gift").exists()


@pytest.mark.parametrize(("words", "told"), [
    (["quiz", "-o", "quiz.xml"], "quiz.xml must end in .md or in .gift"),
    (["quiz", "99"], "there is no notebook 99")])
def test_a_wrong_request_is_told_in_one_line(words, told, capsys):
    assert main(words) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run-sheets", "quiz"])
def test_without_sources_it_says_so(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(teaching, "NOTEBOOKS", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 2 and not list(tmp_path.iterdir())
    assert "no notebook sources" in capsys.readouterr().err
