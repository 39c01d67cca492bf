"""A page on which the 1-D GAN of notebook 05 trains in the reader's browser: no installation, no server, no network."""

from __future__ import annotations

import json

import numpy as np

from course_lib.live.assets import script, styles
from course_lib.live.views import Curve, Density

TASTE = "taste"  # the page's name

PAGE = """# Train one here

Two networks play a game. The **generator** turns noise into numbers; the **discriminator** says of a number with which
probability it is real. Real are draws from a Gaussian of mean 4 and standard deviation ½, which the generator never
sees: all that it learns from is how the discriminator's answer changes with its numbers. Notebook {notebook} explains
every line of it.

**Before you press Train:** which of the two numbers will the generator find first, the mean or the standard deviation?

```{{raw}} html
{lab}
```

Then try this, while it trains:

1. Turn the momentum to 0.9, and watch the mean. Does it come to rest at 4?
2. Start anew several times. Look at the standard deviation at the end: is it the same each time?
3. Switch minibatch discrimination on, which lets the discriminator see how close the numbers of a batch lie to each
   other, and do that again.
4. Turn the learning rate of D far down, then far up. Who needs whom?

What trains here is JavaScript, in double precision, with every gradient written out. From the same weights and on the
same numbers its first ten steps are PyTorch's to eight decimals, which a test of the course holds.
"""

LAB = """<div class="course-taste course-player course-canvas" role="group" aria-label="A GAN that trains in this page">
<p class="course-stand-in">This lab needs JavaScript.</p>
<script type="application/json" class="course-views">{views}</script></div>
<style>{css}</style>
<script type="module">{esm}</script>"""


def taste_page(notebook: str) -> str:
    """The page in MyST Markdown; `notebook` is how it names, and links to, the one of the 1-D GAN."""
    views = [
        Density("real_density", "generated_density", grid="grid", lines=["decision"],
                labels={"real_density": "real", "generated_density": "made", "decision": "D(x)"},
                title="What is real, what is made, what D answers", xlabel="x", ylabel="density, or probability",
                xlim=(-2, 8), ylim=(0, 2)),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"},
              levels={"2 log 2": 2 * np.log(2), "log 2": np.log(2)}, title="Dotted: if D answers one half to all",
              ylabel="nats", ylim=(0, 3)),
    ]
    lab = LAB.format(views=json.dumps([view.spec() for view in views]).replace("</", "<\\/"),
                     css=styles("page.css", "canvas.css", "player.css", "taste.css"), esm=script("taste.js"))
    return PAGE.format(notebook=notebook, lab=lab)
