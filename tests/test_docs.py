"""The README and what it points to."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
