"""A film in the notebook: an animated GIF with alt text, whose frames are the pictures that were given."""

import base64
import io
import re
import sys

import numpy as np
import pytest
from PIL import Image

from course_lib.live import show_film
from course_lib.plots import images

MODULE = sys.modules["course_lib.live.film"]


@pytest.fixture
def shown(monkeypatch):
    out = []
    monkeypatch.setattr(MODULE, "display", lambda bundle, metadata=None, raw=False: out.append(bundle))
    return out


def test_the_film_shows_each_frame_and_rests_on_the_last(shown):
    frames = np.zeros((3, 2, 4, 4))
    frames[1, 0], frames[2] = 1, 1
    show_film(images(frames[-1], columns=2, title="t"), frames, alt="two <squares>")
    assert shown[0]["text/plain"] == "two <squares>" and 'alt="two &lt;squares&gt;"' in shown[0]["text/html"]
    film = Image.open(io.BytesIO(base64.b64decode(re.search("base64,([^\"]*)", shown[0]["text/html"])[1])))
    assert film.n_frames == 3 + MODULE.STILL
    still = Image.open(io.BytesIO(base64.b64decode(shown[0]["image/png"])))  # for paper: the last picture
    assert still.format == "PNG" and np.asarray(still.convert("L")).mean() < np.asarray(film.convert("L")).mean() + 60
    ink = []
    for k in range(film.n_frames):
        film.seek(k)
        ink.append((np.asarray(film.convert("L")) < 100).sum())
    assert ink[0] < ink[1] < ink[2] == ink[-1]


def test_what_cannot_be_filmed_is_told(shown):
    fig = images(np.zeros((2, 4, 4)), columns=2, title="t")
    with pytest.raises(ValueError, match=r"\[T, 2, H, W\] for this figure, not \[5, 3, 4, 4\]"):
        show_film(fig, np.zeros((5, 3, 4, 4)), alt="a")
    with pytest.raises(ValueError, match="alt must say"):
        show_film(fig, np.zeros((5, 2, 4, 4)), alt=" ")
    assert shown == []
