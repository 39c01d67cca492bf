"""The README and what it points to."""

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import numpy as np
import pytest
from PIL import Image

from course_lib.authoring.build import sources

COURSE = Path(__file__).resolve().parents[1]
README = (COURSE / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_what_the_readme_links_to_is_there(target):
    assert (COURSE / target).exists()


def test_every_picture_has_alt_text_and_is_made_by_the_code(tmp_path):
    pictures = re.findall(r"!\[([^\]]*)\]\(docs/pictures/(\w+\.png)\)", README)
    assert pictures and all(len(alt) > 30 for alt, _ in pictures)
    done = subprocess.run([sys.executable, COURSE / "docs/make_pictures.py", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for _, name in pictures:
        made, kept = (np.asarray(Image.open(folder / name).convert("L"), dtype=float)
                      for folder in (tmp_path, COURSE / "docs/pictures"))
        assert made.shape == kept.shape and np.abs(made - kept).mean() < 0.5  # of 255: a changed word is more


@pytest.mark.parametrize("source", sources(COURSE / "notebooks"), ids=lambda p: p.stem)
def test_the_map_has_each_notebook_with_its_title_question_and_minutes(source):
    header = jupytext.read(source, fmt="py:percent").cells[0].source
    number, title = re.search(r"^# (\S+) · (.+)$", header, re.M).groups()
    question = re.search(r"\*\*([^*]+\?)\*\*", header, re.S)[1].replace("\n", " ")
    read, run = re.search(r"(\d+) minutes? to read · (\d+ \w+) to run", header).groups()
    row = next(line for line in README.splitlines() if line.startswith(f"| [{number}]"))
    assert f"(notebooks/{source.stem}.ipynb)" in row
    assert all(part in row for part in (title, question, f"{read} min", run)), row
