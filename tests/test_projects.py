"""The open projects in docs/projects: every program and command in them runs, and they are handed out and found."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from fenced import fenced
from PIL import Image

from course_lib.authoring.handout import FOR_STUDENTS
from course_lib.commands.main import main

COURSE = Path(__file__).resolve().parents[1]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((COURSE / "docs" / "projects").glob("*.md"))}


def programs(page: str, language: str) -> str:
    return "\n".join(block for named, block in fenced(PAGES[page]) if named == language)


def draw_pictures(folder: Path) -> None:
    """Two classes of 32 pictures: a bar that stands, and one that lies, each at a place of its own."""
    rng = np.random.default_rng(0)
    for label in (0, 1):
        (folder / str(label)).mkdir(parents=True)
        for i in range(32):
            page = np.full((56, 56), 255, dtype=np.uint8)
            at = rng.integers(16, 36)
            page[10:46, at:at + 5] = rng.integers(0, 60)
            Image.fromarray(page if label == 0 else page.T).save(folder / str(label) / f"{i}.png")


def test_own_pictures_become_a_judged_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "pictures")
    names = {}
    exec(programs("own_data", "python"), names)
    assert len(names["train"]) == 48 and len(names["test"]) == 16
    assert (names["images"][0] > 128).mean() < 0.3  # ink is what was dark
    told = capsys.readouterr().out.splitlines()
    assert all(float(line.split()[-1]) > 0.8 for line in told[:2]) and len(told) == 5


def test_the_example_of_a_claim_over_seeds_runs(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    exec(programs("paper_figure", "python"), {})


@pytest.mark.parametrize("command", [line for page in PAGES for line in programs(page, "").splitlines() if line])
def test_each_command_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start, _, words = command.partition("course_lib ")
    assert start == "python -m " and not main(shlex.split(words))


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_somewhere_and_a_rubric_sums_up(page):
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", PAGES[page])
    assert links and all((COURSE / "docs" / "projects" / link).exists() for link in links)
    assert "## Rubric: 20 points" in PAGES[page] and PAGES[page].split("|---|---|---|---|\n")[1].count("\n") == 5


def test_students_get_them_and_the_last_notebook_names_them():
    assert "docs" in FOR_STUDENTS
    source = next((COURSE / "notebooks" / "source").glob("11d_*.py")).read_text(encoding="utf-8")
    assert all(f"docs/projects/{page}.md" in source for page in PAGES)
