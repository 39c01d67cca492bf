"""A notebook's source with everything in it that a source needs, to be broken in one place at a time."""

from pathlib import Path

NAME = "07_double"
SOURCE = '''\
# %% [markdown]
# # 07 · Title
# **Why?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | do it |
# | You need | nothing |
# | Time | 3 seconds to run · seed 0 |

# %%
import math

from course_lib.teach import check

# %% [markdown] tags=["teacher"]
# Only for the teacher.

# %% tags=["exercise"]
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    y = 2 * x
    return y
    ### END SOLUTION

# %%
check("07.double", double)

# %% [markdown]
# ## What to keep
# Doubling.
#
# **Read on:**
#
# - Euclid, [*The
#   Elements*](https://example.org/elements), Dover (1956): book seven.
# - A. Ng, M. Jordan, [*On
#   Classifiers*](https://doi.org/10.1000/a%281%29-3), NIPS 14 (2001).
#
# **Next:** notebook 08, tripling.
'''


def write(folder: Path) -> Path:
    """A folder of notebooks with this source and the one that follows it; the path of this one."""
    (folder / "source").mkdir()
    path = folder / "source" / f"{NAME}.py"
    path.write_text(SOURCE, encoding="utf-8")
    (folder / "source" / "08_triple.py").write_text(
        SOURCE.replace("# # 07", "# # 08").replace('"07.', '"08.').replace("notebook 08, tripling", "the end"),
        encoding="utf-8")
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace what must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
