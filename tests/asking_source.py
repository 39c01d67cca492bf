"""A notebook of `tiny_source` that also asks, shows a formula and lets the reader turn something."""

import json
from pathlib import Path

from tiny_source import edit, write

from course_lib.authoring.build import build
from course_lib.authoring.calibrate import digest

ASKING = '''\
# %% [markdown]
# ## First: a guess
# What is it about? **This.**

# %%
predict("07.which", "Which {one} = ~it?", options=["a: b", "c # d"])
predict("07.many", "How many?", low=0, high=10)

# %% [markdown]
# ## Then
# Half: $\\\\frac{1}{2} < 1$.
#
# $$x = y$$
#
# 1. Turn it.
# 2. Look.

# %%
explore(draw, n=(1, 5), alt="a picture")
show(picture, alt="another")
reveal("07.which", 2, pick=lambda _: "a: b")
reveal("07.many", 3)

# %% [markdown]
# Because **so** it is, see `code` and [there](https://example.org).

'''.replace("\\\\\\\\", "\\\\")
BEFORE = '# %% tags=["exercise"]\n'
WHICH = {"question": "Which {one} = ~it?", "options": ["a: b", "c # d"], "low": None, "high": None, "answer": "a: b",
         "measured": "2"}
MANY = {"question": "How many?", "options": None, "low": 0, "high": 10, "answer": 3.0, "measured": None}


def write_asking(folder: Path) -> Path:
    """As `tiny_source.write`, with `ASKING` before the exercise, and built."""
    source = write(folder)
    edit(source, BEFORE, ASKING + BEFORE)
    build(folder, force=True)
    return source


def record(source: Path, *answers: tuple[str, float], code: str = "") -> Path:
    """A record of a run for each pair of answers, by seed, of the present code or of another."""
    path = source.parent / "predictions.jsonl"
    now = code or digest(source.parents[1] / f"{source.stem}.ipynb")
    lines = [{"setting": {"path": f"notebooks/{source.stem}.ipynb", "digest": now, "seed": seed},
              "result": {"07.which": WHICH | {"answer": which}, "07.many": MANY | {"answer": many}}}
             for seed, (which, many) in enumerate(answers)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
