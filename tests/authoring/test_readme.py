"""The README's tables: as they are generated, and from nothing else."""

import re
from pathlib import Path

import numpy as np
import pytest
from tiny_source import edit, write

from course_lib.authoring import readme
from course_lib.authoring.build import convert
from course_lib.authoring.readme import (
    MAP,
    SITE,
    TABLE,
    addresses,
    markers,
    readme_map,
    readme_site,
    readme_table,
    write_readme,
)
from course_lib.authoring.text import sources
from course_lib.comparisons.scoreboard.record import of_data, rows
from course_lib.teach.tree import leaves

COURSE = Path(__file__).resolve().parents[2]
README = (COURSE / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("part", "made"), [(SITE, readme_site), (MAP, readme_map), (TABLE, readme_table)])
def test_the_readme_holds_its_tables_as_they_are_generated(part, made):
    begin, end = markers(part)
    assert f"{begin}\n\n{made(COURSE / 'notebooks')}\n\n{end}" in README, "run `make notebooks`"


def test_the_readme_leads_to_the_site_once_it_has_an_address(tmp_path):
    assert addresses(COURSE) == addresses(tmp_path) == {"repository": "", "site": ""}
    assert "`make site`" in readme_site(tmp_path / "notebooks")
    (tmp_path / "pyproject.toml").write_text('[tool.course]\nrepository = ""\nsite = "https://a.org/b/"\n',
                                             encoding="utf-8")
    led = readme_site(tmp_path / "notebooks")
    assert "](https://a.org/b/)" in led and "make site" not in led and "docs/pictures/lab.png" in led


def test_the_map_has_each_family_with_links_that_lead_to_its_notebooks():
    rows = readme_map(COURSE / "notebooks").splitlines()[2:]
    for row, (_, leaf) in zip(rows, leaves(), strict=True):
        assert leaf.name in row and re.findall(r"\[(\d\d[a-z]?)\]\(notebooks/\1_\w+\.ipynb\)", row) == [*leaf.notebooks]


def test_the_map_has_what_the_scoreboard_measured():
    scored = {row.family: row for row in of_data(rows(), "digits8", "short")}
    for row, (_, leaf) in zip(readme_map(COURSE / "notebooks").splitlines()[2:], leaves(), strict=True):
        told = re.search(r"Fréchet (\d+\.\d\d), (\d+\.\d) ms", row)
        assert bool(told) == bool(leaf.scored) == (leaf.name != "deep Boltzmann machines")
        if told:
            values = (np.mean(scored[leaf.scored].values(measure)) for measure in ("frechet", "draw_seconds"))
            assert [float(number) for number in told.groups()] == pytest.approx(
                [scale * value for scale, value in zip((1, 1000), values, strict=True)], abs=0.051)


@pytest.mark.parametrize("source", sources(COURSE / "notebooks"), ids=lambda p: p.stem)
def test_each_notebook_is_there_with_its_title_question_and_minutes(source):
    header = convert(source, teacher=False).cells[0].source
    number, title = re.search(r"^# (\S+) · (.+)$", header, re.M).groups()
    question = re.search(r"\*\*([^*]+\?)\*\*", header, re.S)[1].replace("\n", " ")
    read, run = re.search(r"(\d+) minutes? to read .*· (\d+ \w+) to run", header).groups()
    row = next(line for line in README.splitlines() if line.startswith(f"| [{number}]"))
    assert f"(notebooks/{source.stem}.ipynb)" in row
    assert all(part in row for part in (title, question, f"{read} min", run)), row


def test_writing_replaces_what_stands_between_the_markers_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    source = write(tmp_path / "notebooks")
    edit(source, "**Why?**", "**Why\n# so?**")
    monkeypatch.setattr(readme, "leaves", lambda: [])
    path, ((a, b), (c, d)) = tmp_path / "README.md", (markers(TABLE), markers(MAP))
    site = "\n".join(markers(SITE))
    path.write_text(f"before\n{a}\nold\n{b}\nbetween\n{c}\n{d}\nafter\n{site}\n", encoding="utf-8")
    write_readme(tmp_path)
    text = path.read_text(encoding="utf-8")
    time = "1 min, worked through 1, with exercises 7"
    row = f"[07](notebooks/07_double.ipynb) Title | Why so? | {time} | 3 seconds | do it"
    assert f"\n| {row} |\n" in text
    assert text.startswith(f"before\n{a}\n\n| notebook | ") and f"|\n\n{b}\nbetween\n{c}\n\n| branch |" in text
    assert f"|\n\n{d}\nafter\n" in text and "old" not in text and text.endswith(f"\n\n{markers(SITE)[1]}\n")
    first = path.stat().st_mtime_ns
    write_readme(tmp_path)
    assert path.stat().st_mtime_ns == first
    for broken in ("no markers", text.replace(a, b), text + c, text.replace(d, "")):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=r"README\.md must hold the line"):
            write_readme(tmp_path)
        assert path.read_text(encoding="utf-8") == broken
