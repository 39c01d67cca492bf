"""The version stands in one place, and the papers that go with the course say what is true of it."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from course_lib import __version__
from course_lib.authoring.reading import CORE
from course_lib.authoring.text import sources
from course_lib.commands import main as cli

ROOT = Path(__file__).resolve().parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PAPER = (ROOT / "paper.md").read_text(encoding="utf-8")
BIBLIOGRAPHY = (ROOT / "paper.bib").read_text(encoding="utf-8")


def test_the_citation_is_of_this_version_and_has_what_the_format_requires():
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert CITATION["version"] == __version__
    assert CITATION["message"] and CITATION["title"] and all(author["name"] for author in CITATION["authors"])


def test_the_newest_change_is_of_this_version():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changes, re.M)[0] == __version__


def test_the_version_is_written_once():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    for path in [ROOT / "pyproject.toml", ROOT / "README.md", *(ROOT / "course_lib").rglob("*.py")]:
        said = re.findall(rf"version\W+{re.escape(__version__)}", path.read_text(encoding="utf-8"))
        assert not said or path.name == "__init__.py", path


def test_the_command_says_it():
    done = subprocess.run([sys.executable, "-m", "course_lib", "--version"], cwd=ROOT, capture_output=True, text=True,
                          encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.strip() == __version__


def test_each_reference_is_there_and_used():
    cited = set(re.findall(r"@(\w+)", PAPER.split("---", 2)[2]))
    assert cited == set(re.findall(r"^@\w+\{(\w+),", BIBLIOGRAPHY, re.M))


@pytest.mark.parametrize("heading", ["Summary", "Statement of need", "Contents and learning objectives",
                                     "Instructional design", "Experience of use"])
def test_the_paper_has_the_journals_parts(heading):
    assert re.search(rf"^# {heading}$", PAPER, re.M)


def test_the_paper_counts_right():
    meta = yaml.safe_load(PAPER.split("---")[1])
    assert meta["title"] and meta["authors"] and (ROOT / meta["bibliography"]).exists()
    assert f"a course of {len(sources(ROOT / 'notebooks'))} Jupyter notebooks" in PAPER
    assert f"takes at most {CORE} minutes to read" in PAPER  # which the lint holds
    assert "Use in teaching: none yet" in PAPER


def test_how_to_report_and_to_propose_is_said():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(part in text for part in ("error in a notebook", "propose a notebook", "--version", "notebooks/source"))
    assert all((ROOT / target).exists() for target in re.findall(r"\]\(((?!http)[^)#]+)\)", text))


def test_marks_from_checks_are_said_to_be_formative_wherever_the_zip_is_spoken_of(tmp_path, capsys):
    assert cli.main(["student-zip", str(tmp_path / "a.zip")]) == 0
    out = capsys.readouterr().out
    assert "formative" in out and "no solutions" not in out
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        readme, names = archive.read("course/README.md").decode(), archive.namelist()
    teachers = readme.split("## For teachers")[1].split("\n## ")[0]
    assert "formative" in teachers and "course_lib/chapters" in teachers
    assert any(name.startswith("course/course_lib/chapters/") for name in names)  # so it is true
    linked = set(re.findall(r"\]\(((?!http)[^)#]+)\)", readme))
    assert [target for target in linked if f"course/{target}" not in names] == []
