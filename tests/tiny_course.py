"""A course of one small notebook and a few short documents, of which a web site is built within seconds."""

from __future__ import annotations

from pathlib import Path

from course_lib.authoring.build import build

COURSE = Path(__file__).resolve().parents[1]
SECRET = "return -(p * np.log(p / q)).sum() * -1  # nobody is to read this"
SOURCE = f'''\
# %% [markdown]
# # 00 · Everything: a page with all there is
# Words of $\\log p(x)$. **Why?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | do it |
# | You need | nothing |
# | Time | 3 seconds to run · seed 0 |

# %%
import numpy as np

from course_lib.live import show_film
from course_lib.plots import curves, images, show
from course_lib.teach import check, claim, claim_table, predict, reveal

# %% [markdown]
# ## Words and formulas
# An **evidence lower
# bound**, and the evidence lower bound again: $x_1$, ($\\sigma^2$), and
#
# $$\\begin{{aligned}} a &= b \\\\ &\\le c_1 + c_2 + c_3 + c_4 + c_5 + c_6 + c_7 + c_8
#   + c_9 + c_{{10}} + c_{{11}} \\end{{aligned}}$$
#
# See [the words](#Words-and-formulas), [the glossary](../docs/glossary.md) and [no page](../course_lib/files.py).

# %%
show(curves([0, 1, 2], {{"rising": [0, 1, 4]}}, title="A line", xlabel="x", ylabel="y"), alt="A line that \\"rises\\"")
print("printed, and wider than a phone: " + "0123456789 " * 20)

# %%
frames = np.random.default_rng(0).random((5, 4, 6, 6))
show_film(images(frames[-1], columns=4, title="Noise"), frames, alt="Four pictures that flicker")

# %%
predict("00.guess", "How many?", low=0, high=9)

# %%
reveal("00.guess", 7)
claim("Good", 1, above=0)
with claim_table():
    claim("Better, in a row", 2, above=0)

# %% tags=["exercise"]
def kl_divergence(p, q):
    """KL(p, q)."""
    ### BEGIN SOLUTION
    {SECRET}
    ### END SOLUTION

# %%
check("00.kl", kl_divergence)
'''
GLOSSARY = """# Glossary

Terms. Symbols are in [the README](../README.md).

| Term | 中文 | Meaning | Notebooks |
|---|---|---|---|
| evidence lower bound | 证据下界 | Not more than $\\log p(x)$. | [00](../notebooks/00_all.ipynb) |
| variational autoencoder | 变分自编码器 | A network with a code \\| a prior. | [00](../notebooks/00_all.ipynb) |
"""
README = """# Tiny

<!-- the site: written by `python -m course_lib notebooks` -->

not on the front page

<!-- end of the site -->

A course of one notebook: [00](notebooks/00_all.ipynb), under [a licence](LICENSE).

## Start

With `make`. [Code](course_lib/files.py) has no page.
"""


def write_course(folder: Path) -> list[Path]:
    """Write the course into an empty folder; returns its notebooks."""
    for name in ("course_lib", "web"):
        (folder / name).symlink_to(COURSE / name)
    for name in ("docs", "notebooks/source"):
        (folder / name).mkdir(parents=True)
    for name, text in {"README.md": README, "docs/glossary.md": GLOSSARY, "constraints.txt": "", "LICENSE": "MIT\n",
                       "LICENSE-TEXT": "CC\n", "pyproject.toml": '[tool.course]\nrepository = ""\nsite = ""\n',
                       "notebooks/source/00_all.py": SOURCE}.items():
        (folder / name).write_text(text, encoding="utf-8")
    build(folder / "notebooks")
    return sorted((folder / "notebooks").glob("*.ipynb"))
